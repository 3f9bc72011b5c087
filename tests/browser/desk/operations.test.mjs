// The operations page in Chromium: the hub's own figures, as lines and as tables beside them.
import assert from 'node:assert/strict';
import {desk, shifts, smallTargets, violations} from './fixture.mjs';

const kLatency = 'hilo_serving_ingest_to_context_seconds';

// What the hub answers under /metrics after `count` contexts and as many sent messages.
function exposition(count, more = '') {
  return `# HELP ${kLatency} From the edge to the agent's screen.
# TYPE ${kLatency} histogram
${kLatency}_bucket{le="0.01"} ${count}
${kLatency}_bucket{le="0.1"} ${count * 2}
${kLatency}_bucket{le="+Inf"} ${count * 2}
process_start_time_seconds 1700000000
hilo_fold_lag_records{topic="customers",partition="0"} 7
hilo_fold_lag_records{topic="customers",partition="1"} 1234
hilo_fold_lag_seconds{topic="customers",partition="1"} 1.5
hilo_fold_log_time_behind_seconds{topic="customers",partition="1"} 0.25
hilo_customer_messages_total{state="sent",reason=""} ${count}
hilo_customer_messages_total{state="refused",reason="duplicate"} 3
hilo_customer_messages_total{state="refused",reason="no_consent"} 12
hilo_customer_messages_total{state="held",reason="open_complaint"} 5
hilo_customer_messages_total{state="refused",reason="brand_new_reason"} 1
hilo_dispatch_deliveries_total{result="sent"} ${count}
hilo_decide_due_total{reason="ranked"} 4
hilo_fold_dead_letters_total{reason="event_too_late"} 2
hilo_keys_created_total 40
hilo_keys_destroyed_total 2
hilo_keys_open_refused_total 0
${more}`;
}

const operations = (name, run, options = {}) =>
  desk(name, run, {
    path: 'operations',
    prepare: (fake) => fake.setMetrics(exposition(10)),
    ...options,
    desk: {signIn: false, ...options.desk},
  });

const figure = (page, name) => page.locator('.figure').filter({has: page.getByRole('heading', {name, exact: true})});
const rows = async (of) =>
  (await of.locator('tbody tr').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
// Until the hub was asked `count` times more; the page asks every two seconds.
async function asked(page, count = 1) {
  for (let i = 0; i < count; i++) await (await page.waitForResponse((one) => one.url().endsWith('/metrics'))).finished();
}

operations('each plot has the same figures in a table beside it', async ({fake, page}) => {
  const lag = figure(page, 'How far folds are behind');
  await lag.getByText('1,234 records').waitFor();
  for (const plot of await page.locator('.figure:has(canvas)').all()) {
    await plot.getByRole('img', {name: /the table below has the figures/}).waitFor();
    assert.equal(await plot.locator('table').count(), 1);
    assert.equal(await plot.locator('table').isVisible(), false, 'folded until it is wanted');
  }
  assert.equal(await page.locator('canvas').count(), 3);
  await lag.getByText('As a table').click();
  assert.match((await rows(lag))[0], /\d\d:\d\d:\d\d 1,234$/);
  const latency = figure(page, 'From the edge to the agent\'s screen');
  await latency.getByText('p50 –').waitFor();
  fake.setMetrics(exposition(20));
  // Half of what came took up to 10 ms, the rest up to 100 ms.
  await latency.getByText('p50 10 ms').waitFor();
  await latency.getByText('p99 98.2 ms').waitFor();
  await latency.getByText('As a table').click();
  assert.match((await rows(latency)).at(-1), / 10 98\.2$/);
  assert.match((await rows(latency))[0], / – –$/, 'nothing was measured yet');
});

operations('what was not sent is counted by reason, in words where there are any', async ({page}) => {
  const refusals = figure(page, 'Not sent, by reason');
  await refusals.locator('tbody tr').first().waitFor();
  const shown = await rows(refusals);
  assert.equal(shown.length, 4);
  assert.match(shown[0], / 12$/, 'the largest first');
  assert.ok(shown.some((row) => /complaint/.test(row) && / 5$/.test(row)));
  assert.ok(shown.includes('brand_new_reason 1'), 'a reason without words is shown as it is');
  for (const row of shown) assert.match(row, /brand_new_reason|^[A-Z]?[a-z ,:’'-]+ \d+$/, 'in words');
  assert.deepEqual(await rows(figure(page, 'Dead letters')), ['event_too_late 2']);
  assert.match(await figure(page, 'Keys').innerText(), /made\s*40\s*destroyed\s*2/);
  assert.match(await figure(page, 'Clocks').innerText(), /0\.25 s/);
});

operations('a closed partition and a stopped lane are said first', async ({fake, page}) => {
  await page.getByText('every two seconds').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  fake.setMetrics(exposition(10, 'hilo_fold_closed_partitions 2\nhilo_fold_lanes_stopped 1\n'));
  await page.getByRole('alert').getByText('2 partitions are closed').waitFor();
  await page.getByRole('alert').getByText('One lane has stopped').waitFor();
});

operations('a hub that is away is said, and the figures keep their time', async ({fake, page}) => {
  await page.getByText('every two seconds').waitFor();
  fake.setMetrics(undefined);
  await page.getByRole('status').getByText(/The hub does not answer: what you see is of \d/).waitFor();
  await figure(page, 'How far folds are behind').getByText('1,234 records').waitFor();
  fake.setMetrics(exposition(20));
  await page.getByText('every two seconds').waitFor();
});

operations('a hub that began anew is no fall below nothing', async ({fake, page}) => {
  const sends = figure(page, 'Messages');
  await sends.getByText('sent 0 /min', {exact: true}).waitFor();
  fake.setMetrics(exposition(1).replace('1700000000', '1700009999'));
  await asked(page, 2);
  await sends.getByText('As a table').click();
  for (const row of await rows(sends)) assert.doesNotMatch(row, /-\d/);
});

for (const [name, options] of Object.entries({
  'light, English': {colorScheme: 'light'},
  'dark, Spanish': {colorScheme: 'dark', locale: 'es-ES'},
  'narrow, Spanish': {locale: 'es-ES', viewport: {width: 320, height: 640}},
})) {
  operations(
    `axe finds nothing and nothing moves: ${name}`,
    async ({fake, page}) => {
      await page.locator('tbody tr').first().waitFor({state: 'attached'});
      await shifts(page);
      assert.deepEqual(await violations(page), [], 'folded');
      await asked(page, 2);
      fake.setMetrics(exposition(30));
      await asked(page);
      assert.deepEqual(await shifts(page), [], 'nothing moves when figures come');
      for (const table of await page.locator('details summary').all()) await table.click();
      assert.deepEqual(await violations(page), [], 'unfolded');
      assert.deepEqual(await smallTargets(page), [], 'targets of at least 24 px');
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
        true,
        'nothing sticks out',
      );
      fake.setMetrics(undefined);
      await page.locator('[role="status"].failed').waitFor();
      assert.deepEqual(await violations(page), [], 'away');
    },
    {desk: options},
  );
}
