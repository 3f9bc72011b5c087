// Builds the desk's page: `node build.mjs [generate|build|test] [--out DIR]`.
// generate: TypeScript from proto/; build: the files that hilod serves; test: the unit tests, bundled and run by Node.
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const page = dirname(fileURLToPath(import.meta.url));
const proto = resolve(page, '../../../proto');
const gen = join(page, 'src/gen');
const args = process.argv.slice(2);
const command = args[0]?.startsWith('--') || args.length === 0 ? 'build' : args[0];
const outAt = args.indexOf('--out');
const out = outAt >= 0 ? resolve(args[outAt + 1]) : join(page, 'dist');

function run(program, argv) {
  const done = spawnSync(program, argv, {cwd: page, stdio: 'inherit'});
  if (done.error) {
    console.error(`desk: cannot run ${program}: ${done.error.message}`);
    process.exit(1);
  }
  if (done.status !== 0) process.exit(done.status ?? 1);
}

function generate() {
  mkdirSync(gen, {recursive: true});
  run('protoc', [
    `--plugin=protoc-gen-es=${join(page, 'node_modules/.bin/protoc-gen-es')}`,
    `--proto_path=${proto}`,
    `--es_out=${gen}`,
    '--es_opt=target=ts,import_extension=none',
    ...['common', 'customer', 'customer_service', 'decision', 'decision_service', 'desk_service'].map(
      (name) => `hilo/v1/${name}.proto`,
    ),
  ]);
}

const common = {
  bundle: true,
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
  absWorkingDir: page,
};

async function bundle() {
  generate();
  run(join(page, 'node_modules/.bin/tsc'), ['--noEmit']);
  mkdirSync(out, {recursive: true});
  await build({
    ...common,
    entryPoints: {app: 'src/main.tsx', operations: 'src/operations/main.tsx'},
    outdir: out,
    format: 'esm',
    platform: 'browser',
    minify: true,
    legalComments: 'none',
    define: {'process.env.NODE_ENV': '"production"'},
  });
  await build({...common, entryPoints: {app: 'src/app.css', operations: 'src/operations.css'}, outdir: out, minify: true});
  for (const name of ['index.html', 'operations.html', 'icon.svg'])
    copyFileSync(join(page, 'src', name), join(out, name));
}

async function test() {
  generate();
  const folder = join(page, '.test');
  rmSync(folder, {recursive: true, force: true});
  const entries = readdirSync(join(page, 'test')).filter((name) => name.endsWith('.test.ts'));
  await build({
    ...common,
    entryPoints: entries.map((name) => `test/${name}`),
    outdir: folder,
    format: 'esm',
    platform: 'node',
    outExtension: {'.js': '.mjs'},
    sourcemap: 'inline',
  });
  run(process.execPath, [
    '--enable-source-maps',
    '--test',
    ...entries.map((name) => join(folder, name.replace(/\.ts$/, '.mjs'))),
  ]);
}

const commands = {generate, build: bundle, test};
if (!commands[command]) {
  console.error(`desk: no command "${command}"; one of ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
await commands[command]();
