import {focusSoon} from '../focus';
import type {ComponentChildren} from 'preact';
import {useLayoutEffect, useRef, useState} from 'preact/hooks';
import {byId, chordFor} from '../commands';
import type {Desk, SavedItem, View} from '../desk';
import {hasText} from '../drafts';
import {atHour, fromLocalInput, localInput, millis, timestamp} from '../format';
import {CaseState, type Fact} from '../gen/hilo/v1/customer_pb';
import {chordAria, chordText} from '../keys';
import {language, t, type MessageId} from '../messages';
import {plain} from '../text';
import {Ago, Alert, Said} from './bits';
import {onChannel} from './words';

type Form = 'note' | 'fact' | 'ask' | 'promise' | 'case';
const kForms: readonly Form[] = ['note', 'fact', 'ask', 'promise', 'case'];

// Where the agent writes: a bar that is always there, and the form that is open. What is typed is kept as a draft.
export function Composer({desk, view}: {desk: Desk; view: View}) {
  const open = desk.composer.value as Form | '';
  const close = () => {
    desk.composer.value = '';
    focusSoon(`open-${open}`);
  };
  return (
    <section
      class={open ? 'composer open' : 'composer'}
      aria-label={t('composer.label')}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) {
          event.preventDefault();
          close();
        }
      }}
    >
      <div class="composer-bar" role="toolbar" aria-label={t('composer.forms')}>
        {kForms.map((form) => {
          const chord = chordFor(byId(form));
          const draft = hasText(desk.drafts.get(view.name, form));
          return (
            <button
              type="button"
              id={`open-${form}`}
              key={form}
              aria-expanded={open === form}
              aria-controls="composer-form"
              aria-keyshortcuts={chord ? chordAria(chord) : undefined}
              onClick={() => {
                if (open === form) return close();
                desk.composer.value = form;
                focusSoon('composer-first');
              }}
            >
              {t(`composer.${form}`)}
              {draft && open !== form && <span class="chip">{t('open.draft')}</span>}
              {chord && <kbd aria-hidden="true">{chordText(chord)}</kbd>}
            </button>
          );
        })}
      </div>
      <div id="composer-form">
        {open === 'note' && <NoteForm desk={desk} view={view} onDone={close} />}
        {open === 'fact' && <FactForm desk={desk} view={view} onDone={close} />}
        {open === 'ask' && <AskForm desk={desk} view={view} onDone={close} />}
        {open === 'promise' && <PromiseForm desk={desk} view={view} onDone={close} />}
        {open === 'case' && <CaseForm desk={desk} view={view} onDone={close} />}
      </div>
    </section>
  );
}

interface FormProps {
  desk: Desk;
  view: View;
  onDone: () => void;
}

// Reads and writes the fields of a draft.
export function useDraft(desk: Desk, customer: string, form: string) {
  const draft = desk.drafts.get(customer, form);
  return {
    field: (name: string) => draft.fields[name] ?? '',
    set: (name: string, value: string) => {
      const before = desk.drafts.get(customer, form);
      desk.drafts.set(customer, form, {...before, fields: {...before.fields, [name]: value}});
    },
  };
}

// A form that saves a draft once, however often the network makes it ask.
export function SaveForm({
  desk,
  customer,
  form,
  label,
  doIt,
  done,
  check,
  write,
  onDone,
  children,
  danger,
  hint,
}: {
  desk: Desk;
  customer: string;
  form: string;
  label: string;
  doIt: MessageId;
  done: MessageId;
  check: () => string;
  write: Parameters<Desk['submit']>[2];
  onDone: () => void;
  children: ComponentChildren;
  danger?: boolean;
  hint?: string;
}) {
  const [busy, setBusy] = useState(false);
  const here = useRef(true);
  useLayoutEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  const [failed, setFailed] = useState('');
  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (busy) return;
    const wrong = check();
    setFailed(wrong);
    if (wrong) return;
    setBusy(true);
    const why = await desk.submit(customer, form, write, done);
    // Whoever went on to something else meanwhile is told, and left alone.
    if (!here.current) {
      if (why) desk.said.value = why;
      return;
    }
    setBusy(false);
    setFailed(why);
    if (!why) onDone();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={label}
      noValidate
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(event);
      }}
    >
      {children}
      <Alert text={failed} />
      <div class="form-end">
        <button
          type="submit"
          class={danger ? 'primary danger' : 'primary'}
          aria-disabled={busy}
          aria-keyshortcuts="Control+Enter"
        >
          {busy ? t('write.busy') : t(doIt)}
        </button>
        {hint && <span class="muted">{hint}</span>}
      </div>
    </form>
  );
}

export function Field({
  id,
  label,
  children,
}: {
  id: string;
  label: string;
  children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
    </div>
  );
}

const kTextLimit = 4096; // bytes of a note or an answer
const kLineLimit = 500; // bytes of a title or a promise

export function tooLong(text: string, limit: number): boolean {
  return new TextEncoder().encode(text).length > limit;
}

export function checkText(text: string, limit: number): string {
  if (text.trim() === '') return t('error.empty');
  return tooLong(text.trim(), limit) ? t('error.too-long', {limit}) : '';
}

function NoteForm({desk, view, onDone}: FormProps) {
  const {field, set} = useDraft(desk, view.name, 'note');
  return (
    <SaveForm
      desk={desk}
      hint={t('composer.kept')}
      customer={view.name}
      form="note"
      label={t('note.title')}
      doIt="note.save"
      done="note.saved"
      onDone={onDone}
      check={() => checkText(field('text'), kTextLimit)}
      write={async (api, write): Promise<SavedItem> => ({
        entry: (await api.addNote({customer: view.name, text: field('text').trim(), write})).entry,
      })}
    >
      <Field id="composer-first" label={t('note.text')}>
        <textarea
          id="composer-first"
          rows={3}
          value={field('text')}
          onInput={(event) => set('text', event.currentTarget.value)}
        />
      </Field>
    </SaveForm>
  );
}

// A kind for what the catalogue has no word for, from the agent's own.
export function kindFrom(words: string): string {
  return words
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 64);
}

const kOther = '*';

function FactForm({desk, view, onDone}: FormProps) {
  const {field, set} = useDraft(desk, view.name, 'fact');
  const kinds = desk.me.value?.factKinds ?? [];
  const chosen = field('_kind') || kinds[0]?.kind || kOther;
  const other = chosen === kOther;
  const kind = other ? kindFrom(field('question')) : chosen;
  return (
    <SaveForm
      desk={desk}
      hint={t('composer.kept')}
      customer={view.name}
      form="fact"
      label={t('fact.title')}
      doIt="fact.save"
      done="fact.saved"
      onDone={onDone}
      check={() => {
        if (other && kind === '') return t('fact.no-question');
        return checkText(field('value'), kTextLimit);
      }}
      write={async (api, write): Promise<SavedItem> => ({
        item: (
          await api.recordFact({
            customer: view.name,
            kind,
            value: field('value').trim(),
            question: other ? field('question').trim() : '',
            write,
          })
        ).fact,
      })}
    >
      <div class="fields">
        <Field id={kinds.length > 0 ? 'composer-first' : 'fact-kind'} label={t('fact.kind')}>
          <KindSelect
            desk={desk}
            id={kinds.length > 0 ? 'composer-first' : 'fact-kind'}
            value={chosen}
            onChange={(value) => set('_kind', value)}
          />
        </Field>
        {other && (
          <Field
            id={kinds.length > 0 ? 'fact-question' : 'composer-first'}
            label={t('fact.question')}
          >
            <input
              id={kinds.length > 0 ? 'fact-question' : 'composer-first'}
              value={field('question')}
              maxLength={200}
              autocomplete="off"
              onInput={(event) => set('question', event.currentTarget.value)}
            />
          </Field>
        )}
        <Field id="fact-value" label={t('fact.value')}>
          <input
            id="fact-value"
            value={field('value')}
            autocomplete="off"
            onInput={(event) => set('value', event.currentTarget.value)}
          />
        </Field>
      </div>
      <Known desk={desk} view={view} kind={kind} />
    </SaveForm>
  );
}

// The unexpired fact that answers questions of that kind.
function knownFact(desk: Desk, view: View, kind: string): Fact | undefined {
  return view.context.value?.facts.find(
    (fact) => fact.kind === kind && (millis(fact.expireTime) ?? Infinity) > desk.now.value,
  );
}

// What is on record already, before anybody asks for it again.
function Known({desk, view, kind}: {desk: Desk; view: View; kind: string}) {
  const fact = knownFact(desk, view, kind);
  return (
    <p role="status" aria-label={t('ask.on-record')} class="kept known-fact">
      {fact && (
        <>
          {t('ask.on-record')}:{' '}
          <strong>
            <Said text={fact.value} max={300} />
          </strong>{' '}
          <span class="muted">
            {onChannel(fact.channel)} <Ago at={millis(fact.eventTime)} now={desk.now.value} />
          </span>
        </>
      )}
    </p>
  );
}

// Records that a question was put, so that it can be seen how often we ask for what we know.
function AskForm({desk, view, onDone}: FormProps) {
  const {field, set} = useDraft(desk, view.name, 'ask');
  const kinds = desk.me.value?.factKinds ?? [];
  const chosen = field('_kind') || kinds[0]?.kind || kOther;
  const other = chosen === kOther;
  const kind = other ? kindFrom(field('question')) : chosen;
  const first = kinds.length > 0;
  return (
    <SaveForm
      desk={desk}
      hint={t('composer.kept')}
      customer={view.name}
      form="ask"
      label={t('ask.title')}
      doIt="ask.save"
      done="ask.saved"
      onDone={onDone}
      check={() => (kind === '' ? t('fact.no-question') : '')}
      write={async (api, write): Promise<SavedItem> => {
        const {knownFact: known} = await api.askQuestion({
          customer: view.name,
          kind,
          text: other ? field('question').trim() : '',
          write,
        });
        return known ? {said: t('ask.known', {value: plain(known.value, 80)})} : {};
      }}
    >
      <div class="fields">
        <Field id={first ? 'composer-first' : 'ask-kind'} label={t('ask.kind')}>
          <KindSelect
            desk={desk}
            id={first ? 'composer-first' : 'ask-kind'}
            value={chosen}
            onChange={(value) => set('_kind', value)}
          />
        </Field>
        {other && (
          <Field id={first ? 'ask-question' : 'composer-first'} label={t('fact.question')}>
            <input
              id={first ? 'ask-question' : 'composer-first'}
              value={field('question')}
              maxLength={200}
              autocomplete="off"
              onInput={(event) => set('question', event.currentTarget.value)}
            />
          </Field>
        )}
      </div>
      <Known desk={desk} view={view} kind={kind} />
    </SaveForm>
  );
}

// The kinds of facts of the catalogue, by their questions, and "something else".
function KindSelect({
  desk,
  id,
  value,
  onChange,
}: {
  desk: Desk;
  id: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {(desk.me.value?.factKinds ?? []).map((one) => (
        <option value={one.kind} key={one.kind}>
          {one.questions[language.value] || one.questions['en'] || one.kind.replace(/_/g, ' ')}
        </option>
      ))}
      <option value={kOther}>{t('fact.other')}</option>
    </select>
  );
}

function PromiseForm({desk, view, onDone}: FormProps) {
  const {field, set} = useDraft(desk, view.name, 'promise');
  const now = desk.now.value;
  const open = (view.context.value?.cases ?? []).filter((one) => one.state === CaseState.OPEN);
  const picks: {id: MessageId; at: number}[] = [
    {id: 'promise.pick.today', at: atHour(now, 0, 18)},
    {id: 'promise.pick.tomorrow', at: atHour(now, 1, 12)},
  ];
  return (
    <SaveForm
      desk={desk}
      hint={t('composer.kept')}
      customer={view.name}
      form="promise"
      label={t('promise.title')}
      doIt="promise.save"
      done="promise.saved"
      onDone={onDone}
      check={() => {
        const wrong = checkText(field('text'), kLineLimit);
        if (wrong) return wrong;
        const due = fromLocalInput(field('_due'));
        if (due === undefined) return t('promise.no-due');
        return due <= desk.serverNow() ? t('promise.past') : '';
      }}
      write={async (api, write): Promise<SavedItem> => ({
        item: (
          await api.makePromise({
            customer: view.name,
            text: field('text').trim(),
            case: field('_case'),
            write,
            dueTime: timestamp(fromLocalInput(field('_due'))!),
          })
        ).promise,
      })}
    >
      <div class="fields">
        <Field id="composer-first" label={t('promise.text')}>
          <input
            id="composer-first"
            value={field('text')}
            autocomplete="off"
            onInput={(event) => set('text', event.currentTarget.value)}
          />
        </Field>
        <Field id="promise-due" label={t('promise.due')}>
          <input
            id="promise-due"
            type="datetime-local"
            required
            value={field('_due')}
            min={localInput(now)}
            onInput={(event) => set('_due', event.currentTarget.value)}
          />
          <div class="picks">
            {picks.map((pick) => (
              <button
                type="button"
                key={pick.id}
                disabled={pick.at <= now}
                onClick={() => set('_due', localInput(pick.at))}
              >
                {t(pick.id)}
              </button>
            ))}
          </div>
        </Field>
        {open.length > 0 && (
          <Field id="promise-case" label={t('promise.case')}>
            <select
              id="promise-case"
              value={field('_case')}
              onChange={(event) => set('_case', event.currentTarget.value)}
            >
              <option value="">{t('promise.no-case')}</option>
              {open.map((one) => (
                <option value={one.name} key={one.name}>
                  {one.title}
                </option>
              ))}
            </select>
          </Field>
        )}
      </div>
    </SaveForm>
  );
}

function CaseForm({desk, view, onDone}: FormProps) {
  const {field, set} = useDraft(desk, view.name, 'case');
  const kinds = desk.me.value?.caseKinds ?? [];
  const kind = field('_kind') || kinds[0]?.kind || '';
  return (
    <SaveForm
      desk={desk}
      hint={t('composer.kept')}
      customer={view.name}
      form="case"
      label={t('case.title')}
      doIt="case.save"
      done="case.saved"
      onDone={onDone}
      check={() => (kind === '' ? t('case.no-kinds') : checkText(field('title'), kLineLimit))}
      write={async (api, write): Promise<SavedItem> => ({
        item: (await api.openCase({customer: view.name, kind, title: field('title').trim(), write}))
          .case,
      })}
    >
      <div class="fields">
        <Field id="composer-first" label={t('case.kind')}>
          <select
            id="composer-first"
            value={kind}
            onChange={(event) => set('_kind', event.currentTarget.value)}
          >
            {kinds.map((one) => (
              <option value={one.kind} key={one.kind}>
                {one.titles[language.value] || one.titles['en'] || one.kind.replace(/_/g, ' ')}
              </option>
            ))}
          </select>
        </Field>
        <Field id="case-title" label={t('case.text')}>
          <input
            id="case-title"
            value={field('title')}
            autocomplete="off"
            onInput={(event) => set('title', event.currentTarget.value)}
          />
        </Field>
      </div>
      {kinds.length === 0 && (
        <p class="none">
          <Said text={t('case.no-kinds')} />
        </p>
      )}
    </SaveForm>
  );
}
