// Runs hilo_expression_evaluate over many requests and gives its answers in order.
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export function skip(reason) {
  console.log(`SKIP: ${reason}`);
  process.exit(77);
}

export function requirePackages() {
  if (Number(process.versions.node.split('.')[0]) < 18) skip(`Node ${process.versions.node} is older than 18`);
  if (!existsSync(join(here, 'node_modules/@bufbuild/cel'))) skip('the packages of tests/expression are not installed (npm ci)');
}

export function evaluate(requests) {
  const binary = process.env.HILO_EXPRESSION_EVALUATE ?? join(here, '../../build/release/bin/hilo_expression_evaluate');
  const input = requests.map((request) => JSON.stringify(request)).join('\n') + '\n';
  const done = spawnSync(binary, [], {input, encoding: 'utf8', maxBuffer: 1 << 30});
  if (done.status !== 0) throw new Error(`${binary} ended with ${done.status ?? done.signal}: ${done.error ?? done.stderr}`);
  const answers = done.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  if (answers.length !== requests.length) throw new Error(`${requests.length} requests, ${answers.length} answers`);
  return answers;
}

// Whether two values in the form of evaluate_main.cc are the same: of one kind, doubles by value, maps in any order.
export function same(a, b) {
  if (a[0] !== b[0]) return false;
  switch (a[0]) {
    case 'null': return true;
    case 'double': return Object.is(Number(a[1]), Number(b[1])) || Number(a[1]) === Number(b[1]);
    case 'timestamp':
    case 'duration': return a[1] === b[1] && a[2] === b[2];
    case 'list': return a[1].length === b[1].length && a[1].every((element, i) => same(element, b[1][i]));
    case 'map':
      return a[1].length === b[1].length && a[1].every(([key, value]) =>
        b[1].some(([otherKey, other]) => same(key, otherKey) && same(value, other)));
    default: return a[1] === b[1];
  }
}
