// A stand-in for hilod's services for working on the page and for its tests: Connect in JSON over HTTP, with Ana's day.
// It keeps to the contract of proto/hilo/v1 as the page sees it and holds everything in memory. Never a server for users.
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {decisionMethods} from './decisions.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const kTypes = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const kMinute = 60_000;

// The policy that the real server sends, read from its source so that the page is tried under the same one.
function policy() {
  const source = readFileSync(resolve(here, '../../desk.cc'), 'utf8');
  const found = /kContentSecurityPolicy\[?\]?\s*=\s*((?:\s*"[^"]*")+);/.exec(source);
  if (!found) throw new Error('no kContentSecurityPolicy in desk.cc');
  return [...found[1].matchAll(/"([^"]*)"/g)].map((part) => part[1]).join('');
}

const id = (letter) => `customers/${letter.repeat(32)}`;
export const kAna = id('a');
export const kBruno = id('b');
export const kCarla = id('c');

function iso(at) {
  return new Date(at).toISOString();
}

function identifier(kind, value, since) {
  return {
    identifier: {kind: `IDENTIFIER_KIND_${kind}`, value},
    firstSeenTime: iso(since),
    lastSeenTime: iso(since),
  };
}

function ana(now) {
  const visit = `${kAna}/interactions/visit1`;
  const mail = `${kAna}/interactions/mail1`;
  const old = `${kAna}/interactions/call0`;
  const day = 24 * 60 * kMinute;
  let n = 0;
  const entry = (type, title, channel, at, interaction, properties, source = 'shop') => ({
    name: `${kAna}/timeline/${String(++n).padStart(6, '0')}`,
    type,
    title,
    channel: `CHANNEL_${channel}`,
    source,
    eventTime: iso(at),
    receiveTime: iso(at + 40),
    interaction,
    properties: Object.entries(properties).map(([property, value]) => ({property, value})),
  });
  const timeline = [];
  for (let i = 60; i > 0; i--) {
    timeline.push(
      entry(
        'web.page',
        `Catálogo, página ${i}`,
        'WEB',
        now - 40 * day - i * 3 * kMinute,
        `${kAna}/interactions/browse${Math.ceil(i / 12)}`,
        {url: `https://shop.example/zapatos?p=${i}`},
      ),
    );
  }
  timeline.push(
    entry('web.track', 'Order Completed', 'WEB', now - 9 * day, `${kAna}/interactions/visit0`, {
      order_id: '1042',
      total: '129.90',
      currency: 'EUR',
    }),
    entry(
      'call.ended',
      '',
      'CALL',
      now - 6 * day,
      old,
      {duration_seconds: '312', disposition: 'solved'},
      'centralita',
    ),
    entry(
      'desk.note',
      '',
      'DESK',
      now - 6 * day + 2 * kMinute,
      old,
      {text: 'Asked when order 1042 ships. Told her Thursday; she was satisfied.'},
      'marta',
    ),
    entry(
      'email.received',
      'Re: su pedido 1042',
      'EMAIL',
      now - 2 * day,
      mail,
      {text: 'Hola, el paquete llegó con la caja abierta. ¿Qué hago?\n\nAna'},
      'buzon',
    ),
    entry('web.page', 'Devoluciones', 'WEB', now - 6 * kMinute, visit, {
      url: 'https://shop.example/returns',
    }),
    entry('web.track', 'Return Form Submitted', 'WEB', now - 4 * kMinute, visit, {
      order_id: '1042',
      size: '42',
      reason: 'arrived torn',
    }),
    entry('web.track', 'Product Added', 'WEB', now - 3 * kMinute, visit, {
      name: 'Trail shoes',
      sku: 'TS-42',
      price: '79.95',
      currency: 'EUR',
    }),
  );
  const fact = (
    number,
    kind,
    question,
    value,
    at,
    source = 'shop',
    channel = 'WEB',
    more = {},
  ) => ({
    name: `${kAna}/facts/${number}`,
    kind,
    question,
    value,
    channel: `CHANNEL_${channel}`,
    source,
    eventTime: iso(at),
    confidencePercent: 100,
    interaction: visit,
    ...more,
  });
  const interaction = (name, channel, state, start, end, more = {}) => ({
    name,
    channel: `CHANNEL_${channel}`,
    state: `INTERACTION_STATE_${state}`,
    assurance: 'ASSURANCE_MATCHED',
    startTime: iso(start),
    endTime: iso(end),
    ...more,
  });
  return {
    customer: {
      name: kAna,
      displayName: 'Ana García',
      language: 'es',
      timeZone: 'Europe/Madrid',
      members: [kAna],
      identifiers: [
        identifier('USER_ID', 'u-1001', now - 40 * day),
        identifier('EMAIL', 'ana@example.com', now - 40 * day),
        identifier('PHONE', '+34600111222', now - 6 * day),
        identifier('ANONYMOUS_ID', '5f0c7a52-8d', now - 40 * day),
      ],
      traits: [
        {
          trait: 'first_name',
          value: 'Ana',
          channel: 'CHANNEL_WEB',
          source: 'shop',
          eventTime: iso(now - 40 * day),
        },
        {
          trait: 'shoe_size',
          value: '42',
          channel: 'CHANNEL_WEB',
          source: 'shop',
          eventTime: iso(now - 4 * kMinute),
        },
      ],
      createTime: iso(now - 40 * day),
      lastSeenTime: iso(now - 3 * kMinute),
    },
    facts: [
      fact('f3', 'return_reason', 'Why do you send it back?', 'arrived torn', now - 4 * kMinute),
      fact('f2', 'size', 'Which size?', '42', now - 4 * kMinute),
      fact('f1', 'order', 'Which order is it about?', '1042', now - 4 * kMinute),
      fact('f0', 'basket', 'What is in the basket?', 'old basket', now - 90 * day, 'shop', 'WEB', {
        expireTime: iso(now - day),
      }),
    ],
    promises: [
      {
        name: `${kAna}/promises/p1`,
        text: 'Tell her by mail when the replacement ships',
        dueTime: iso(now - 2 * 60 * kMinute),
        state: 'PROMISE_STATE_OVERDUE',
        source: 'marta',
        makeTime: iso(now - 2 * day),
        etag: 'e1',
      },
    ],
    cases: [
      {
        name: `${kAna}/cases/c1`,
        kind: 'complaint',
        title: 'Parcel arrived open',
        state: 'CASE_STATE_OPEN',
        openTime: iso(now - 2 * day),
        dueTime: iso(now + day),
        channel: 'CHANNEL_EMAIL',
        source: 'marta',
        etag: 'e1',
      },
    ],
    interactions: [
      interaction(visit, 'WEB', 'ACTIVE', now - 6 * kMinute, now - 3 * kMinute),
      interaction(mail, 'EMAIL', 'ENDED', now - 2 * day, now - 2 * day),
      interaction(old, 'CALL', 'ENDED', now - 6 * day, now - 6 * day, {
        agent: 'marta',
        disposition: 'solved',
        assurance: 'ASSURANCE_VERIFIED',
        providerId: 'pbx-17',
      }),
    ],
    questions: [],
    purchases: [
      {
        total: {currency: 'EUR', minor: '38970'},
        orders: '3',
        days: '3',
        firstTime: iso(now - 300 * day),
        lastTime: iso(now - 9 * day),
        paid: {currency: 'EUR', minor: '38970'},
      },
    ],
    consents: [
      {
        channel: 'CHANNEL_EMAIL',
        purpose: 'marketing',
        status: 'CONSENT_STATUS_GRANTED',
        eventTime: iso(now - 40 * day),
        proof: {mechanism: 'form', source: 'shop', textVersion: '3', language: 'es'},
      },
      {
        channel: 'CHANNEL_SMS',
        purpose: 'marketing',
        status: 'CONSENT_STATUS_DENIED',
        eventTime: iso(now - 9 * day),
        proof: {mechanism: 'stop_word', source: 'sms'},
      },
    ],
    groups: [
      {
        group: `groups/${'9'.repeat(32)}`,
        kind: 'loyalty_card',
        displayName: 'LC-7788',
        role: 'holder',
      },
    ],
    suggestions: [
      {
        name: 'suggestions/17-0',
        otherCustomer: kCarla,
        reason: 'identifiers_meet',
        identifierKind: 'IDENTIFIER_KIND_EMAIL',
        eventTime: iso(now - day),
      },
    ],
    timeline: timeline.sort((a, b) => b.eventTime.localeCompare(a.eventTime)),
  };
}

function plainPerson(name, displayName, phone, now, more = {}) {
  return {
    customer: {
      name,
      displayName,
      identifiers: [identifier('PHONE', phone, now)],
      traits: [],
      members: [name],
      createTime: iso(now),
      lastSeenTime: iso(now),
      ...more,
    },
    facts: [],
    promises: [],
    cases: [],
    interactions: [],
    questions: [],
    purchases: [],
    consents: [],
    suggestions: [],
    groups: [
      {
        group: `groups/${'9'.repeat(32)}`,
        kind: 'loyalty_card',
        displayName: 'LC-7788',
        role: 'member',
      },
    ],
    timeline: [],
  };
}

class Failure extends Error {
  constructor(code, reason = '', message = reason) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  json() {
    const value = Buffer.concat([
      Buffer.from([0x0a, this.reason.length]),
      Buffer.from(this.reason.toUpperCase()),
    ]);
    return {
      code: this.code,
      message: this.message,
      ...(this.reason
        ? {
            details: [
              {type: 'google.rpc.ErrorInfo', value: value.toString('base64').replace(/=+$/, '')},
            ],
          }
        : {}),
    };
  }
}

const kStatus = {
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  invalid_argument: 400,
  aborted: 409,
  already_exists: 409,
  unavailable: 503,
  deadline_exceeded: 504,
  unimplemented: 404,
  failed_precondition: 400,
};

// Starts the stand-in. What it returns rings calls, changes customers and breaks things on purpose.
export async function startFake({dist, port = 0, heartbeat = 15_000, now = () => Date.now()}) {
  const agents = new Map([
    ['agent-token', {agent: 'lucia', displayName: 'Lucía Pérez'}],
    ['second-token', {agent: 'marta', displayName: 'Marta Ruiz'}],
  ]);
  const customers = new Map([
    [kAna, ana(now())],
    [kBruno, plainPerson(kBruno, 'Bruno García', '+34600111333', now())],
    [kCarla, plainPerson(kCarla, '', '+34600111444', now())],
  ]);
  const calls = new Map();
  const streams = new Set();
  const answered = new Map(); // request id -> {content, answer}
  const log = []; // what was asked, for tests
  const planned = []; // failures to come: {method, code, reason, after}
  let token = 0;
  let sequence = 100;
  let deaf = false;
  const held = []; // answers to keep back: {method, until}
  let metrics = ''; // what /metrics answers; undefined: the hub is away

  const page = (list, {pageSize = 0, pageToken = ''}) => {
    const from = Number(pageToken || 0);
    const size = pageSize || 20;
    const end = from + size;
    return [list.slice(from, end), end < list.length ? String(end) : ''];
  };
  const contextOf = (name, size) => {
    const all = customers.get(name);
    if (!all) throw new Failure('not_found', 'customer_unknown', 'no such customer');
    const [timeline, next] = page(all.timeline, {pageSize: size || 20});
    return {
      ...all,
      timeline,
      timelineNextPageToken: next,
      freshness: {positionToken: `t${token}`, lagRecords: '0'},
    };
  };
  const send = (stream, message) => {
    if (deaf) return;
    const body = Buffer.from(JSON.stringify({...message, resumeToken: `t${++token}`}));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    stream.response.write(Buffer.concat([head, body]));
  };
  const end = (stream, failure) => {
    const body = Buffer.from(JSON.stringify(failure ? {error: failure.json()} : {}));
    const head = Buffer.alloc(5);
    head[0] = 2;
    head.writeUInt32BE(body.length, 1);
    stream.response.end(Buffer.concat([head, body]));
  };
  const changed = (name, entries = []) => {
    for (const stream of streams) {
      if (!stream.customers.includes(name)) continue;
      send(stream, {
        change: {context: {...contextOf(name, 20), timeline: entries}, receiveTime: iso(now())},
      });
    }
  };
  const addEntry = (name, entry) => {
    const all = customers.get(name);
    const full = {
      name: `${name}/timeline/${String(++sequence).padStart(6, '0')}`,
      channel: 'CHANNEL_DESK',
      title: '',
      source: '',
      interaction: '',
      properties: [],
      eventTime: iso(now()),
      receiveTime: iso(now()),
      ...entry,
    };
    all.timeline.unshift(full);
    return full;
  };
  const customerOf = (resource) => resource.split('/').slice(0, 2).join('/');
  const write = (who, request, effect) => {
    const requestId = request.write?.requestId ?? '';
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(requestId))
      throw new Failure('invalid_argument', 'request_id_format');
    const content = JSON.stringify(request);
    const before = answered.get(`${who.agent} ${requestId}`);
    if (before) {
      if (before.content !== content) throw new Failure('already_exists', 'request_id_conflict');
      return before.answer;
    }
    const answer = effect();
    answered.set(`${who.agent} ${requestId}`, {content, answer});
    return answer;
  };
  const oneOf = (list, name) => {
    const found = list.find((one) => one.name === name);
    if (!found) throw new Failure('not_found', 'unknown');
    return found;
  };

  const methods = {
    ...decisionMethods({customers, write, customerOf, now, iso, Failure, page}),
    'DeskService/GetDesk': (request, who) => ({
      ...who,
      role: 'agent',
      caseKinds: [
        {kind: 'complaint', titles: {en: 'Complaint', es: 'Queja'}},
        {kind: 'request', titles: {en: 'Request', es: 'Petición'}},
      ],
      factKinds: [
        {
          kind: 'order',
          questions: {en: 'Which order is it about?', es: '¿De qué pedido se trata?'},
        },
        {
          kind: 'return_reason',
          questions: {en: 'Why do you send it back?', es: '¿Por qué lo devuelve?'},
        },
        {kind: 'size', questions: {en: 'Which size?', es: '¿Qué talla?'}},
      ],
    }),
    'CustomerService/GetContext': (request) => ({
      context: contextOf(request.customer, request.timelineSize),
    }),
    'CustomerService/FindCustomers': (request) => {
      const found = [];
      for (const {customer, groups} of customers.values()) {
        if (request.group) {
          const card = groups.find(
            (one) => one.kind === request.group.kind && one.displayName === request.group.id,
          );
          if (card) found.push({customer, role: card.role});
        } else {
          const wanted = request.identifier.value.replace(/[\s()-]/g, '').toLowerCase();
          if (
            customer.identifiers.some(
              (one) =>
                one.identifier.kind === request.identifier.kind &&
                (one.identifier.value === wanted || one.identifier.value === `+34${wanted}`),
            )
          )
            found.push({customer});
        }
      }
      const [some, nextPageToken] = page(found, request);
      return {customers: some, nextPageToken, freshness: {}};
    },
    'CustomerService/ListTimeline': (request) => {
      const all = customers
        .get(request.customer)
        .timeline.filter((entry) => !request.channel || entry.channel === request.channel);
      const [entries, nextPageToken] = page(all, request);
      return {entries, nextPageToken};
    },
    'CustomerService/AddNote': (request, who) =>
      write(who, request, () => {
        const entry = addEntry(request.customer, {
          type: 'desk.note',
          source: who.agent,
          interaction: request.write.interaction ?? '',
          properties: [{property: 'text', value: request.text}],
        });
        changed(request.customer, [entry]);
        return {entry, positionToken: `t${token}`};
      }),
    'CustomerService/RecordFact': (request, who) =>
      write(who, request, () => {
        const fact = {
          name: `${request.customer}/facts/n${++sequence}`,
          kind: request.kind,
          question: request.question ?? '',
          value: request.value,
          channel: 'CHANNEL_CALL',
          source: who.agent,
          eventTime: iso(now()),
          confidencePercent: 100,
          interaction: request.write.interaction ?? '',
        };
        customers.get(request.customer).facts.unshift(fact);
        changed(request.customer);
        return {fact};
      }),
    'CustomerService/AskQuestion': (request, who) =>
      write(who, request, () => {
        const knownFact = customers
          .get(request.customer)
          .facts.find((one) => one.kind === request.kind);
        return {
          question: {
            name: `${request.customer}/questions/n${++sequence}`,
            kind: request.kind,
            source: who.agent,
            askTime: iso(now()),
            alreadyOnRecord: knownFact !== undefined,
          },
          ...(knownFact ? {knownFact} : {}),
        };
      }),
    'CustomerService/RetractFact': (request, who) =>
      write(who, request, () => {
        const all = customers.get(customerOf(request.fact));
        oneOf(all.facts, request.fact);
        all.facts = all.facts.filter((one) => one.name !== request.fact);
        changed(customerOf(request.fact));
        return {};
      }),
    'CustomerService/OpenCase': (request, who) =>
      write(who, request, () => {
        const one = {
          name: `${request.customer}/cases/n${++sequence}`,
          kind: request.kind,
          title: request.title,
          state: 'CASE_STATE_OPEN',
          openTime: iso(now()),
          source: who.agent,
          channel: 'CHANNEL_DESK',
          etag: 'e1',
        };
        customers.get(request.customer).cases.unshift(one);
        changed(request.customer);
        return {case: one};
      }),
    'CustomerService/CloseCase': (request, who) =>
      write(who, request, () => {
        const one = oneOf(customers.get(customerOf(request.case)).cases, request.case);
        if (request.etag && request.etag !== one.etag)
          throw new Failure('aborted', 'stale_version');
        Object.assign(one, {
          state: 'CASE_STATE_CLOSED',
          closeTime: iso(now()),
          resolution: request.resolution ?? '',
          satisfaction: request.satisfaction ?? 0,
          etag: `${one.etag}x`,
        });
        changed(customerOf(request.case));
        return {case: one};
      }),
    'CustomerService/MakePromise': (request, who) =>
      write(who, request, () => {
        const promise = {
          name: `${request.customer}/promises/n${++sequence}`,
          text: request.text,
          dueTime: request.dueTime,
          state: 'PROMISE_STATE_OPEN',
          source: who.agent,
          makeTime: iso(now()),
          case: request.case ?? '',
          etag: 'e1',
        };
        customers.get(request.customer).promises.push(promise);
        changed(request.customer);
        return {promise};
      }),
    'CustomerService/EndPromise': (request, who) =>
      write(who, request, () => {
        const promise = oneOf(customers.get(customerOf(request.promise)).promises, request.promise);
        if (request.etag && request.etag !== promise.etag)
          throw new Failure('aborted', 'stale_version');
        Object.assign(promise, {
          state: request.state,
          endTime: iso(now()),
          etag: `${promise.etag}x`,
        });
        changed(customerOf(request.promise));
        return {promise};
      }),
    'CustomerService/VerifyInteraction': (request, who) =>
      write(who, request, () => {
        const interaction = oneOf(
          customers.get(customerOf(request.interaction)).interactions,
          request.interaction,
        );
        interaction.assurance = 'ASSURANCE_VERIFIED';
        changed(customerOf(request.interaction));
        return {interaction};
      }),
    'CustomerService/StartInteraction': (request, who) =>
      write(who, request, () => {
        const interaction = {
          name: `${request.customer}/interactions/n${++sequence}`,
          channel: request.channel,
          state: 'INTERACTION_STATE_ACTIVE',
          assurance: request.assurance,
          startTime: iso(now()),
        };
        customers.get(request.customer).interactions.unshift(interaction);
        changed(request.customer);
        return {interaction};
      }),
    'CustomerService/EndInteraction': (request, who) =>
      write(who, request, () => {
        const interaction = oneOf(
          customers.get(customerOf(request.interaction)).interactions,
          request.interaction,
        );
        Object.assign(interaction, {
          state: 'INTERACTION_STATE_ENDED',
          endTime: iso(now()),
          disposition: request.disposition,
        });
        const call = calls.get(interaction.name);
        if (call) sendCall(call);
        changed(customerOf(request.interaction));
        return {interaction};
      }),
  };

  const sendCall = (call, withContext = false) => {
    if (call.interaction.state === 'INTERACTION_STATE_ENDED') calls.delete(call.interaction.name);
    for (const stream of streams) {
      if (stream.who.agent !== call.interaction.agent) continue;
      send(stream, {
        call: {call, ...(withContext ? {context: contextOf(call.customer.name, 20)} : {})},
      });
    }
  };

  const watch = (request, response, who) => {
    const stream = {response, who, customers: request.customers ?? []};
    response.writeHead(200, {
      'Content-Type': 'application/connect+json',
      'Cache-Control': 'no-store',
    });
    response.flushHeaders();
    streams.add(stream);
    const beat = setInterval(() => send(stream, {heartbeat: {time: iso(now())}}), heartbeat);
    response.on('close', () => {
      clearInterval(beat);
      streams.delete(stream);
    });
    if (request.resumeToken && !stream.lost) {
      send(stream, {heartbeat: {time: iso(now())}});
      return;
    }
    snapshot(stream);
  };
  const snapshot = (stream) =>
    send(stream, {
      snapshot: {
        contexts: stream.customers
          .filter((name) => customers.has(name))
          .map((name) => contextOf(name, 20)),
        calls: [...calls.values()].filter((call) => call.interaction.agent === stream.who.agent),
      },
    });

  const csp = policy();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => void handle(request, response, Buffer.concat(chunks)));
  });
  const handle = async (request, response, body) => {
    if (request.method === 'GET') return serveFile(request, response);
    const streaming = request.headers['content-type'] === 'application/connect+json';
    const method = request.url.replace('/hilo.v1.', '');
    try {
      log.push({method, headers: request.headers, body: streaming ? '' : body.toString()});
      if (request.headers['connect-protocol-version'] !== '1')
        throw new Failure('permission_denied', 'csrf');
      const who = agents.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
      if (!who) throw new Failure('unauthenticated', 'token_invalid', 'sign in');
      const plan = planned.findIndex((one) => one.method === method);
      if (plan >= 0 && !planned[plan].after) {
        const [{code, reason}] = planned.splice(plan, 1);
        throw new Failure(code, reason);
      }
      const hold = held.findIndex((one) => one.method === method);
      if (hold >= 0) await held.splice(hold, 1)[0].until;
      if (streaming) {
        if (method !== 'DeskService/WatchDesktop') throw new Failure('unimplemented');
        return watch(JSON.parse(body.subarray(5).toString()), response, who);
      }
      const handler = methods[method];
      if (!handler) throw new Failure('unimplemented');
      const answer = handler(JSON.parse(body.toString() || '{}'), who);
      if (plan >= 0) {
        const [{code, reason}] = planned.splice(plan, 1);
        throw new Failure(code, reason);
      }
      response.writeHead(200, {'Content-Type': 'application/json', 'Cache-Control': 'no-store'});
      response.end(JSON.stringify(answer));
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('internal', '', String(error));
      if (streaming) {
        response.writeHead(200, {'Content-Type': 'application/connect+json'});
        end({response}, failure);
        return undefined;
      }
      response.writeHead(kStatus[failure.code] ?? 500, {'Content-Type': 'application/json'});
      response.end(JSON.stringify(failure.json()));
    }
    return undefined;
  };
  const serveFile = (request, response) => {
    if (request.url === '/metrics') {
      if (metrics === undefined) return request.socket.destroy();
      response.writeHead(200, {'Content-Type': 'text/plain; version=0.0.4'});
      return response.end(metrics);
    }
    const name = {'/': 'index.html', '/operations': 'operations.html'}[request.url] ?? request.url.slice(1);
    if (!/^[a-z]+\.[a-z]+$/.test(name)) {
      return response.writeHead(404).end();
    }
    try {
      const file = readFileSync(join(dist, name));
      response.writeHead(200, {
        'Content-Type': kTypes[name.split('.')[1]],
        'Content-Security-Policy': csp,
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
      });
      return response.end(file);
    } catch {
      return response.writeHead(404).end();
    }
  };
  await new Promise((done) => server.listen(port, '127.0.0.1', done));

  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    log,
    customers,
    streams,
    addEntry,
    changed,
    sendCall,
    // Rings at an agent. The caller's number is all that says who it is.
    ring(
      customer,
      {agent = 'lucia', callId = `call${++sequence}`, others = [], known = true} = {},
    ) {
      const all = customers.get(customer);
      const interaction = {
        name: `${customer}/interactions/${callId}`,
        channel: 'CHANNEL_CALL',
        agent,
        providerId: callId,
        state: 'INTERACTION_STATE_RINGING',
        assurance: 'ASSURANCE_CLAIMED',
        startTime: iso(now()),
        queue: 'returns',
      };
      all.interactions.unshift(interaction);
      const call = {
        interaction,
        customer: all.customer,
        others: others.map((name) => customers.get(name).customer),
        known,
      };
      calls.set(interaction.name, call);
      const entry = addEntry(customer, {
        type: 'call.ringing',
        channel: 'CHANNEL_CALL',
        interaction: interaction.name,
      });
      sendCall(call, true);
      changed(customer, [entry]);
      return call;
    },
    setCall(call, state) {
      call.interaction.state = `INTERACTION_STATE_${state}`;
      sendCall(call);
      changed(call.customer.name);
    },
    addAgent: (secret, who) => agents.set(secret, who),
    expire: (secret) => agents.delete(secret),
    fail: (method, code, {reason = '', after = false} = {}) =>
      planned.push({method, code, reason, after}),
    // Keeps the answer to the next such request back until what it returns is called.
    hold: (method) => {
      let letGo;
      held.push({method, until: new Promise((done) => (letGo = done))});
      return letGo;
    },
    setMetrics: (text) => (metrics = text),
    // Streams say nothing any more, as behind a dead network.
    setDeaf: (value) => (deaf = value),
    endStreams: (code = 'unavailable') => {
      for (const stream of [...streams]) end(stream, new Failure(code));
    },
    resync: () => {
      for (const stream of streams) {
        send(stream, {resync: {reason: 'overflow'}});
        snapshot(stream);
      }
    },
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
