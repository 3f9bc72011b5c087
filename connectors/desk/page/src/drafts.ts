import {signal} from '@preact/signals';

// What somebody has half written, and the request id under which it is sent.
export interface Draft {
  fields: Record<string, string>;
  requestId?: string;
  sent?: string; // the fields as they were sent under that id
  interaction?: string; // the contact they were sent in
}

const kPrefix = 'hilo.draft.';

// Drafts by agent, customer and form, kept in the tab's storage with every key stroke, so that neither a popping call nor
// a reload nor a sign-in costs a word. An empty draft is none.
export class Drafts {
  readonly changed = signal(0);
  agent = '';
  private readonly memory = new Map<string, Draft>();

  constructor(
    private readonly storage: Pick<
      Storage,
      'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'
    >,
  ) {}

  get(customer: string, form: string): Draft {
    void this.changed.value;
    const key = this.key(customer, form);
    const kept = this.memory.get(key);
    if (kept) return kept;
    const stored = this.storage.getItem(key);
    if (stored === null) return {fields: {}};
    try {
      const draft = JSON.parse(stored) as Draft;
      return typeof draft.fields === 'object' && draft.fields !== null ? draft : {fields: {}};
    } catch {
      return {fields: {}};
    }
  }

  set(customer: string, form: string, draft: Draft): void {
    const key = this.key(customer, form);
    if (
      draft.requestId === undefined &&
      Object.values(draft.fields).every((value) => value === '')
    ) {
      this.clear(customer, form);
      return;
    }
    try {
      this.storage.setItem(key, JSON.stringify(draft));
      this.memory.delete(key);
    } catch {
      this.memory.set(key, draft); // the storage is full: as long as the page lives is better than not at all
    }
    this.changed.value++;
  }

  clear(customer: string, form: string): void {
    const key = this.key(customer, form);
    this.memory.delete(key);
    this.storage.removeItem(key);
    this.changed.value++;
  }

  // Customers of this agent about whom something is half written.
  customers(): Set<string> {
    void this.changed.value;
    const found = new Set<string>();
    const mine = `${kPrefix}${encodeURIComponent(this.agent)}|`;
    for (const key of [...this.keys()]) {
      if (!key.startsWith(mine)) continue;
      const [customer, form] = key.slice(mine.length).split('|') as [string, string];
      if (hasText(this.get(customer, form))) found.add(customer);
    }
    return found;
  }

  clearAll(): void {
    for (const key of [...this.keys()]) {
      if (key.startsWith(kPrefix)) this.storage.removeItem(key);
    }
    this.memory.clear();
    this.changed.value++;
  }

  private *keys(): Iterable<string> {
    for (let i = 0; i < this.storage.length; i++) {
      const key = this.storage.key(i);
      if (key !== null) yield key;
    }
    yield* this.memory.keys();
  }

  private key(customer: string, form: string): string {
    return `${kPrefix}${encodeURIComponent(this.agent)}|${customer}|${form}`;
  }
}

// Fields that begin with "_" are choices, not words: alone they are nothing to lose.
export function hasText(draft: Draft): boolean {
  return Object.entries(draft.fields).some(
    ([name, value]) => !name.startsWith('_') && value.trim() !== '',
  );
}
