// A real Chromium and the desk in it, for every test in this folder.
import {existsSync} from 'node:fs';
import {chromium} from 'playwright-core';

// The browser of the machine; none is ever downloaded.
export const kChromium = process.env.HILO_CHROMIUM ?? '/usr/bin/chromium';

export function launch() {
  if (!existsSync(kChromium)) throw new Error(`no ${kChromium}`);
  return chromium.launch({
    executablePath: kChromium,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// Runs in the page: keeps what moved although nobody pressed anything in the half second before.
function watchShifts() {
  let moved = [];
  const keep = (entries) => {
    for (const entry of entries) {
      if (entry.hadRecentInput) continue;
      const what = entry.sources.map(({node, previousRect: from, currentRect: to}) => {
        const name = (node?.outerHTML ?? node?.textContent ?? '').slice(0, 60);
        return `${name} ${from.x},${from.y} → ${to.x},${to.y}`;
      });
      moved.push(`${entry.value.toFixed(4)}: ${what.join('; ')}`);
    }
  };
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({type: 'layout-shift', buffered: true});
  window.takeShifts = () => {
    keep(observer.takeRecords());
    const taken = moved;
    moved = [];
    return taken;
  };
}

// An agent's desk: one window, signed in. `problems` collects what the page complains about; a test ends with it empty.
export async function openDesk(
  browser,
  url,
  {token = 'agent-token', signIn = true, ...options} = {},
) {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/Madrid',
    viewport: {width: 1280, height: 800},
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(10_000);
  await context.addInitScript(watchShifts);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // What the network does is the tests' own doing; a refused script or style is not.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text());
  });
  await page.goto(url);
  const desk = {context, page, problems, close: () => context.close()};
  if (signIn) await signInAs(page, token);
  return desk;
}

export async function signInAs(page, token) {
  await page.getByLabel(/Access token|Clave de acceso/).fill(token);
  await page.keyboard.press('Enter');
  await page.locator('[data-state="connected"]').waitFor();
}

// The status line's state: connected, catching-up or stale.
export function live(page, state) {
  return page.locator(`.live[data-state="${state}"]`);
}
