// npm cloudevents, unchanged, as a shop's back office and a telephone switch use it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {CloudEvent, HTTP, Mode, emitterFor, httpTransport} from 'cloudevents';
import {openHub, run} from './hub.mjs';

let hub;
before(async () => (hub = await openHub()));
after(() => hub?.stop());

async function send(path, key, message) {
  const response = await fetch(`${hub.url}${path}`, {
    method: 'POST', headers: {...message.headers, Authorization: `Bearer ${key}`}, body: message.body});
  return {status: response.status, body: await response.text()};
}

const order = (id, data) => new CloudEvent({source: '/erp', type: 'order.placed', id: `${run}-${id}`, data});

test('binary, structured and batch mode', async () => {
  const user = `u-erp-${run}`;
  const data = (id, total) => ({user_id: user, order_id: `${run}-${id}`, total, currency: 'EUR', note: 'für Größe 42 ✓'});
  assert.equal((await send('/v1/events', hub.writeKey, HTTP.structured(order(1, data(1, '10.00'))))).status, 200);
  assert.equal((await send('/v1/events', hub.writeKey, HTTP.binary(order(2, data(2, '20.00'))))).status, 200);
  const batch = {headers: {'Content-Type': 'application/cloudevents-batch+json'},
    body: JSON.stringify([order(3, data(3, '30.00')), order(4, data(4, '40.00'))])};
  assert.equal((await send('/v1/events', hub.writeKey, batch)).status, 200);
  assert.equal((await send('/v1/events', hub.writeKey, HTTP.structured(order(1, data(1, '10.00'))))).status, 200, 'a repeat');
  const context = await hub.context('USER_ID', user, ({purchases = []}) => Number(purchases[0]?.orders) >= 4);
  assert.equal(Number(context.purchases[0].orders), 4);
  assert.equal(String(context.purchases[0].total.minor), '10000');
});

test('the emitter of the package delivers', async () => {
  const user = `u-emitter-${run}`;
  const emit = emitterFor(httpTransport(`${hub.url}/v1/events?access_token=${hub.writeKey}`), {mode: Mode.STRUCTURED});
  await emit(new CloudEvent({source: '/crm', type: 'crm.visited', id: `${run}-e`, data: {user_id: user}}));
  assert.equal((await hub.find('USER_ID', user)).length, 1);
});

test('a call rings, is answered and ends, and its caller is only claimed', async () => {
  const phone = `+34600${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}`;
  const step = (name, more = {}) => send('/v1/calls/events', hub.callKey, HTTP.structured(new CloudEvent({
    source: '/pbx', type: `call.${name}`, id: `${run}-${name}`, time: new Date().toISOString(),
    data: {call_id: `call-${run}`, from: `sip:${phone}@pbx.example`, agent: 'marta', queue: 'returns', ...more}})));
  for (const name of ['offered', 'agent_ringing', 'answered', 'ended']) {
    const {status, body} = await step(name);
    assert.equal(status, 200, body);
  }
  const context = await hub.context('PHONE', phone, ({interactions = []}) => interactions[0]?.state === 'INTERACTION_STATE_ENDED');
  assert.equal(context.interactions.length, 1);
  assert.equal(context.interactions[0].assurance, 'ASSURANCE_CLAIMED');
  assert.equal(context.interactions[0].channel, 'CHANNEL_CALL');
});

test('the routing question gets an answer that a switch can read', async () => {
  const response = await fetch(`${hub.url}/v1/route`, {
    method: 'POST', headers: {Authorization: `Bearer ${hub.callKey}`},
    body: JSON.stringify({call_id: `route-${run}`, from: '+34600111222', to: '900100100'})});
  assert.equal(response.status, 200);
  const answer = await response.json();
  assert.equal(answer.version, '1.0');
  assert.ok(Array.isArray(answer.routes));
  assert.match(answer.decision_id, /^[0-9a-f]{16}$/);
});
