import assert from 'node:assert/strict';
import {test} from 'node:test';
import {create} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {Channel} from '../src/gen/hilo/v1/common_pb';
import {InteractionSchema, TimelineEntrySchema} from '../src/gen/hilo/v1/customer_pb';
import {fromSnapshot, group, kNothing, union, unseen, withOlder} from '../src/timeline';

function entry(number: number, interaction = '') {
  return create(TimelineEntrySchema, {
    name: `customers/c/timeline/${number}`,
    eventTime: timestampFromMs(number * 1000),
    interaction,
    channel: Channel.WEB,
  });
}

const names = (list: readonly {name: string}[]) =>
  list.map((one) => Number(one.name.split('/').pop()));

test('new entries come first, each once', () => {
  assert.deepEqual(names(union([entry(3), entry(4)], [entry(3), entry(2)])), [4, 3, 2]);
});

test('a late event takes its place by time', () => {
  assert.deepEqual(names(union([entry(2)], [entry(5), entry(1)])), [5, 2, 1]);
});

test('what is known is not new', () => {
  assert.deepEqual(names(unseen([entry(1), entry(2)], [entry(2), entry(3)])), [3]);
});

test('a snapshot that touches what is loaded keeps the older pages', () => {
  const known = {entries: [entry(3), entry(2), entry(1)], nextPageToken: 'older', loaded: true};
  const next = fromSnapshot(known, [entry(4), entry(3)], 'newer');
  assert.deepEqual(names(next.entries), [4, 3, 2, 1]);
  assert.equal(next.nextPageToken, 'older');
});

test('a snapshot beyond a gap replaces everything', () => {
  const known = {entries: [entry(3), entry(2)], nextPageToken: 'older', loaded: true};
  const next = fromSnapshot(known, [entry(9), entry(8)], 'newer');
  assert.deepEqual(names(next.entries), [9, 8]);
  assert.equal(next.nextPageToken, 'newer');
});

test('a snapshot that is all there is replaces everything', () => {
  const known = {entries: [entry(3), entry(2)], nextPageToken: '', loaded: true};
  assert.deepEqual(names(fromSnapshot(known, [entry(3)], '').entries), [3]);
});

test('an older page is added at the end', () => {
  const next = withOlder(
    fromSnapshot(kNothing, [entry(5), entry(4)], 'p2'),
    [entry(3), entry(2)],
    '',
  );
  assert.deepEqual(names(next.entries), [5, 4, 3, 2]);
  assert.equal(next.nextPageToken, '');
});

test('entries are grouped by interaction, the newest decides the place', () => {
  const call = create(InteractionSchema, {name: 'call', channel: Channel.CALL});
  const groups = group(
    [entry(6, 'call'), entry(5, 'visit'), entry(4, 'call'), entry(3), entry(2), entry(1, 'visit')],
    [call],
  );
  assert.deepEqual(
    groups.map((one) => [one.name, names(one.entries)]),
    [
      ['call', [6, 4]],
      ['visit', [5, 1]],
      ['', [3, 2]],
    ],
  );
  assert.equal(groups[0]?.channel, Channel.CALL);
  assert.equal(groups[1]?.channel, Channel.WEB);
});
