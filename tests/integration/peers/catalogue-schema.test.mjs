// The JSON Schemas that editors use say the same of every resource as the loader does.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../../../state/catalogue/schema');
const ajv = new Ajv2020.default({strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true});
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
for (const name of names) ajv.addSchema(JSON.parse(readFileSync(join(folder, name), 'utf8')), name);
const documents = execFileSync(process.env.HILO_CATALOGUE_DOCUMENTS, {encoding: 'utf8', maxBuffer: 64 << 20})
  .trim().split('\n').map((line) => JSON.parse(line));

test('there are good and bad resources of every kind', () => {
  const validate = ajv.getSchema('resource.json');
  const kinds = validate.schema.properties.kind.enum;
  assert.equal(names.length, kinds.length + 2);
  for (const kind of kinds) {
    for (const accepted of [true, false]) {
      assert.ok(documents.some((document) => document.resource.kind === kind && document.accepted === accepted),
          `${accepted ? 'good' : 'bad'} ${kind}`);
    }
  }
});

test('schema and loader agree', () => {
  const validate = ajv.getSchema('resource.json');
  const differences = [];
  for (const {name, accepted, resource} of documents) {
    if (validate(resource) === accepted) continue;
    differences.push(accepted ? `refused by the schema alone: ${name}: ${ajv.errorsText(validate.errors)}`
                              : `refused by the loader alone: ${name}`);
  }
  assert.deepEqual(differences, []);
});
