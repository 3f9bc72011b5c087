import {signal} from '@preact/signals';

const kStored = 'hilo.chords';

// A chord is written "Alt+N", "Ctrl+Shift+X" or "Mod+K", where Mod is Ctrl or the Command key. One without Alt, Ctrl or
// Mod is refused, so that no letter that somebody types does anything (WCAG 2.1.4).
export function chordOf(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'> & {
    getModifierState?(key: string): boolean;
  },
): string {
  if (event.getModifierState?.('AltGraph')) return '';
  if (
    ['Alt', 'Control', 'Meta', 'Shift', 'AltGraph', 'Dead'].includes(event.key) &&
    !/^(Key|Digit)/.test(event.code)
  ) {
    return '';
  }
  // Where Alt makes another character (macOS), the key's place names it.
  let key = event.key.length === 1 && /^[a-z0-9]$/i.test(event.key) ? event.key.toUpperCase() : '';
  if (!key) key = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code)?.[1] ?? event.key;
  if (key === ' ') key = 'Space';
  const mod = event.ctrlKey || event.metaKey;
  if (!event.altKey && !mod) return '';
  return [mod ? 'Mod' : '', event.altKey ? 'Alt' : '', event.shiftKey ? 'Shift' : '', key]
    .filter(Boolean)
    .join('+');
}

// Chords that agents chose instead of the defaults, by command.
export const chords = signal<Readonly<Record<string, string>>>({});

export function startChords(): void {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(kStored) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return;
    chords.value = Object.fromEntries(
      Object.entries(stored).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      ),
    );
  } catch {
    chords.value = {};
  }
}

export function setChord(command: string, chord: string): void {
  keep({...chords.value, [command]: chord});
}

export function resetChords(): void {
  keep({});
}

function keep(next: Readonly<Record<string, string>>): void {
  chords.value = next;
  try {
    localStorage.setItem(kStored, JSON.stringify(next));
  } catch {
    // Without storage they last as long as the page.
  }
}

// For people: "Ctrl" or the Command sign instead of Mod.
export function chordText(chord: string): string {
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);
  return chord.replace('Mod', apple ? '⌘' : 'Ctrl');
}

// For aria-keyshortcuts.
export function chordAria(chord: string): string {
  return chord.replace('Mod', 'Control');
}
