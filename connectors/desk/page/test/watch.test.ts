import assert from 'node:assert/strict';
import {test} from 'node:test';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import {
  WatchDesktopResponseSchema,
  type WatchDesktopResponse,
} from '../src/gen/hilo/v1/desk_service_pb';
import {Watch} from '../src/watch';

// A server that is driven by hand, with a clock that is moved by hand.
class Rig {
  time = 1_000_000;
  readonly opened: {
    customers: string[];
    token: string;
    signal: AbortSignal;
    push: (message: WatchDesktopResponse) => void;
    fail: (error: ConnectError) => void;
    end: () => void;
  }[] = [];
  readonly states: string[] = [];
  readonly got: {kind: string; whole: boolean}[] = [];
  readonly refused: ConnectError[] = [];
  private timers: {id: number; at: number; run: () => void}[] = [];
  private nextTimer = 1;
  readonly watch = new Watch({
    open: (customers, token, signal, onOpen) => this.open(customers, token, signal, onOpen),
    onMessage: (message, whole) => this.got.push({kind: message.message.case ?? '', whole}),
    onLive: (live) => this.states.push(live.state),
    onRefused: (error) => this.refused.push(error),
    now: () => this.time,
    setTimer: (run, after) => {
      this.timers.push({id: this.nextTimer, at: this.time + after, run});
      return this.nextTimer++;
    },
    clearTimer: (timer) => (this.timers = this.timers.filter((one) => one.id !== timer)),
    random: () => 1,
  });

  get last() {
    return this.opened[this.opened.length - 1]!;
  }
  get state() {
    return this.states[this.states.length - 1];
  }

  async send(init: MessageInitShape<typeof WatchDesktopResponseSchema>) {
    this.last.push(create(WatchDesktopResponseSchema, init));
    await settle();
  }

  async pass(millis: number) {
    const until = this.time + millis;
    for (;;) {
      const due = this.timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.time = due.at;
      this.timers = this.timers.filter((one) => one !== due);
      due.run();
      await settle();
    }
    this.time = until;
  }

  private async *open(customers: string[], token: string, signal: AbortSignal, onOpen: () => void) {
    const queue: WatchDesktopResponse[] = [];
    let wake = () => {};
    let failure: ConnectError | undefined;
    let ended = false;
    this.opened.push({
      customers,
      token,
      signal,
      push: (message) => {
        queue.push(message);
        wake();
      },
      fail: (error) => {
        failure = error;
        wake();
      },
      end: () => {
        ended = true;
        wake();
      },
    });
    onOpen();
    for (;;) {
      if (queue.length > 0) yield queue.shift()!;
      else if (failure) throw failure;
      else if (ended || signal.aborted) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const snapshot = (resumeToken: string) => ({
  message: {case: 'snapshot' as const, value: {}},
  resumeToken,
});
const heartbeat = (resumeToken: string) => ({
  message: {case: 'heartbeat' as const, value: {}},
  resumeToken,
});

async function connected() {
  const rig = new Rig();
  rig.watch.start(['customers/a']);
  await settle();
  await rig.send(snapshot('t1'));
  assert.equal(rig.state, 'connected');
  return rig;
}

test('the first word makes it connected', async () => {
  const rig = await connected();
  assert.deepEqual(rig.got, [{kind: 'snapshot', whole: true}]);
});

test('a stream that ends is resumed at once by its last token', async () => {
  const rig = await connected();
  await rig.send(heartbeat('t2'));
  rig.last.fail(new ConnectError('go', Code.Unavailable));
  await settle();
  assert.equal(rig.state, 'catching-up');
  await rig.pass(1);
  assert.equal(rig.opened.length, 2);
  assert.equal(rig.last.token, 't2');
  await rig.send(snapshot('t3'));
  assert.equal(rig.state, 'connected');
  assert.deepEqual(rig.got[2], {kind: 'snapshot', whole: false});
});

test('a server that stays away is asked less and less often, and the screen says stale', async () => {
  const rig = await connected();
  rig.last.fail(new ConnectError('go', Code.Unavailable));
  await settle();
  const at: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = rig.opened.length;
    while (rig.opened.length === before) await rig.pass(50);
    at.push(rig.time);
    rig.last.fail(new ConnectError('go', Code.Unavailable));
    await settle();
  }
  assert.equal(rig.state, 'stale');
  const gaps = at.slice(1).map((time, index) => time - at[index]!);
  assert.ok(
    gaps[0]! <= 600 && gaps[gaps.length - 1]! >= 14_000 && gaps[gaps.length - 1]! <= 15_100,
    String(gaps),
  );
});

test('35 seconds of silence are a dead stream', async () => {
  const rig = await connected();
  await rig.pass(34_900);
  assert.equal(rig.state, 'connected');
  await rig.pass(200);
  assert.equal(rig.opened.length, 2);
  assert.ok(rig.states.includes('stale'));
  assert.notEqual(rig.state, 'connected');
  assert.equal(rig.opened[0]!.signal.aborted, true);
});

test('heartbeats keep it connected', async () => {
  const rig = await connected();
  for (let i = 0; i < 10; i++) {
    await rig.pass(15_000);
    await rig.send(heartbeat(`h${i}`));
  }
  assert.equal(rig.opened.length, 1);
  assert.equal(rig.state, 'connected');
});

test('lost changes are caught up with the next snapshot', async () => {
  const rig = await connected();
  await rig.send({message: {case: 'resync', value: {reason: 'overflow'}}, resumeToken: 't2'});
  assert.equal(rig.state, 'catching-up');
  await rig.send(snapshot('t3'));
  assert.equal(rig.state, 'connected');
});

test('another list of customers is a new stream without the old token', async () => {
  const rig = await connected();
  rig.watch.watch(['customers/a', 'customers/b']);
  await settle();
  assert.equal(rig.opened.length, 2);
  assert.deepEqual(rig.last.customers, ['customers/a', 'customers/b']);
  assert.equal(rig.last.token, '');
  assert.equal(rig.state, 'connected', 'a quick change is not worth a word');
  await rig.pass(1_100);
  assert.equal(rig.state, 'catching-up');
});

test('the same list changes nothing', async () => {
  const rig = await connected();
  rig.watch.watch(['customers/a']);
  assert.equal(rig.opened.length, 1);
});

for (const code of [Code.Unauthenticated, Code.PermissionDenied]) {
  test(`${Code[code]} stops it and asks who this is`, async () => {
    const rig = await connected();
    rig.last.fail(new ConnectError('who', code));
    await settle();
    await rig.pass(60_000);
    assert.equal(rig.refused.length, 1);
    assert.equal(rig.opened.length, 1);
  });
}

test('a token that the server does not take is dropped', async () => {
  const rig = await connected();
  rig.last.fail(new ConnectError('token', Code.InvalidArgument));
  await settle();
  await rig.pass(1);
  assert.equal(rig.last.token, '');
});

test('a woken laptop tries at once', async () => {
  const rig = await connected();
  for (let i = 0; i < 6; i++) {
    rig.last.fail(new ConnectError('go', Code.Unavailable));
    await settle();
    await rig.pass(i < 5 ? 15_000 : 0);
  }
  const before = rig.opened.length;
  rig.watch.tryNow();
  assert.equal(rig.opened.length, before + 1);
});

test('a healthy stream is left alone when somebody comes back to the tab', async () => {
  const rig = await connected();
  rig.watch.tryNow();
  assert.equal(rig.opened.length, 1);
});
