// The same conditions over the same values, evaluated by us and by @bufbuild/cel: equal results, and errors where the
// other has errors.
//
//   node differential.mjs [seed] [count]
import {evaluate, requirePackages, same} from './evaluate.mjs';
import {Generator, random, STRUCTS} from './generator.mjs';

requirePackages();
const {second} = await import('./second_opinion.mjs');

const seed = Number(process.argv[2] ?? process.env.HILO_SEED ?? 20260501);
const count = Number(process.argv[3] ?? 10_000);
const generator = new Generator(random(seed));
const requests = [];
for (let i = 0; i < count; i += 1) {
  const variables = generator.variables();
  const expression = generator.make(generator.chance(0.7) ? 'bool' : generator.pick(['int', 'uint', 'double', 'string', 'timestamp', 'duration', ['list', 'int'], ['list', 'string']]), 2 + generator.below(3));
  requests.push({expression, structs: STRUCTS, variables});
}
const answers = evaluate(requests);
let values = 0;
let errors = 0;
const kinds = new Map();
const differences = [];
requests.forEach((request, i) => {
  const answer = answers[i];
  if (answer[0] === 'compile') {
    differences.push([request, answer, 'the generator makes conditions that fit their types']);
    return;
  }
  const other = second(request);
  if (answer[0] === 'evaluate' && other[0] === 'error') errors += 1;
  else if (answer[0] === 'value' && other[0] === 'value' && same(answer[1], other[1])) {
    values += 1;
    kinds.set(answer[1][0], (kinds.get(answer[1][0]) ?? 0) + 1);
  } else differences.push([request, answer, other]);
});
for (const [request, ours, theirs] of differences.slice(0, 10)) {
  console.log(`DIFFERENT ${request.expression}\n  with ${request.variables.filter(([name]) => new RegExp(`\\b${name}\\b`).test(request.expression)).map(([name, , value]) => `${name}=${JSON.stringify(value)}`).join(' ')}\n  ours ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`);
}
console.log(`seed ${seed}: ${values} equal results (${[...kinds].map(([kind, n]) => `${kind} ${n}`).join(', ')}), ${errors} equal errors, ${differences.length} differences`);
// A generator that only makes errors would prove nothing.
if (values < count / 2) {
  console.log('FAILED: too few of the conditions yield a value');
  process.exit(1);
}
process.exit(differences.length === 0 ? 0 : 1);
