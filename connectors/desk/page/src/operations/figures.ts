import {by, largest, quantile, sum, type Exposition} from './exposition';

export const kKept = 450; // samples: a quarter of an hour at one every two seconds
const kWindow = 30; // samples that a rate or quantile looks back over: one minute

// What the page shows of one moment.
export interface Moment {
  time: number; // unix milliseconds
  p50: number | undefined; // milliseconds from the edge to the agent's stream, over the last minute
  p99: number | undefined;
  lagRecords: number; // of the partition that is furthest behind
  lagSeconds: number;
  sent: number; // a minute
  notSent: number; // a minute: refused, failed, not known
}

const kNotSent = ['failed', 'unknown', 'expired', 'cancelled', 'refused'];
const kLatency = 'hilo_serving_ingest_to_context_seconds';

// What happened since the page was opened: expositions of the last minutes, and what follows from them.
export class Figures {
  readonly moments: Moment[] = [];
  latest: Exposition = new Map();
  private readonly window: {time: number; exposition: Exposition}[] = [];

  add(time: number, exposition: Exposition): void {
    const start = Number(sum(this.latest, 'process_start_time_seconds'));
    if (start !== 0 && start !== sum(exposition, 'process_start_time_seconds')) {
      this.window.length = 0; // another process: its counters began anew
    }
    this.latest = exposition;
    this.window.push({time, exposition});
    while (this.window.length > kWindow + 1) this.window.shift();
    const before = this.window[0]!;
    const minutes = Math.max((time - before.time) / 60_000, 1 / 60_000);
    const grown = (name: string, labels: Record<string, string> = {}) =>
      (sum(exposition, name, labels) - sum(before.exposition, name, labels)) / minutes;
    const millis = (q: number) => {
      const seconds = quantile(before.exposition, exposition, kLatency, q);
      return seconds === undefined ? undefined : seconds * 1_000;
    };
    const messages = 'hilo_customer_messages_total';
    const sent = grown(messages, {state: 'sent'});
    this.moments.push({
      time,
      p50: millis(0.5),
      p99: millis(0.99),
      lagRecords: largest(exposition, 'hilo_fold_lag_records'),
      lagSeconds: largest(exposition, 'hilo_fold_lag_seconds'),
      sent,
      notSent: kNotSent.reduce((total, state) => total + grown(messages, {state}), 0),
    });
    while (this.moments.length > kKept) this.moments.shift();
  }

  // Of messages that were held or not sent.
  refusals(): [string, number][] {
    const not = (this.latest.get('hilo_customer_messages_total') ?? []).filter(
      ({labels}) => !['decided', 'permitted', 'sent'].includes(labels['state'] ?? ''),
    );
    return by(new Map([['not', not]]), 'not', 'reason');
  }
  decisions(): [string, number][] {
    return by(this.latest, 'hilo_decide_due_total', 'reason');
  }
  deliveries(): [string, number][] {
    return by(this.latest, 'hilo_dispatch_deliveries_total', 'result');
  }
  deadLetters(): [string, number][] {
    return by(this.latest, 'hilo_fold_dead_letters_total', 'reason');
  }
}
