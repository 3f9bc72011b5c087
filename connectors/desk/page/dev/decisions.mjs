// The stand-in's half for the next best action: six actions with plain rules, always in the same order, so that a test knows
// what comes next. What the real hub decides, and how it learns, is tested with the hub.
const kRanked = 3; // as many as the hub gives when nobody says how many

const sayReturn = ({facts}) => facts.find((one) => one.kind === 'return_reason')?.value;
const inBasket = ({timeline}) =>
  timeline
    .find((one) => one.title === 'Product Added')
    ?.properties.find((one) => one.property === 'name')?.value;
const complained = ({cases}) =>
  cases.some((one) => one.kind === 'complaint' && one.state === 'CASE_STATE_OPEN');

// In the order in which they rank. `fits` gives the facts that its `why` is made of, or undefined.
const kActions = [
  {
    action: 'apologise-with-voucher',
    actionClass: 'mandatory',
    title: {en: 'Apologise and give a voucher', es: 'Disculparse y dar un vale'},
    fits: (all) => (complained(all) ? {} : undefined),
    why: {
      en: () => 'A complaint is open: “Parcel arrived open”.',
      es: () => 'Hay una reclamación abierta: «Parcel arrived open».',
    },
    whyNot: {en: 'No complaint is open.', es: 'No hay ninguna reclamación abierta.'},
    talkTrack: {
      en: 'I am sorry for the trouble. I have put a voucher of ten euros on your account, and I will see to it myself that this is solved.',
      es: 'Lamento las molestias. Le he puesto un vale de diez euros en su cuenta y me encargo yo de que se resuelva.',
    },
    acceptLabel: {en: 'Voucher given', es: 'Vale entregado'},
    declineLabel: {en: 'Not accepted', es: 'No lo acepta'},
    declineReasons: {
      wants_solution: {en: 'Wants it solved first', es: 'Quiere primero una solución'},
      wants_more: {en: 'Asks for more', es: 'Pide más'},
    },
    effortSeconds: 60,
    expiresInDays: 30,
  },
  {
    action: 'offer-exchange',
    actionClass: 'default',
    title: {en: 'Offer an exchange in the right size', es: 'Ofrecer un cambio en la talla correcta'},
    fits: (all) => (sayReturn(all) ? {said: sayReturn(all)} : undefined),
    why: {
      en: ({said}) => `A return is open; on the web: “${said}”.`,
      es: ({said}) => `Hay una devolución abierta; en la web: «${said}».`,
    },
    whyNot: {en: 'No return is open.', es: 'No hay ninguna devolución abierta.'},
    talkTrack: {
      en: 'I see that you are sending the shoes back. Shall I send you a new pair straight away? The exchange costs you nothing.',
      es: 'Veo que va a devolver las zapatillas. ¿Quiere que le envíe ahora mismo otro par? El cambio no le cuesta nada.',
    },
    acceptLabel: {en: 'Exchange it', es: 'Hacer el cambio'},
    declineLabel: {en: 'No exchange', es: 'Sin cambio'},
    declineReasons: {
      wants_refund: {en: 'Wants the money back', es: 'Prefiere el reembolso'},
      wrong_product: {en: 'Does not like the product', es: 'No le gusta el producto'},
      bought_elsewhere: {en: 'Bought elsewhere', es: 'Ha comprado en otra tienda'},
    },
    effortSeconds: 90,
    expiresInDays: 14,
  },
  {
    action: 'finish-basket',
    actionClass: 'default',
    title: {en: 'Offer to finish the order', es: 'Ofrecer terminar el pedido'},
    fits: (all) => (inBasket(all) ? {what: inBasket(all)} : undefined),
    why: {
      en: ({what}) => `Left in the basket: ${what}.`,
      es: ({what}) => `Dejó en la cesta: ${what}.`,
    },
    whyNot: {en: 'Nothing is in the basket.', es: 'La cesta está vacía.'},
    talkTrack: {
      en: 'There is something in your basket. Shall I place the order for you now, with free delivery?',
      es: 'Tiene algo en la cesta. ¿Quiere que haga ahora el pedido, con envío gratuito?',
    },
    acceptLabel: {en: 'Place the order', es: 'Hacer el pedido'},
    declineLabel: {en: 'Not now', es: 'Ahora no'},
    declineReasons: {too_dear: {en: 'Too dear', es: 'Demasiado caro'}},
    effortSeconds: 120,
  },
  {
    action: 'ask-birthday',
    actionClass: 'transactional',
    title: {en: 'Ask for the birthday', es: 'Preguntar el cumpleaños'},
    fits: () => ({}),
    why: {en: () => 'It is not known.', es: () => 'No se conoce.'},
    talkTrack: {en: 'May I note your birthday?', es: '¿Puedo apuntar su cumpleaños?'},
    acceptLabel: {en: 'Noted', es: 'Apuntado'},
    declineLabel: {en: 'Did not say', es: 'No lo dice'},
    declineReasons: {},
    effortSeconds: 20,
  },
  {
    action: 'loyalty-invitation',
    actionClass: 'default',
    title: {en: 'Invite to the loyalty card', es: 'Invitar a la tarjeta de cliente'},
    fits: ({purchases}) => (purchases.length > 0 ? {orders: purchases[0].orders} : undefined),
    why: {
      en: ({orders}) => `${orders} orders so far.`,
      es: ({orders}) => `${orders} pedidos hasta ahora.`,
    },
    whyNot: {en: 'Nothing was bought yet.', es: 'Aún no ha comprado nada.'},
    talkTrack: {en: 'Shall I set up our card for you?', es: '¿Le preparo nuestra tarjeta?'},
    acceptLabel: {en: 'Set up the card', es: 'Preparar la tarjeta'},
    declineLabel: {en: 'No card', es: 'Sin tarjeta'},
    declineReasons: {no_cards: {en: 'Wants no cards', es: 'No quiere tarjetas'}},
    effortSeconds: 120,
  },
  {
    action: 'size-help',
    actionClass: 'default',
    title: {en: 'Help to find the size', es: 'Ayudar con la talla'},
    fits: ({facts}) => (facts.some((one) => one.kind === 'size') ? undefined : {}),
    why: {en: () => 'The size is not known.', es: () => 'No se conoce la talla.'},
    whyNot: {en: 'The size is known already.', es: 'Ya se conoce la talla.'},
    talkTrack: {en: 'Which size do you usually wear?', es: '¿Qué talla usa normalmente?'},
    acceptLabel: {en: 'Size found', es: 'Talla encontrada'},
    declineLabel: {en: 'Not needed', es: 'No hace falta'},
    declineReasons: {},
    effortSeconds: 60,
  },
];

const kProducts = [
  ['shoes-7', {en: 'Trail shoes', es: 'Zapatillas de montaña'}, '8990'],
  ['shoes-8', {en: 'Road running shoes', es: 'Zapatillas de asfalto'}, '10900'],
  ['boots-3', {en: 'Waterproof hiking boots', es: 'Botas de senderismo impermeables'}, '13950'],
  ['socks-2', {en: 'Running socks, two pairs', es: 'Calcetines, dos pares'}, '1450', false],
];

const words = (text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);

export function decisionMethods({customers, write, customerOf, now, iso, Failure, page}) {
  const decisions = new Map(); // name → {customer, interaction}
  const answers = new Map(); // customer → Map(action → {outcome, until})
  const released = new Set(); // contacts
  let sequence = 0;

  // Every action with the stage at which it fell, the ranked ones first.
  const look = (customer, interaction, language) => {
    const all = customers.get(customer);
    if (!all) throw new Failure('not_found', 'customer_not_found', 'no such customer');
    const inLanguage = (text) => text[language] ?? text.en;
    const candidates = kActions.map((one) => {
      const {action, actionClass, effortSeconds} = one;
      const candidate = {action, title: inLanguage(one.title), actionClass, effortSeconds};
      const fell = (stage, reason, why) => ({...candidate, stage: `DECISION_STAGE_${stage}`, reason, why});
      const facts = one.fits(all);
      if (!facts) return fell('APPLICABILITY', 'condition_false', inLanguage(one.whyNot));
      const answer = answers.get(customer)?.get(action);
      if (answer && (answer.until ?? Infinity) > now())
        return fell('CONTACT_POLICY', 'suppressed', inLanguage({en: 'Answered already.', es: 'Ya tiene respuesta.'}));
      if (actionClass === 'default' && complained(all) && !released.has(interaction))
        return fell(
          'CONTACT_POLICY',
          'open_complaint',
          inLanguage({en: 'A complaint is open.', es: 'Hay una reclamación abierta.'}),
        );
      return {
        ...fell('RANKED', '', inLanguage(one.why)(facts)),
        talkTrack: one.talkTrack[all.customer.language] ?? inLanguage(one.talkTrack),
        acceptLabel: inLanguage(one.acceptLabel),
        declineLabel: inLanguage(one.declineLabel),
        declineReasons: Object.entries(one.declineReasons).map(([reason, label]) => ({
          reason,
          label: inLanguage(label),
        })),
        ...(one.expiresInDays
          ? {expireTime: iso(now() + one.expiresInDays * 86_400_000)}
          : {}),
      };
    });
    const ranked = candidates
      .filter((one) => one.stage === 'DECISION_STAGE_RANKED')
      .map((one, index) => ({...one, rank: index + 1}));
    return [...ranked, ...candidates.filter((one) => one.stage !== 'DECISION_STAGE_RANKED')];
  };
  const decide = (customer, interaction, language) => {
    const candidates = look(customer, interaction, language);
    const name = `${customer}/decisions/d${++sequence}`;
    decisions.set(name, {customer, interaction});
    return {
      name,
      decideTime: iso(now()),
      catalogueRevision: '1',
      candidates: candidates.filter((one) => one.rank > 0).slice(0, kRanked),
      candidateCount: candidates.length,
    };
  };

  return {
    'DecisionService/Decide': (request) => ({
      decision: decide(request.customer, request.write.interaction ?? '', request.language),
    }),
    'DecisionService/RecordOutcome': (request, who) =>
      write(who, request, () => {
        const about = decisions.get(request.decision);
        if (!about) throw new Failure('not_found', 'decision_not_found');
        const declined = request.outcome === 'OUTCOME_KIND_DECLINED';
        const snoozed = request.outcome === 'OUTCOME_KIND_SNOOZED';
        if (declined !== Boolean(request.reason)) throw new Failure('invalid_argument', 'field_invalid');
        if (snoozed !== Boolean(request.snoozeUntilTime)) throw new Failure('invalid_argument', 'field_invalid');
        const of = answers.get(about.customer) ?? new Map();
        answers.set(about.customer, of);
        of.set(request.action, {
          outcome: request.outcome,
          reason: request.reason,
          ...(snoozed ? {until: Date.parse(request.snoozeUntilTime)} : {}),
        });
        return {decision: decide(about.customer, request.write.interaction ?? '', request.language)};
      }),
    'DecisionService/ExplainAction': (request) => {
      const {customer, interaction} = decisions.get(request.decision) ?? {customer: request.customer};
      return {decision: {candidates: look(customer, interaction, request.language)}};
    },
    'DecisionService/ReleaseSelling': (request, who) =>
      write(who, request, () => {
        const contact = customers
          .get(customerOf(request.interaction))
          ?.interactions.find((one) => one.name === request.interaction);
        if (!contact || contact.state === 'INTERACTION_STATE_ENDED')
          throw new Failure('failed_precondition', 'interaction_closed', 'the contact has ended');
        if (!request.reason) throw new Failure('invalid_argument', 'field_invalid');
        released.add(request.interaction);
        return {};
      }),
    'DecisionService/SearchProducts': (request) => {
      const wanted = words(request.query ?? '');
      const found = kProducts
        .map(([product, title, minor, available = true]) => ({
          product,
          title: title[request.language] ?? title.en,
          price: {currency: 'EUR', minor},
          available,
        }))
        .filter(({product, title}) => {
          const has = words(`${product} ${title}`);
          return wanted.every((begin) => has.some((one) => one.startsWith(begin)));
        });
      const [products, nextPageToken] = page(found, request);
      return {products, nextPageToken};
    },
  };
}
