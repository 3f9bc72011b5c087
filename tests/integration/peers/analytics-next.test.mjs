// @segment/analytics-next in a real Chromium, on a page of another origin.
import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {openHub, run} from './hub.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const kStandalone = join(here, 'node_modules/@segment/analytics-next/dist/umd/standalone.js');
const kChromium = process.env.HILO_CHROMIUM ?? '/usr/bin/chromium';

let hub, shop, stranger, browser;

// A page that loads the SDK from the hub, as the snippet does.
function page() {
  return `<!doctype html><title>Shop</title><script>
    var analytics = window.analytics = window.analytics || [];
    analytics._writeKey = ${JSON.stringify(hub.writeKey)};
    analytics._cdn = ${JSON.stringify(hub.url)};
    analytics.invoked = true; analytics.SNIPPET_VERSION = '5.2.1';
    analytics.methods = ['page', 'track', 'identify', 'group', 'alias', 'ready', 'reset', 'setAnonymousId', 'user', 'on', 'register'];
    analytics.factory = function (name) { return function () {
      if (window.analytics.initialized) return window.analytics[name].apply(window.analytics, arguments);
      analytics.push([name].concat(Array.prototype.slice.call(arguments))); return analytics; }; };
    analytics.methods.forEach(function (name) { analytics[name] = analytics.factory(name); });
  </script><script src="/analytics.min.js" async></script><h1>Returns</h1>`;
}

function serve() {
  return new Promise((resolve) => {
    const server = createServer((from, answer) => {
      if (from.url === '/analytics.min.js') {
        answer.writeHead(200, {'Content-Type': 'text/javascript'});
        answer.end(readFileSync(kStandalone));
      } else {
        answer.writeHead(200, {'Content-Type': 'text/html'});
        answer.end(page());
      }
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
const origin = (server) => `http://127.0.0.1:${server.address().port}`;

before(async () => {
  if (!existsSync(kChromium)) throw new Error(`no ${kChromium}`);
  shop = await serve();
  stranger = await serve();
  hub = await openHub({origins: [origin(shop)]});
  browser = await chromium.launch({executablePath: kChromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']});
});
after(async () => {
  await browser?.close();
  await hub?.stop();
  shop?.close();
  stranger?.close();
});

async function visit(url) {
  const context = await browser.newContext({locale: 'es-ES', timezoneId: 'Europe/Madrid'});
  const tab = await context.newPage();
  const answers = [];
  tab.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (response.url().startsWith(hub.url)) answers.push(`${response.request().method()} ${path} ${response.status()}`);
  });
  await tab.goto(url);
  return {context, tab, answers};
}

// Calls the SDK and waits until it says that the event is delivered.
const call = (tab, method, ...args) => tab.evaluate(async ([name, rest]) => {
  await new Promise((resolve) => window.analytics.ready(resolve));
  const context = await window.analytics[name](...rest);
  return context.failedDelivery() ? String(JSON.stringify(context.failedDelivery())) : 'delivered';
}, [method, args]);

test('a visit is known before and after the visitor signs in', async () => {
  const user = `u-web-${run}`;
  const {context, tab, answers} = await visit(origin(shop));
  assert.equal(await call(tab, 'page', 'Returns'), 'delivered');
  const anonymous = await tab.evaluate(() => window.analytics.user().anonymousId());
  assert.equal(await call(tab, 'track', 'Return Requested', {order_id: '1042', size: 42, reason: 'arrived torn'}), 'delivered');
  assert.equal(await call(tab, 'identify', user, {email: `web-${run}@example.com`, first_name: 'Ana'}), 'delivered');
  assert.equal(await call(tab, 'track', 'Product Added', {product_id: 'p1', name: 'Trail shoes', price: 89.9, currency: 'EUR'}), 'delivered');
  // After identify() this SDK's alias() names the same id twice: no merge, no harm.
  assert.equal(await call(tab, 'alias', user), 'delivered');
  await context.close();

  const known = await hub.context('EMAIL', `web-${run}@example.com`, ({timeline = []}) => timeline.length >= 4);
  assert.ok(known.facts.some(({kind, value}) => kind === 'return_reason' && value === 'arrived torn'), 'told before signing in');
  assert.ok(known.facts.some(({kind, value}) => kind === 'basket_item' && value === 'Trail shoes'));
  assert.equal((await hub.find('ANONYMOUS_ID', anonymous)).length, 1);
  const paths = answers.filter((answer) => answer.startsWith('POST'));
  assert.ok(paths.includes('POST /v1/t 200'), `the short paths are used: ${paths}`);
  assert.ok(paths.every((answer) => answer.endsWith(' 200')), `everything was taken: ${paths}`);
});

test('a page of an origin that is not listed cannot start', async () => {
  const context = await browser.newContext();
  const tab = await context.newPage();
  // Chromium shows a page nothing of an answer that it may not read.
  const refused = tab.waitForEvent('requestfailed', {predicate: (request) => request.url().includes('/settings'), timeout: 10_000});
  await tab.goto(origin(stranger));
  await refused;
  assert.equal(await tab.evaluate(() => window.analytics.initialized ?? false), false);
  await context.close();
});

test('the hub serves the SDK itself', async (t) => {
  const answer = await fetch(`${hub.url}/analytics.js/v1/${hub.writeKey}/analytics.min.js`);
  if (answer.status === 404 && process.env.HILO_URL) return t.skip('this hub was not given the script');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /javascript/);
});
