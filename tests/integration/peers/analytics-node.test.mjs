// @segment/analytics-node, unchanged, as a shop's server uses it.
import assert from 'node:assert/strict';
import {createServer, request} from 'node:http';
import {after, before, test} from 'node:test';
import {Analytics} from '@segment/analytics-node';
import {openHub, run} from './hub.mjs';

let hub;
before(async () => (hub = await openHub()));
after(() => hub?.stop());

function open(options = {}) {
  const analytics = new Analytics({writeKey: hub.writeKey, host: hub.url, path: '/v1/batch', flushAt: 50, flushInterval: 100, ...options});
  const errors = [];
  analytics.on('error', (error) => errors.push(error));
  return {analytics, errors};
}

test('what a customer does is known under every identifier', async () => {
  const user = `u-ana-${run}`;
  const {analytics, errors} = open();
  analytics.identify({userId: user, traits: {email: `Ana-${run}@Example.COM`, first_name: 'Ana', last_name: 'Ruiz'},
    context: {locale: 'es-ES', timezone: 'Europe/Madrid'}});
  analytics.page({userId: user, name: 'Returns', properties: {path: '/returns'}});
  analytics.track({userId: user, event: 'Return Requested', properties: {order_id: '1042', size: 42, reason: 'arrived torn'}});
  analytics.track({userId: user, event: 'Order Completed',
    properties: {order_id: `o-${run}`, total: 0.1 + 0.2, currency: 'EUR', products: [{product_id: 'p1', quantity: 1, price: 0.3}]}});
  analytics.group({userId: user, groupId: `acme-${run}`, traits: {role: 'buyer'}});
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);

  const context = await hub.context('EMAIL', `ana-${run}@example.com`, ({timeline = []}) => timeline.length >= 5);
  const told = Object.fromEntries(context.facts.map(({kind, value}) => [kind, value]));
  assert.equal(told.return_reason, 'arrived torn');
  assert.equal(told.return_order, '1042');
  assert.equal(told.shoe_size, '42');
  assert.equal(context.cases[0].kind, 'return');
  assert.equal(String(context.purchases[0].total.minor), '30', 'exact, whatever the floating point says');
  assert.equal((await hub.find('USER_ID', user)).length, 1);
});

test('five hundred events arrive once each', async () => {
  const user = `u-many-${run}`;
  const {analytics, errors} = open();
  for (let i = 0; i < 500; ++i) {
    analytics.track({userId: user, event: 'Order Completed', properties: {order_id: `o-${run}-${i}`, total: '1.00', currency: 'USD'}});
  }
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);
  const context = await hub.context('USER_ID', user, ({purchases = []}) => Number(purchases[0]?.orders) === 500, 15_000);
  assert.equal(String(context.purchases[0].total.minor), '50000');
});

test('a batch whose answers get lost is sent again and counts once', async () => {
  const user = `u-again-${run}`;
  // Stands between the SDK and the hub, and cuts the first two answers off after the hub has taken the events.
  let cut = 0;
  const target = new URL(hub.url);
  const proxy = createServer((from, answer) => {
    const to = request({host: target.hostname, port: target.port, path: from.url, method: from.method, headers: from.headers}, (got) => {
      if (cut < 2) {
        ++cut;
        got.resume();
        got.on('end', () => from.socket.destroy());
        return;
      }
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    from.pipe(to);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const {analytics, errors} = open({host: `http://127.0.0.1:${proxy.address().port}`});
    for (let i = 0; i < 10; ++i) {
      analytics.track({userId: user, event: 'Order Completed', properties: {order_id: `r-${run}-${i}`, total: '2.00', currency: 'EUR'}});
    }
    await analytics.closeAndFlush();
    assert.deepEqual(errors, []);
    assert.equal(cut, 2);
    const context = await hub.context('USER_ID', user, ({purchases = []}) => Number(purchases[0]?.orders) >= 10);
    assert.equal(Number(context.purchases[0].orders), 10);
    assert.equal(String(context.purchases[0].total.minor), '2000');
    const entries = context.timeline.filter((entry) => entry.type === 'web.track');
    assert.equal(entries.length, 10, 'no event stands on the timeline twice');
  } finally {
    proxy.close();
  }
});

test('a sender that is too fast is slowed down and loses nothing', async () => {
  const user = `u-fast-${run}`;
  const {analytics, errors} = open({writeKey: 'wk-slow', flushAt: 10});
  for (let i = 0; i < 60; ++i) {
    analytics.track({userId: user, event: 'Order Completed', properties: {order_id: `f-${run}-${i}`, total: '1.00', currency: 'EUR'}});
  }
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);
  const context = await hub.context('USER_ID', user, ({purchases = []}) => Number(purchases[0]?.orders) === 60, 20_000);
  assert.equal(String(context.purchases[0].total.minor), '6000');
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  assert.match(metrics, /hilo_kit_rate_limited_total\{by="write_key"\} [1-9]/, 'it was refused at least once');
});

test('a wrong key is told to the SDK', async () => {
  const {analytics, errors} = open({writeKey: 'wk-nobody', maxRetries: 0});
  analytics.track({userId: `u-nobody-${run}`, event: 'X'});
  await analytics.closeAndFlush();
  assert.equal(errors.length, 1);
  assert.deepEqual(await hub.find('USER_ID', `u-nobody-${run}`, 300), []);
});
