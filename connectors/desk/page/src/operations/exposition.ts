// A sample of Prometheus' text format.
export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export type Exposition = ReadonlyMap<string, readonly Sample[]>;

const kLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)(?: \d+)?$/;
const kLabel = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

// Reads the text format 0.0.4. Lines that are none of it are left out.
export function parseExposition(text: string): Exposition {
  const found = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = kLine.exec(line);
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(kLabel)) {
      labels[name!] = value!.replace(/\\(.)/g, (_, escaped: string) =>
        escaped === 'n' ? '\n' : escaped,
      );
    }
    const number = match[3] === '+Inf' ? Infinity : Number(match[3]);
    const list = found.get(match[1]!) ?? [];
    list.push({labels, value: number});
    found.set(match[1]!, list);
  }
  return found;
}

// The sum of all samples of a name that have these labels.
export function sum(
  exposition: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  let total = 0;
  for (const sample of exposition.get(name) ?? []) {
    if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      total += sample.value;
  }
  return total;
}

// The largest sample of a name; 0 when there is none.
export function largest(exposition: Exposition, name: string): number {
  return Math.max(0, ...(exposition.get(name) ?? []).map((sample) => sample.value));
}

// Sums by one label, those that are not 0, the largest first.
export function by(exposition: Exposition, name: string, label: string): [string, number][] {
  const sums = new Map<string, number>();
  for (const sample of exposition.get(name) ?? []) {
    const value = sample.labels[label] ?? '';
    sums.set(value, (sums.get(value) ?? 0) + sample.value);
  }
  return [...sums].filter(([, count]) => count !== 0).sort((a, b) => b[1] - a[1]);
}

// The quantile of what a histogram counted between two expositions, by linear interpolation within its bucket, in the
// histogram's unit; undefined when nothing was counted. What lies above the last bound counts as that bound.
export function quantile(
  before: Exposition,
  after: Exposition,
  name: string,
  q: number,
): number | undefined {
  const counts = (exposition: Exposition) => {
    const buckets = new Map<number, number>();
    for (const {labels, value} of exposition.get(`${name}_bucket`) ?? []) {
      const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    }
    return buckets;
  };
  const old = counts(before);
  const buckets = [...counts(after)]
    .map(([bound, count]): [number, number] => [bound, count - (old.get(bound) ?? 0)])
    .sort((a, b) => a[0] - b[0]);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  let below = 0;
  let lower = 0;
  for (const [bound, count] of buckets) {
    if (count >= rank) {
      if (bound === Infinity) return lower;
      const inside = count - below;
      return inside <= 0 ? bound : lower + ((bound - lower) * (rank - below)) / inside;
    }
    below = count;
    lower = bound;
  }
  return lower;
}
