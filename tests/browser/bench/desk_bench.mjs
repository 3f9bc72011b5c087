// What an agent waits for at the desk: from the answer to a suggestion until the new decision stands there, and from a key
// in the search for products until what it finds does. A real hilod, a real Chromium; time runs in the page, from the
// event of the key to the frame after the change.
//
//   HILO_BUILD=build/release node tests/browser/bench/desk_bench.mjs [--callers 12]
import {launch} from '../browser.mjs';
import {AgentDesk} from '../story/agent_desk.mjs';
import {Hub} from '../story/hub.mjs';

const kBuild = process.env.HILO_BUILD;
const given = process.argv.indexOf('--callers');
const callers = given < 0 ? 12 : Number(process.argv[given + 1]);
const kWarmUp = 2; // callers whose figures are left out: code is compiled, styles are read
const kQueries = ['t', 'tr', 'tra', 'trail', 'trail s', 'sh', 'shoe', 'p', 'po', 'poles', 'ja', 'jac'];

// The time from the first key to the frame after what `change` selects reads otherwise: by its action, else its text.
async function waited(page, change, act) {
  const time = page.evaluate(
    (selector) =>
      new Promise((done) => {
        const look = () => [...document.querySelectorAll(selector)].map((one) => one.dataset.action ?? one.innerText).join();
        const before = look();
        let began;
        const begin = () => (began ??= performance.now());
        for (const event of ['keydown', 'input', 'click']) addEventListener(event, begin, {capture: true, once: true});
        const observer = new MutationObserver(() => {
          if (began === undefined || look() === before) return;
          observer.disconnect();
          requestAnimationFrame(() => done(performance.now() - began));
        });
        observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
      }),
    change,
  );
  await page.evaluate(() => undefined); // the one above has begun
  await act();
  return time;
}

async function post(hub, path, key, type, body) {
  const answer = await fetch(`${hub.url}${path}`, {
    method: 'POST',
    headers: {'Content-Type': type, Authorization: path === '/v1/batch' ? `Basic ${btoa(`${key}:`)}` : `Bearer ${key}`},
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

// Somebody with something in the basket and something to return rings.
async function ring(hub, number, phone) {
  const userId = `u-${number}`;
  const track = (event, properties) => ({type: 'track', userId, event, properties, messageId: `${userId} ${event}`});
  await post(hub, '/v1/batch', 'wk-shop', 'application/json', {
    batch: [
      {type: 'identify', userId, traits: {first_name: `Caller ${number}`, phone}, messageId: `${userId} identify`},
      track('Return Requested', {order_id: `10${number}`, reason: 'arrived torn'}),
      track('Product Added', {product_id: 'shoes-7', name: 'Trail shoes', price: 89.9, currency: 'EUR'}),
    ],
  });
  await call(hub, number, phone, 'agent_ringing');
}
const call = (hub, number, phone, step) =>
  post(hub, '/v1/calls/events', 'wk-switch', 'application/cloudevents+json', {
    specversion: '1.0',
    id: `${number} ${step}`,
    source: '/switch/bench',
    type: `call.${step}`,
    time: new Date().toISOString(),
    data: {call_id: `c-${number}`, from: phone, agent: 'marta'},
  });

function print(name, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  console.log(`${name}_p50 ${at(0.5).toFixed(1)} ms`);
  console.log(`${name}_p95 ${at(0.95).toFixed(1)} ms`);
}

const hub = await Hub.start(kBuild, {
  sources: [
    {name: 'shop', write_key: 'wk-shop', region: 'ES'},
    {name: 'switch', write_key: 'wk-switch', region: 'ES'},
  ],
  agents: ['marta'],
});
const browser = await launch();
try {
  const {page} = await AgentDesk.open(browser, hub, 'marta', {language: 'en'});
  const decisions = [];
  for (let number = 0; number < callers + kWarmUp; ++number) {
    const phone = `+3460011${String(1000 + number)}`;
    await ring(hub, number, phone);
    // Who has somebody open is not taken away from them: the call waits at its key.
    await page.getByText(`Caller ${number}`).first().waitFor();
    await page.keyboard.press('Alt+1');
    await page.getByRole('heading', {level: 1, name: `Caller ${number}`}).waitFor();
    await page.locator('[data-testid="next-best"]').waitFor();
    const time = await waited(page, '.next [data-action]', () => page.keyboard.press('Alt+a'));
    if (number >= kWarmUp) decisions.push(time);
    await call(hub, number, phone, 'ended');
    await page.getByTestId('call').waitFor({state: 'detached'});
  }
  print('desk_new_decision', decisions);

  await page.keyboard.press('Alt+g');
  const box = page.getByRole('dialog').getByRole('searchbox').or(page.getByRole('dialog').getByRole('textbox')).first();
  await box.waitFor();
  const searches = [];
  const status = '[role="dialog"] [role="status"], dialog [role="status"], [data-testid="products"]';
  for (let round = 0; round < 4; ++round) {
    for (const query of kQueries) {
      // Something that nothing matches in between, so that each answer shows.
      await waited(page, status, () => box.fill('zzz'));
      const time = await waited(page, status, () => box.fill(query));
      if (round > 0) searches.push(time);
    }
  }
  print('desk_product_search', searches);
} finally {
  await browser.close();
  await hub.stop();
}
