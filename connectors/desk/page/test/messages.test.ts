import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {parse, TYPE, type MessageFormatElement} from '@formatjs/icu-messageformat-parser';
import en from '../src/en.json';
import es from '../src/es.json';
import {t, language} from '../src/messages';

// The names of a message's arguments, with their types.
function args(elements: MessageFormatElement[]): string[] {
  const found = new Set<string>();
  for (const element of elements) {
    if (element.type === TYPE.literal || element.type === TYPE.pound) continue;
    if (element.type === TYPE.tag) continue;
    found.add(`${element.value}:${element.type}`);
    if (element.type === TYPE.select || element.type === TYPE.plural) {
      for (const option of Object.values(element.options))
        for (const name of args(option.value)) found.add(name);
    }
  }
  return [...found].sort();
}

function sources(folder: string): string[] {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'gen' ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) ? [readFileSync(path, 'utf8')] : [];
  });
}

test('both languages have the same messages', () => {
  assert.deepEqual(Object.keys(es).sort(), Object.keys(en).sort());
});

test('no message is empty', () => {
  for (const catalogue of [en, es])
    for (const [id, text] of Object.entries(catalogue)) assert.notEqual(text.trim(), '', id);
});

test('a message takes the same arguments in both languages', () => {
  for (const [id, text] of Object.entries(en)) {
    assert.deepEqual(args(parse((es as Record<string, string>)[id]!)), args(parse(text)), id);
  }
});

test('every message is used', () => {
  const all = sources('src').join('\n');
  for (const id of Object.keys(en)) {
    const family = `${id.slice(0, id.lastIndexOf('.'))}.`;
    const used =
      all.includes(`'${id}'`) ||
      all.includes(`"${id}"`) ||
      all.includes(`\`${family}\${`) ||
      all.includes(`word('${family.slice(0, -1)}'`) ||
      all.includes(`word('${id.split('.')[0]}'`) ||
      all.includes(`\`${id.split('.')[0]}.\${`);
    assert.ok(used, id);
  }
});

test('plurals follow the language', () => {
  language.value = 'en';
  assert.equal(t('cases.closed', {count: 2}), '2 closed');
  language.value = 'es';
  assert.equal(t('cases.closed', {count: 1}), '1 cerrado');
  assert.equal(t('cases.closed', {count: 2}), '2 cerrados');
  language.value = 'en';
});
