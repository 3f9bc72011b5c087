// ana.story on a real hub: events by an official SDK, calls as a switch posts them, two agents' desks in a real browser.
//
// What happens on the web lies in the past by as much as the story says, so that nobody waits for minutes; from the first
// call on everything happens now. An expectation has the time that the story gives it, or kSoon; on a machine whose cores are
// taken by others, as much more as they are overbooked.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {cpus, loadavg} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {setTimeout as sleep} from 'node:timers/promises';
import {launch} from '../browser.mjs';
import {AgentDesk} from './agent_desk.mjs';
import {Hub} from './hub.mjs';
import {Shop, Switch} from './senders.mjs';
import {readStory} from './story.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const kBuild = process.env.HILO_BUILD;
const kSoon = 2_000;
const kKinds = {user: 'USER_ID', email: 'EMAIL', phone: 'PHONE', anonymous: 'ANONYMOUS_ID', device: 'DEVICE_ID'};
const kLanguages = ['en', 'es'];

const word = (value, prefix) => value.slice(prefix.length).toLowerCase().replaceAll('_', '-');

class Play {
  constructor(statements) {
    this.statements = statements;
    const first = statements.find(({kind, sentence}) => kind === 'at' && sentence.words[0].text !== 'web');
    this.turn = first.at; // from here on it is now
    this.desks = {};
    this.subject = undefined;
    this.watched = new Map(); // desk → where things stood before somebody else did something
  }

  given() {
    const sources = [];
    const agents = [];
    for (const {sentence} of this.statements.filter(({kind}) => kind === 'given')) {
      if (sentence.take('agent')) {
        agents.push(sentence.word('a name'));
      } else {
        const isSwitch = sentence.take('switch');
        if (!isSwitch) sentence.must('source');
        const name = sentence.word('a name');
        const {write_key, region} = sentence.fields();
        sources.push({isSwitch, name, write_key: write_key.text, region: region.text});
      }
    }
    return {sources, agents};
  }

  async setUp() {
    const {sources, agents} = this.given();
    this.hub = await Hub.start(kBuild, {sources, agents});
    this.shop = new Shop(this.hub.url, sources.find((one) => !one.isSwitch).write_key);
    this.switch = new Switch(this.hub.url, sources.find((one) => one.isSwitch).write_key);
    this.browser = await launch();
    for (const [index, agent] of agents.entries()) {
      const language = kLanguages[index % kLanguages.length];
      this.desks[agent] = await AgentDesk.open(this.browser, this.hub, agent, {language});
    }
    this.asker = agents[0];
  }

  async tearDown() {
    await this.browser?.close();
    await this.shop?.close();
    await this.hub?.stop();
  }

  deskOf(sentence) {
    const agent = sentence.word('an agent');
    if (!this.desks[agent]) throw new Error(`nobody gave an agent named ${agent}`);
    return this.desks[agent];
  }

  async happen({at, line, sentence}) {
    const when = new Date(Date.now() + Math.min(0, at - this.turn));
    const acting = sentence.take('desk') ? this.deskOf(sentence) : undefined;
    for (const desk of Object.values(this.desks)) {
      if (desk === acting) this.watched.delete(desk); // what agents do themselves may move what they see
      else if (await desk.isOpen()) this.watched.set(desk, await desk.places());
    }
    if (!acting && sentence.take('nothing')) return sentence.end();
    if (!acting && sentence.take('web')) return this.shop.send(sentence, when);
    if (!acting && sentence.take('call')) return this.switch.send(sentence, when, `story-${line}`);
    if (!acting) throw new Error('expected web, call, desk or nothing');
    const opens = sentence.words[0].text === 'opens';
    await acting.act(sentence);
    sentence.end();
    // Whoever looks a customer up reads; from here on nothing may move before their eyes.
    if (opens) await acting.read();
  }

  async customersOf({key, text}) {
    const {customers = []} = await this.hub.ask(this.asker, 'CustomerService/FindCustomers', {
      identifier: {kind: `IDENTIFIER_KIND_${kKinds[key]}`, value: text},
    });
    return customers.map((one) => one.customer);
  }

  // The question behind an expectation: asked of the page for a desk, else of the hub.
  async check(sentence) {
    if (sentence.take('desk')) {
      const desk = this.deskOf(sentence);
      if (sentence.take('shows') || sentence.words[0].text === 'suggests') return desk.claim(sentence);
      sentence.must('pops', 'customer', 'of');
      const identifier = sentence.field();
      const assurance = sentence.take('assurance') ? sentence.word('an assurance') : '';
      this.subject = identifier;
      return async () => {
        const customers = await this.customersOf(identifier);
        return customers.length === 1
          ? desk.pops(customers[0].displayName, assurance)
          : {holds: false, found: `${customers.length} customers`};
      };
    }
    if (sentence.take('customer', 'of')) {
      this.subject = sentence.field();
      const named = sentence.take('named') ? sentence.word('a name') : undefined;
      return async () => {
        const customers = await this.customersOf(this.subject);
        return {
          holds: customers.some((one) => named === undefined || one.displayName === named),
          found: customers.map((one) => one.displayName).join('; ') || 'no such customer',
        };
      };
    }
    if (sentence.take('second', 'customer', 'of')) {
      const identifier = sentence.field();
      return async () => {
        const customers = await this.customersOf(identifier);
        return {holds: customers.length > 1, found: `${customers.length} customers`};
      };
    }
    return this.claim(sentence);
  }

  async claim(sentence) {
    const read = this.reader(sentence);
    const subject = sentence.take('of') ? sentence.field() : this.subject;
    this.subject = subject;
    return async () => {
      const customers = await this.customersOf(subject);
      if (customers.length !== 1) return {holds: false, found: `${customers.length} customers`};
      const {context} = await this.hub.ask(this.asker, 'CustomerService/GetContext', {
        customer: customers[0].name,
        timelineSize: 100,
      });
      return read(context);
    };
  }

  reader(sentence) {
    const among = (all, fits, tell) => ({
      holds: (all ?? []).some(fits),
      found: (all ?? []).map(tell).join('; ') || 'nothing',
    });
    if (sentence.take('told')) {
      const kind = sentence.word('a kind of fact');
      const value = sentence.atText() ? sentence.word('') : undefined;
      const channel = sentence.take('from') ? sentence.word('a channel') : undefined;
      return ({facts}) =>
        among(
          facts,
          (fact) =>
            fact.kind === kind &&
            (value === undefined || fact.value === value) &&
            (channel === undefined || word(fact.channel, 'CHANNEL_') === channel),
          (fact) => `told ${fact.kind} "${fact.value}" from ${word(fact.channel, 'CHANNEL_')}`,
        );
    }
    if (sentence.take('already', 'known')) {
      const kind = sentence.word('a kind of fact');
      const value = sentence.atText() ? sentence.word('') : undefined;
      return ({questions, facts}) => {
        const asked = among(
          questions,
          (one) => one.kind === kind && one.alreadyOnRecord === true,
          (one) => `asked ${one.kind}${one.alreadyOnRecord ? ', already known' : ''}`,
        );
        const known = value === undefined || (facts ?? []).some((one) => one.kind === kind && one.value === value);
        return {...asked, holds: asked.holds && known};
      };
    }
    if (sentence.take('timeline')) {
      const text = sentence.word('a title or type');
      const once = sentence.take('once');
      const fits = (one) => one.title === text || one.type === text;
      return ({timeline}) => {
        const found = among(timeline, fits, (one) => `${one.type} ${one.title ?? ''}`);
        return {...found, holds: once ? timeline?.filter(fits).length === 1 : found.holds};
      };
    }
    if (sentence.take('interaction')) {
      const [channel, state] = [sentence.word('a channel'), sentence.word('a state')];
      const tell = (one) => `${word(one.channel, 'CHANNEL_')} ${word(one.state, 'INTERACTION_STATE_')}`;
      return ({interactions}) => among(interactions, (one) => tell(one) === `${channel} ${state}`, tell);
    }
    throw new Error('this runner cannot check that yet; add it to ana.test.mjs');
  }

  async expect({sentence, negated, within}) {
    const check = await this.check(sentence);
    sentence.end();
    const busy = Math.max(1, loadavg()[0] / cpus().length);
    const until = Date.now() + (within ?? (negated ? 0 : kSoon)) * busy;
    for (;;) {
      const {holds, found} = await check();
      const late = Date.now() > until;
      if (holds !== negated && (!negated || late)) return;
      if (late || negated) throw new Error(`found: ${found}`);
      await sleep(10);
    }
  }

  // What a colleague did has changed what stands there, and moved none of it.
  async nothingMoved() {
    for (const [desk, before] of this.watched) {
      const now = await desk.places();
      const moved = Object.keys(before).filter((key) => now[key] !== before[key]);
      assert.deepEqual(moved.map((key) => `${key}: ${before[key]} → ${now[key]}`), [], `moved before ${desk.agent}'s eyes`);
    }
    this.watched.clear();
  }

  async photograph(line) {
    const folder = join(kBuild, 'screenshots');
    mkdirSync(folder, {recursive: true});
    for (const desk of Object.values(this.desks)) {
      if (!(await desk.isOpen())) continue;
      const name = `ana-${String(line).padStart(2, '0')}-${desk.agent}-${desk.language}.png`;
      await desk.page.screenshot({path: join(folder, name)});
    }
  }
}

test('ana.story', {timeout: 300_000}, async (t) => {
  const statements = readStory(join(here, '../../scenario/ana.story'));
  const play = new Play(statements);
  t.after(() => play.tearDown());
  await play.setUp();
  for (const [index, statement] of statements.entries()) {
    if (statement.kind === 'given') continue;
    await t.test(`${statement.place} ${statement.source}`, async () => {
      if (statement.kind === 'at') await play.happen(statement);
      else await play.expect(statement);
    });
    const next = statements[index + 1];
    if (!next || (next.kind === 'at' && statement.kind === 'expect')) {
      await t.test(`${statement.place} nothing moves before the eyes of others`, () => play.nothingMoved());
      await play.photograph(statement.line);
    }
  }
  for (const desk of Object.values(play.desks)) {
    await t.test(`axe finds nothing on ${desk.agent}'s desk in ${desk.language} with Ana open`, async () => {
      assert.equal((await desk.heading().innerText()).trim(), 'Ana Ruiz');
      assert.deepEqual(await desk.violations(), []);
    });
    await t.test(`${desk.agent}'s page had nothing to complain about`, () => assert.deepEqual(desk.problems, []));
  }
  await t.test('one mail told her of the basket, and with it how to have no more', () => {
    const mails = play.hub.mail.to('ana@example.com');
    const reminders = mails.filter(({text}) => text.includes('Trail shoes'));
    assert.equal(reminders.length, 1, mails.map(({subject}) => subject).join('; '));
    assert.match(reminders[0].text, /Ana/);
    assert.match(reminders[0].head, /^List-Unsubscribe: <https:\/\/hub\.example\/u\/[^>]+>/m);
    assert.match(reminders[0].head, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\s*$/m);
  });
  await t.test('asking for what is on record was counted', async () => {
    assert.equal(await play.hub.counted('hilo_facts_asked_again_total'), 1);
  });
});
