// What the tests of this folder share: a desk on the stand-in for the server, and what to ask a page.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {AxeBuilder} from '@axe-core/playwright';
import {startFake} from '../../../connectors/desk/page/dev/fake.mjs';
import {launch, live, openDesk} from '../browser.mjs';

export let browser;
before(async () => (browser = await launch()));
after(async () => browser?.close());

// A fresh server and desk for each test; ends by checking that the page had nothing to complain about.
export function desk(name, run, options = {}) {
  test(name, {timeout: 240_000}, async () => {
    const fake = await startFake({dist: process.env.HILO_DESK_PAGE, ...options.fake});
    options.prepare?.(fake);
    const mine = await openDesk(browser, new URL(options.path ?? '', fake.url).href, options.desk);
    try {
      await run({fake, ...mine});
      assert.deepEqual(mine.problems, []);
    } finally {
      await mine.close();
      await fake.stop();
    }
  });
}

export const heading = (page, name) => page.getByRole('heading', {level: 1, name});

export const focused = (page) =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

export async function openAna(page) {
  await page.getByRole('searchbox').fill('ana@example.com');
  await page.keyboard.press('Enter');
  await heading(page, 'Ana García').waitFor();
  await live(page, 'connected').waitFor();
}

export async function violations(page) {
  const result = await new AxeBuilder({page}).analyze();
  return result.violations.map(
    (one) =>
      `${one.id}: ${one.nodes
        .map((node) => node.html)
        .join(' | ')
        .slice(0, 300)}`,
  );
}

// What can be pressed and is smaller than 24 px either way.
export function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, select, input, summary')]
      .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
      .map(([html]) => html),
  );
}

// What the browser saw move without anybody having pressed anything, since the page began or since this was last asked.
export function shifts(page) {
  return page.evaluate(() => window.takeShifts());
}
