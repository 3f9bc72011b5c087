import {Code, ConnectError} from '@connectrpc/connect';
import type {WatchDesktopResponse} from './gen/hilo/v1/desk_service_pb';

// What the agent may believe of the screen.
export interface Live {
  state: 'connected' | 'catching-up' | 'stale';
  since: number; // Unix milliseconds of the last word from the server; 0: none yet
}

export interface WatchOptions {
  // Opens one stream. `onOpen` tells that the server has taken the call.
  open(
    customers: string[],
    resumeToken: string,
    signal: AbortSignal,
    onOpen: () => void,
  ): AsyncIterable<WatchDesktopResponse>;
  // `whole`: a snapshot of this stream has every watched customer. After a resumed token it has only those that could not
  // go on from it; the others follow as changes.
  onMessage(message: WatchDesktopResponse, whole: boolean): void;
  onLive(live: Live): void;
  // The server wants to know who this is. The watch has stopped.
  onRefused(error: ConnectError): void;
  now(): number;
  setTimer(run: () => void, millis: number): number;
  clearTimer(timer: number): void;
  random(): number;
}

const kSilence = 35_000; // ms; the server says something at least every 15 s
const kFirstPause = 500; // ms before the second attempt in a row
const kLongestPause = 15_000; // ms
const kQuietSwitch = 1_000; // ms in which a stream is changed for another without a word

// One stream of everything live, kept open: it comes back by itself with the last resume token, notices silence, and
// says what the screen is worth. One a tab, since browsers allow six connections to a host for all tabs together.
export class Watch {
  private customers: string[] = [];
  private token = '';
  private whole = true;
  private running = false;
  private failures = 0;
  private lastWord = 0;
  private live: Live = {state: 'catching-up', since: 0};
  private abort: AbortController | undefined;
  private watchdog: number | undefined;
  private retry: number | undefined;
  private quiet: number | undefined;

  constructor(private readonly options: WatchOptions) {}

  start(customers: string[]): void {
    this.customers = [...customers];
    this.token = '';
    this.failures = 0;
    this.running = true;
    this.connect();
  }

  stop(): void {
    this.running = false;
    this.hangUp();
  }

  // Watches other customers from now on. The token belongs to the old list, so the picture comes whole.
  watch(customers: string[]): void {
    if (customers.join() === this.customers.join()) return;
    this.customers = [...customers];
    this.token = '';
    if (!this.running) return;
    this.failures = 0;
    if (this.live.state === 'connected') {
      this.quiet ??= this.options.setTimer(() => {
        this.quiet = undefined;
        if (this.live.state === 'connected') this.say('catching-up');
      }, kQuietSwitch);
    }
    this.connect();
  }

  // Tries at once instead of waiting: the network is back, or the agent asked for it.
  tryNow(): void {
    if (!this.running) return;
    const silent = this.options.now() - this.lastWord > kSilence;
    if (this.retry === undefined && !silent) return;
    this.failures = 0;
    this.connect();
  }

  private connect(): void {
    this.hangUp();
    const abort = new AbortController();
    this.abort = abort;
    this.whole = this.token === '';
    this.listenForSilence();
    void this.read(abort);
  }

  private async read(abort: AbortController): Promise<void> {
    let failed: ConnectError | undefined;
    try {
      const stream = this.options.open(this.customers, this.token, abort.signal, () => {
        if (this.abort === abort && this.live.state === 'stale') this.say('catching-up');
      });
      for await (const message of stream) {
        if (this.abort !== abort) return;
        this.take(message);
      }
    } catch (cause) {
      failed = ConnectError.from(cause);
    }
    if (this.abort !== abort || !this.running) return;
    this.onEnd(failed);
  }

  private take(message: WatchDesktopResponse): void {
    this.lastWord = this.options.now();
    this.failures = 0;
    if (message.resumeToken) this.token = message.resumeToken;
    this.listenForSilence();
    this.options.onMessage(message, this.whole);
    if (message.message.case === 'resync') {
      this.say('catching-up');
    } else if (this.live.state !== 'connected' || this.quiet !== undefined) {
      this.say('connected');
    }
  }

  private onEnd(failed: ConnectError | undefined): void {
    if (failed?.code === Code.Unauthenticated || failed?.code === Code.PermissionDenied) {
      this.stop();
      this.options.onRefused(failed);
      return;
    }
    if (failed?.code === Code.InvalidArgument || failed?.code === Code.OutOfRange) this.token = '';
    this.hangUp();
    // The first attempt after a good stream comes at once: servers end streams on purpose every half hour.
    const pause =
      this.failures === 0 ? 0 : Math.min(kLongestPause, kFirstPause * 2 ** (this.failures - 1));
    this.say(this.failures === 0 && this.live.state !== 'stale' ? 'catching-up' : 'stale');
    this.failures++;
    this.retry = this.options.setTimer(
      () => this.connect(),
      pause * (0.5 + this.options.random() / 2),
    );
  }

  private listenForSilence(): void {
    if (this.watchdog !== undefined) this.options.clearTimer(this.watchdog);
    this.watchdog = this.options.setTimer(() => {
      this.watchdog = undefined;
      this.say('stale');
      this.failures++;
      this.connect();
    }, kSilence);
  }

  private hangUp(): void {
    for (const timer of [this.watchdog, this.retry])
      if (timer !== undefined) this.options.clearTimer(timer);
    this.watchdog = undefined;
    this.retry = undefined;
    const abort = this.abort;
    this.abort = undefined;
    abort?.abort();
  }

  private say(state: Live['state']): void {
    if (this.quiet !== undefined) this.options.clearTimer(this.quiet);
    this.quiet = undefined;
    this.live = {state, since: this.lastWord};
    this.options.onLive(this.live);
  }
}
