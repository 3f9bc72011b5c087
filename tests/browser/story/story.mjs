// Reads a story. The language is described in tests/scenario/README.md; the reader there is the reference.
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';

const kUnits = {s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000};

// "20s", "+3d", "-6d" in milliseconds; undefined for anything else.
export function duration(text) {
  const match = /^([+-]?)(\d{1,4})([smhd])$/.exec(text);
  return match ? (match[1] === '-' ? -1 : 1) * Number(match[2]) * kUnits[match[3]] : undefined;
}

// A word {text}, a quoted text {text, quoted} or a field {key, text, quoted}.
function tokens(line) {
  const found = [];
  let rest = line.trim();
  while (rest && rest[0] !== '#') {
    const match = /^(?:([^\s="]+)=)?(?:"([^"]*)"|([^\s"]+))\s*/.exec(rest);
    if (!match) throw new Error(`not understood from ${rest} on`);
    found.push({key: match[1] ?? '', text: match[2] ?? match[3], quoted: match[2] !== undefined});
    rest = rest.slice(match[0].length);
  }
  return found;
}

function timeOf(words) {
  const days = words[0]?.text.startsWith('+') ? duration(words.shift().text) : 0;
  const match = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(words.shift()?.text ?? '');
  if (!match || days === undefined) throw new Error('expected a time such as 10:00:20');
  return days + ((Number(match[1]) * 60 + Number(match[2])) * 60 + Number(match[3] ?? 0)) * 1_000;
}

export function readStory(path) {
  const name = basename(path, '.story');
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((source, index) => {
      const place = `${name}.story:${index + 1}`;
      try {
        const words = tokens(source);
        if (words.length === 0) return [];
        const kind = words.shift().text;
        const statement = {kind, place, line: index + 1, source: source.trim()};
        if (kind === 'at') statement.at = timeOf(words);
        if (kind === 'expect') {
          statement.negated = words[0].text === 'no' && words.shift() !== undefined;
          if (words.at(-2)?.text === 'within') statement.within = duration(words.splice(-2)[1].text);
        }
        return [{...statement, sentence: new Sentence(words)}];
      } catch (cause) {
        throw new Error(`${place}: ${cause.message}`);
      }
    });
}

// Reads a statement word by word. What is missing or left over is an error.
export class Sentence {
  constructor(words) {
    this.words = [...words];
  }
  take(...phrase) {
    if (!phrase.every((word, i) => !this.words[i]?.key && !this.words[i]?.quoted && this.words[i]?.text === word))
      return false;
    this.words.splice(0, phrase.length);
    return true;
  }
  must(...phrase) {
    if (!this.take(...phrase)) throw new Error(`expected ${phrase.join(' ')}`);
  }
  word(what) {
    if (!this.words.length || this.words[0].key) throw new Error(`expected ${what}`);
    return this.words.shift().text;
  }
  atText() {
    return this.words[0]?.quoted === true && !this.words[0].key;
  }
  field() {
    if (!this.words[0]?.key) throw new Error('expected an identifier such as user=u-ana');
    return this.words.shift();
  }
  // All that is left, by name.
  fields() {
    const fields = {};
    while (this.words.length) {
      const {key, text, quoted} = this.field();
      fields[key] = {text, quoted};
    }
    return fields;
  }
  end() {
    if (this.words.length) throw new Error(`not understood from ${this.words[0].text} on`);
  }
}

// What stands unquoted and reads as a number, true or false is one.
export function valueOf({text, quoted}) {
  if (quoted) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : text;
}
