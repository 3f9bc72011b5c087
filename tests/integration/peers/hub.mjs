// A hub for the tests of this folder: HILO_URL with its keys in HILO_WRITE_KEY and HILO_TOKEN, or a hilod of our own
// (HILO_HILOD) on an empty directory, ended with the tests.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {setTimeout as sleep} from 'node:timers/promises';

const here = dirname(fileURLToPath(import.meta.url));
const kScripts = join(here, 'node_modules/@segment/analytics-next/dist/umd');

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

class Hub {
  constructor(url, writeKey, callKey, token, stop) {
    Object.assign(this, {url, writeKey, callKey, token, stop});
  }

  // One call by the Connect protocol, as a browser would make it.
  async ask(method, body) {
    const response = await fetch(`${this.url}/hilo.v1.${method}`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'Connect-Protocol-Version': '1', Authorization: `Bearer ${this.token}`},
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  // The customers behind an identifier, once there are any; [] when none has come in `patience` milliseconds.
  async find(kind, value, patience = 5_000) {
    for (const end = Date.now() + patience; ; await sleep(50)) {
      const {customers = []} = await this.ask('CustomerService/FindCustomers', {
        identifier: {kind: `IDENTIFIER_KIND_${kind}`, value},
      });
      if (customers.length > 0 || Date.now() > end) return customers;
    }
  }

  // The context of the one customer behind an identifier, once `holds` says that all is there.
  async context(kind, value, holds = () => true, patience = 5_000) {
    for (const end = Date.now() + patience; ; await sleep(50)) {
      const customers = await this.find(kind, value, 0);
      if (customers.length > 1) throw new Error(`${customers.length} customers where there should be one`);
      if (customers.length === 1) {
        const customer = customers[0].customer?.name ?? customers[0].name;
        const answer = await this.ask('CustomerService/GetContext', {customer, timelineSize: 50});
        const context = answer.context ?? answer;
        if (holds(context)) return context;
        if (Date.now() > end) throw new Error(`not everything came: ${JSON.stringify(context, null, 1).slice(0, 4000)}`);
      } else if (Date.now() > end) {
        throw new Error('nobody was found');
      }
    }
  }
}

export async function openHub({origins = []} = {}) {
  if (process.env.HILO_URL) {
    return new Hub(process.env.HILO_URL, process.env.HILO_WRITE_KEY ?? 'wk-shop', process.env.HILO_CALL_KEY ?? 'wk-switch',
      process.env.HILO_TOKEN, async () => {});
  }
  const program = process.env.HILO_HILOD ?? join(process.env.HILO_BUILD ?? join(here, '../../../build/release'), 'bin/hilod');
  if (!existsSync(program)) throw new Error(`no ${program}; build hilod, or set HILO_URL`);
  const root = mkdtempSync(join(tmpdir(), 'hilo-peers-'));
  const port = await freePort();
  const grpc = await freePort();
  const token = 'a-token-of-this-test';
  writeFileSync(join(root, 'agent.token'), token, {mode: 0o400});
  writeFileSync(join(root, 'principals.yaml'),
    `principals:\n  - {name: marta, display_name: Marta, role: agent, agent: marta, token_file: "${root}/agent.token"}\n`, {mode: 0o600});
  writeFileSync(join(root, 'hilo.yaml'), [
    `data_directory: "${root}/data"`,
    `principals_file: "${root}/principals.yaml"`,
    'default_region: ES',
    ...(existsSync(kScripts) ? [`analytics_js_directory: "${kScripts}"`] : []),
    `http: {port: ${port}}`,
    `grpc: {address: "127.0.0.1:${grpc}"}`,
    'sources:',
    `  - {name: shop, write_key: wk-shop, default_region: ES, origins: [${origins.map((origin) => `"${origin}"`).join(', ')}]}`,
    '  - {name: switch, write_key: wk-switch, default_region: ES}',
    '  - {name: slow, write_key: wk-slow, default_region: ES, events_per_second: 20}',
    ''].join('\n'), {mode: 0o600});
  let log = '';
  const child = spawn(program, ['--config', join(root, 'hilo.yaml')], {stdio: ['ignore', 'pipe', 'pipe']});
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log = (log + chunk).slice(-20_000)));
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(10_000, undefined, {ref: false}).then(() => child.kill('SIGKILL'))]);
    rmSync(root, {recursive: true, force: true});
  };
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + 30_000; ; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`hilod ended with ${child.exitCode}:\n${log}`);
    if (await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false)) break;
    if (Date.now() > end) {
      await stop();
      throw new Error(`hilod is not ready:\n${log}`);
    }
  }
  return new Hub(url, 'wk-shop', 'wk-switch', token, stop);
}

// Ids of this run, so that the tests can go against a hub that lives on.
export const run = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
