import {Code, ConnectError} from '@connectrpc/connect';
import {batch, computed, signal, type Signal} from '@preact/signals';
import type {Api} from './api';
import {nameOf, surer, withItem} from './customer';
import {Drafts} from './drafts';
import {focusSoon} from './focus';
import {millis} from './format';
import {Channel} from './gen/hilo/v1/common_pb';
import {
  InteractionState,
  type Case,
  type Context,
  type Fact,
  type Interaction,
  type Promise as CustomerPromise,
  type TimelineEntry,
} from './gen/hilo/v1/customer_pb';
import type {
  Call,
  CallChange,
  FactKind,
  GetDeskResponse,
  WatchDesktopResponse,
} from './gen/hilo/v1/desk_service_pb';
import {language, t, type MessageId} from './messages';
import {NextAction} from './next_action';
import {plain} from './text';
import {fromSnapshot, kNothing, union, unseen, withOlder, type Stretch} from './timeline';
import {Watch, type Live} from './watch';
import {reasonOf, send, withRequestId} from './write';

const kMaxOpen = 8; // customers open at once; the stream watches at most 16
const kPage = 20; // timeline entries a page
const kFreshFor = 120_000; // ms for which something is marked as new
const kOwnFor = 10_000; // ms for which what we wrote stays beside a picture that does not have it yet

// One customer on the desk.
export interface View {
  name: string;
  context: Signal<Context | undefined>;
  failed: Signal<string>; // why there is no context
  channel: Signal<Channel>; // the filter
  stretches: Signal<ReadonlyMap<Channel, Stretch>>; // by filter; CHANNEL_UNSPECIFIED: all
  held: Signal<readonly TimelineEntry[]>; // came while somebody was reading, not shown yet
  loadingOlder: Signal<boolean>;
  fresh: Signal<ReadonlyMap<string, number>>; // names of what came live, and when, to mark it
  factOrder: Signal<readonly string[]>;
  // Set by the screen: whether somebody is reading the timeline, or is busy in the strip.
  isReading: () => boolean;
  isBusyInStrip: () => boolean;
}

export interface DeskOptions {
  api(token: () => string, onServerTime: (unixMillis: number) => void): Api;
  session: Storage;
}

const kToken = 'hilo.token';
const kOpen = 'hilo.open';
const kBegun = 'hilo.begun';

// Everything the page knows and does; the parts only show it.
export class Desk {
  readonly signedIn = signal(false);
  readonly signInNote = signal<MessageId | ''>('');
  readonly me = signal<GetDeskResponse | undefined>(undefined);
  readonly calls = signal<readonly Call[]>([]);
  readonly views = signal<readonly View[]>([]);
  readonly current = signal('');
  readonly live = signal<Live>({state: 'catching-up', since: 0});
  readonly now = signal(Date.now());
  readonly said = signal(''); // for people: what was just done
  readonly urgent = signal(''); // read out at once: a ringing call
  readonly composer = signal<string>(''); // the open form, '' when none
  readonly dialog = signal<{kind: string; name: string} | undefined>(undefined);
  readonly searchText = signal('');
  readonly drafts: Drafts;
  readonly next: NextAction;
  readonly view = computed(() => this.views.value.find((view) => view.name === this.current.value));
  readonly ringing = computed(() =>
    this.calls.value.filter((call) => call.interaction?.state === InteractionState.RINGING),
  );

  private readonly api: Api;
  private readonly watch: Watch;
  private token = '';
  private serverAhead = 0; // ms by which the server's clock is ahead of ours
  private readonly popped = new Set<string>();
  private readonly preloaded = new Map<string, Context>();
  private readonly own = new Map<string, {at: number; item: Fact | Case | CustomerPromise}>();
  private readonly begun = new Set<string>(); // contacts begun by hand in this tab

  constructor(private readonly options: DeskOptions) {
    this.drafts = new Drafts(options.session);
    for (const name of this.begunBefore()) this.begun.add(name);
    this.api = options.api(
      () => this.token,
      (time) => this.onServerTime(time, 1_000),
    );
    this.next = new NextAction(() => this.api.decisions, {
      customer: () => this.current.value,
      context: () => this.view.value?.context.value,
      contact: (customer) => this.contactOf(customer),
      serverNow: () => this.serverNow(),
      say: (text) => (this.said.value = text),
      explain: (cause) => this.explain(cause),
    });
    this.watch = new Watch({
      open: (customers, resumeToken, abort, onOpen) =>
        this.api.desk.watchDesktop(
          {customers, resumeToken, timelineSize: kPage},
          {signal: abort, timeoutMs: 0, onHeader: onOpen},
        ),
      onMessage: (message, whole) => this.onMessage(message, whole),
      onLive: (live) => (this.live.value = live),
      onRefused: (error) => this.onRefused(error),
      now: () => Date.now(),
      setTimer: (run, after) => window.setTimeout(run, after),
      clearTimer: (timer) => window.clearTimeout(timer),
      random: Math.random,
    });
  }

  // Goes on where this tab was before a reload.
  async start(): Promise<void> {
    window.setInterval(() => (this.now.value = Date.now()), 15_000);
    for (const event of ['online', 'focus', 'pageshow'])
      window.addEventListener(event, () => this.watch.tryNow());
    document.addEventListener('visibilitychange', () => {
      this.now.value = Date.now();
      if (document.visibilityState === 'visible') this.watch.tryNow();
    });
    const token = this.options.session.getItem(kToken);
    if (token) await this.signIn(token);
  }

  serverNow(): number {
    return Date.now() + this.serverAhead;
  }

  // ---- signing in

  // Empty when signed in, else what to tell the person.
  async signIn(token: string): Promise<MessageId | ''> {
    this.token = token.trim();
    let me: GetDeskResponse;
    for (let attempt = 0; ; attempt++) {
      try {
        me = await this.api.desk.getDesk({});
        break;
      } catch (cause) {
        const {code} = ConnectError.from(cause);
        if (code === Code.Unauthenticated || code === Code.PermissionDenied) {
          this.forgetToken();
          return this.refuse(code === Code.Unauthenticated ? 'signin.wrong' : 'signin.forbidden');
        }
        if (attempt >= 2) return this.refuse('signin.unreachable');
        await pause(500 * 2 ** attempt);
      }
    }
    const someoneElse = this.me.value !== undefined && whoIs(this.me.value) !== whoIs(me);
    batch(() => {
      if (someoneElse) this.forgetCustomers();
      this.options.session.setItem(kToken, this.token);
      this.drafts.agent = whoIs(me);
      this.me.value = me;
      this.signedIn.value = true;
      this.signInNote.value = '';
    });
    const before = this.views.value.length > 0 ? [] : this.openBefore();
    for (const name of before) this.addView(name);
    if (before.length > 0) this.current.value = before[0]!;
    this.watch.start(this.watched());
    this.next.start();
    return '';
  }

  // With `forgetDrafts` false the drafts stay in this tab for when the same agent comes back.
  signOut(note: MessageId | '' = '', forgetDrafts = true): void {
    this.watch.stop();
    this.forgetToken();
    batch(() => {
      if (forgetDrafts) {
        this.drafts.clearAll();
        this.forgetCustomers();
        this.me.value = undefined;
        this.options.session.removeItem(kOpen);
      }
      this.signedIn.value = false;
      this.signInNote.value = note;
      this.dialog.value = undefined;
      this.urgent.value = '';
      this.said.value = '';
    });
  }

  private refuse(note: MessageId): MessageId {
    this.signInNote.value = note;
    return note;
  }

  private onRefused(error: ConnectError): void {
    this.signOut(error.code === Code.Unauthenticated ? 'signin.ended' : 'signin.forbidden', false);
  }

  private forgetToken(): void {
    this.token = '';
    this.options.session.removeItem(kToken);
  }

  private forgetCustomers(): void {
    this.views.value = [];
    this.calls.value = [];
    this.current.value = '';
    this.composer.value = '';
    this.popped.clear();
    this.preloaded.clear();
    this.own.clear();
    this.begun.clear();
    this.next.forget();
    this.options.session.removeItem(kBegun);
  }

  private begunBefore(): string[] {
    try {
      const stored: unknown = JSON.parse(this.options.session.getItem(kBegun) ?? '[]');
      return Array.isArray(stored) ? stored.filter((name) => typeof name === 'string') : [];
    } catch {
      return [];
    }
  }

  private openBefore(): string[] {
    try {
      const stored: unknown = JSON.parse(this.options.session.getItem(kOpen) ?? '{}');
      const {agent, names} = stored as {agent?: string; names?: string[]};
      if (agent !== this.drafts.agent || !Array.isArray(names)) return [];
      return names.filter((name) => typeof name === 'string').slice(0, kMaxOpen);
    } catch {
      return [];
    }
  }

  // ---- customers

  openCustomer(name: string, byPerson = true): void {
    batch(() => {
      this.addView(name);
      this.current.value = name;
      this.dialog.value = undefined;
      if (!this.drafts.customers().has(name)) this.composer.value = '';
    });
    this.onViewsChanged();
    if (byPerson) focusSoon('customer');
  }

  closeCustomer(name: string): void {
    const at = this.views.value.findIndex((view) => view.name === name);
    if (at < 0) return;
    batch(() => {
      this.views.value = this.views.value.filter((view) => view.name !== name);
      if (this.current.value === name) {
        this.current.value = '';
        this.composer.value = '';
        this.dialog.value = undefined;
      }
    });
    this.onViewsChanged();
    focusSoon('search');
  }

  reconnect(): void {
    this.watch.tryNow();
  }

  private addView(name: string): void {
    if (this.views.value.some((view) => view.name === name)) return;
    const view: View = {
      name,
      context: signal(undefined),
      failed: signal(''),
      channel: signal(Channel.UNSPECIFIED),
      stretches: signal(new Map()),
      held: signal([]),
      loadingOlder: signal(false),
      fresh: signal(new Map()),
      factOrder: signal([]),
      isReading: () => false,
      isBusyInStrip: () => false,
    };
    const preloaded = this.preloaded.get(name);
    if (preloaded) this.applySnapshot(view, preloaded);
    let views = [...this.views.value, view];
    const drafted = this.drafts.customers();
    while (views.length > kMaxOpen) {
      const oldest = views.find((one) => one !== view && !drafted.has(one.name)) ?? views[0]!;
      views = views.filter((one) => one !== oldest);
    }
    this.views.value = views;
    if (!preloaded) void this.load(view);
  }

  private watched(): string[] {
    return this.views.value.map((view) => view.name);
  }

  private onViewsChanged(): void {
    const names = this.watched();
    const current = this.current.value;
    const order = current ? [current, ...names.filter((name) => name !== current)] : [];
    this.options.session.setItem(kOpen, JSON.stringify({agent: this.drafts.agent, names: order}));
    this.watch.watch(names);
  }

  // Asks for the context beside the stream, which brings it too: whichever is first paints.
  private async load(view: View): Promise<void> {
    view.failed.value = '';
    try {
      const {context} = await this.api.customers.getContext({
        customer: view.name,
        timelineSize: kPage,
      });
      if (context && !view.context.value) this.applySnapshot(view, context);
    } catch (cause) {
      if (!view.context.value) view.failed.value = this.explain(cause);
    }
  }

  async refresh(view: View): Promise<void> {
    try {
      const {context} = await this.api.customers.getContext({
        customer: view.name,
        timelineSize: kPage,
      });
      if (context) this.applySnapshot(view, context);
    } catch (cause) {
      this.explain(cause);
    }
  }

  retryLoad(view: View): void {
    void this.load(view);
  }

  // ---- what the stream brings

  private onMessage(response: WatchDesktopResponse, whole: boolean): void {
    const {message} = response;
    batch(() => {
      switch (message.case) {
        case 'snapshot': {
          const contexts = new Map(
            message.value.contexts.map((context) => [context.customer?.name ?? '', context]),
          );
          for (const view of this.views.value) {
            const context = contexts.get(view.name);
            if (context) {
              this.applySnapshot(view, context);
            } else if (whole && view.context.value) {
              view.failed.value = t('customer.gone');
            }
          }
          this.calls.value = message.value.calls.filter((call) => this.isHere(call));
          for (const call of this.calls.value) this.popUp(call);
          break;
        }
        case 'change':
          if (message.value.context) this.applyChange(message.value.context);
          break;
        case 'call':
          this.onCall(message.value);
          break;
        case 'heartbeat': {
          const time = millis(message.value.time);
          if (time !== undefined) this.onServerTime(time, 0);
          break;
        }
        default:
          break;
      }
      this.now.value = Date.now();
    });
  }

  private onServerTime(time: number, precision: number): void {
    const ahead = time - Date.now();
    if (Math.abs(ahead - this.serverAhead) > precision) this.serverAhead = ahead;
  }

  private applySnapshot(view: View, context: Context): void {
    batch(() => {
      view.failed.value = '';
      this.applyFacts(view, this.withOwn(context));
      const all = view.stretches.value.get(Channel.UNSPECIFIED) ?? kNothing;
      if (all.loaded && view.isReading()) {
        // Somebody reads: what is new waits, and the rest stays where it is.
        const touches = context.timeline.some((entry) =>
          all.entries.some((known) => known.name === entry.name),
        );
        if (touches) {
          this.hold(view, unseen(all.entries, context.timeline));
          return;
        }
      }
      view.held.value = [];
      view.stretches.value = new Map([
        [Channel.UNSPECIFIED, fromSnapshot(all, context.timeline, context.timelineNextPageToken)],
      ]);
      if (view.channel.value !== Channel.UNSPECIFIED) void this.loadOlder(view);
    });
  }

  private applyChange(context: Context): void {
    const view = this.views.value.find((one) => one.name === context.customer?.name);
    if (!view) return;
    const known = view.stretches.value.get(Channel.UNSPECIFIED) ?? kNothing;
    const before = view.context.value;
    const names = (one: Context | undefined) =>
      [...(one?.facts ?? []), ...(one?.promises ?? []), ...(one?.cases ?? [])].map(
        (item) => item.name,
      );
    const old = new Set(names(before));
    const fresh = [
      ...names(context).filter((name) => before && !old.has(name)),
      ...unseen([...known.entries, ...view.held.value], context.timeline).map(
        (entry) => entry.name,
      ),
    ];
    this.mark(view, fresh);
    this.applyFacts(view, this.withOwn(context));
    this.arrive(view, context.timeline);
  }

  private applyFacts(view: View, context: Context): void {
    const names = context.facts.map((fact) => fact.name);
    const kept = view.factOrder.value.filter((name) => names.includes(name));
    const added = names.filter((name) => !kept.includes(name));
    view.factOrder.value = kept.length > 0 && view.isBusyInStrip() ? [...kept, ...added] : names;
    view.context.value = context;
  }

  // What this agent wrote is on the screen at once, also while an older picture is still on its way.
  private withOwn(context: Context): Context {
    const customer = `${context.customer?.name ?? ''}/`;
    for (const [name, {at, item}] of [...this.own]) {
      if (Date.now() - at > kOwnFor) {
        this.own.delete(name);
      } else if (name.startsWith(customer)) {
        context = withItem(context, item, false);
      }
    }
    return context;
  }

  private arrive(view: View, entries: readonly TimelineEntry[]): void {
    const all = view.stretches.value.get(Channel.UNSPECIFIED) ?? kNothing;
    const added = unseen([...all.entries, ...view.held.value], entries);
    if (added.length === 0) return;
    if (this.current.value === view.name && view.isReading()) {
      this.hold(view, added);
    } else {
      this.show(view, [...added, ...view.held.value]);
    }
  }

  private mark(view: View, names: readonly string[]): void {
    if (names.length === 0) return;
    const now = Date.now();
    const kept = [...view.fresh.value].filter(([, at]) => now - at < kFreshFor);
    view.fresh.value = new Map([...kept, ...names.map((name): [string, number] => [name, now])]);
  }

  // Whether that came while the customer was open, a moment ago.
  isFresh(view: View, name: string): boolean {
    return this.now.value - (view.fresh.value.get(name) ?? 0) < kFreshFor;
  }

  private hold(view: View, entries: readonly TimelineEntry[]): void {
    if (entries.length > 0) view.held.value = union(entries, view.held.value);
  }

  private show(view: View, entries: readonly TimelineEntry[]): void {
    batch(() => {
      view.held.value = [];
      const stretches = new Map(view.stretches.value);
      for (const [channel, stretch] of stretches) {
        const mine = entries.filter(
          (entry) => channel === Channel.UNSPECIFIED || entry.channel === channel,
        );
        stretches.set(channel, {...stretch, entries: union(stretch.entries, mine)});
      }
      if (!stretches.has(Channel.UNSPECIFIED)) {
        stretches.set(Channel.UNSPECIFIED, {
          entries: union(entries, []),
          nextPageToken: '',
          loaded: false,
        });
      }
      view.stretches.value = stretches;
    });
  }

  showHeld(view: View): void {
    this.show(view, view.held.value);
  }

  // ---- calls

  private isHere(call: Call): boolean {
    const interaction = call.interaction;
    if (!interaction || interaction.state === InteractionState.ENDED) return false;
    const mine = this.me.value?.agent ?? '';
    return mine === '' || interaction.agent === '' || interaction.agent === mine;
  }

  private onCall(change: CallChange): void {
    const call = change.call;
    const name = call?.interaction?.name;
    if (!call || !name) return;
    const customer = change.context?.customer?.name;
    if (customer && change.context) this.preloaded.set(customer, change.context);
    const at = this.calls.value.findIndex((one) => one.interaction?.name === name);
    if (!this.isHere(call)) {
      this.calls.value = this.calls.value.filter((one) => one.interaction?.name !== name);
      this.preloaded.delete(call.customer?.name ?? '');
      return;
    }
    this.calls.value =
      at < 0
        ? [...this.calls.value, call]
        : this.calls.value.map((one, index) => (index === at ? call : one));
    this.popUp(call);
  }

  // A call pops once. It opens its customer by itself only where nobody is at work; focus stays where it is.
  private popUp(call: Call): void {
    const name = call.interaction?.name;
    if (!name || call.interaction?.state !== InteractionState.RINGING || this.popped.has(name))
      return;
    this.popped.add(name);
    const who = plain(nameOf(call.customer));
    const customer = call.customer?.name;
    if (customer === undefined) {
      this.urgent.value = t('calls.announce.nobody');
    } else if (this.isFree()) {
      this.openCustomer(customer, false);
      this.urgent.value = t('calls.announce.opened', {who});
    } else {
      const number = this.calls.value.findIndex((one) => one.interaction?.name === name) + 1;
      this.urgent.value = t('calls.announce.waiting', {who, number});
    }
  }

  private isFree(): boolean {
    return (
      this.current.value === '' &&
      this.drafts.customers().size === 0 &&
      this.searchText.value.trim() === '' &&
      document.visibilityState === 'visible'
    );
  }

  openCall(index: number): void {
    const customer = this.calls.value[index]?.customer?.name;
    if (customer) this.openCustomer(customer);
  }

  // ---- reading on

  setChannel(view: View, channel: Channel): void {
    view.channel.value = channel;
    if (!(view.stretches.value.get(channel)?.loaded ?? false)) void this.loadOlder(view);
  }

  async loadOlder(view: View): Promise<void> {
    if (view.loadingOlder.value) return;
    const channel = view.channel.value;
    const known = view.stretches.value.get(channel) ?? kNothing;
    if (known.loaded && known.nextPageToken === '') return;
    view.loadingOlder.value = true;
    try {
      const page = await this.api.customers.listTimeline({
        customer: view.name,
        pageSize: kPage,
        pageToken: known.nextPageToken,
        channel,
      });
      const now = view.stretches.value.get(channel) ?? kNothing;
      view.stretches.value = new Map(view.stretches.value).set(
        channel,
        withOlder(now, page.entries, page.nextPageToken),
      );
    } catch (cause) {
      this.said.value = this.explain(cause);
    } finally {
      view.loadingOlder.value = false;
    }
  }

  find(request: Parameters<Api['customers']['findCustomers']>[0]) {
    return this.api.customers.findCustomers(request);
  }

  // All actions that a decision looked at, with the stage at which each fell.
  async explainActions(of: {decision: string} | {customer: string}) {
    const {decision} = await this.api.decisions.explainAction({...of, language: language.value});
    return decision?.candidates ?? [];
  }

  async searchProducts(query: string, inLanguage: string) {
    const found = await this.api.decisions.searchProducts({query, language: inLanguage});
    return found.products;
  }

  // ---- writing

  // Sends a draft; what is on the screen is the draft until the server has it. Empty when it was saved, else why not.
  async submit(
    customer: string,
    form: string,
    write: (api: Api['customers'], stamp: Stamp) => Promise<SavedItem>,
    done: MessageId,
  ): Promise<string> {
    const contact = this.contactOf(customer)?.name ?? '';
    let draft = withRequestId(this.drafts.get(customer, form), contact, this.serverNow());
    this.drafts.set(customer, form, draft);
    for (let renewed = false; ; renewed = true) {
      try {
        const saved = await send(
          () =>
            write(this.api.customers, {requestId: draft.requestId, interaction: draft.interaction}),
          (count) => (this.said.value = t('write.again', {count})),
          pause,
        );
        this.onSaved(customer, saved);
        this.dropDraft(customer, form, draft.sent);
        this.said.value = saved.said ?? t(done);
        return '';
      } catch (cause) {
        const error = ConnectError.from(cause);
        const reason = reasonOf(error);
        if (!renewed && reason === 'request_id_expired') {
          draft = withRequestId({fields: draft.fields}, contact, this.serverNow());
          this.drafts.set(customer, form, draft);
          continue;
        }
        if (reason === 'request_id_conflict')
          this.drafts.set(customer, form, {fields: draft.fields});
        if (reason === 'stale_version') {
          const view = this.views.value.find((one) => one.name === customer);
          this.drafts.set(customer, form, {fields: draft.fields});
          if (view) await this.refresh(view);
        }
        return this.explain(error);
      }
    }
  }

  // What was typed on while the write was under way is a draft of its own.
  private dropDraft(customer: string, form: string, sent: string): void {
    const {fields} = this.drafts.get(customer, form);
    if (JSON.stringify(fields) === sent) this.drafts.clear(customer, form);
    else this.drafts.set(customer, form, {fields});
  }

  private onSaved(customer: string, saved: SavedItem): void {
    const view = this.views.value.find((one) => one.name === customer);
    if (!view) return;
    batch(() => {
      if (saved.entry) {
        this.mark(view, [saved.entry.name]);
        this.arrive(view, [saved.entry]);
      }
      if (saved.item) {
        this.own.set(saved.item.name, {at: Date.now(), item: saved.item});
        this.mark(view, [saved.item.name]);
      }
      const context = view.context.value;
      if (!context) return;
      let next = context;
      if (saved.item) next = withItem(next, saved.item, true);
      if (saved.removed) {
        this.own.delete(saved.removed);
        next = {...next, facts: next.facts.filter((fact) => fact.name !== saved.removed)};
      }
      if (saved.interaction) {
        const {interaction} = saved;
        if (saved.begun) {
          this.begun.add(interaction.name);
          this.options.session.setItem(kBegun, JSON.stringify([...this.begun]));
        }
        next = {
          ...next,
          interactions: [
            interaction,
            ...next.interactions.filter((one) => one.name !== interaction.name),
          ],
        };
      }
      this.applyFacts(view, next);
    });
  }

  // The contact that this agent has with the customer: the call at this desk, else one begun by hand.
  contactOf(customer: string): Interaction | undefined {
    const call = this.calls.value.find((one) => one.customer?.name === customer);
    const view = this.views.value.find((one) => one.name === customer);
    const known = view?.context.value?.interactions ?? [];
    if (call?.interaction) {
      const fromContext = known.find((one) => one.name === call.interaction?.name);
      return surer(call.interaction, fromContext);
    }
    const mine = this.me.value?.agent ?? '';
    return known.find(
      (one) =>
        one.state !== InteractionState.ENDED &&
        (this.begun.has(one.name) || (mine !== '' && one.agent === mine)),
    );
  }

  // The newest contact in progress with anybody or anything of ours, such as a visit on the web.
  elsewhere(context: Context): Interaction | undefined {
    return context.interactions.find(
      (one) => one.state !== InteractionState.ENDED && one.state !== InteractionState.UNSPECIFIED,
    );
  }

  factKind(kind: string): FactKind | undefined {
    return this.me.value?.factKinds.find((one) => one.kind === kind);
  }

  // The words of a failure for people. Signs out when the server no longer knows who this is.
  explain(cause: unknown): string {
    const error = ConnectError.from(cause);
    if (error.code === Code.Unauthenticated) {
      this.signOut('signin.ended', false);
      return t('signin.ended');
    }
    const reason = reasonOf(error);
    const byReason: Record<string, MessageId> = {
      stale_version: 'error.stale',
      request_id_conflict: 'error.conflict',
      outcome_unknown: 'error.unknown_outcome',
      identifier_format: 'error.identifier',
      identifier_blocked: 'error.identifier',
    };
    const byCode: Partial<Record<Code, MessageId>> = {
      [Code.PermissionDenied]: 'error.forbidden',
      [Code.NotFound]: 'error.not_found',
      [Code.Unavailable]: 'error.unavailable',
      [Code.DeadlineExceeded]: 'error.unknown_outcome',
      [Code.ResourceExhausted]: 'error.busy',
      [Code.Aborted]: 'error.busy',
    };
    const id = byReason[reason] ?? byCode[error.code];
    return id
      ? t(id)
      : t('error.other', {what: plain(error.rawMessage), code: reason || Code[error.code]!});
  }
}

// What makes a write one write: the same in every attempt.
export interface Stamp {
  requestId: string;
  interaction: string; // the contact it happens in
}

// What a write gave back, to show it at once.
export interface SavedItem {
  entry?: TimelineEntry | undefined;
  item?: Fact | Case | CustomerPromise | undefined;
  removed?: string;
  interaction?: Interaction | undefined;
  begun?: boolean; // the interaction is one that this agent began
  said?: string | undefined; // what to tell the person instead of the usual
}

function whoIs(me: GetDeskResponse): string {
  return me.agent || me.displayName;
}

function pause(after: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, after));
}
