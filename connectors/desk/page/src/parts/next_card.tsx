import {useEffect, useRef} from 'preact/hooks';
import type {Desk} from '../desk';
import {focusSoon} from '../focus';
import {millis, relative} from '../format';
import {OutcomeKind, type Candidate} from '../gen/hilo/v1/decision_pb';
import {locale, t, type MessageId} from '../messages';
import {chordAria, chordText} from '../keys';
import {byId, chordFor} from '../commands';

// Later today, tomorrow, in a week: what agents promise on the telephone.
const kSnoozes: readonly {id: MessageId; hours: number}[] = [
  {id: 'next.snooze.hours', hours: 4},
  {id: 'next.snooze.tomorrow', hours: 24},
  {id: 'next.snooze.week', hours: 7 * 24},
  {id: 'next.snooze.month', hours: 30 * 24},
];

// Where the focus goes once an answer is recorded: to the next one, or to what is left of the card.
function focusCard(failed = ''): void {
  if (failed) return;
  focusSoon(document.getElementById('next-answer') ? 'next-answer' : 'next-why-not');
}

// The one best thing to do, why, and the answers to it; always in the same corner and of the same size, so that nothing
// around it moves.
export function NextCard({desk, customer}: {desk: Desk; customer: string}) {
  const element = useRef<HTMLElement>(null);
  const next = desk.next;
  useEffect(() => {
    next.isAtCard = () =>
      next.menu.value !== '' ||
      (element.current?.contains(document.activeElement) ?? false) ||
      (element.current?.matches(':hover') ?? false);
    return () => (next.isAtCard = () => false);
  }, [next]);
  const decision = next.of(customer);
  const [best, ...others] = decision?.candidates ?? [];
  return (
    <section
      ref={element}
      id="next"
      class="part next"
      aria-labelledby="next-title"
      aria-busy={next.busy.value}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || next.menu.value === '') return;
        next.menu.value = '';
        focusSoon('next-answer');
      }}
    >
      <div class="next-head">
        <h2 id="next-title">{t('next.title')}</h2>
        {next.newer.value.has(customer) && (
          <button
            type="button"
            class="small"
            onClick={() => {
              next.showNewer(customer);
              focusCard();
            }}
          >
            {t('next.newer')}
          </button>
        )}
      </div>
      {!decision && !next.failed.value && <p class="none">{t('next.waiting')}</p>}
      {decision && !best && <p class="none">{t('next.nothing')}</p>}
      {best && <Best desk={desk} candidate={best} />}
      {others.length > 0 && (
        <details class="others">
          <summary>{t('next.others', {count: others.length})}</summary>
          <ul class="items">
            {others.map((one) => (
              <li key={one.action} data-action={one.action}>
                <p>
                  <strong>{one.title}</strong>
                </p>
                <p class="muted">{one.why}</p>
                <button
                  type="button"
                  class="small"
                  aria-disabled={next.busy.value}
                  aria-label={`${one.acceptLabel || t('next.accept')}: ${one.title}`}
                  onClick={() => void next.answer(one, OutcomeKind.ACCEPTED).then(focusCard)}
                >
                  {one.acceptLabel || t('next.accept')}
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
      <button
        type="button"
        id="next-why-not"
        class="small"
        onClick={() => (desk.dialog.value = {kind: 'why-not', name: ''})}
      >
        {t('next.why-not')}
      </button>
      {next.failed.value && (
        <p class="failed" role="alert">
          {next.failed.value}{' '}
          <button type="button" class="small" onClick={() => void next.decide(customer)}>
            {t('live.try')}
          </button>
        </p>
      )}
    </section>
  );
}

function Best({desk, candidate}: {desk: Desk; candidate: Candidate}) {
  const next = desk.next;
  const expires = millis(candidate.expireTime);
  const facts = [
    candidate.effortSeconds > 0
      ? t('next.effort', {minutes: Math.max(1, Math.round(candidate.effortSeconds / 60))})
      : '',
    expires === undefined
      ? ''
      : t('next.expires', {when: relative(expires, desk.now.value, locale())}),
  ].filter(Boolean);
  return (
    <div class="best" data-testid="next-best" data-action={candidate.action}>
      <h3>{candidate.title}</h3>
      <p class="why">
        <span class="muted">{t('next.why')}</span> {candidate.why}
      </p>
      {candidate.talkTrack && (
        <blockquote
          aria-label={t('next.say')}
          lang={desk.view.value?.context.value?.customer?.language || undefined}
        >
          {candidate.talkTrack}
        </blockquote>
      )}
      {facts.length > 0 && <p class="muted">{facts.join(' · ')}</p>}
      <div class="foot">
        <div class="answers" role="group" aria-label={t('next.answers')}>
          <AnswerButton
            desk={desk}
            command="next-accept"
            id="next-answer"
            primary
            press={() => void next.answer(candidate, OutcomeKind.ACCEPTED).then(focusCard)}
          >
            {candidate.acceptLabel || t('next.accept')}
          </AnswerButton>
          <AnswerButton desk={desk} command="next-decline" menu="decline">
            {candidate.declineLabel || t('next.decline')}
          </AnswerButton>
          <AnswerButton desk={desk} command="next-snooze" menu="snooze">
            {t('next.snooze')}
          </AnswerButton>
        </div>
        {next.menu.value === 'decline' && (
          <div class="reasons" role="group" aria-label={t('next.decline.why')}>
            {[...candidate.declineReasons, {reason: 'other', label: t('next.decline.other')}].map(
              (one, index) => (
                <button
                  type="button"
                  class="small"
                  id={index === 0 ? 'next-menu' : undefined}
                  key={one.reason}
                  data-reason={one.reason}
                  aria-disabled={next.busy.value}
                  onClick={() =>
                    void next
                      .answer(candidate, OutcomeKind.DECLINED, {reason: one.reason})
                      .then(focusCard)
                  }
                >
                  {one.label}
                </button>
              ),
            )}
          </div>
        )}
        {next.menu.value === 'snooze' && (
          <div class="reasons" role="group" aria-label={t('next.snooze.until')}>
            {kSnoozes.map((one, index) => (
              <button
                type="button"
                class="small"
                id={index === 0 ? 'next-menu' : undefined}
                key={one.id}
                data-hours={one.hours}
                aria-disabled={next.busy.value}
                onClick={() =>
                  void next
                    .answer(candidate, OutcomeKind.SNOOZED, {
                      until: desk.serverNow() + one.hours * 3_600_000,
                    })
                    .then(focusCard)
                }
              >
                {t(one.id)}
              </button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

function AnswerButton({
  desk,
  command,
  id,
  primary,
  menu,
  press = () => byId(command).run(desk),
  children,
}: {
  desk: Desk;
  command: string;
  id?: string;
  primary?: boolean;
  menu?: 'decline' | 'snooze';
  press?: () => void;
  children: string;
}) {
  const chord = chordFor(byId(command));
  return (
    <button
      type="button"
      id={id}
      class={primary ? 'primary' : undefined}
      aria-disabled={desk.next.busy.value}
      aria-expanded={menu ? desk.next.menu.value === menu : undefined}
      aria-keyshortcuts={chord ? chordAria(chord) : undefined}
      onClick={() => byId(command).available(desk) && press()}
    >
      {children}
      {chord && <kbd aria-hidden="true">{chordText(chord)}</kbd>}
    </button>
  );
}
