// The shop's site, by an official tracking SDK, and the telephone switch.
import {Analytics} from '@segment/analytics-node';
import {valueOf} from './story.mjs';

const kSteps = {ringing: 'agent_ringing', failed: 'agent_failed', 'wrap-up': 'wrapup_started'};
const kPeople = ['email', 'phone'];

// Puts a value where a dotted name says.
function put(into, path, value) {
  const [first, ...rest] = path.split('.');
  if (rest.length === 0) into[first] = value;
  else put((into[first] ??= {}), rest.join('.'), value);
}

export class Shop {
  constructor(url, writeKey) {
    this.analytics = new Analytics({writeKey, host: url, path: '/v1/batch', flushAt: 1, maxRetries: 3});
    this.failure = undefined;
    this.analytics.on('error', (error) => (this.failure = error));
  }

  // Sends one `web` line and waits until it is delivered.
  async send(sentence, when) {
    const type = sentence.word('identify, page, screen, track, group or alias');
    const message = {timestamp: when};
    for (const [key, field] of Object.entries(sentence.fields())) this.place(message, type, key, field);
    await new Promise((done, failed) =>
      this.analytics[type](message, (error) => (error ? failed(error) : done())),
    );
    if (this.failure) throw new Error(`the SDK could not deliver: ${JSON.stringify(this.failure)}`);
  }

  place(message, type, key, field) {
    const traits = type === 'identify' || type === 'group' ? 'traits' : 'context.traits';
    const ids = {user: 'userId', anonymous: 'anonymousId', group: 'groupId', previous: 'previousId', id: 'messageId'};
    if (ids[key]) message[ids[key]] = field.text;
    else if (key === 'device') put(message, 'context.device.id', field.text);
    else if (key === 'event' && type === 'track') message.event = field.text;
    else if (key === 'name' && (type === 'page' || type === 'screen')) message.name = field.text;
    else if (kPeople.includes(key)) put(message, `${traits}.${key}`, field.text);
    else if (key.startsWith('trait.')) put(message, traits + key.slice(5), valueOf(field));
    else if (key.startsWith('context.')) put(message, key, valueOf(field));
    else if (key.startsWith('consent.'))
      put(message, `context.consent.categoryPreferences${key.slice(7)}`, valueOf(field));
    else put(message, `${type === 'identify' || type === 'group' ? 'traits' : 'properties'}.${key}`, valueOf(field));
  }

  close() {
    return this.analytics.closeAndFlush({timeout: 5_000});
  }
}

export class Switch {
  constructor(url, key) {
    Object.assign(this, {url, key});
  }

  // Posts one `call` line, as a switch does.
  async send(sentence, when, id) {
    const step = sentence.word("a call's step");
    const {call, ...fields} = sentence.fields();
    const data = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.text]));
    const answer = await fetch(`${this.url}/v1/calls/events`, {
      method: 'POST',
      headers: {'Content-Type': 'application/cloudevents+json', Authorization: `Bearer ${this.key}`},
      body: JSON.stringify({
        specversion: '1.0',
        id,
        source: '/switch/story',
        type: `call.${kSteps[step] ?? step}`,
        time: when.toISOString(),
        data: {call_id: call.text, ...data},
      }),
    });
    if (!answer.ok) throw new Error(`was answered ${answer.status}: ${await answer.text()}`);
  }
}
