import assert from 'node:assert/strict';
import {test} from 'node:test';
import {by, largest, parseExposition, quantile, sum} from '../src/operations/exposition';
import {Figures, kKept} from '../src/operations/figures';

const kText = `# HELP a_total What.
# TYPE a_total counter
a_total{reason="opted_out",channel="email"} 3
a_total{reason="it \\"said\\" \\\\n",channel="email"} 1
a_total{reason="none",channel="email"} 0
lag{topic="events"} 7
lag{topic="customers"} 12.5
plain 4
not a line
`;

test('samples are read with their labels, and other lines left out', () => {
  const read = parseExposition(kText);
  assert.equal(sum(read, 'a_total'), 4);
  assert.equal(sum(read, 'a_total', {reason: 'opted_out'}), 3);
  assert.equal(sum(read, 'plain'), 4);
  assert.equal(sum(read, 'missing'), 0);
  assert.equal(largest(read, 'lag'), 12.5);
  assert.deepEqual(by(read, 'a_total', 'reason'), [
    ['opted_out', 3],
    ['it "said" \\n', 1],
  ]);
});

const histogram = (counts: number[]) =>
  parseExposition(
    ['0.01', '0.1', '1', '+Inf'].map((le, at) => `h_bucket{le="${le}"} ${counts[at]}`).join('\n'),
  );

test('a quantile is that of what came in between', () => {
  const before = histogram([100, 100, 100, 100]);
  const after = histogram([100, 110, 110, 110]);
  assert.ok(Math.abs(quantile(before, after, 'h', 0.5)! - 0.055) < 1e-9);
  assert.equal(quantile(before, before, 'h', 0.5), undefined);
  assert.equal(quantile(before, histogram([100, 100, 100, 104]), 'h', 0.99), 1, 'above all bounds');
});

const counters = (sent: number, refused: number, start = 1) =>
  parseExposition(
    `hilo_customer_messages_total{state="sent",reason="none"} ${sent}\n` +
      `hilo_customer_messages_total{state="refused",reason="opted_out"} ${refused}\n` +
      `process_start_time_seconds ${start}\n`,
  );

test('rates are those of the last minute', () => {
  const figures = new Figures();
  figures.add(0, counters(10, 0));
  figures.add(30_000, counters(40, 5));
  assert.equal(figures.moments.at(-1)!.sent, 60);
  assert.equal(figures.moments.at(-1)!.notSent, 10);
});

test('what was held or not sent is told by reason, the most frequent first', () => {
  const figures = new Figures();
  figures.add(
    0,
    parseExposition(
      'hilo_customer_messages_total{state="held",reason="open_complaint"} 2\n' +
        'hilo_customer_messages_total{state="refused",reason="duplicate"} 5\n' +
        'hilo_customer_messages_total{state="sent",reason="none"} 9\n',
    ),
  );
  assert.deepEqual(figures.refusals(), [
    ['duplicate', 5],
    ['open_complaint', 2],
  ]);
});

test('a restart makes no rate below nothing', () => {
  const figures = new Figures();
  figures.add(0, counters(100, 0));
  figures.add(2_000, counters(0, 0, 2));
  figures.add(4_000, counters(1, 0, 2));
  assert.ok(figures.moments.every((moment) => moment.sent >= 0));
});

test('no more than a quarter of an hour is kept', () => {
  const figures = new Figures();
  for (let at = 0; at < kKept + 10; at++) figures.add(at * 2_000, counters(at, 0));
  assert.equal(figures.moments.length, kKept);
});
