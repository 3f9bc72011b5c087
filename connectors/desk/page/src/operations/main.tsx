import {signal} from '@preact/signals';
import {render} from 'preact';
import {startLanguage, t} from '../messages';
import {parseExposition} from './exposition';
import {Figures} from './figures';
import {OperationsPage, type Shown} from './page';

const kEvery = 2_000; // ms

startLanguage();
document.title = t('operations.title');
const figures = new Figures();
const shown = signal<Shown>({figures, at: 0, failed: false});

async function look(): Promise<void> {
  try {
    const answer = await fetch('/metrics', {cache: 'no-store', signal: AbortSignal.timeout(kEvery)});
    if (!answer.ok) throw new Error(String(answer.status));
    const now = Date.now();
    figures.add(now, parseExposition(await answer.text()));
    shown.value = {figures, at: now, failed: false};
  } catch {
    shown.value = {...shown.value, failed: true};
  }
  window.setTimeout(() => void look(), kEvery);
}

const root = document.getElementById('operations');
if (root) render(<OperationsPage shown={shown} />, root);
void look();
