import assert from 'node:assert/strict';
import {test} from 'node:test';
import {create} from '@bufbuild/protobuf';
import {MoneySchema} from '../src/gen/hilo/v1/common_pb';
import {atHour, fromLocalInput, isZone, localInput, money, relative} from '../src/format';
import {guesses} from '../src/guess';
import {chordOf} from '../src/keys';

const space = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test('amounts are exact, also beyond what a double holds', () => {
  assert.equal(money(create(MoneySchema, {currency: 'EUR', minor: 12_990n}), 'en'), '€129.90');
  assert.equal(
    space(money(create(MoneySchema, {currency: 'EUR', minor: 12_990n}), 'es')),
    '129,90 €',
  );
  assert.equal(money(create(MoneySchema, {currency: 'JPY', minor: 500n}), 'en'), '¥500');
  assert.equal(money(create(MoneySchema, {currency: 'EUR', minor: -5n}), 'en'), '-€0.05');
  assert.equal(
    money(create(MoneySchema, {currency: 'EUR', minor: 9_007_199_254_740_993n}), 'en'),
    '€90,071,992,547,409.93',
  );
  assert.equal(money(create(MoneySchema, {currency: '??', minor: 5n}), 'en'), '5 ??');
});

test('how long ago is said in words', () => {
  const now = Date.UTC(2026, 0, 10, 12);
  assert.equal(relative(now - 4 * 60_000, now, 'en'), '4 min. ago');
  assert.equal(relative(now - 4 * 60_000, now, 'es'), 'hace 4 min');
  assert.equal(relative(now + 2 * 3_600_000, now, 'en'), 'in 2 hr.');
  assert.equal(relative(now - 20_000, now, 'en'), 'now');
});

test('a day that is named is the day that is meant', () => {
  const now = new Date(2026, 10, 25, 10).getTime();
  const minute = 60_000;
  const almost = now + 3 * 86_400_000 - minute; // Saturday, a minute before the same time of day
  assert.equal(relative(almost, now, 'en'), 'in 3 days');
  assert.equal(relative(new Date(2026, 10, 27, 23).getTime(), now, 'es'), 'pasado mañana');
  assert.equal(relative(new Date(2026, 10, 23, 9).getTime(), now, 'en'), '2 days ago');
  assert.equal(relative(now + 2 * 3_600_000 - minute, now, 'en'), 'in 2 hr.');
  assert.equal(relative(now - 2 * 3_600_000 + minute, now, 'en'), '1 hr. ago');
  assert.equal(relative(now + 60 * minute - 1, now, 'en'), 'in 1 hr.');
});

test('a local time comes back as it was entered', () => {
  const at = new Date(2026, 7, 4, 18, 0).getTime();
  assert.equal(localInput(at), '2026-08-04T18:00');
  assert.equal(fromLocalInput('2026-08-04T18:00'), at);
  assert.equal(fromLocalInput(''), undefined);
  assert.equal(localInput(atHour(new Date(2026, 11, 31, 9).getTime(), 1, 12)), '2027-01-01T12:00');
});

test('a zone that no browser knows is none', () => {
  assert.equal(isZone('Europe/Madrid'), true);
  assert.equal(isZone('Mars/Base'), false);
  assert.equal(isZone(''), false);
});

test('what is typed into the search is tried in a sensible order', () => {
  assert.deepEqual(guesses('auto', 'ana@example.com'), ['email']);
  assert.deepEqual(guesses('auto', '+34 600 111 222'), ['phone']);
  assert.deepEqual(guesses('auto', '600111222'), ['phone', 'user_id', 'loyalty_card']);
  assert.deepEqual(guesses('auto', 'LC-7788'), ['user_id', 'loyalty_card']);
  assert.deepEqual(guesses('loyalty_card', '600111222'), ['loyalty_card']);
});

const stroke = (key: string, code: string, more: object = {}) =>
  chordOf({key, code, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more});

test('bare letters are no chords', () => {
  assert.equal(stroke('n', 'KeyN'), '');
  assert.equal(stroke('N', 'KeyN', {shiftKey: true}), '');
});

test('chords name the letter, wherever the key is', () => {
  assert.equal(stroke('n', 'KeyN', {altKey: true}), 'Alt+N');
  assert.equal(stroke('a', 'KeyQ', {altKey: true}), 'Alt+A', 'another layout');
  assert.equal(stroke('˜', 'KeyN', {altKey: true}), 'Alt+N', 'Alt makes another character');
  assert.equal(stroke('k', 'KeyK', {ctrlKey: true}), 'Mod+K');
  assert.equal(stroke('k', 'KeyK', {metaKey: true}), 'Mod+K');
  assert.equal(stroke('1', 'Digit1', {altKey: true}), 'Alt+1');
});

test('AltGr writes characters and is no chord', () => {
  assert.equal(
    stroke('€', 'KeyE', {
      altKey: true,
      ctrlKey: true,
      getModifierState: (key: string) => key === 'AltGraph',
    }),
    '',
  );
});
