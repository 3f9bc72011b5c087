// Makes well-typed conditions and the values of their variables from a seed.
//
// Left out is where @bufbuild/cel 0.6.1 is known to differ from the language definition: timestamp(int) counts
// milliseconds there; string() of moments, spans and doubles has other decimals; the parts of moments before 1970 or with
// nanoseconds are off, and those in the hour after midnight in a zone with a name; the lowest int is its own negative and
// can be divided by -1 for a rest; uint division fails above the largest int; a bytes literal
// takes characters beyond U+FFFF for two. The public cases hold these for us.

// Source: mulberry32, a small generator of 32 bits.
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const STRUCTS = [
  ['Address', [['city', 'string'], ['floor', 'int']]],
  ['Customer', [['orders', 'int'], ['spend', 'double'], ['name', 'string'], ['vip', 'bool'], ['last', 'timestamp'],
    ['tags', ['list', 'string']], ['address', ['struct', 'Address']]]],
];

const VARIABLES = [
  ['b', 'bool'], ['c', 'bool'], ['i', 'int'], ['j', 'int'], ['u', 'uint'], ['d', 'double'], ['s', 'string'],
  ['t', 'string'], ['y', 'bytes'], ['now', 'timestamp'], ['past', 'timestamp'], ['span', 'duration'], ['li', ['list', 'int']],
  ['ls', ['list', 'string']], ['m', ['map', 'string', 'int']], ['k', ['map', 'int', 'string']],
  ['customer', ['struct', 'Customer']], ['x', 'any'],
];

const STRINGS = ['', 'a', 'ab', 'Ana', 'zapato rojo', 'ñandú', '38', '-7', 'true', 'x@y.es', '👟'];
const INTS = ['0', '1', '-1', '2', '3', '7', '30', '9223372036854775807', '-9223372036854775808', '4294967296'];
const UINTS = ['0', '1', '2', '30', '18446744073709551615', '9223372036854775808'];
const DOUBLES = ['0', '1', '-1', '0.5', '2.5', '30', '1e15', '-0.25', '1.7976931348623157e308'];
const SECONDS = ['0', '1700000000', '-1', '1780000000', '951782400', '253402300799', '-62135596800'];
const RECENT = ['43200', '1700000000', '1780000000', '951825600', '4102488000'];
const SPANS = ['0', '1', '-1', '3600', '86400', '-90061'];
const ZONES = ['UTC', 'Europe/Madrid', 'America/New_York', 'Asia/Kathmandu', '+05:30', '-02:00', '02:00'];
const PATTERNS = ['^a', 'o+', '[0-9]{2}', 'z.*o$', '(a|ñ)', ''];

export class Generator {
  constructor(next) {
    this.next = next;
    this.locals = [];
  }

  below(n) { return Math.floor(this.next() * n); }
  pick(list) { return list[this.below(list.length)]; }
  chance(p) { return this.next() < p; }

  // ------------------------------------------------------------------------------- values
  value(type) {
    if (type === 'any') return this.value(this.pick(['bool', 'int', 'uint', 'double', 'string', ['list', 'int'], ['map', 'string', 'int']]));
    if (Array.isArray(type)) {
      const [kind, a, b] = type;
      if (kind === 'list') return ['list', Array.from({length: this.below(4)}, () => this.value(a))];
      if (kind === 'map') {
        const keys = new Map();
        for (let n = this.below(4); n > 0; n -= 1) {
          const key = this.value(a);
          keys.set(JSON.stringify(key), [key, this.value(b)]);
        }
        return ['map', [...keys.values()]];
      }
      const fields = STRUCTS.find(([name]) => name === a)[1];
      return ['struct', a, fields.map(([, field]) => (this.chance(0.2) ? ['absent'] : this.value(field)))];
    }
    switch (type) {
      case 'null': return ['null'];
      case 'bool': return ['bool', this.chance(0.5)];
      case 'int': return ['int', this.chance(0.5) ? this.pick(INTS) : String(this.below(100) - 20)];
      case 'uint': return ['uint', this.chance(0.5) ? this.pick(UINTS) : String(this.below(100))];
      case 'double': return ['double', this.pick(DOUBLES)];
      case 'string': return ['string', this.pick(STRINGS)];
      case 'bytes': return ['bytes', Buffer.from(this.pick(STRINGS)).toString('hex')];
      case 'timestamp': return ['timestamp', this.pick(RECENT), this.pick([0, 0, 5_000_000, 250_000_000])];
      case 'duration': return ['duration', this.pick(SPANS), this.pick([0, 0, 1, 500_000_000])];
      default: throw new Error(`no values of type ${type}`);
    }
  }

  variables() {
    return VARIABLES.map(([name, type]) => {
      if (name === 'past') return [name, type, ['timestamp', this.pick(SECONDS), this.pick([0, 5, 999_999_999])]];
      return [name, type, this.value(type)];
    });
  }

  // ------------------------------------------------------------------------------- expressions
  quoted(text) { return JSON.stringify(text); }

  literal(type) {
    if (Array.isArray(type)) {
      const [kind, a, b] = type;
      const size = this.below(4);
      if (kind === 'list') return `[${Array.from({length: size}, () => this.literal(a)).join(', ')}]`;
      if (kind === 'map') return `{${Array.from({length: size}, () => `${this.literal(a)}: ${this.literal(b)}`).join(', ')}}`;
    }
    switch (type) {
      case 'bool': return this.pick(['true', 'false']);
      case 'int': return this.pick(INTS);
      case 'uint': return `${this.pick(UINTS)}u`;
      case 'double': return this.pick(['0.0', '1.0', '0.5', '2.5', '30.0', '1e15', '-0.25']);
      case 'string': return this.quoted(this.pick(STRINGS));
      case 'bytes': return `b${this.quoted(this.pick(STRINGS.filter((text) => text !== '👟')))}`;
      case 'timestamp': return `timestamp(${this.pick(['"2026-02-28T23:59:59Z"', '"2024-02-29T12:00:00.5+02:00"', '"1969-12-31T23:59:59Z"'])})`;
      case 'duration': return `duration(${this.pick(['"1h"', '"90m"', '"-1.5s"', '"36h"', '"1h30m"', '"10ms"'])})`;
      default: throw new Error(`no literal of type ${type}`);
    }
  }

  names(type) {
    const same = (other) => JSON.stringify(other) === JSON.stringify(type);
    const names = VARIABLES.filter(([, other]) => same(other)).map(([name]) => name);
    for (const [name, other] of this.locals) if (same(other)) names.push(name);
    for (const [field, other] of STRUCTS[1][1]) if (same(other)) names.push(`customer.${field}`);
    for (const [field, other] of STRUCTS[0][1]) if (same(other)) names.push(`customer.address.${field}`);
    return names;
  }

  atom(type) {
    const names = this.names(type);
    return names.length > 0 && this.chance(0.7) ? this.pick(names) : this.literal(type);
  }

  make(type, depth) {
    if (depth <= 0 || this.chance(0.12)) return this.atom(type);
    const sub = (other) => this.make(other, depth - 1);
    if (this.chance(0.06)) return `(${sub('bool')} ? ${sub(type)} : ${sub(type)})`;
    if (Array.isArray(type)) return this.makeContainer(type, depth);
    switch (type) {
      case 'bool': return this.makeBool(depth);
      case 'int': return this.pick([
        () => `(${sub('int')} ${this.pick(['+', '-', '*', '/'])} ${sub('int')})`,
        () => `(${sub('int')} % ${this.pick(['2', '7', '-1000', 'size(ls)'])})`,
        () => `size(${sub(this.pick(['string', 'bytes', ['list', 'int'], ['list', 'string'], ['map', 'string', 'int']]))})`,
        () => `int(${sub(this.pick(['int', 'uint', 'double', 'timestamp']))})`,
        () => `${sub(['list', 'int'])}[${sub('int')}]`,
        () => `m[${sub('string')}]`,
        () => `-(${sub('int')} % 1000)`,
        () => this.momentPart(depth),
      ])();
      case 'uint': return this.pick([
        () => `(${sub('uint')} ${this.pick(['+', '-', '*'])} ${sub('uint')})`,
        () => `uint(${sub(this.pick(['int', 'uint', 'double']))})`,
      ])();
      case 'double': return this.pick([
        () => `(${sub('double')} ${this.pick(['+', '-', '*', '/'])} ${sub('double')})`,
        () => `double(${sub(this.pick(['int', 'uint', 'double']))})`,
        () => `-(${sub('double')})`,
      ])();
      case 'string': return this.pick([
        () => `(${sub('string')} + ${sub('string')})`,
        () => `string(${sub(this.pick(['int', 'uint', 'bool', 'string']))})`,
        () => `k[${sub('int')}]`,
        () => `${sub(['list', 'string'])}[${sub('int')}]`,
      ])();
      case 'bytes': return `bytes(${sub('string')})`;
      case 'timestamp': return this.pick([
        () => `(${sub('timestamp')} ${this.pick(['+', '-'])} ${sub('duration')})`,
        () => `(${sub('duration')} + ${sub('timestamp')})`,
        () => `timestamp(${sub('timestamp')})`,
      ])();
      case 'duration': return this.pick([
        () => `(${sub('duration')} ${this.pick(['+', '-'])} ${sub('duration')})`,
        () => `(${sub('timestamp')} - ${sub('timestamp')})`,
      ])();
      default: return this.atom(type);
    }
  }

  momentPart(depth) {
    const part = this.pick(['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear',
      'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds']);
    if (this.chance(0.2)) {
      const unit = this.pick(['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds']);
      return `${this.make('duration', depth - 1)}.${unit}()`;
    }
    const moment = this.pick(['now', 'customer.last', 'timestamp("2026-02-28T21:59:59Z")', '(now + duration("23h"))']);
    return `${moment}.${part}(${this.chance(0.5) ? this.quoted(this.pick(ZONES)) : ''})`;
  }

  makeBool(depth) {
    const sub = (other) => this.make(other, depth - 1);
    const number = () => sub(this.pick(['int', 'uint', 'double']));
    const ordered = () => this.pick(['int', 'uint', 'double', 'string', 'bytes', 'bool', 'timestamp', 'duration']);
    return this.pick([
      () => `(${sub('bool')} && ${sub('bool')})`,
      () => `(${sub('bool')} || ${sub('bool')})`,
      () => `!${sub('bool')}`,
      () => `(${number()} ${this.pick(['<', '<=', '>', '>='])} ${number()})`,
      () => { const type = ordered(); return `(${sub(type)} ${this.pick(['<', '<=', '>', '>='])} ${sub(type)})`; },
      () => { const type = this.pick([ordered(), ['list', 'int'], ['map', 'string', 'int']]); return `(${sub(type)} ${this.pick(['==', '!='])} ${sub(type)})`; },
      () => `(x ${this.pick(['==', '!='])} ${sub(this.pick(['int', 'uint', 'double', 'string', 'bool', ['list', 'int']]))})`,
      () => `(${sub('int')} in ${sub(['list', 'int'])})`,
      () => `(${sub('string')} in ${this.pick([sub(['list', 'string']), 'm'])})`,
      () => `(${sub(this.pick(['int', 'uint', 'double']))} in k)`,
      () => `${sub('string')}.${this.pick(['startsWith', 'endsWith', 'contains'])}(${sub('string')})`,
      () => `${sub('string')}.matches(${this.quoted(this.pick(PATTERNS))})`,
      () => `has(customer.${this.pick(STRUCTS[1][1])[0]})`,
      () => `has(m.${this.pick(['a', 'ab', 'Ana', 'other'])})`,
      () => this.test(depth),
    ])();
  }

  withLocal(name, type, make) {
    this.locals.push([name, type]);
    const text = make();
    this.locals.pop();
    return text;
  }

  range(depth) {
    const type = this.pick([['list', 'int'], ['list', 'string'], ['map', 'string', 'int']]);
    return [type[0] === 'map' ? 'm' : this.make(type, Math.min(depth - 1, 1)), type[1]];
  }

  test(depth) {
    if (this.locals.length >= 2) return this.atom('bool');
    const [range, element] = this.range(depth);
    const name = `e${this.locals.length}`;
    const body = this.withLocal(name, element, () => this.make('bool', depth - 1));
    return `${range}.${this.pick(['all', 'exists', 'exists_one'])}(${name}, ${body})`;
  }

  makeContainer(type, depth) {
    const sub = (other) => this.make(other, depth - 1);
    if (type[0] !== 'list') return this.atom(type);
    if (this.locals.length >= 2) return this.atom(type);
    const name = `e${this.locals.length}`;
    return this.pick([
      () => `(${sub(type)} + ${sub(type)})`,
      () => `[${sub(type[1])}, ${sub(type[1])}]`,
      () => `${sub(type)}.filter(${name}, ${this.withLocal(name, type[1], () => sub('bool'))})`,
      () => { const [range, element] = this.range(depth); return `${range}.map(${name}, ${this.withLocal(name, element, () => sub(type[1]))})`; },
      () => { const [range, element] = this.range(depth); return this.withLocal(name, element, () => `${range}.map(${name}, ${sub('bool')}, ${sub(type[1])})`); },
    ])();
  }
}
