// Prints the nanoseconds that @bufbuild/cel takes for one evaluation of a condition of tests/bench/expression_bench.cc.
import {readFileSync} from 'node:fs';
import {celEnv, parse, plan} from '@bufbuild/cel';
import {create} from '@bufbuild/protobuf';
import {TimestampSchema} from '@bufbuild/protobuf/wkt';

const source = readFileSync(new URL('../bench/expression_bench.cc', import.meta.url), 'utf8');
const name = {ordinary: 'kOrdinary', long: 'kLong', tags: 'kTags'}[process.argv[2]];
const literal = new RegExp(`${name}\\[\\] =([^;]*);`).exec(source)[1];
const expression = [...literal.matchAll(/"([^"]*)"/g)].map((match) => match[1]).join('');

const now = 1_780_000_000n;
const context = {
  customer: new Map(Object.entries({
    open_complaints: 0n, days_since_order: 45n, tier: 'silver',
    last_order: create(TimestampSchema, {seconds: now - 90n * 86_400n}), spend: 250.5, city: 'Sevilla',
    tags: ['red', 'hat', 'shoes'],
  })),
  now: create(TimestampSchema, {seconds: now}),
};
const evaluate = plan(celEnv(), parse(expression));
if (evaluate(context) !== true) throw new Error(`${expression} does not hold`);
for (let i = 0; i < 20_000; i += 1) evaluate(context);
const count = 100_000;
const begin = process.hrtime.bigint();
for (let i = 0; i < count; i += 1) evaluate(context);
console.log(Number(process.hrtime.bigint() - begin) / count);
