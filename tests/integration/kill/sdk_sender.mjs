// A shop's server with an official SDK, unchanged, while the hub dies: events in batches, sent again by the SDK alone.
//
// usage: sdk_sender.mjs <url> <ledger file> <write key> <name> <users> <events a second>; SIGTERM: sends what it has, and ends.
import {closeSync, fsyncSync, openSync, writeSync} from 'node:fs';
import {createRequire} from 'node:module';

const [url, ledgerPath, writeKey, name, users, rate] = process.argv.slice(2);
const {Analytics} = createRequire(`${process.env.HILO_PEERS}/package.json`)('@segment/analytics-node');

const kMostUnanswered = 500;
const kEvery = 25; // milliseconds

const ledger = openSync(ledgerPath, 'a');
const write = (line) => writeSync(ledger, JSON.stringify(line) + '\n');

// It gives up only when this test does: its own patience is a setting.
const analytics = new Analytics({writeKey, host: url, path: '/v1/batch', flushAt: 20, flushInterval: 50, maxRetries: 1000, httpRequestTimeout: 5000});
analytics.on('error', (error) => process.stderr.write(`${name}: ${error.code} ${error.reason?.message ?? ''}\n`));

let made = 0;
let unanswered = 0;
let seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) >>> 0;
function draw(below) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed % below;
}

function invoke(id) {
  const order = draw(3) === 0;
  const minor = order ? 1 + draw(50_000) : 0;
  const user = `u${draw(Number(users))}`;
  const currency = order ? (draw(4) === 0 ? 'USD' : 'EUR') : '';
  write({op: 'invoke', kind: 'event', id, source: name, ordered: false, minor, currency, expect: 'counted', user});
  const properties = {ledger_id: id, ledger_seq: String(made), ledger_chain: ''};
  if (order) Object.assign(properties, {order_id: `o-${id}`, total: (minor / 100).toFixed(2), currency});
  return {userId: user, messageId: id, event: order ? 'Order Completed' : 'Product Viewed', properties};
}

function turn() {
  const events = [];
  for (let i = 0; i < (Number(rate) * kEvery) / 1000 && unanswered < kMostUnanswered; ++i) {
    const id = `${name}-${++made}`;
    events.push([id, invoke(id)]);
    ++unanswered;
  }
  if (events.length === 0) return;
  fsyncSync(ledger); // one for all that leave now
  for (const [id, event] of events) {
    analytics.track(event, (error) => {
      --unanswered;
      write({op: error ? 'info' : 'ok', id});
    });
  }
}

const timer = setInterval(turn, kEvery);
process.on('SIGTERM', async () => {
  clearInterval(timer);
  await analytics.closeAndFlush();
  while (unanswered > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  closeSync(ledger);
  process.exit(0);
});
process.stdout.write('sending\n');
