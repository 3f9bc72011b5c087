// The whole page in Chromium, on a stand-in for the server: what an agent sees, hears and must never lose.
import assert from 'node:assert/strict';
import {kAna, kBruno, kCarla} from '../../../connectors/desk/page/dev/fake.mjs';
import {live, openDesk, signInAs} from '../browser.mjs';
import {browser, desk, focused, heading, openAna, smallTargets, violations} from './fixture.mjs';

const told = (page) => page.getByRole('region', {name: /^(Already told us|Ya nos dijo)/});
const promised = (page) => page.getByRole('region', {name: /^(Already promised|Ya prometimos)/});
const timeline = (page) => page.getByRole('region', {name: /^(Timeline|Cronología)/});

desk(
  'a ringing call puts its customer on the screen before the first word',
  async ({fake, page}) => {
    fake.ring(kAna);
    await told(page).getByText('Why do you send it back?').waitFor({timeout: 1_000});
    await heading(page, 'Ana García').waitFor();
    await told(page).getByText('arrived torn').waitFor();
    assert.equal(await told(page).getByTestId('fact').count(), 3, 'the expired fact is not shown');
    assert.match(await told(page).getByTestId('fact').first().innerText(), /on the web\s*4 min/);
    assert.match(await promised(page).innerText(), /Overdue, was due 2 hr/);
    await timeline(page).getByText('Return Form Submitted').waitFor();
    assert.equal(
      await page
        .getByRole('group', {name: 'How sure we are who this is'})
        .locator('[data-assurance]')
        .getAttribute('data-assurance'),
      'claimed',
    );
    await page
      .getByRole('region', {name: /^Cases/})
      .getByText('Parcel arrived open')
      .waitFor();
    await page
      .getByRole('region', {name: /^Purchases/})
      .getByText('€389.70')
      .waitFor();
  },
);

desk('a ringing call is announced and does not take the focus', async ({fake, page}) => {
  await page.getByRole('button', {name: /^Commands/}).focus();
  fake.ring(kAna);
  await heading(page, 'Ana García').waitFor();
  assert.equal(
    await page
      .getByRole('button', {name: /^Commands/})
      .evaluate((one) => one === document.activeElement),
    true,
  );
  assert.match(await page.getByTestId('urgent').innerText(), /A call is ringing: Ana García/);
});

desk('a second call waits behind a banner while somebody is at work', async ({fake, page}) => {
  fake.ring(kAna);
  await heading(page, 'Ana García').waitFor();
  await page.keyboard.press('Alt+n');
  await page.getByRole('textbox', {name: 'Note'}).fill('She wants her money back');
  fake.ring(kBruno);
  const banner = page.getByRole('region', {name: 'A call is ringing'});
  await banner.getByText('Bruno García').waitFor();
  await heading(page, 'Ana García').waitFor();
  assert.equal(await focused(page), 'composer-first');
  assert.match(await page.getByTestId('urgent').innerText(), /Press Alt\+2 to open/);
  await page.keyboard.press('Alt+2');
  await heading(page, 'Bruno García').waitFor();
  assert.equal(await focused(page), 'customer');
  await page.keyboard.press('Alt+1');
  await heading(page, 'Ana García').waitFor();
  await page.keyboard.press('Alt+n');
  assert.equal(
    await page.getByRole('textbox', {name: 'Note'}).inputValue(),
    'She wants her money back',
  );
});

desk(
  'a call does not open by itself while something is typed into the search',
  async ({fake, page}) => {
    await page.getByRole('searchbox').fill('+34 600');
    fake.ring(kAna);
    await page.getByRole('region', {name: 'A call is ringing'}).getByText('Ana García').waitFor();
    await heading(page, 'No customer open').waitFor();
  },
);

desk('a call that ends goes from the list', async ({fake, page}) => {
  const call = fake.ring(kAna);
  await page.getByTestId('call').waitFor();
  fake.setCall(call, 'ACTIVE');
  await page.getByTestId('call').getByText('in conversation').waitFor();
  fake.setCall(call, 'ENDED');
  await page.getByTestId('call').waitFor({state: 'detached'});
});

desk('a call for a colleague does not appear', async ({fake, page}) => {
  fake.ring(kAna, {agent: 'marta'});
  fake.ring(kBruno);
  await page.getByTestId('call').waitFor();
  assert.equal(await page.getByTestId('call').count(), 1);
  await heading(page, 'Bruno García').waitFor();
});

desk('the others of a household can be picked from the call', async ({fake, page}) => {
  fake.ring(kAna, {others: [kBruno]});
  await page.getByTestId('call').getByRole('button', {name: 'Bruno García'}).click();
  await heading(page, 'Bruno García').waitFor();
});

desk('search: one opens, several are picked from, none is said', async ({page}) => {
  await page.keyboard.press('Alt+s');
  assert.equal(await focused(page), 'search');
  await page.keyboard.type('600 111 222');
  await page.keyboard.press('Enter');
  await heading(page, 'Ana García').waitFor();
  await page.keyboard.press('Alt+s');
  await page.keyboard.type('LC-7788');
  await page.keyboard.press('Enter');
  const found = page.getByRole('list', {name: 'Customers found'});
  await found.getByText('Bruno García').waitFor();
  assert.equal(await found.getByRole('listitem').count(), 3);
  assert.match(await found.innerText(), /holder/);
  await found.getByText('Bruno García').click();
  await heading(page, 'Bruno García').waitFor();
  await page.getByRole('searchbox').fill('nobody@example.com');
  await page.keyboard.press('Enter');
  await page.getByText('Nobody is known by “nobody@example.com”.').waitFor();
});

desk("a fact by one agent is on the other one's screen at once", async ({fake, page}) => {
  await openAna(page);
  const other = await openDesk(browser, fake.url, {token: 'second-token'});
  await openAna(other.page);
  await page.keyboard.press('Alt+f');
  await page.getByLabel('What about').selectOption({label: 'Something else…'});
  await page.getByLabel('The question').fill('Wants a refund?');
  await page.getByLabel('What the customer said').fill('refund, not a new pair');
  await page.keyboard.press('Control+Enter');
  await told(other.page).getByText('refund, not a new pair').waitFor({timeout: 1_000});
  await told(page).getByText('refund, not a new pair').waitFor({timeout: 1_000});
  await page.getByText('Fact saved.').waitFor();
  assert.equal(fake.customers.get(kAna).facts[0].kind, 'wants_a_refund');
  await other.close();
});

desk('asking what is on record is answered before it is asked', async ({page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+q');
  await page.getByLabel('What do you ask?').selectOption({label: 'Which order is it about?'});
  assert.match(await page.getByRole('status', {name: 'Already told us'}).innerText(), /1042/);
  await page.getByRole('button', {name: 'Save question'}).click();
  await page.getByText('Already on record: 1042.').waitFor();
});

desk('a promise is made with the keyboard and kept', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+p');
  await page.keyboard.type('Refund by Friday');
  await page.getByRole('button', {name: 'Tomorrow noon'}).click();
  await page.getByRole('button', {name: 'Save promise'}).click();
  await promised(page).getByText('Refund by Friday').waitFor();
  const due = new Date(fake.customers.get(kAna).promises.at(-1).dueTime);
  assert.equal(
    due.toLocaleTimeString('en-GB', {
      timeZone: 'Europe/Madrid',
      hour: '2-digit',
      minute: '2-digit',
    }),
    '12:00',
  );
  await promised(page).getByRole('button', {name: 'Kept: Refund by Friday'}).click();
  await page.getByRole('dialog').getByRole('button', {name: 'It is kept'}).click();
  await promised(page).getByText('Refund by Friday').waitFor({state: 'detached'});
});

desk('a promise in the past is refused before it is sent', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+p');
  await page.keyboard.type('Too late');
  await page.getByLabel('By when').fill('2020-01-01T10:00');
  await page.getByRole('button', {name: 'Save promise'}).click();
  await page.getByText('That time is past.').waitFor();
  assert.equal(fake.customers.get(kAna).promises.length, 1);
});

desk('a case is opened and closed', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+c');
  await page.getByLabel('Kind').selectOption({label: 'Request'});
  await page.getByLabel('What it is about').fill('Wants a catalogue');
  await page.keyboard.press('Enter');
  const cases = page.getByRole('region', {name: /^Cases/});
  await cases.getByText('Wants a catalogue').waitFor();
  await cases.getByRole('button', {name: 'Close case: Wants a catalogue'}).click();
  await page.getByLabel('What was done').fill('Sent');
  await page.getByLabel('How satisfied is the customer?').selectOption({label: 'Satisfied 4 of 5'});
  await page.getByRole('dialog').getByRole('button', {name: 'Close case'}).click();
  await page.getByText('Case closed.').waitFor();
  assert.equal(
    fake.customers.get(kAna).cases.find((one) => one.title === 'Wants a catalogue').satisfaction,
    4,
  );
});

desk(
  'a case that a colleague has changed is refused and shown anew, the words stay',
  async ({fake, page}) => {
    await openAna(page);
    await page.getByRole('button', {name: 'Close case: Parcel arrived open'}).click();
    await page.getByLabel('What was done').fill('Refunded');
    Object.assign(fake.customers.get(kAna).cases[0], {
      title: 'Parcel arrived open and wet',
      etag: 'other',
    });
    await page.getByRole('dialog').getByRole('button', {name: 'Close case'}).click();
    await page.getByText('A colleague changed this meanwhile.').waitFor();
    assert.equal(await page.getByLabel('What was done').inputValue(), 'Refunded');
    await page.getByRole('dialog').getByText('Parcel arrived open and wet').waitFor();
    await page.getByRole('dialog').getByRole('button', {name: 'Close case'}).click();
    await page.getByText('Case closed.').waitFor();
  },
);

desk('verifying raises how sure we are, in words', async ({fake, page}) => {
  const call = fake.ring(kAna);
  fake.setCall(call, 'ACTIVE');
  await page.getByRole('button', {name: /^Verify/}).click();
  await page.getByLabel('How did you check?').selectOption({label: 'Order number'});
  await page.getByRole('dialog').getByRole('button', {name: 'Verified'}).click();
  await page
    .getByRole('group', {name: 'How sure we are who this is'})
    .getByText('Verified')
    .waitFor();
  assert.equal(
    fake.log.filter((one) => one.method === 'CustomerService/VerifyInteraction').length,
    1,
  );
});

desk('a note written in a call belongs to the call', async ({fake, page}) => {
  const call = fake.ring(kAna);
  fake.setCall(call, 'ACTIVE');
  await heading(page, 'Ana García').waitFor();
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Sounds upset');
  await page.keyboard.press('Control+Enter');
  await timeline(page).getByText('Sounds upset').first().waitFor();
  const sent = JSON.parse(fake.log.find((one) => one.method === 'CustomerService/AddNote').body);
  assert.equal(sent.write.interaction, call.interaction.name);
});

desk('a contact begun by hand is the agent’s own, also after a reload', async ({fake, page}) => {
  await openAna(page);
  await page.getByRole('button', {name: 'Start contact'}).click();
  await page.getByLabel('Which way?').selectOption({label: 'E-mail'});
  await page.getByRole('dialog').getByRole('button', {name: 'Start contact'}).click();
  await page.getByText('Contact started.').waitFor();
  await page.reload();
  await page.getByRole('button', {name: /^End contact/}).click();
  await page.getByLabel('How did it end?').selectOption({label: 'Solved'});
  await page.getByRole('dialog').getByRole('button', {name: 'End contact'}).click();
  await page.getByText('Contact ended.').waitFor();
  assert.equal(fake.customers.get(kAna).interactions[0].disposition, 'solved');
});

desk('an answer that is lost on the way does not write twice', async ({fake, page}) => {
  await openAna(page);
  fake.fail('CustomerService/AddNote', 'unavailable', {after: true});
  fake.fail('CustomerService/AddNote', 'aborted');
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Only once');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Note saved.').waitFor();
  const notes = fake.customers
    .get(kAna)
    .timeline.filter((one) => one.properties[0]?.value === 'Only once');
  assert.equal(notes.length, 1);
  const ids = fake.log
    .filter((one) => one.method === 'CustomerService/AddNote')
    .map((one) => JSON.parse(one.body).write.requestId);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
});

desk(
  'whoever goes on to something else while a note is saved is left alone',
  async ({fake, page}) => {
    await openAna(page);
    fake.fail('CustomerService/AddNote', 'unavailable');
    await page.keyboard.press('Alt+n');
    await page.keyboard.type('First');
    await page.keyboard.press('Control+Enter');
    await page.keyboard.press('Alt+q');
    await page.getByText('Note saved.').waitFor();
    await page.getByRole('form', {name: 'Question put to the customer'}).waitFor();
    assert.equal(await focused(page), 'composer-first');
  },
);

desk('what is typed on while a note is saved is not lost', async ({fake, page}) => {
  await openAna(page);
  fake.fail('CustomerService/AddNote', 'unavailable');
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('First');
  await page.keyboard.press('Control+Enter');
  await page.keyboard.type(' and second');
  await page.getByText('Note saved.').waitFor();
  await page.keyboard.press('Alt+n');
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).inputValue(), 'First and second');
  assert.equal(fake.customers.get(kAna).timeline[0].properties[0].value, 'First');
});

desk('a draft outlives a reload', async ({page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Half-written');
  await page.reload();
  await heading(page, 'Ana García').waitFor();
  await page.getByRole('list').getByText('draft').first().waitFor();
  await page.keyboard.press('Alt+n');
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).inputValue(), 'Half-written');
});

desk('a session that ends asks to sign in again and keeps the draft', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Half-written');
  fake.expire('agent-token');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Your session has ended.').waitFor();
  assert.equal(
    await page.getByText('Ana García').count(),
    0,
    'nothing of the customer stays in sight',
  );
  fake.addAgent('new-token', {agent: 'lucia', displayName: 'Lucía Pérez'});
  await signInAs(page, 'new-token');
  await heading(page, 'Ana García').waitFor();
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).inputValue(), 'Half-written');
});

desk('another agent in the same tab sees nothing of the first', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Half-written');
  fake.expire('agent-token');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Your session has ended.').waitFor();
  await signInAs(page, 'second-token');
  await heading(page, 'No customer open').waitFor();
  assert.equal(await page.getByText('draft').count(), 0);
});

desk(
  'a wrong token is refused',
  async ({page}) => {
    await page.getByLabel('Access token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This token is not valid.').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem('hilo.token')), null);
  },
  {desk: {signIn: false}},
);

desk(
  'the token is kept in this tab only, and every call carries it and the version',
  async ({fake, page}) => {
    await openAna(page);
    assert.equal(await page.evaluate(() => sessionStorage.getItem('hilo.token')), 'agent-token');
    assert.deepEqual(await page.evaluate(() => Object.entries(localStorage).flat().join()), '');
    for (const one of fake.log) {
      assert.equal(one.headers.authorization, 'Bearer agent-token', one.method);
      assert.equal(one.headers['connect-protocol-version'], '1', one.method);
    }
  },
);

desk('what is new waits while somebody reads, and nothing moves', async ({fake, page}) => {
  await openAna(page);
  const line = timeline(page).getByText('Return Form Submitted');
  await line.click();
  const before = await line.boundingBox();
  for (let i = 0; i < 3; i++) {
    fake.changed(kAna, [
      fake.addEntry(kAna, {type: 'web.track', title: `Step ${i}`, channel: 'CHANNEL_WEB'}),
    ]);
  }
  const button = page
    .getByRole('log', {name: 'New on the timeline'})
    .getByRole('button', {name: 'Show 3 new'});
  await button.waitFor();
  assert.deepEqual(await line.boundingBox(), before);
  assert.equal(await timeline(page).getByText('Step 2').count(), 0);
  await button.click();
  await timeline(page).getByText('Step 2').waitFor();
  assert.equal(await focused(page), 'timeline');
});

desk('what is new appears at the top when nobody reads', async ({fake, page}) => {
  await openAna(page);
  fake.changed(kAna, [
    fake.addEntry(kAna, {type: 'web.track', title: 'Came back', channel: 'CHANNEL_WEB'}),
  ]);
  await timeline(page).getByText('Came back').waitFor();
  assert.match(await timeline(page).getByTestId('entry').first().innerText(), /Came back/);
});

desk('a fact that comes in does not move the timeline', async ({fake, page}) => {
  await openAna(page);
  const line = timeline(page).getByText('Return Form Submitted');
  const before = await line.boundingBox();
  for (let i = 0; i < 6; i++) {
    fake.customers.get(kAna).facts.unshift({
      name: `${kAna}/facts/live${i}`,
      kind: 'size',
      question: '',
      value: `live ${i}`,
      channel: 'CHANNEL_WEB',
      source: 'shop',
      eventTime: new Date().toISOString(),
      confidencePercent: 100,
    });
    fake.changed(kAna);
  }
  await told(page).getByText('live 5').waitFor();
  assert.deepEqual(await line.boundingBox(), before);
});

desk('a call that rings moves nothing', async ({fake, page}) => {
  await openAna(page);
  const line = timeline(page).getByText('Return Form Submitted');
  const before = await line.boundingBox();
  fake.ring(kBruno);
  await page.getByRole('region', {name: 'A call is ringing'}).waitFor();
  assert.deepEqual(await line.boundingBox(), before);
});

desk('older entries come page by page to the beginning', async ({fake, page}) => {
  await openAna(page);
  assert.equal(await timeline(page).getByTestId('entry').count(), 20);
  const older = timeline(page).getByRole('button', {name: 'Load older'});
  while (await older.isVisible()) {
    const count = await timeline(page).getByTestId('entry').count();
    await older.click();
    await page.waitForFunction(
      (known) => document.querySelectorAll('[data-testid="entry"]').length > known,
      count,
    );
  }
  assert.equal(
    await timeline(page).getByTestId('entry').count(),
    fake.customers.get(kAna).timeline.length,
  );
  await timeline(page).getByText('This is where it began.').waitFor();
});

desk('the timeline can be narrowed to one channel', async ({fake, page}) => {
  await openAna(page);
  await timeline(page).getByLabel('Channel').selectOption({label: 'Call'});
  await timeline(page).getByText('Call ended').waitFor();
  assert.equal(await timeline(page).getByTestId('entry').count(), 1);
  await timeline(page).getByLabel('Channel').selectOption({label: 'Web'});
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid="entry"]').length === 20,
  );
  fake.changed(kAna, [
    fake.addEntry(kAna, {type: 'web.page', title: 'Live page', channel: 'CHANNEL_WEB'}),
  ]);
  await timeline(page).getByText('Live page').waitFor();
});

desk('hostile text is only text', async ({fake, page}) => {
  const hostile = [
    '<img src=x onerror=window.pwned=1>',
    '<svg onload=window.pwned=1>',
    'javascript:window.pwned=1',
    'pay \u202egpj.exe',
    'x'.repeat(1 << 20),
    `h${'\u0301'.repeat(500)}i`,
    'مرحبا Ana שלום',
    '👩‍👩‍👧',
  ];
  fake.customers.get(kAna).customer.displayName = hostile[0];
  fake.customers.get(kAna).facts = hostile.map((value, index) => ({
    name: `${kAna}/facts/x${index}`,
    kind: hostile[1],
    value,
    question: hostile[0],
    channel: 'CHANNEL_WEB',
    source: hostile[1],
    eventTime: new Date().toISOString(),
    confidencePercent: 100,
  }));
  fake.addEntry(kAna, {
    type: hostile[1],
    title: hostile[4],
    source: hostile[0],
    channel: 'CHANNEL_WEB',
    properties: hostile.map((value) => ({property: value.slice(0, 100), value})),
  });
  fake.ring(kAna);
  await heading(page, hostile[0]).waitFor();
  await timeline(page).getByTestId('entry').nth(1).locator('summary').click();
  await told(page).getByText('RLO').waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('main img').count(), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1280);
  for (const row of await told(page).getByTestId('fact').all()) {
    assert.ok((await row.boundingBox()).height < 400, 'a word cannot push the rest away');
  }
});

desk('the status line tells the truth when the server goes and comes', async ({fake, page}) => {
  await openAna(page);
  fake.fail('DeskService/WatchDesktop', 'unavailable');
  fake.endStreams();
  await live(page, 'stale').waitFor();
  assert.match(
    await page.getByRole('status', {name: 'State of this screen'}).innerText(),
    /stale since \d\d:\d\d/,
  );
  await live(page, 'connected').waitFor();
});

desk('a planned end of the stream is caught up without losing a change', async ({fake, page}) => {
  await openAna(page);
  fake.endStreams();
  await page.waitForFunction(() => document.querySelector('.live')?.dataset.state === 'connected');
  await assert.doesNotReject(async () => {
    while (fake.streams.size === 0) await new Promise((done) => setImmediate(done));
  });
  fake.changed(kAna, [
    fake.addEntry(kAna, {type: 'web.track', title: 'After the gap', channel: 'CHANNEL_WEB'}),
  ]);
  await timeline(page).getByText('After the gap').waitFor();
});

desk('offline is said, and being back is noticed at once', async ({fake, page, context}) => {
  await openAna(page);
  await context.setOffline(true);
  fake.endStreams();
  await live(page, 'stale').waitFor();
  await context.setOffline(false);
  await live(page, 'connected').waitFor({timeout: 5_000});
});

desk('after lost changes the whole picture is new and the focus stays', async ({fake, page}) => {
  await openAna(page);
  await page.keyboard.press('Alt+n');
  await page.keyboard.type('Writing');
  fake.customers.get(kAna).facts = [];
  fake.customers.get(kAna).customer.displayName = 'Ana García Ruiz';
  fake.resync();
  await heading(page, 'Ana García Ruiz').waitFor();
  await told(page).getByText('Nothing on record yet.').waitFor();
  assert.equal(await focused(page), 'composer-first');
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).inputValue(), 'Writing');
});

desk('one stream a tab, however many customers are open', async ({fake, page}) => {
  await openAna(page);
  await page.getByRole('searchbox').fill('600111333');
  await page.keyboard.press('Enter');
  await heading(page, 'Bruno García').waitFor();
  await live(page, 'connected').waitFor();
  await page.getByRole('button', {name: 'Ana García', exact: true}).click();
  await heading(page, 'Ana García').waitFor();
  assert.equal(fake.streams.size, 1);
  assert.deepEqual([...fake.streams][0].customers, [kAna, kBruno]);
});

desk('a suggestion leads to the other customer', async ({page}) => {
  await openAna(page);
  await page
    .getByRole('region', {name: /^May be the same person/})
    .getByRole('button')
    .click();
  await heading(page, '+34600111444').waitFor();
  assert.ok(kCarla);
});

desk('the palette runs commands by name', async ({page}) => {
  await openAna(page);
  await page.keyboard.press('Control+k');
  assert.equal(
    await page
      .getByRole('combobox', {name: 'Type a command'})
      .evaluate((one) => one === document.activeElement),
    true,
  );
  await page.keyboard.type('promise');
  assert.equal(
    await page
      .getByRole('dialog')
      .getByRole('option')
      .first()
      .innerText()
      .then((text) => text.split('\n')[0]),
    'Make a promise',
  );
  await page.keyboard.press('Enter');
  await page.getByRole('form', {name: 'New promise'}).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('form', {name: 'New promise'}).waitFor({state: 'detached'});
  assert.equal(await focused(page), 'open-promise');
});

desk('shortcuts can be given other keys, which outlive a reload', async ({page}) => {
  await openAna(page);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('shortcuts');
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'Change: Write a note'}).click();
  await page.keyboard.press('g');
  await page.getByText('A shortcut needs Alt, Ctrl or Command.').waitFor();
  await page.keyboard.press('Alt+f');
  await page.getByText('Alt+F is taken by “Record a fact”.').waitFor();
  await page.keyboard.press('Alt+b');
  await page.getByText('Alt+B is now “Write a note”.').waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await heading(page, 'Ana García').waitFor();
  await page.keyboard.press('Alt+n');
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).count(), 0);
  await page.keyboard.press('Alt+b');
  await page.getByRole('textbox', {name: 'Note'}).waitFor();
});

desk(
  'the whole screen speaks Spanish',
  async ({fake, page}) => {
    fake.ring(kAna);
    await heading(page, 'Ana García').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
    await told(page).getByText('¿Por qué lo devuelve?').waitFor();
    assert.match(await told(page).innerText(), /en la web\s*hace 4 min/);
    await page
      .getByRole('region', {name: /^Compras/})
      .getByText('389,70 €')
      .waitFor();
    assert.equal(
      await told(page).getByTestId('fact').first().locator('.answer bdi').getAttribute('lang'),
      'es',
    );
    await page.getByRole('button', {name: 'English'}).click();
    await told(page).getByText('Why do you send it back?').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  },
  {desk: {locale: 'es-ES'}},
);

desk('no address of a person is ever in a URL', async ({page}) => {
  const urls = [];
  page.on('request', (request) => urls.push(request.url()));
  await openAna(page);
  for (const url of urls) assert.doesNotMatch(decodeURIComponent(url), /ana|@|\+34|\?/i);
});

for (const [name, options] of Object.entries({
  'light, English': {colorScheme: 'light'},
  'dark, Spanish': {colorScheme: 'dark', locale: 'es-ES'},
  'narrow, English': {colorScheme: 'light', viewport: {width: 320, height: 640}},
  'narrow and dark, Spanish': {
    colorScheme: 'dark',
    locale: 'es-ES',
    viewport: {width: 320, height: 640},
  },
})) {
  desk(
    `axe finds nothing and nothing sticks out: ${name}`,
    async ({fake, page}) => {
      assert.deepEqual(await violations(page), [], 'sign-in');
      await signInAs(page, 'agent-token');
      assert.deepEqual(await violations(page), [], 'nobody');
      const call = fake.ring(kAna);
      await page.getByTestId('fact').first().waitFor();
      fake.setCall(call, 'ACTIVE');
      fake.ring(kBruno);
      await page.locator('.banner.ringing').waitFor();
      await page.getByTestId('entry').nth(2).locator('summary').click();
      assert.deepEqual(await violations(page), [], 'customer');
      for (const chord of ['Alt+n', 'Alt+f', 'Alt+q', 'Alt+p', 'Alt+c']) {
        await page.keyboard.press(chord);
        await page.locator('#composer-first').waitFor();
        assert.deepEqual(await violations(page), [], chord);
      }
      await page.keyboard.press('Escape');
      for (const chord of ['Alt+v', 'Alt+e', 'Control+k']) {
        await page.keyboard.press(chord);
        await page.getByRole('dialog').waitFor();
        assert.deepEqual(await violations(page), [], chord);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({state: 'detached'});
      }
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
        true,
      );
      assert.deepEqual(await smallTargets(page), [], 'targets of at least 24 px');
      fake.setDeaf(true);
      fake.fail('DeskService/WatchDesktop', 'unavailable');
      fake.endStreams();
      await live(page, 'stale').waitFor();
      assert.deepEqual(await violations(page), [], 'stale');
    },
    {desk: {...options, signIn: false}},
  );
}
