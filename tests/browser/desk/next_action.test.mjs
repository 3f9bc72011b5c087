// The next best action in Chromium: what is suggested and why, what the answers do, and that none of it moves anything or
// takes the focus from anybody.
import assert from 'node:assert/strict';
import {kAna} from '../../../connectors/desk/page/dev/fake.mjs';
import {signInAs} from '../browser.mjs';
import {desk, focused, heading, openAna, shifts, smallTargets, violations} from './fixture.mjs';

const card = (page) => page.getByRole('region', {name: /^(Next best action|Siguiente mejor acción)/});
const best = (page, action) => page.locator(`[data-testid="next-best"][data-action="${action}"]`);
const said = (page) => page.getByRole('status', {name: /^(Last action|Última acción)/});
const outcomes = (fake) =>
  fake.log
    .filter((one) => one.method === 'DecisionService/RecordOutcome')
    .map((one) => JSON.parse(one.body));

// Ana's complaint is open, so all that sells is held back: what is suggested is to apologise.
async function inCall(fake, page) {
  const call = fake.ring(kAna);
  fake.setCall(call, 'ACTIVE');
  await best(page, 'apologise-with-voucher').waitFor();
  return call;
}
// The same without the complaint: an exchange is best, then the basket, then the birthday.
async function inCalmCall(fake, page) {
  fake.customers.get(kAna).cases = [];
  const call = fake.ring(kAna);
  fake.setCall(call, 'ACTIVE');
  await best(page, 'offer-exchange').waitFor();
  return call;
}

async function writeNote(page) {
  await page.keyboard.press('Alt+n');
  await page.getByRole('textbox', {name: 'Note'}).fill('Half-written');
}

// Where everything stands that an agent reads or presses around the card.
const around = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('h1, h2, .next, .entry, .strip, .composer button, .side button')].map(
      (one) => {
        const {x, y} = one.getBoundingClientRect();
        return `${one.tagName} ${one.innerText.split('\n')[0]} ${Math.round(x)},${Math.round(y)}`;
      },
    ),
  );

async function sayReleased(page, reason) {
  await page.keyboard.press('Control+k');
  await page.keyboard.type('release');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByLabel('Why?').fill(reason);
}

desk(
  'one action is suggested, with why and with what to say in the customer’s language',
  async ({fake, page}) => {
    await inCall(fake, page);
    const shown = best(page, 'apologise-with-voucher');
    await shown.getByRole('heading', {name: 'Apologise and give a voucher'}).waitFor();
    assert.match(await shown.innerText(), /Why: A complaint is open: “Parcel arrived open”\./);
    assert.match(await shown.innerText(), /about 1 minute · ends in 30 days/);
    const toSay = shown.locator('blockquote');
    assert.match(await toSay.innerText(), /^Lamento las molestias\./);
    assert.equal(await toSay.getAttribute('lang'), 'es');
    const accept = shown.getByRole('button', {name: 'Voucher given'});
    assert.equal(await accept.getAttribute('aria-keyshortcuts'), 'Alt+A');
    const asked = fake.log.find((one) => one.method === 'DecisionService/Decide');
    assert.equal(JSON.parse(asked.body).language, 'en');
    assert.match(JSON.parse(asked.body).write.interaction, /\/interactions\//);
  },
);

desk(
  'the card stays in its corner, and nothing moves around it, whatever comes',
  async ({fake, page}) => {
    const answer = fake.hold('DecisionService/Decide');
    const call = fake.ring(kAna);
    await card(page).getByText('Deciding…').waitFor();
    fake.setCall(call, 'ACTIVE');
    await page.getByRole('button', {name: /^End contact/}).waitFor();
    const before = await around(page);
    await shifts(page);
    answer();
    await best(page, 'apologise-with-voucher').waitFor();
    assert.deepEqual(await around(page), before, 'the first decision');
    await page.keyboard.press('Alt+d');
    await card(page).getByRole('button', {name: 'Asks for more'}).waitFor();
    assert.deepEqual(await around(page), before, 'the reasons');
    await page.keyboard.press('Alt+z');
    await card(page).getByRole('button', {name: 'Tomorrow'}).waitFor();
    assert.deepEqual(await around(page), before, 'the times');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Alt+a');
    await best(page, 'ask-birthday').waitFor();
    assert.deepEqual(await around(page), before, 'the next one, which is shorter');
    await page.keyboard.press('Alt+a');
    await card(page).getByText('Nothing to suggest now.').waitFor();
    assert.deepEqual(await around(page), before, 'nothing');
    fake.fail('DecisionService/Decide', 'permission_denied');
    fake.customers.get(kAna).promises = [];
    await page.evaluate(() => document.activeElement?.blur());
    const strip = await around(page);
    assert.deepEqual(strip, before);
    fake.changed(kAna);
    await card(page).getByRole('alert').waitFor();
    assert.deepEqual(await shifts(page), [], 'the browser saw nothing move');
  },
);

desk('accepting by its key leaves a note that is being written alone', async ({fake, page}) => {
  const call = await inCall(fake, page);
  await writeNote(page);
  await page.keyboard.press('Alt+a');
  await best(page, 'ask-birthday').waitFor();
  await said(page).getByText('Accepted: Apologise and give a voucher').waitFor();
  assert.equal(await focused(page), 'composer-first');
  assert.equal(await page.getByRole('textbox', {name: 'Note'}).inputValue(), 'Half-written');
  const [outcome] = outcomes(fake);
  assert.match(outcome.decision, /\/decisions\/d1$/);
  assert.equal(outcome.action, 'apologise-with-voucher');
  assert.equal(outcome.outcome, 'OUTCOME_KIND_ACCEPTED');
  assert.equal(outcome.write.interaction, call.interaction.name);
});

desk('accepting on the card itself leaves the focus on the card', async ({fake, page}) => {
  await inCall(fake, page);
  await page.getByRole('button', {name: 'Voucher given'}).focus();
  await page.keyboard.press('Enter');
  await best(page, 'ask-birthday').waitFor();
  assert.equal(await focused(page), 'next-answer');
  await page.keyboard.press('Enter');
  await card(page).getByText('Nothing to suggest now.').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'next-why-not');
  assert.equal(outcomes(fake).length, 2);
});

desk('a key that is held down answers once', async ({fake, page}) => {
  await inCalmCall(fake, page);
  const answer = fake.hold('DecisionService/RecordOutcome');
  for (let i = 0; i < 5; i++) await page.keyboard.press('Alt+a');
  answer();
  await best(page, 'finish-basket').waitFor();
  assert.equal(outcomes(fake).length, 1);
});

desk('declining asks for a reason, by keys alone', async ({fake, page}) => {
  await inCalmCall(fake, page);
  await page.keyboard.press('Alt+d');
  const reasons = card(page).getByRole('group', {name: 'Why declined?'});
  await reasons.waitFor();
  assert.deepEqual(await reasons.getByRole('button').allInnerTexts(), [
    'Wants the money back',
    'Does not like the product',
    'Bought elsewhere',
    'Another reason',
  ]);
  assert.equal(await focused(page), 'next-menu');
  await page.keyboard.press('Escape');
  await reasons.waitFor({state: 'detached'});
  assert.equal(await focused(page), 'next-answer');
  assert.equal(outcomes(fake).length, 0);
  await page.keyboard.press('Alt+d');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await best(page, 'finish-basket').waitFor();
  await said(page).getByText('Declined: Offer an exchange in the right size').waitFor();
  assert.equal(await focused(page), 'next-answer');
  await page.keyboard.press('Alt+d');
  await card(page).getByRole('button', {name: 'Another reason'}).click();
  await best(page, 'ask-birthday').waitFor();
  assert.deepEqual(
    outcomes(fake).map(({action, outcome, reason}) => [action, outcome, reason]),
    [
      ['offer-exchange', 'OUTCOME_KIND_DECLINED', 'wrong_product'],
      ['finish-basket', 'OUTCOME_KIND_DECLINED', 'other'],
    ],
  );
});

desk('what is put off comes back at its time', async ({fake, page}) => {
  await inCalmCall(fake, page);
  await page.keyboard.press('Alt+z');
  assert.equal(await focused(page), 'next-menu');
  const before = Date.now();
  await card(page).getByRole('button', {name: 'Tomorrow'}).click();
  await best(page, 'finish-basket').waitFor();
  await said(page).getByText('Put off: Offer an exchange in the right size').waitFor();
  const [{outcome, snoozeUntilTime}] = outcomes(fake);
  assert.equal(outcome, 'OUTCOME_KIND_SNOOZED');
  const hours = (Date.parse(snoozeUntilTime) - before) / 3_600_000;
  assert.ok(hours > 23.9 && hours < 24.1, `${hours} hours`);
});

desk('ranks two and three wait folded and can be accepted', async ({fake, page}) => {
  await inCalmCall(fake, page);
  const others = card(page).locator('.others');
  assert.equal(await others.getByText('Offer to finish the order').isVisible(), false);
  await others.getByText('2 more suggestions').click();
  assert.deepEqual(await others.getByRole('listitem').locator('strong').allInnerTexts(), [
    'Offer to finish the order',
    'Ask for the birthday',
  ]);
  assert.match(await others.innerText(), /Left in the basket: Trail shoes\./);
  await others.getByRole('button', {name: 'Place the order: Offer to finish the order'}).click();
  await said(page).getByText('Accepted: Offer to finish the order').waitFor();
  await best(page, 'offer-exchange').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'next-answer');
  assert.equal(outcomes(fake)[0].action, 'finish-basket');
});

desk('why another action is not suggested is said in words', async ({fake, page}) => {
  await inCall(fake, page);
  await page.keyboard.press('Alt+w');
  const list = page.getByTestId('why-not');
  await list.getByText('Help to find the size').waitFor();
  assert.equal(await list.getByRole('listitem').count(), 6);
  await page.keyboard.type('exchange');
  assert.deepEqual(
    (await list.getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ')),
    [
      'Offer an exchange in the right size held back by a contact rule A complaint is open.',
    ],
  );
  await page.getByRole('searchbox', {name: 'Search actions'}).fill('pony');
  await page.getByText('No action matches.').waitFor();
  await page.getByRole('searchbox', {name: 'Search actions'}).fill('');
  assert.match(await list.innerText(), /Apologise and give a voucher suggested, rank 1/);
  assert.match(await list.innerText(), /Help to find the size makes no sense now/);
});

desk('selling is released within the contact, with a reason', async ({fake, page}) => {
  const call = await inCall(fake, page);
  await sayReleased(page, '   ');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('Write why.').waitFor();
  await page.getByRole('dialog').getByLabel('Why?').fill('She asked for a new pair herself');
  await page.getByRole('dialog').getByRole('button', {name: 'Release'}).click();
  await page.getByRole('dialog').waitFor({state: 'detached'});
  await said(page).getByText('Selling is released in this contact.').waitFor();
  await card(page).getByText('2 more suggestions').click();
  await card(page).getByText('Offer an exchange in the right size').waitFor();
  const sent = fake.log.filter((one) => one.method === 'DecisionService/ReleaseSelling');
  assert.equal(sent.length, 1, 'blanks are no reason');
  assert.equal(JSON.parse(sent[0].body).reason, 'She asked for a new pair herself');
  assert.equal(JSON.parse(sent[0].body).interaction, call.interaction.name);
});

desk('a release that is refused says why, and the words stay', async ({fake, page}) => {
  await inCall(fake, page);
  await sayReleased(page, 'She asked for it');
  fake.fail('DecisionService/ReleaseSelling', 'permission_denied');
  await page.getByRole('dialog').getByRole('button', {name: 'Release'}).click();
  await page.getByRole('dialog').getByText('You may not do this.').waitFor();
  assert.equal(await page.getByLabel('Why?').inputValue(), 'She asked for it');
  await best(page, 'apologise-with-voucher').waitFor();
});

desk('without a contact there is nothing to release', async ({page}) => {
  await openAna(page);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('release');
  await page.getByRole('option', {name: /^Find “release”/}).waitFor();
  assert.equal(await page.getByRole('option', {name: /Release selling/}).count(), 0);
});

desk('products are found by the beginnings of their words, with their price', async ({page}) => {
  await page.keyboard.press('Alt+g');
  const list = page.getByTestId('products');
  await list.getByText('Trail shoes').waitFor();
  await page.keyboard.type('run sh');
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid="products"] li').length === 1,
  );
  assert.match(await list.innerText(), /Road running shoes shoes-8\s*€109\.00/);
  await page.getByRole('searchbox', {name: /^Product/}).fill('socks');
  await list.getByText('€14.50 · not available').waitFor();
  await page.getByRole('searchbox', {name: /^Product/}).fill('pony');
  await page.getByRole('dialog').getByText('No product matches.').waitFor();
});

desk('a late answer to earlier letters does not replace a newer one', async ({fake, page}) => {
  await page.keyboard.press('Alt+g');
  const list = page.getByTestId('products');
  await list.getByText('Trail shoes').waitFor();
  const late = fake.hold('DecisionService/SearchProducts');
  await page.keyboard.type('b');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('socks');
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid="products"] li').length === 1,
  );
  const answered = page.waitForResponse((one) => one.request().postData()?.includes('"b"') ?? false);
  late();
  await (await answered).finished();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  assert.match(await list.innerText(), /Running socks/);
});

desk('a search that fails says so and shows no old results', async ({fake, page}) => {
  await page.keyboard.press('Alt+g');
  const list = page.getByTestId('products');
  await list.getByText('Trail shoes').waitFor();
  fake.fail('DecisionService/SearchProducts', 'unavailable');
  await page.keyboard.type('b');
  await page.getByRole('dialog').getByRole('alert').getByText('cannot be reached').waitFor();
  assert.equal(await list.getByRole('listitem').count(), 0);
  assert.equal(await page.getByText('No product matches.').count(), 0);
  await page.keyboard.type('o');
  await list.getByText('Waterproof hiking boots').waitFor();
});

desk('what cannot be decided is said, and can be asked again', async ({fake, page}) => {
  fake.fail('DecisionService/Decide', 'permission_denied');
  await openAna(page);
  await card(page).getByRole('alert').getByText('You may not do this.').waitFor();
  assert.equal(await card(page).getByText('Deciding…').count(), 0);
  fake.fail('DecisionService/Decide', 'unavailable');
  await card(page).getByRole('button', {name: 'Try now'}).click();
  await card(page).getByRole('alert').getByText('cannot be reached').waitFor();
  await card(page).getByRole('button', {name: 'Try now'}).click();
  await best(page, 'apologise-with-voucher').waitFor();
  assert.equal(await card(page).getByRole('alert').count(), 0);
});

desk('an answer that is lost on the way is recorded once', async ({fake, page}) => {
  await inCalmCall(fake, page);
  fake.fail('DecisionService/RecordOutcome', 'unavailable', {after: true});
  await page.keyboard.press('Alt+a');
  await best(page, 'finish-basket').waitFor();
  const ids = outcomes(fake).map((one) => one.write.requestId);
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 1);
});

desk('an answer that is refused says why and stays to be given', async ({fake, page}) => {
  await inCalmCall(fake, page);
  fake.fail('DecisionService/RecordOutcome', 'failed_precondition', {reason: 'action_not_offered'});
  await page.keyboard.press('Alt+d');
  await card(page).getByRole('button', {name: 'Bought elsewhere'}).click();
  await said(page).getByText('action_not_offered').waitFor();
  await best(page, 'offer-exchange').waitFor();
  await card(page).getByRole('button', {name: 'Bought elsewhere'}).click();
  await best(page, 'finish-basket').waitFor();
});

desk('a newer suggestion waits for whoever is at the card', async ({fake, page}) => {
  await inCalmCall(fake, page);
  await page.keyboard.press('Alt+d');
  const before = await card(page).getByRole('button', {name: 'Bought elsewhere'}).boundingBox();
  await shifts(page);
  fake.customers.get(kAna).facts = [];
  fake.changed(kAna);
  await card(page).getByRole('button', {name: 'Show newer'}).waitFor();
  await best(page, 'offer-exchange').waitFor();
  assert.deepEqual(await card(page).getByRole('button', {name: 'Bought elsewhere'}).boundingBox(), before);
  assert.deepEqual((await shifts(page)).filter((one) => one.includes('next')), []);
  assert.equal(await focused(page), 'next-menu');
  await card(page).getByRole('button', {name: 'Show newer'}).click();
  await best(page, 'finish-basket').waitFor();
  assert.equal(await focused(page), 'next-answer');
});

desk('a newer suggestion appears by itself when nobody is at the card', async ({fake, page}) => {
  await inCalmCall(fake, page);
  await writeNote(page);
  fake.customers.get(kAna).facts = [];
  fake.changed(kAna);
  await best(page, 'finish-basket').waitFor();
  assert.equal(await focused(page), 'composer-first');
});

desk('after each dialog the focus is where it was', async ({fake, page}) => {
  await inCall(fake, page);
  await writeNote(page);
  const dialog = page.getByRole('dialog');
  for (const close of ['Escape', 'the cross']) {
    for (const chord of ['Alt+w', 'Alt+g', 'Control+k', 'Alt+v', 'Alt+e']) {
      await page.keyboard.press(chord);
      await dialog.waitFor();
      if (close === 'Escape') await page.keyboard.press('Escape');
      else await dialog.getByRole('button', {name: 'Close'}).click();
      await dialog.waitFor({state: 'detached'});
      assert.equal(await focused(page), 'composer-first', `${chord}, ${close}`);
    }
  }
  await sayReleased(page, 'She asked for it');
  await page.keyboard.press('Escape');
  await dialog.waitFor({state: 'detached'});
  assert.equal(await focused(page), 'composer-first', 'a dialog that the palette opened');
  await sayReleased(page, 'She asked for it');
  await dialog.getByRole('button', {name: 'Release'}).click();
  await dialog.waitFor({state: 'detached'});
  assert.equal(await focused(page), 'composer-first', 'a dialog that was answered');
  await page.getByRole('button', {name: 'Why not something else?'}).click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({state: 'detached'});
  assert.equal(await focused(page), 'next-why-not');
});

desk(
  'the card speaks the agent’s language, and what is said the customer’s',
  async ({fake, page}) => {
    await inCall(fake, page);
    await card(page).getByText('Disculparse y dar un vale').waitFor();
    fake.customers.get(kAna).customer.language = 'en';
    await page.getByRole('button', {name: 'English'}).click();
    await card(page).getByText('Apologise and give a voucher').waitFor();
    await card(page).getByText('I am sorry for the trouble.').waitFor();
  },
  {desk: {locale: 'es-ES'}},
);

for (const [name, options] of Object.entries({
  'light, English': {colorScheme: 'light'},
  'dark, Spanish': {colorScheme: 'dark', locale: 'es-ES'},
  'narrow, Spanish': {locale: 'es-ES', viewport: {width: 320, height: 640}},
})) {
  desk(
    `axe finds nothing on the card and its dialogs: ${name}`,
    async ({fake, page}) => {
      await signInAs(page, 'agent-token');
      await inCall(fake, page);
      const check = async (where) => {
        assert.deepEqual(await violations(page), [], where);
        assert.deepEqual(await smallTargets(page), [], `${where}: targets of at least 24 px`);
        assert.equal(
          await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
          true,
          `${where}: nothing sticks out`,
        );
      };
      await check('the card');
      await card(page).locator('.others summary').click();
      for (const chord of ['Alt+d', 'Alt+z']) {
        await page.keyboard.press(chord);
        await page.locator('#next-menu').waitFor();
        await check(chord);
      }
      await page.keyboard.press('Escape');
      for (const chord of ['Alt+w', 'Alt+g']) {
        await page.keyboard.press(chord);
        await page.getByRole('dialog').getByRole('listitem').first().waitFor();
        await check(chord);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({state: 'detached'});
      }
      fake.fail('DecisionService/SearchProducts', 'unavailable');
      await page.keyboard.press('Alt+g');
      await page.getByRole('dialog').locator('.failed').waitFor();
      await check('a search that failed');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.keyboard.type(name.includes('Spanish') ? 'permitir' : 'release');
      await page.keyboard.press('Enter');
      await page.locator('#release-reason').waitFor();
      await page.keyboard.type('  ');
      await page.getByRole('dialog').locator('.primary').click();
      await page.getByRole('dialog').locator('.failed').waitFor();
      await check('releasing');
      await page.keyboard.press('Escape');
      fake.fail('DecisionService/Decide', 'unavailable');
      fake.customers.get(kAna).facts = [];
      fake.changed(kAna);
      await card(page).getByRole('alert').waitFor();
      await check('a decision that failed');
    },
    {desk: {...options, signIn: false}},
  );
}
