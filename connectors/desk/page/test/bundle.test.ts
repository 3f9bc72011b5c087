import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {gzipSync} from 'node:zlib';

const kBudget = 120 * 1024; // bytes of script and style on the wire; a desk opens in a second on a poor line
const dist = process.env['HILO_DESK_PAGE'] ?? 'dist';
const read = (name: string) => readFileSync(join(dist, name));

test('script and style are within the budget', () => {
  const bytes =
    gzipSync(read('app.js'), {level: 9}).length + gzipSync(read('app.css'), {level: 9}).length;
  console.log(`desk: ${bytes} of ${kBudget} bytes`);
  assert.ok(bytes < kBudget, `${bytes} bytes`);
});

test('the document brings everything from its own place', () => {
  const html = read('index.html').toString();
  assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//);
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/, 'no inline script');
  assert.doesNotMatch(html, /<style|\bstyle=|\bon[a-z]+=/, 'nothing inline');
});

test('our code turns no text into markup', () => {
  const script = read('app.js').toString();
  assert.doesNotMatch(script, /\beval\(|new Function\(|insertAdjacentHTML|document\.write/);
});
