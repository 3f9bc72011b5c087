import assert from 'node:assert/strict';
import {test} from 'node:test';
import {pieces, plain} from '../src/text';

test('markup is text', () => {
  assert.deepEqual(pieces('<img src=x onerror=alert(1)>'), [
    {text: '<img src=x onerror=alert(1)>', mark: false},
  ]);
});

test('direction overrides are shown instead of obeyed', () => {
  assert.deepEqual(pieces('pay \u202egpj.exe'), [
    {text: 'pay ', mark: false},
    {text: 'RLO', mark: true},
    {text: 'gpj.exe', mark: false},
  ]);
  for (const control of '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069') {
    const [piece] = pieces(control);
    assert.equal(piece?.mark, true);
  }
});

test('control characters are named, line ends stay', () => {
  assert.deepEqual(pieces('a\u0000b'), [
    {text: 'a', mark: false},
    {text: 'U+0000', mark: true},
    {text: 'b', mark: false},
  ]);
  assert.deepEqual(pieces('a\r\nb\tc'), [{text: 'a\nb\tc', mark: false}]);
});

test('a word of a megabyte is clipped', () => {
  const shown = pieces('x'.repeat(1 << 20))
    .map((piece) => piece.text)
    .join('');
  assert.equal(shown, `${'x'.repeat(120)}…`);
});

test('a text of a megabyte is clipped', () => {
  const shown = pieces('word '.repeat(1 << 18))
    .map((piece) => piece.text)
    .join('');
  assert.ok(shown.length <= 4097);
  assert.ok(shown.endsWith('…'));
});

test('a tower of marks is cut to what scripts need', () => {
  assert.equal(pieces(`h${'\u0301'.repeat(60)}i`)[0]?.text, `h${'\u0301'.repeat(4)}i`);
});

test('names in other scripts and joined emoji stay whole', () => {
  for (const text of ['José Núñez', 'שלום Ana', 'مرحبا', '👩‍👩‍👧', 'नमस्ते']) {
    assert.deepEqual(pieces(text), [{text, mark: false}]);
  }
});

test('in plain text the marks have brackets', () => {
  assert.equal(plain('a\u202eb'), 'a[RLO]b');
});
