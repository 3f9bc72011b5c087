import {timestampFromMs, timestampMs, type Timestamp} from '@bufbuild/protobuf/wkt';
import type {Money} from './gen/hilo/v1/common_pb';

const kMinute = 60_000;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

export function millis(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}

export function timestamp(unixMillis: number): Timestamp {
  return timestampFromMs(unixMillis);
}

const cache = new Map<string, Intl.DateTimeFormat>();

function dates(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let format = cache.get(key);
  if (!format) cache.set(key, (format = new Intl.DateTimeFormat(language, options)));
  return format;
}

// Days from one date to another by the agent's calendar, whatever the time of day.
function calendarDays(from: number, to: number): number {
  const date = new Date(to);
  const midnight = new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const start = new Date(from);
  const first = new Date(start.getFullYear(), start.getMonth(), start.getDate()).getTime();
  return Math.round((midnight - first) / kDay);
}

// "in 2 hr." and "3 min. ago", in the words of the language; days from two days on. What has passed is told in full
// minutes and hours, what comes is rounded; days are those of the calendar, so that "in 2 days" is the day that is named.
export function relative(at: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, {numeric: 'auto', style: 'short'});
  const delta = at - now;
  const size = Math.abs(delta);
  if (size < kMinute) return format.format(0, 'second');
  const count = (unit: number) => (delta < 0 ? Math.trunc(delta / unit) : Math.round(delta / unit));
  if (Math.abs(count(kMinute)) < 60) return format.format(count(kMinute), 'minute');
  if (size < 2 * kDay) return format.format(count(kHour), 'hour');
  if (size < 60 * kDay) return format.format(calendarDays(now, at), 'day');
  if (size < 730 * kDay) return format.format(Math.trunc(delta / (30.44 * kDay)), 'month');
  return format.format(Math.trunc(delta / (365.25 * kDay)), 'year');
}

// "10:42".
export function clock(at: number, language: string, timeZone?: string): string {
  return dates(language, {hour: '2-digit', minute: '2-digit', timeZone}).format(at);
}

// "10:42" today, "Tue 4 Aug, 10:42" this year, with the year otherwise.
export function moment(at: number, now: number, language: string): string {
  const day = new Date(at);
  const today = new Date(now);
  if (day.toDateString() === today.toDateString()) return clock(at, language);
  return dates(language, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    ...(day.getFullYear() === today.getFullYear() ? {} : {year: 'numeric'}),
  }).format(at);
}

// In full, for tooltips: date, time and zone.
export function full(at: number, language: string): string {
  return dates(language, {dateStyle: 'full', timeStyle: 'long'}).format(at);
}

export function day(at: number, language: string): string {
  return dates(language, {day: 'numeric', month: 'short', year: 'numeric'}).format(at);
}

// Whether the browser knows that zone; what customers' devices claim need not exist.
export function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', {timeZone});
    return timeZone !== '';
  } catch {
    return false;
  }
}

// Exact: minor units never pass through a floating-point number.
export function money(amount: Money, language: string): string {
  let format: Intl.NumberFormat;
  try {
    format = new Intl.NumberFormat(language, {style: 'currency', currency: amount.currency});
  } catch {
    return `${amount.minor} ${amount.currency}`;
  }
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const negative = amount.minor < 0n;
  const all = (negative ? -amount.minor : amount.minor).toString().padStart(digits + 1, '0');
  const whole = BigInt(all.slice(0, all.length - digits));
  const parts = format.formatToParts(negative ? (whole === 0n ? -0 : -whole) : whole);
  return parts.map((part) => (part.type === 'fraction' ? all.slice(-digits) : part.value)).join('');
}

// The value of an <input type="datetime-local">, in the agent's own zone.
export function localInput(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(
    date.getMinutes(),
  )}`;
}

export function fromLocalInput(value: string): number | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(value);
  if (!parts) return undefined;
  const [year, month, date, hour, minute] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return new Date(year, month - 1, date, hour, minute).getTime();
}

// Hours of a day from now, in the agent's zone.
export function atHour(now: number, daysAhead: number, hour: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + daysAhead, hour).getTime();
}
