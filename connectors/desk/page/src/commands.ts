import {focusSoon} from './focus';
import type {Desk} from './desk';
import {chordOf, chords} from './keys';
import {Assurance} from './gen/hilo/v1/common_pb';
import {OutcomeKind} from './gen/hilo/v1/decision_pb';
import {language, useLanguage, type MessageId} from './messages';

// Something the desk can do, from the palette or by a chord.
export interface Command {
  id: string;
  title: MessageId;
  chord: string; // the default; may be empty
  available(desk: Desk): boolean;
  run(desk: Desk): void;
}

const onCustomer = (desk: Desk) => desk.view.value?.context.value !== undefined;

function form(id: 'note' | 'fact' | 'ask' | 'promise' | 'case', chord: string): Command {
  return {
    id,
    title: `command.${id}`,
    chord,
    available: onCustomer,
    run: (desk) => {
      desk.composer.value = id;
      focusSoon('composer-first');
    },
  };
}

function dialog(
  id: string,
  title: MessageId,
  chord: string,
  available: Command['available'] = () => true,
): Command {
  return {id, title, chord, available, run: (desk) => (desk.dialog.value = {kind: id, name: ''})};
}

// An answer to the next best action, while there is one.
function answer(
  id: 'next-accept' | 'next-decline' | 'next-snooze',
  chord: string,
  run: Command['run'],
): Command {
  return {
    id,
    title: `command.${id}`,
    chord,
    available: (desk) =>
      desk.next.best(desk.current.value) !== undefined && !desk.next.busy.value,
    run,
  };
}

function toggle(desk: Desk, menu: 'decline' | 'snooze'): void {
  desk.next.menu.value = desk.next.menu.value === menu ? '' : menu;
  focusSoon(desk.next.menu.value === '' ? 'next-answer' : 'next-menu');
}

const inContact = (desk: Desk) =>
  onCustomer(desk) && desk.contactOf(desk.current.value) !== undefined;

export const kCommands: readonly Command[] = [
  form('note', 'Alt+N'),
  form('fact', 'Alt+F'),
  form('ask', 'Alt+Q'),
  form('promise', 'Alt+P'),
  form('case', 'Alt+C'),
  {
    id: 'search',
    title: 'command.search',
    chord: 'Alt+S',
    available: () => true,
    run: () => focusSoon('search'),
  },
  dialog(
    'verify',
    'command.verify',
    'Alt+V',
    (desk) =>
      inContact(desk) && desk.contactOf(desk.current.value)?.assurance !== Assurance.VERIFIED,
  ),
  dialog('end', 'command.end', 'Alt+E', inContact),
  dialog('start', 'command.start', '', (desk) => onCustomer(desk) && !inContact(desk)),
  answer('next-accept', 'Alt+A', (desk) => {
    const best = desk.next.best(desk.current.value);
    if (best) void desk.next.answer(best, OutcomeKind.ACCEPTED);
  }),
  answer('next-decline', 'Alt+D', (desk) => toggle(desk, 'decline')),
  answer('next-snooze', 'Alt+Z', (desk) => toggle(desk, 'snooze')),
  dialog('why-not', 'command.why-not', 'Alt+W', onCustomer),
  dialog('release', 'command.release', '', inContact),
  dialog('products', 'command.products', 'Alt+G'),
  {
    id: 'timeline',
    title: 'command.timeline',
    chord: 'Alt+T',
    available: onCustomer,
    run: () => focusSoon('timeline'),
  },
  {
    id: 'new-entries',
    title: 'command.new-entries',
    chord: 'Alt+U',
    available: (desk) => (desk.view.value?.held.value.length ?? 0) > 0,
    run: (desk) => {
      if (desk.view.value) desk.showHeld(desk.view.value);
      focusSoon('timeline');
    },
  },
  {
    id: 'close-customer',
    title: 'command.close-customer',
    chord: 'Alt+X',
    available: (desk) => desk.current.value !== '',
    run: (desk) => desk.closeCustomer(desk.current.value),
  },
  dialog('palette', 'command.palette', 'Mod+K'),
  dialog('shortcuts', 'command.shortcuts', ''),
  {
    id: 'reconnect',
    title: 'command.reconnect',
    chord: '',
    available: (desk) => desk.live.value.state !== 'connected',
    run: (desk) => desk.reconnect(),
  },
  {
    id: 'language',
    title: 'command.language',
    chord: '',
    available: () => true,
    run: () => useLanguage(language.value === 'en' ? 'es' : 'en'),
  },
  dialog('sign-out', 'command.sign-out', ''),
];

export function chordFor(command: Command): string {
  return chords.value[command.id] ?? command.chord;
}

export function byId(id: string): Command {
  const command = kCommands.find((one) => one.id === id);
  if (!command) throw new Error(`no command "${id}"`);
  return command;
}

// Takes a key stroke. Alt+1 to Alt+9 accept the calls in their order and cannot be given to anything else.
export function onKey(desk: Desk, event: KeyboardEvent): void {
  if (!desk.signedIn.value || event.defaultPrevented || desk.dialog.value?.kind === 'shortcuts')
    return;
  const chord = chordOf(event);
  if (!chord) return;
  const call = /^Alt\+([1-9])$/.exec(chord);
  if (call) {
    event.preventDefault();
    desk.openCall(Number(call[1]) - 1);
    return;
  }
  const command = kCommands.find((one) => chordFor(one) === chord);
  if (!command) return;
  event.preventDefault(); // also when it does nothing now: the browser's own meaning would surprise
  if (command.available(desk)) command.run(desk);
}
