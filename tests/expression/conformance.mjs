// The public cases of CEL (@bufbuild/cel-spec holds those of google/cel-spec) for the files that our subset names. Each
// case passes, or stands in left_out.json with the reason; anything else is red: a case that fails, and one that passes
// though it is said to be left out.
//
//   node conformance.mjs [--write]   --write: put what fails now under "unsorted" in left_out.json
import {readFileSync, writeFileSync} from 'node:fs';
import {evaluate, requirePackages, same} from './evaluate.mjs';

requirePackages();
const {tests} = await import('@bufbuild/cel-spec/testdata/conformance.js');

const FILES = ['basic', 'comparisons', 'conversions', 'fp_math', 'integer_math', 'lists', 'logic', 'macros', 'macros2',
  'namespace', 'parse', 'plumbing', 'string', 'timestamps', 'fields'];

function span(text) {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text);
  const nanos = Number((match[3] ?? '0').padEnd(9, '0'));
  const seconds = BigInt(match[2]);
  if (!match[1]) return [String(seconds), nanos];
  return nanos === 0 ? [String(-seconds), 0] : [String(-seconds - 1n), 1_000_000_000 - nanos];
}

// A cel.expr.Value as JSON in our form; undefined when we have no such value.
function value(json) {
  const [kind] = Object.keys(json);
  const content = json[kind];
  switch (kind) {
    case 'nullValue': return ['null'];
    case 'boolValue': return ['bool', content];
    case 'int64Value': return ['int', content];
    case 'uint64Value': return ['uint', content];
    case 'doubleValue': return ['double', String(content)];
    case 'stringValue': return ['string', content];
    case 'bytesValue': return ['bytes', Buffer.from(content, 'base64').toString('hex')];
    case 'typeValue': return ['type', content];
    case 'listValue': {
      const elements = (content.values ?? []).map(value);
      return elements.includes(undefined) ? undefined : ['list', elements];
    }
    case 'mapValue': {
      const entries = (content.entries ?? []).map((entry) => [value(entry.key), value(entry.value)]);
      return entries.flat().includes(undefined) ? undefined : ['map', entries];
    }
    case 'objectValue':
      if (content['@type'].endsWith('google.protobuf.Duration')) return ['duration', ...span(content.value)];
      if (content['@type'].endsWith('google.protobuf.Timestamp')) {
        return ['timestamp', String(Math.floor(Date.parse(content.value) / 1000)), 0];
      }
      return undefined;
    default: return undefined;
  }
}

const PRIMITIVES = {BOOL: 'bool', INT64: 'int', UINT64: 'uint', DOUBLE: 'double', STRING: 'string', BYTES: 'bytes'};

function type(json) {
  if (json.primitive) return PRIMITIVES[json.primitive];
  if (json.listType) return ['list', type(json.listType.elemType)];
  if (json.mapType) return ['map', type(json.mapType.keyType), type(json.mapType.valueType)];
  if ('null' in json) return 'null';
  if (json.messageType === 'google.protobuf.Duration' || json.wellKnown === 'DURATION') return 'duration';
  if (json.messageType === 'google.protobuf.Timestamp' || json.wellKnown === 'TIMESTAMP') return 'timestamp';
  if ('dyn' in json) return 'any';
  return undefined;
}

function collect(suite, path, cases) {
  for (const test of suite.tests ?? []) cases.push({name: `${path}/${test.original.name}`, test: test.original});
  for (const inner of suite.suites ?? []) collect(inner, `${path}/${inner.name}`, cases);
}

const cases = [];
for (const suite of tests.suites) if (FILES.includes(suite.name)) collect(suite, suite.name, cases);

const requests = cases.map(({test}) => {
  const variables = [];
  for (const declared of test.typeEnv ?? []) {
    // A schema refuses these names; the constants they are must win anyway.
    if (!declared.ident || ['true', 'false', 'null'].includes(declared.name)) continue;
    const bound = test.bindings?.[declared.name]?.value;
    const given = bound && value(bound);
    variables.push([declared.name, type(declared.ident.type) ?? 'any', ...(given ? [given] : [])]);
  }
  for (const [name, bound] of Object.entries(test.bindings ?? {})) {
    if (['true', 'false', 'null'].includes(name) || variables.some(([known]) => known === name)) continue;
    const given = bound.value && value(bound.value);
    if (given) variables.push([name, 'any', given]);
  }
  return {expression: test.expr, structs: [], variables};
});

// Undefined when the answer is what the case asks for, otherwise what is wrong.
function wrong(test, answer) {
  if (test.evalError) return answer[0] === 'value' ? `must fail, yields ${JSON.stringify(answer[1])}` : undefined;
  const expected = value(test.value ?? {boolValue: true});
  if (expected === undefined) return 'expects a message';
  if (answer[0] !== 'value') return `${answer[0]}: ${answer[1]}: ${answer[2]}`;
  return same(answer[1], expected) ? undefined : `expects ${JSON.stringify(expected)}, yields ${JSON.stringify(answer[1])}`;
}

const answers = evaluate(requests);
const file = new URL('left_out.json', import.meta.url);
const leftOut = JSON.parse(readFileSync(file, 'utf8'));
const reasons = new Map();
for (const {reason, cases: names} of leftOut) for (const name of names) reasons.set(name, reason);

let passed = 0;
let refusedEarly = 0;
const failures = [];
const unexpected = [];
const counts = new Map();
cases.forEach(({name, test}, i) => {
  const problem = wrong(test, answers[i]);
  const reason = reasons.get(name);
  reasons.delete(name);
  if (problem === undefined && answers[i][0] === 'compile') refusedEarly += 1;
  if (problem === undefined && reason === undefined) passed += 1;
  else if (problem === undefined) unexpected.push(`${name} passes, but left_out.json names it ("${reason}")`);
  else if (reason === undefined) failures.push([name, test.expr, problem]);
  else counts.set(reason, (counts.get(reason) ?? 0) + 1);
});
for (const name of reasons.keys()) unexpected.push(`left_out.json names ${name}, which is no case`);

if (process.argv.includes('--write') && failures.length > 0) {
  leftOut.push({reason: 'unsorted', cases: failures.map(([name]) => name)});
  writeFileSync(file, JSON.stringify(leftOut, null, 1) + '\n');
}
for (const [name, expression, problem] of failures) console.log(`FAILED ${name}: ${expression}\n    ${problem}`);
for (const text of unexpected) console.log(`FAILED ${text}`);
const left = [...counts.values()].reduce((sum, count) => sum + count, 0);
console.log(`${passed} of ${cases.length} public cases of CEL pass (${refusedEarly} errors among them are found when compiled); ${left} are left out:`);
for (const [reason, count] of counts) console.log(`  ${count}  ${reason}`);
if (cases.length < 1000) {
  console.log('FAILED the public cases are fewer than they were; does this test still read them?');
  process.exit(1);
}
process.exit(failures.length + unexpected.length === 0 ? 0 : 1);
