// Simulated customers: web events by an official tracking SDK, calls by CloudEvents as a switch would post them.
import { Analytics } from '@segment/analytics-node';

const url = process.env.HILO_URL;
const analytics = new Analytics({ writeKey: 'wk-shop', host: url, path: '/v1/batch', flushAt: 20, flushInterval: 500 });
analytics.on('error', (error) => console.error('events were not delivered:', error.code ?? error));

const minutes = (n) => n * 60_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A step of a call, as the switch posts it.
async function call(step, id, from, agent, more = {}) {
  const response = await fetch(`${url}/v1/calls/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/cloudevents+json', Authorization: 'Bearer wk-switch' },
    body: JSON.stringify({
      specversion: '1.0',
      id: `${id}-${step}`,
      source: '/switch/demo',
      type: `call.${step}`,
      time: new Date().toISOString(),
      data: { call_id: id, from, to: '+34910000000', agent, queue: 'returns', ...more },
    }),
  });
  if (!response.ok) console.error(`call.${step} was answered ${response.status}: ${await response.text()}`);
}

// What a cookie banner says.
const consent = (granted) => ({ consent: { categoryPreferences: { Marketing: granted } } });

function addsShoes(userId, timestamp = new Date()) {
  analytics.track({
    userId,
    event: 'Product Added',
    timestamp,
    properties: { product_id: 'shoes-7', name: 'Trail shoes', price: 89.9, currency: 'EUR', quantity: 1 },
  });
}

// Beto has complained, and then leaves a basket too; Carmen wants no mail.
async function betoAndCarmen() {
  analytics.identify({
    userId: 'u-carmen',
    traits: { first_name: 'Carmen', email: 'carmen@example.com', phone: '+34600111444' },
    context: consent(false),
  });
  addsShoes('u-carmen');
  analytics.identify({
    userId: 'u-beto',
    traits: { first_name: 'Beto', email: 'beto@example.com', phone: '+34600111333' },
    context: consent(true),
  });
  await sleep(2_000);
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/cloudevents+json', Authorization: 'Bearer wk-shop' },
    body: JSON.stringify({
      specversion: '1.0',
      id: `complaint-${Date.now()}`,
      source: '/shop/help',
      type: 'complaint.filed',
      time: new Date().toISOString(),
      data: { user_id: 'u-beto', subject: 'Parcel left in the rain' },
    }),
  });
  if (!response.ok) console.error(`complaint.filed was answered ${response.status}: ${await response.text()}`);
  addsShoes('u-beto');
}

function anaOnTheWeb() {
  const at = (ago) => new Date(Date.now() - ago);
  const userId = 'u-ana';
  analytics.identify({
    userId,
    timestamp: at(minutes(4)),
    traits: { first_name: 'Ana', last_name: 'Ruiz', email: 'ana@example.com', phone: '+34600111222' },
    context: { locale: 'es-ES', timezone: 'Europe/Madrid', ...consent(true) },
  });
  analytics.page({ userId, name: 'Returns', timestamp: at(minutes(3.8)), properties: { path: '/returns' } });
  analytics.track({
    userId,
    event: 'Return Requested',
    timestamp: at(minutes(3.5)),
    properties: { order_id: '1042', size: 42, reason: 'arrived torn' },
  });
  addsShoes(userId, at(minutes(3)));
}

async function anaRings(round) {
  const id = `ana-${Date.now()}-${round}`;
  await call('agent_ringing', id, '+34600111222', 'marta');
  await sleep(20_000);
  await call('answered', id, '+34600111222', 'marta');
  await sleep(60_000);
  await call('ended', id, '+34600111222', 'marta');
}

const names = ['Bruno', 'Carla', 'Diego', 'Elena', 'Farid', 'Greta', 'Hugo', 'Inés', 'Jonas', 'Karin'];
const pages = ['Home', 'Shoes', 'Sale', 'Returns', 'Help'];

// Others who browse, buy and now and then ring.
async function others() {
  for (let n = 0; ; n++) {
    const who = n % 200;
    const userId = `u-${who}`;
    const phone = `+346005${String(10000 + who).slice(-5)}`;
    if (n < 200) {
      analytics.identify({ userId, traits: { first_name: names[who % names.length], email: `customer${who}@example.com`, phone } });
    }
    analytics.page({ userId, name: pages[n % pages.length] });
    if (n % 7 === 0) {
      analytics.track({
        userId,
        event: 'Order Completed',
        properties: { order_id: `o-${Date.now()}-${n}`, total: 20 + (n % 80), currency: 'EUR', products: [{ product_id: `p-${n % 30}`, quantity: 1, price: 20 + (n % 80) }] },
      });
    }
    if (n % 60 === 30) {
      const id = `call-${Date.now()}`;
      await call('agent_ringing', id, phone, 'luis');
      setTimeout(() => call('ended', id, phone, 'luis').catch(() => {}), 30_000);
    }
    await sleep(500);
  }
}

anaOnTheWeb();
betoAndCarmen().catch((error) => console.error(error));
others().catch((error) => console.error(error));
await sleep(12_000);
for (let round = 0; ; round++) {
  await anaRings(round);
  // She looks at the shoes again: no second reminder comes of it.
  addsShoes('u-ana');
  await sleep(40_000);
}
