// Runs the tests of one folder: `node run.mjs desk`. Exits with 77, and says why, where this machine cannot run them.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const chromium = process.env.HILO_CHROMIUM ?? '/usr/bin/chromium';
const page = process.env.HILO_DESK_PAGE ?? join(here, '../../connectors/desk/page/dist');

function skip(reason) {
  console.log(`SKIP: ${reason}`);
  process.exit(77);
}

if (Number(process.versions.node.split('.')[0]) < 18)
  skip(`Node ${process.versions.node} is older than 18`);
if (!existsSync(chromium)) skip(`no browser at ${chromium}`);
if (!existsSync(join(here, 'node_modules/playwright-core')))
  skip('the packages of tests/browser are not installed (npm ci)');
if (!existsSync(join(page, 'index.html'))) skip('the page is not built (target desk_page)');
const tests = readdirSync(join(here, folder))
  .filter((name) => name.endsWith('.test.mjs'))
  .sort();
if (tests.length === 0) {
  console.error(`no test in ${folder}`);
  process.exit(1);
}
const done = spawnSync(
  process.execPath,
  ['--test', ...tests.map((name) => join(here, folder, name))],
  {stdio: 'inherit', env: {...process.env, HILO_DESK_PAGE: page}},
);
process.exit(done.status ?? 1);
