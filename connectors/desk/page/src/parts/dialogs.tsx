import {nameOf, questionOf} from '../customer';
import {focusSoon} from '../focus';
import {useEffect, useRef, useState} from 'preact/hooks';
import {chordFor, kCommands} from '../commands';
import type {Desk, SavedItem, View} from '../desk';
import {Channel, Assurance} from '../gen/hilo/v1/common_pb';
import {PromiseState} from '../gen/hilo/v1/customer_pb';
import {chordOf, chordText, resetChords, setChord} from '../keys';
import {t, type MessageId} from '../messages';
import {plain} from '../text';
import {Dialog, Said} from './bits';
import {Field, SaveForm, tooLong, useDraft} from './composer';
import {Products, ReleaseSelling, WhyNot} from './next_dialogs';
import {channelWord} from './words';

export function Dialogs({desk}: {desk: Desk}) {
  const open = desk.dialog.value;
  if (!open) return null;
  const view = desk.view.value;
  const key = `${open.kind} ${open.name}`;
  switch (open.kind) {
    case 'palette':
      return <Palette desk={desk} key={key} />;
    case 'shortcuts':
      return <Shortcuts desk={desk} key={key} />;
    case 'sign-out':
      return <SignOut desk={desk} key={key} />;
    case 'products':
      return <Products desk={desk} key={key} />;
    default:
      break;
  }
  if (!view) return null;
  switch (open.kind) {
    case 'why-not':
      return <WhyNot desk={desk} view={view} key={key} />;
    case 'release':
      return <ReleaseSelling desk={desk} view={view} key={key} />;
    case 'verify':
      return <Verify desk={desk} view={view} key={key} />;
    case 'end':
      return <EndContact desk={desk} view={view} key={key} />;
    case 'start':
      return <StartContact desk={desk} view={view} key={key} />;
    case 'close-case':
      return <CloseCase desk={desk} view={view} name={open.name} key={key} />;
    case 'keep':
      return <EndPromise desk={desk} view={view} name={open.name} kept key={key} />;
    case 'cancel':
      return <EndPromise desk={desk} view={view} name={open.name} kept={false} key={key} />;
    case 'retract':
      return <RetractFact desk={desk} view={view} name={open.name} key={key} />;
    default:
      return null;
  }
}

interface FormProps {
  desk: Desk;
  view: View;
}

const kMethods = [
  'order_number',
  'date_of_birth',
  'address',
  'call_back',
  'identity_document',
] as const;

function Verify({desk, view}: FormProps) {
  const close = () => (desk.dialog.value = undefined);
  const form = 'verify';
  const {field, set} = useDraft(desk, view.name, form);
  const method = field('_method') || kMethods[0];
  const interaction = desk.contactOf(view.name)?.name ?? '';
  return (
    <Dialog desk={desk} label={t('verify.title')} onClose={close}>
      <SaveForm
        desk={desk}
        customer={view.name}
        form={form}
        label={t('verify.title')}
        doIt="verify.do"
        done="verify.done"
        onDone={close}
        check={() => (interaction ? '' : t('error.no-contact'))}
        write={async (api, write): Promise<SavedItem> => ({
          interaction: (await api.verifyInteraction({interaction, method, write})).interaction,
        })}
      >
        <Field id="verify-method" label={t('verify.method')}>
          <select
            id="verify-method"
            value={method}
            onChange={(event) => set('_method', event.currentTarget.value)}
          >
            {kMethods.map((one) => (
              <option value={one} key={one}>
                {t(`method.${one}`)}
              </option>
            ))}
          </select>
        </Field>
      </SaveForm>
    </Dialog>
  );
}

const kDispositions = ['solved', 'passed_on', 'call_back', 'not_reached', 'wrong_number'] as const;

function EndContact({desk, view}: FormProps) {
  const close = () => (desk.dialog.value = undefined);
  const {field, set} = useDraft(desk, view.name, 'end');
  const disposition = field('_disposition') || kDispositions[0];
  const interaction = desk.contactOf(view.name)?.name ?? '';
  return (
    <Dialog desk={desk} label={t('end.title')} onClose={close}>
      <SaveForm
        desk={desk}
        customer={view.name}
        form="end"
        label={t('end.title')}
        doIt="end.do"
        done="end.done"
        onDone={close}
        check={() => (interaction ? '' : t('error.no-contact'))}
        write={async (api, write): Promise<SavedItem> => ({
          interaction: (await api.endInteraction({interaction, disposition, write})).interaction,
        })}
      >
        <Field id="end-disposition" label={t('end.disposition')}>
          <select
            id="end-disposition"
            value={disposition}
            onChange={(event) => set('_disposition', event.currentTarget.value)}
          >
            {kDispositions.map((one) => (
              <option value={one} key={one}>
                {t(`disposition.${one}`)}
              </option>
            ))}
          </select>
        </Field>
      </SaveForm>
    </Dialog>
  );
}

const kByHand: readonly Channel[] = [
  Channel.DESK,
  Channel.CALL,
  Channel.EMAIL,
  Channel.SMS,
  Channel.WEB,
];

function StartContact({desk, view}: FormProps) {
  const close = () => (desk.dialog.value = undefined);
  const {field, set} = useDraft(desk, view.name, 'start');
  const channel = Number(field('_channel') || Channel.CALL) as Channel;
  return (
    <Dialog desk={desk} label={t('start.title')} onClose={close}>
      <SaveForm
        desk={desk}
        customer={view.name}
        form="start"
        label={t('start.title')}
        doIt="start.do"
        done="start.done"
        onDone={close}
        check={() => ''}
        write={async (api, write): Promise<SavedItem> => ({
          interaction: (
            await api.startInteraction({
              customer: view.name,
              channel,
              assurance: Assurance.CLAIMED,
              write,
            })
          ).interaction,
          begun: true,
        })}
      >
        <Field id="start-channel" label={t('start.channel')}>
          <select
            id="start-channel"
            value={String(channel)}
            onChange={(event) => set('_channel', event.currentTarget.value)}
          >
            {kByHand.map((one) => (
              <option value={String(one)} key={one}>
                {channelWord(one)}
              </option>
            ))}
          </select>
        </Field>
      </SaveForm>
    </Dialog>
  );
}

function CloseCase({desk, view, name}: FormProps & {name: string}) {
  const close = () => (desk.dialog.value = undefined);
  const form = `close ${name}`;
  const {field, set} = useDraft(desk, view.name, form);
  const one = view.context.value?.cases.find((known) => known.name === name);
  return (
    <Dialog desk={desk} label={t('cases.close.title')} onClose={close}>
      <p>
        <strong>
          <Said text={one?.title ?? ''} max={500} />
        </strong>
      </p>
      <SaveForm
        desk={desk}
        customer={view.name}
        form={form}
        label={t('cases.close.title')}
        hint={t('composer.kept')}
        doIt="cases.close.do"
        done="cases.close.done"
        onDone={close}
        check={() => (tooLong(field('resolution'), 500) ? t('error.too-long', {limit: 500}) : '')}
        write={async (api, write): Promise<SavedItem> => ({
          item: (
            await api.closeCase({
              case: name,
              etag: view.context.value?.cases.find((known) => known.name === name)?.etag ?? '',
              resolution: field('resolution').trim(),
              satisfaction: Number(field('_satisfaction') || 0),
              write,
            })
          ).case,
        })}
      >
        <Field id="case-resolution" label={t('cases.resolution')}>
          <textarea
            id="case-resolution"
            rows={3}
            value={field('resolution')}
            onInput={(event) => set('resolution', event.currentTarget.value)}
          />
        </Field>
        <Field id="case-satisfaction" label={t('cases.satisfaction.label')}>
          <select
            id="case-satisfaction"
            value={field('_satisfaction')}
            onChange={(event) => set('_satisfaction', event.currentTarget.value)}
          >
            <option value="">{t('cases.satisfaction.none')}</option>
            {[1, 2, 3, 4, 5].map((count) => (
              <option value={String(count)} key={count}>
                {t('cases.satisfaction', {count})}
              </option>
            ))}
          </select>
        </Field>
      </SaveForm>
    </Dialog>
  );
}

function EndPromise({desk, view, name, kept}: FormProps & {name: string; kept: boolean}) {
  const close = () => (desk.dialog.value = undefined);
  const form = `${kept ? 'keep' : 'cancel'} ${name}`;
  const one = view.context.value?.promises.find((known) => known.name === name);
  const label = t(kept ? 'promised.keep.title' : 'promised.cancel.title');
  return (
    <Dialog desk={desk} label={label} onClose={close}>
      <p>
        <strong>
          <Said text={one?.text ?? ''} max={500} />
        </strong>
      </p>
      {!kept && <p>{t('promised.cancel.text')}</p>}
      <SaveForm
        desk={desk}
        customer={view.name}
        form={form}
        label={label}
        danger={!kept}
        doIt={kept ? 'promised.keep.do' : 'promised.cancel.do'}
        done={kept ? 'promised.keep.done' : 'promised.cancel.done'}
        onDone={close}
        check={() => ''}
        write={async (api, write): Promise<SavedItem> => ({
          item: (
            await api.endPromise({
              promise: name,
              state: kept ? PromiseState.KEPT : PromiseState.CANCELLED,
              write,
              etag: view.context.value?.promises.find((known) => known.name === name)?.etag ?? '',
            })
          ).promise,
        })}
      >
        {null}
      </SaveForm>
    </Dialog>
  );
}

function RetractFact({desk, view, name}: FormProps & {name: string}) {
  const close = () => (desk.dialog.value = undefined);
  const form = `retract ${name}`;
  const one = view.context.value?.facts.find((known) => known.name === name);
  const question = one ? questionOf(desk.factKind(one.kind), one.question).text : '';
  return (
    <Dialog desk={desk} label={t('told.retract.title')} onClose={close}>
      <p>
        <Said text={question} max={200} />{' '}
        <strong>
          <Said text={one?.value ?? ''} max={500} />
        </strong>
      </p>
      <p>{t('told.retract.text')}</p>
      <SaveForm
        desk={desk}
        customer={view.name}
        form={form}
        label={t('told.retract.title')}
        doIt="told.retract.do"
        danger
        done="told.retract.done"
        onDone={close}
        check={() => ''}
        write={async (api, write): Promise<SavedItem> => {
          await api.retractFact({fact: name, write});
          return {removed: name};
        }}
      >
        {null}
      </SaveForm>
    </Dialog>
  );
}

function SignOut({desk}: {desk: Desk}) {
  const drafts = desk.drafts.customers().size;
  return (
    <Dialog desk={desk} label={t('signout.title')} onClose={() => (desk.dialog.value = undefined)}>
      <p>{drafts > 0 ? t('signout.drafts', {count: drafts}) : t('signout.text')}</p>
      <div class="form-end">
        <button
          type="button"
          class={drafts > 0 ? 'primary danger' : 'primary'}
          onClick={() => desk.signOut()}
        >
          {t(drafts > 0 ? 'signout.discard' : 'signout.do')}
        </button>
      </div>
    </Dialog>
  );
}

interface Entry {
  id: string;
  title: string;
  chord: string;
  run: () => void;
}

// All commands by name: the combobox pattern with a list that follows what is typed.
function Palette({desk}: {desk: Desk}) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const close = () => (desk.dialog.value = undefined);
  const wanted = text.trim().toLowerCase();
  const entries: Entry[] = [
    ...desk.calls.value.slice(0, 9).map((call, index) => ({
      id: `call ${index}`,
      title: t('command.call', {number: index + 1, who: plain(nameOf(call.customer), 60)}),
      chord: `Alt+${index + 1}`,
      run: () => desk.openCall(index),
    })),
    ...kCommands
      .filter((one) => one.id !== 'palette' && one.available(desk))
      .map((one) => ({
        id: one.id,
        title: t(one.title),
        chord: chordFor(one),
        run: () => one.run(desk),
      })),
  ];
  const found = entries.filter((one) => one.title.toLowerCase().includes(wanted));
  if (wanted !== '') {
    found.push({
      id: 'find',
      title: t('command.find', {value: plain(text, 60)}),
      chord: '',
      run: () => {
        desk.searchText.value = text.trim();
        focusSoon('search');
      },
    });
  }
  const chosen = Math.min(at, found.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  useEffect(() => {
    document.getElementById(`command-${chosen}`)?.scrollIntoView({block: 'nearest'});
  }, [chosen]);
  return (
    <Dialog desk={desk} label={t('palette.title')} onClose={close} wide>
      <input
        type="text"
        role="combobox"
        aria-label={t('palette.label')}
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found.length > 0 ? `command-${chosen}` : undefined}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
          if (step !== undefined && found.length > 0) {
            event.preventDefault();
            setAt((chosen + step + found.length) % found.length);
          } else if (event.key === 'Enter') {
            event.preventDefault();
            run(found[chosen]);
          }
        }}
      />
      <ul id="commands" role="listbox" aria-label={t('palette.title')} class="commands">
        {found.map((entry, index) => (
          <li
            id={`command-${index}`}
            key={entry.id}
            role="option"
            aria-selected={index === chosen}
            onClick={() => run(entry)}
          >
            <span>{entry.title}</span>
            {entry.chord && <kbd>{chordText(entry.chord)}</kbd>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

// Chords, each to be given another: press the button, then the keys.
function Shortcuts({desk}: {desk: Desk}) {
  const [waiting, setWaiting] = useState('');
  const [note, setNote] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const close = () => (desk.dialog.value = undefined);
  const take = (event: KeyboardEvent) => {
    if (!waiting) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      setWaiting('');
      setNote('');
      return;
    }
    if (['Alt', 'Control', 'Meta', 'Shift', 'AltGraph', 'Tab'].includes(event.key)) return;
    event.preventDefault();
    const chord = chordOf(event);
    if (!chord) return setNote(t('shortcuts.needs-modifier'));
    const taken = kCommands.find((one) => one.id !== waiting && chordFor(one) === chord);
    if (taken)
      return setNote(t('shortcuts.taken', {chord: chordText(chord), command: t(taken.title)}));
    if (/^Alt\+[1-9]$/.test(chord)) return setNote(t('shortcuts.calls', {chord: chordText(chord)}));
    setChord(waiting, chord);
    setNote(t('shortcuts.set', {chord: chordText(chord), command: titleOf(waiting)}));
    setWaiting('');
  };
  return (
    <Dialog desk={desk} label={t('shortcuts.title')} onClose={close} wide>
      <p>{t('shortcuts.text')}</p>
      <p role="status" class="note">
        {note}
      </p>
      <ul class="shortcuts" ref={list} onKeyDown={take}>
        {kCommands.map((command) => (
          <li key={command.id}>
            <span>{t(command.title)}</span>
            <kbd>{chordText(chordFor(command)) || '–'}</kbd>
            <button
              type="button"
              aria-pressed={waiting === command.id}
              aria-label={t('shortcuts.change.label', {command: t(command.title)})}
              onClick={() => {
                setWaiting(command.id);
                setNote(t('shortcuts.press', {command: t(command.title)}));
              }}
            >
              {waiting === command.id ? t('shortcuts.waiting') : t('shortcuts.change')}
            </button>
          </li>
        ))}
      </ul>
      <div class="form-end">
        <button
          type="button"
          onClick={() => {
            resetChords();
            setNote(t('shortcuts.reset.done'));
          }}
        >
          {t('shortcuts.reset')}
        </button>
      </div>
    </Dialog>
  );
}

function titleOf(id: string): string {
  const command = kCommands.find((one) => one.id === id);
  return command ? plain(t(command.title as MessageId)) : id;
}
