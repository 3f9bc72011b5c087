// Runs the tests of this folder. Exits with 77, and says why, where this machine cannot run them.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

function skip(reason) {
  console.log(`SKIP: ${reason}`);
  process.exit(77);
}

if (Number(process.versions.node.split('.')[0]) < 18) skip(`Node ${process.versions.node} is older than 18`);
if (!existsSync(join(here, 'node_modules/cloudevents'))) skip('the packages of tests/integration/peers are not installed (npm ci)');
let tests = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort();
if (process.argv[2]) tests = tests.filter((name) => name.startsWith(process.argv[2]));
if (!existsSync(process.env.HILO_CHROMIUM ?? '/usr/bin/chromium')) {
  if (process.argv[2]?.startsWith('analytics-next')) skip('no Chromium');
  tests = tests.filter((name) => !name.startsWith('analytics-next'));
}
const done = spawnSync(process.execPath, ['--test', ...tests.map((name) => join(here, name))], {stdio: 'inherit'});
process.exit(done.status ?? 1);
