// Text of customers and other systems is hostile until shown: it goes to the screen through `pieces`
// alone, as text nodes.

// A run of text, or a mark that stands for a character which would act instead of being seen.
export interface Piece {
  text: string;
  mark: boolean;
}

const kMaxShown = 4096; // characters; the longest fact and note
const kMaxWord = 120; // characters without a place to break
const kMaxCombining = 4; // marks on one letter; real scripts need at most three

const kBidi: Record<string, string> = {
  '\u061c': 'ALM',
  '\u200e': 'LRM',
  '\u200f': 'RLM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
};
// Bidirectional controls, other controls, invisible separators; joiners stay, since emoji and Indic scripts need them.
const kActing =
  /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\u{e0001}]/u;
const kCombining = /\p{M}/u;

function nameOf(character: string): string {
  return (
    kBidi[character] ?? `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  );
}

// Splits text into what is read and what is only named. Never longer than the limits above, so that nobody's text can
// push the rest of the screen away.
export function pieces(text: string, maxShown: number = kMaxShown): Piece[] {
  const result: Piece[] = [];
  let run = '';
  let word = 0;
  let combining = 0;
  let shown = 0;
  let clippingWord = false;
  const flush = () => {
    if (run) result.push({text: run, mark: false});
    run = '';
  };
  for (const character of text) {
    if (shown >= maxShown) {
      run += '…';
      break;
    }
    if (kActing.test(character)) {
      if (character === '\r') continue;
      flush();
      result.push({text: nameOf(character), mark: true});
      shown += 6;
      continue;
    }
    if (/\s/u.test(character)) {
      word = 0;
      clippingWord = false;
    } else if (++word > kMaxWord) {
      if (!clippingWord) run += '…';
      clippingWord = true;
      continue;
    }
    combining = kCombining.test(character) ? combining + 1 : 0;
    if (combining > kMaxCombining) continue;
    run += character;
    shown++;
  }
  flush();
  return result;
}

// The same as plain text, for titles of windows, names of buttons and announcements.
export function plain(text: string, maxShown = 200): string {
  return pieces(text, maxShown)
    .map((piece) => (piece.mark ? `[${piece.text}]` : piece.text))
    .join('')
    .trim();
}
