// What an agent does and sees at the desk, by what stands on the page, in either language.
import {AxeBuilder} from '@axe-core/playwright';
import {live, openDesk} from '../browser.mjs';
import {duration} from './story.mjs';

const kTold = /^(Already told us|Ya nos dijo)/;
const kPromised = /^(Already promised|Ya prometimos)/;
const kTimeline = /^(Timeline|Cronología)/;
const kCases = /^(Cases|Casos)/;
const kSure = /^(How sure we are who this is|Qué seguridad tenemos de quién es)/;
const kLast = /^(Last action|Última acción)/;

// A date as the page's input for it takes it, by the clock of the agent.
const localInput = (at, timeZone) =>
  new Intl.DateTimeFormat('sv-SE', {timeZone, dateStyle: 'short', timeStyle: 'short'}).format(at).replace(' ', 'T');

export class AgentDesk {
  static async open(browser, hub, agent, {language, timeZone = 'Europe/Madrid'}) {
    const desk = new AgentDesk();
    const window = await openDesk(browser, hub.url, {
      token: hub.tokens[agent],
      locale: language === 'es' ? 'es-ES' : 'en-GB',
      timezoneId: timeZone,
    });
    Object.assign(desk, window, {agent, language, timeZone});
    desk.catalogue = await hub.ask(agent, 'DeskService/GetDesk', {});
    return desk;
  }

  region(name) {
    return this.page.getByRole('region', {name});
  }
  async isOpen() {
    return (await this.page.locator('.who-line').count()) > 0;
  }
  heading() {
    return this.page.getByRole('heading', {level: 1});
  }

  // In the page's words: a kind of fact is a question, a kind of case has a title.
  questionOf(kind) {
    const known = this.catalogue.factKinds.find((one) => one.kind === kind);
    return known?.questions[this.language] ?? kind.replaceAll('_', ' ');
  }
  caseTitleOf(kind) {
    return this.catalogue.caseKinds.find((one) => one.kind === kind)?.titles[this.language] ?? kind;
  }

  // `desk luis opens …`, `desk marta fact …`; returns when the page says it is done.
  async act(sentence) {
    if (sentence.take('opens', 'customer', 'of')) return this.find(sentence.field().text);
    if (sentence.take('note')) return this.write('note', {'composer-first': sentence.fields().text.text});
    if (sentence.take('fact')) {
      const {kind, value} = sentence.fields();
      return this.write('fact', {...this.kindFields('fact', kind.text), 'fact-value': value.text});
    }
    if (sentence.take('asks')) return this.write('ask', this.kindFields('ask', sentence.word('a kind of fact')));
    if (sentence.take('promise')) {
      const {text, due} = sentence.fields();
      const at = new Date(Date.now() + duration(due.text));
      return this.write('promise', {'composer-first': text.text, 'promise-due': localInput(at, this.timeZone)});
    }
    if (sentence.take('accepts')) return this.answer(sentence.word('an action'), 'a');
    if (sentence.take('declines')) {
      const action = sentence.word('an action');
      return this.answer(action, 'd', `[data-reason="${sentence.fields().reason.text}"]`);
    }
    if (sentence.take('snoozes')) {
      const action = sentence.word('an action');
      const hours = duration(sentence.fields().for.text) / 3_600_000;
      return this.answer(action, 'z', `[data-hours="${hours}"]`);
    }
    throw new Error('the browser does not know how to do this; add it to agent_desk.mjs');
  }

  // Answers the action that is first on the card by its key, and says more where that asks for more.
  async answer(action, key, more) {
    await this.page.locator(`[data-testid="next-best"][data-action="${action}"]`).waitFor();
    const said = await this.last();
    await this.page.keyboard.press(`Alt+${key}`);
    if (more) await this.page.locator(`.next ${more}`).click();
    await this.sayingMoreThan(said);
  }

  async find(text) {
    await this.page.keyboard.press('Alt+s');
    await this.page.getByRole('searchbox').fill(text);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.who-line').waitFor();
    await live(this.page, 'connected').waitFor();
  }

  // A kind of the catalogue is chosen from the list; another is put as a question that makes that kind.
  kindFields(form, kind) {
    if (this.catalogue.factKinds.some((one) => one.kind === kind)) return {'composer-first': kind};
    const question = `${kind[0].toUpperCase()}${kind.slice(1).replaceAll('_', ' ')}?`;
    return {'composer-first': '*', [`${form}-question`]: question};
  }

  // Opens a form by its key, fills it in, saves it by the keyboard.
  async write(form, values) {
    const keys = {note: 'n', fact: 'f', ask: 'q', promise: 'p', case: 'c'};
    await this.page.keyboard.press(`Alt+${keys[form]}`);
    const box = this.page.locator('#composer-form form');
    await box.waitFor();
    for (const [id, value] of Object.entries(values)) {
      const input = box.locator(`#${id}`);
      const isList = (await input.evaluate((one) => one.tagName)) === 'SELECT';
      await (isList ? input.selectOption(value) : input.fill(value));
    }
    const said = await this.last();
    await this.page.keyboard.press('Control+Enter');
    await box.waitFor({state: 'detached'});
    await this.sayingMoreThan(said);
  }
  // Until the page has said that what was done is saved.
  async sayingMoreThan(said) {
    for (const end = Date.now() + 5_000; (await this.last()) === said; ) {
      if (Date.now() > end) throw new Error('the page did not say that it was saved');
      await this.page.waitForTimeout(20);
    }
  }
  last() {
    return this.page.getByRole('status', {name: kLast}).innerText();
  }

  // What is on the screen now: {holds, found}.
  async pops(name, assurance) {
    const title = (await this.heading().innerText()).trim();
    const call = await this.page.getByTestId('call').count();
    const group = this.page.getByRole('group', {name: kSure}).locator('[data-assurance]');
    const sure = (await group.count()) > 0 ? await group.first().getAttribute('data-assurance') : 'none';
    return {
      holds: call > 0 && title === name && (!assurance || sure === assurance),
      found: `${call} calls, "${title}" open, assurance ${sure}`,
    };
  }

  async rows(region, testId) {
    const rows = await this.region(region).getByTestId(testId).all();
    return Promise.all(rows.map(async (row) => (await row.innerText()).replace(/\s+/g, ' ').trim()));
  }
  // Reads what is shown; returns the question to ask the page, again and again until it is so.
  claim(sentence) {
    const among = (rows, ...parts) => ({
      holds: rows.some((row) => parts.every((part) => row.toLowerCase().includes(part.toLowerCase()))),
      found: rows.join('; ') || 'nothing',
    });
    if (sentence.take('told')) {
      const [kind, value] = [sentence.word('a kind of fact'), sentence.word('a value')];
      return async () => among(await this.rows(kTold, 'fact'), this.questionOf(kind), value);
    }
    if (sentence.take('promised')) {
      const text = sentence.word('a promise');
      return async () => among(await this.rows(kPromised, 'promise'), text);
    }
    if (sentence.take('timeline')) {
      const text = sentence.word('a title or type');
      return async () => {
        const shown = await this.region(kTimeline).locator(`[data-testid="entry"][data-type="${text}"]`).count();
        const found = among(await this.rows(kTimeline, 'entry'), text);
        return {...found, holds: found.holds || shown > 0};
      };
    }
    if (sentence.take('case')) {
      const [kind, state] = [sentence.word('a kind of case'), sentence.word('open or closed')];
      return async () => {
        const rows = await this.region(kCases).locator(`[data-testid="case"][data-state="${state}"]`).all();
        return among(await Promise.all(rows.map((row) => row.innerText())), this.caseTitleOf(kind));
      };
    }
    if (sentence.take('suggests')) {
      const action = sentence.word('an action');
      return async () => {
        const shown = await this.page.locator('.next [data-action]').all();
        const actions = await Promise.all(shown.map((one) => one.getAttribute('data-action')));
        return {holds: actions.includes(action), found: actions.join('; ') || 'no action'};
      };
    }
    throw new Error('the browser cannot see this; add it to agent_desk.mjs');
  }

  // Puts the agent's attention on a line of the timeline, as somebody who reads does.
  async read() {
    await this.region(kTimeline).getByTestId('entry').last().locator('summary').focus();
    this.reading = true;
  }

  // Where the things stand that an agent looks at and presses: headings, regions, buttons; and every line of the timeline
  // for one who reads it.
  places() {
    const lines = this.reading ? ', .entry' : '';
    return this.page.evaluate((selector) => {
      const places = {};
      for (const one of document.querySelectorAll(selector)) {
        const name = one.getAttribute('data-type') ?? one.id ?? '';
        const {x, y} = one.getBoundingClientRect();
        const key = `${one.tagName} ${name || one.className} ${one.matches('.entry') ? one.innerText.split('\n')[0] : ''}`;
        places[key] = `${Math.round(x)},${Math.round(y)}`;
      }
      return places;
    }, `h1, h2, .strip, .scroller, .row-open, [role="toolbar"]${lines}`);
  }

  async violations() {
    const {violations} = await new AxeBuilder({page: this.page}).analyze();
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
  }
}
