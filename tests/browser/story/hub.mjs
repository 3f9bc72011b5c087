// A real hilod on an empty directory and on ports of the system's choice, ended with the test; its mail goes to a server of
// ours. Nobody waits half an hour in it and no hour is quiet: else it decides as a new one does.
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {MailBox} from './mail_box.mjs';

const kStartWithin = 60_000;
const kManager = 'a-manager';
const kWait = '12s'; // of every follow-up: longer than the calls of a story

// A UUIDv7, by which a repeat of a write is known.
function requestId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString('hex');
}

export class Hub {
  // `sources`: [{name, write_key, region}]; `agents`: names, whose tokens are made here.
  static async start(build, {sources, agents}) {
    const program = join(build, 'bin/hilod');
    if (!existsSync(program)) throw new Error(`no ${program}; build the target hilod`);
    const hub = new Hub();
    hub.root = mkdtempSync(join(tmpdir(), 'hilo-story-'));
    hub.tokens = Object.fromEntries([kManager, ...agents].map((one) => [one, `token-of-${one}-in-a-story`]));
    hub.mail = await MailBox.start(build, join(hub.root, 'mail'));
    hub.configure(build, sources, agents);
    hub.log = '';
    hub.child = spawn(program, ['--config', join(hub.root, 'hilo.yaml')], {stdio: ['ignore', 'pipe', 'pipe']});
    hub.ended = new Promise((done) => hub.child.on('exit', (code, signal) => done(signal ?? code)));
    hub.child.stderr.on('data', (chunk) => (hub.log = (hub.log + chunk).slice(-20_000)));
    try {
      await hub.ready();
      await hub.hurry();
    } catch (cause) {
      await hub.stop();
      throw cause;
    }
    return hub;
  }

  configure(build, sources, agents) {
    const write = (name, text) => writeFileSync(join(this.root, name), text, {mode: 0o600});
    for (const [name, token] of Object.entries(this.tokens)) write(`${name}.token`, token);
    write(
      'principals.yaml',
      `principals:\n  - {name: ${kManager}, role: admin, token_file: "${this.root}/${kManager}.token"}\n${agents
        .map(
          (agent) =>
            `  - {name: ${agent}, display_name: ${agent[0].toUpperCase()}${agent.slice(1)}, role: agent, ` +
            `agent: ${agent}, token_file: "${this.root}/${agent}.token"}\n`,
        )
        .join('')}`,
    );
    write(
      'hilo.yaml',
      [
        `data_directory: "${this.root}/data"`,
        `principals_file: "${this.root}/principals.yaml"`,
        `desk_directory: "${build}/desk"`,
        'default_region: ES',
        'public_url: "https://hub.example"',
        `email: {host: 127.0.0.1, port: ${this.mail.port}, tls: none, from_address: shop@shop.example}`,
        'http: {port: 0}',
        'grpc: {address: "127.0.0.1:0"}',
        'sources:',
        ...sources.map(
          ({name, write_key, region}) => `  - {name: ${name}, write_key: ${write_key}, default_region: ${region}}`,
        ),
        '',
      ].join('\n'),
    );
  }

  // Until it has said its ports and everything in it is ready.
  async ready() {
    const until = Date.now() + kStartWithin;
    const first = new Promise((done) => {
      let said = '';
      this.child.stdout.on('data', (chunk) => {
        said += chunk;
        if (said.includes('\n')) done(said.slice(0, said.indexOf('\n')));
      });
    });
    const line = await Promise.race([first, this.ended, sleep(kStartWithin, 'nothing', {ref: false})]);
    if (typeof line !== 'string' || line[0] !== '{')
      throw new Error(`hilod said no ports but ${line}:\n${this.log}`);
    this.url = `http://127.0.0.1:${JSON.parse(line).http_port}`;
    while (!(await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false))) {
      if (Date.now() > until) throw new Error(`hilod is not ready:\n${this.log}`);
      await sleep(50);
    }
  }

  // Puts the built-in catalogue in force with shorter waits.
  async hurry() {
    const {files} = await this.ask(kManager, 'CatalogueService/GetCatalogue', {});
    for (const file of files)
      file.content = file.content
        .replaceAll(/^ {2}wait: \d+[smhd]$/gm, `  wait: ${kWait}`)
        .replaceAll(/from: "\d\d:\d\d", to: "\d\d:\d\d"/g, 'from: "04:00", to: "04:01"');
    const {problems} = await this.ask(kManager, 'CatalogueService/ApplyCatalogue', {files, requestId: requestId()});
    if (problems?.length) throw new Error(`the catalogue was not taken: ${JSON.stringify(problems)}`);
  }

  async stop() {
    await this.mail.stop();
    this.child.kill('SIGTERM');
    const late = sleep(10_000, 'late', {ref: false});
    if ((await Promise.race([this.ended, late])) === 'late') this.child.kill('SIGKILL');
    rmSync(this.root, {recursive: true, force: true});
  }

  // A call by the Connect protocol, as the desk makes it.
  async ask(agent, method, body) {
    const answer = await fetch(`${this.url}/hilo.v1.${method}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Connect-Protocol-Version': '1',
        Authorization: `Bearer ${this.tokens[agent]}`,
      },
      body: JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  }

  // A counter's value; 0 when it was never counted.
  async counted(metric) {
    const page = await (await fetch(`${this.url}/metrics`)).text();
    const line = page.split('\n').find((one) => one.startsWith(`${metric} `) || one.startsWith(`${metric}{`));
    return line ? Number(line.split(' ').at(-1)) : 0;
  }
}
