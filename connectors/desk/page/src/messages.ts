import {signal} from '@preact/signals';
import {IntlMessageFormat} from 'intl-messageformat';
import en from './en.json';
import es from './es.json';

export type Language = 'en' | 'es';
export type MessageId = keyof typeof en;

const kCatalogues: Record<Language, Record<string, string>> = {en, es};
const kStored = 'hilo.language';

// The language of the screen. Customers' words keep their own.
export const language = signal<Language>('en');

const formats = new Map<string, IntlMessageFormat>();

// A message in the language of the screen; reading it in a component follows the language.
export function t(id: MessageId, values?: Record<string, string | number>): string {
  const key = `${language.value}:${id}`;
  let format = formats.get(key);
  if (!format) {
    format = new IntlMessageFormat(kCatalogues[language.value][id] ?? en[id], language.value);
    formats.set(key, format);
  }
  return String(format.format(values));
}

// Whether there is a message of that id: for words that other systems choose.
export function has(id: string): id is MessageId {
  return Object.prototype.hasOwnProperty.call(en, id);
}

// The browser's own variant of the screen's language ("es-MX", "en-GB"), for dates, times and amounts.
export function locale(): string {
  const mine = language.value;
  return (
    navigator.languages.find((one) => one.toLowerCase().startsWith(mine)) ??
    (mine === 'en' ? 'en-GB' : 'es-ES')
  );
}

export function useLanguage(next: Language): void {
  language.value = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(kStored, next);
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
}

export function startLanguage(): void {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(kStored);
  } catch {
    stored = null;
  }
  const wanted = stored ?? navigator.language;
  language.value = wanted.toLowerCase().startsWith('es') ? 'es' : 'en';
  document.documentElement.lang = language.value;
}
