import {Code, ConnectError} from '@connectrpc/connect';
import {effect, signal} from '@preact/signals';
import type {Api} from './api';
import {timestamp} from './format';
import {CaseState, type Context, type Interaction} from './gen/hilo/v1/customer_pb';
import {OutcomeKind, type Candidate, type Decision} from './gen/hilo/v1/decision_pb';
import {language, t, type MessageId} from './messages';
import {uuid7} from './uuid7';
import {send} from './write';

const kSettle = 250; // ms after a change until it is decided anew: one contact brings several changes

// What it needs of the desk around it.
export interface Surroundings {
  customer(): string; // the open one, '' when none
  context(): Context | undefined; // of the open one
  contact(customer: string): Interaction | undefined;
  serverNow(): number;
  say(text: string): void;
  explain(cause: unknown): string;
}

// What a decision depends on, as far as the page sees it. Equal strings need no new decision.
export function signature(context: Context, contact: Interaction | undefined): string {
  return JSON.stringify([
    context.customer?.name,
    contact?.name ?? '',
    contact?.assurance ?? 0,
    context.facts.map((fact) => fact.name).sort(),
    context.cases.filter((one) => one.state === CaseState.OPEN).map((one) => one.name).sort(),
    context.promises.map((one) => `${one.name} ${one.state}`).sort(),
    context.purchases.map((one) => `${one.orders} ${one.total?.minor ?? 0n}`),
    context.consents.map((one) => `${one.channel} ${one.purpose} ${one.status}`),
  ]);
}

// The next best action for the open customer: asked for when something changes that it may depend on, answered by the
// agent, and never exchanged under somebody who is at it.
export class NextAction {
  readonly decisions = signal<ReadonlyMap<string, Decision>>(new Map()); // by customer
  readonly newer = signal<ReadonlyMap<string, Decision>>(new Map()); // wait while somebody is at the card
  readonly failed = signal('');
  readonly menu = signal<'' | 'decline' | 'snooze'>('');
  readonly busy = signal(false);
  // Set by the card: whether somebody is at it.
  isAtCard: () => boolean = () => false;

  private asked = new Map<string, string>(); // signature of what was asked last, by customer
  private timer: number | undefined;
  private stopWatching: (() => void) | undefined;

  constructor(
    private readonly decisionApi: () => Api['decisions'],
    private readonly around: Surroundings,
  ) {}

  start(): void {
    this.stopWatching ??= effect(() => {
      const context = this.around.context();
      const customer = this.around.customer();
      if (!context || context.customer?.name !== customer) return;
      const mark = signature(context, this.around.contact(customer)) + language.value;
      if (this.asked.get(customer) === mark) return;
      const first = !this.asked.has(customer);
      this.asked.set(customer, mark);
      window.clearTimeout(this.timer);
      if (first) void this.decide(customer);
      else this.timer = window.setTimeout(() => void this.decide(customer), kSettle);
    });
  }

  forget(): void {
    window.clearTimeout(this.timer);
    this.asked.clear();
    this.decisions.value = new Map();
    this.newer.value = new Map();
    this.failed.value = '';
    this.menu.value = '';
  }

  of(customer: string): Decision | undefined {
    return this.decisions.value.get(customer);
  }

  best(customer: string): Candidate | undefined {
    return this.of(customer)?.candidates[0];
  }

  showNewer(customer: string): void {
    const decision = this.newer.value.get(customer);
    if (decision) this.show(customer, decision);
  }

  // Accepts, refuses or puts off; what is best now comes with the answer. Empty when it was recorded, else why not.
  async answer(
    candidate: Candidate,
    outcome: OutcomeKind,
    more: {reason?: string; until?: number} = {},
  ): Promise<string> {
    const customer = this.around.customer();
    const decision = this.of(customer);
    if (!decision || this.busy.value) return '';
    const request = {
      decision: decision.name,
      action: candidate.action,
      outcome,
      reason: more.reason ?? '',
      ...(more.until === undefined ? {} : {snoozeUntilTime: timestamp(more.until)}),
      language: language.value,
      write: {
        requestId: uuid7(this.around.serverNow()),
        interaction: this.around.contact(customer)?.name ?? '',
      },
    };
    this.busy.value = true;
    try {
      const answered = await send(
        () => this.decisionApi().recordOutcome(request),
        (count) => this.around.say(t('write.again', {count})),
        (millis) => new Promise((resolve) => window.setTimeout(resolve, millis)),
      );
      this.menu.value = '';
      if (answered.decision) this.show(customer, answered.decision);
      this.around.say(t(kDone[outcome] ?? 'next.done.accepted', {what: candidate.title}));
      return '';
    } catch (cause) {
      const why = this.around.explain(cause);
      this.around.say(why);
      return why;
    } finally {
      this.busy.value = false;
    }
  }

  // Selling goes on in this contact although a complaint is open. Empty when it does, else why not.
  async release(interaction: string, reason: string): Promise<string> {
    const customer = this.around.customer();
    try {
      await this.decisionApi().releaseSelling({
        interaction,
        reason,
        write: {requestId: uuid7(this.around.serverNow())},
      });
      this.around.say(t('release.done'));
      await this.decide(customer);
      return '';
    } catch (cause) {
      return this.around.explain(cause);
    }
  }

  async decide(customer: string): Promise<void> {
    try {
      const {decision} = await this.decisionApi().decide({
        customer,
        language: language.value,
        write: {
          requestId: uuid7(this.around.serverNow()),
          interaction: this.around.contact(customer)?.name ?? '',
        },
      });
      this.failed.value = '';
      if (!decision) return;
      const now = this.best(customer)?.action;
      const same = now !== undefined && now === decision.candidates[0]?.action;
      if (this.of(customer) && !same && this.isAtCard()) {
        this.newer.value = new Map(this.newer.value).set(customer, decision);
      } else {
        this.show(customer, decision);
      }
    } catch (cause) {
      const error = ConnectError.from(cause);
      this.asked.delete(customer); // the next change asks again
      if (error.code === Code.Canceled) return;
      this.failed.value = this.around.explain(error);
    }
  }

  private show(customer: string, decision: Decision): void {
    const newer = new Map(this.newer.value);
    newer.delete(customer);
    this.newer.value = newer;
    this.decisions.value = new Map(this.decisions.value).set(customer, decision);
  }
}

const kDone: Partial<Record<OutcomeKind, MessageId>> = {
  [OutcomeKind.ACCEPTED]: 'next.done.accepted',
  [OutcomeKind.DECLINED]: 'next.done.declined',
  [OutcomeKind.SNOOZED]: 'next.done.snoozed',
  [OutcomeKind.COMPLETED]: 'next.done.completed',
};
