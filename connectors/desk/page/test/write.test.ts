import assert from 'node:assert/strict';
import {webcrypto} from 'node:crypto';
import {test} from 'node:test';
import {Code, ConnectError} from '@connectrpc/connect';
import {Drafts} from '../src/drafts';
import {uuid7} from '../src/uuid7';
import {reasonOf, send, withRequestId} from '../src/write';

globalThis.crypto ??= webcrypto as Crypto; // Node 18 has it only there

class MemoryStorage {
  readonly values = new Map<string, string>();
  full = false;
  get length() {
    return this.values.size;
  }
  key(index: number) {
    return [...this.values.keys()][index] ?? null;
  }
  getItem(key: string) {
    return this.values.get(key) ?? null;
  }
  removeItem(key: string) {
    this.values.delete(key);
  }
  setItem(key: string, value: string) {
    if (this.full) throw new Error('full');
    this.values.set(key, value);
  }
}

const noPause = () => Promise.resolve();

test('a request id is a UUIDv7 of its time', () => {
  const id = uuid7(0x0190_0000_0000, new Uint8Array(10).fill(0xff));
  assert.equal(id, '01900000-0000-7fff-bfff-ffffffffffff');
  assert.match(
    uuid7(Date.now()),
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.notEqual(uuid7(1), uuid7(1));
});

test('a draft keeps its request id and contact while its words stay', () => {
  const first = withRequestId({fields: {text: 'a'}}, 'call', 1_000);
  const again = withRequestId(first, 'another', 2_000);
  assert.equal(again.requestId, first.requestId);
  assert.equal(again.interaction, 'call');
});

test('other words get another request id', () => {
  const first = withRequestId({fields: {text: 'a'}}, '', 1_000);
  const other = withRequestId({...first, fields: {text: 'b'}}, '', 2_000);
  assert.notEqual(other.requestId, first.requestId);
});

for (const code of [
  Code.Unavailable,
  Code.Aborted,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
]) {
  test(`a write is sent again after ${Code[code]}`, async () => {
    let attempts = 0;
    const answer = await send(
      async () => {
        if (++attempts < 3) throw new ConnectError('later', code);
        return 'done';
      },
      () => undefined,
      noPause,
    );
    assert.equal(answer, 'done');
    assert.equal(attempts, 3);
  });
}

for (const code of [
  Code.InvalidArgument,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Internal,
]) {
  test(`a write is not sent again after ${Code[code]}`, async () => {
    let attempts = 0;
    await assert.rejects(
      send(
        async () => {
          attempts++;
          throw new ConnectError('no', code);
        },
        () => undefined,
        noPause,
      ),
    );
    assert.equal(attempts, 1);
  });
}

test('a write gives up after six attempts', async () => {
  let attempts = 0;
  await assert.rejects(
    send(
      async () => {
        attempts++;
        throw new ConnectError('later', Code.Unavailable);
      },
      () => undefined,
      noPause,
    ),
  );
  assert.equal(attempts, 6);
});

test('the reason of an error is read from its ErrorInfo', () => {
  const error = new ConnectError('stale', Code.Aborted);
  const value = new Uint8Array([
    0x12,
    1,
    0x78,
    0x0a,
    13,
    ...new TextEncoder().encode('STALE_VERSION'),
  ]);
  error.details.push({type: 'google.rpc.ErrorInfo', value} as never);
  assert.equal(reasonOf(error), 'stale_version');
  assert.equal(reasonOf(new ConnectError('plain')), '');
});

test('drafts are kept by agent, customer and form, also over a reload', () => {
  const storage = new MemoryStorage();
  const drafts = new Drafts(storage);
  drafts.agent = 'marta';
  drafts.set('customers/a', 'note', {fields: {text: 'half'}});
  const after = new Drafts(storage);
  after.agent = 'marta';
  assert.equal(after.get('customers/a', 'note').fields['text'], 'half');
  assert.deepEqual([...after.customers()], ['customers/a']);
  after.agent = 'luis';
  assert.deepEqual(after.get('customers/a', 'note').fields, {});
  assert.equal(after.customers().size, 0);
});

test('a choice alone is kept but is nothing half-written', () => {
  const drafts = new Drafts(new MemoryStorage());
  drafts.set('customers/a', 'fact', {fields: {_kind: 'size'}});
  assert.equal(drafts.get('customers/a', 'fact').fields['_kind'], 'size');
  assert.equal(drafts.customers().size, 0);
});

test('a full storage loses no draft while the page lives', () => {
  const storage = new MemoryStorage();
  const drafts = new Drafts(storage);
  storage.full = true;
  drafts.set('customers/a', 'note', {fields: {text: 'half'}});
  assert.equal(drafts.get('customers/a', 'note').fields['text'], 'half');
  assert.equal(drafts.customers().size, 1);
});

test('garbage in the storage is no draft', () => {
  const storage = new MemoryStorage();
  storage.setItem('hilo.draft.|customers/a|note', '{"fields":');
  assert.deepEqual(new Drafts(storage).get('customers/a', 'note'), {fields: {}});
});
