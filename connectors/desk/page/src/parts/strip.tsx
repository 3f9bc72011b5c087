import {questionOf} from '../customer';
import {useEffect, useRef} from 'preact/hooks';
import type {Desk, View} from '../desk';
import {full, millis, moment, relative} from '../format';
import {
  PromiseState,
  type Context,
  type Fact,
  type Promise as CustomerPromise,
} from '../gen/hilo/v1/customer_pb';
import {locale, t} from '../messages';
import {plain} from '../text';
import {Ago, Said} from './bits';
import {onChannel} from './words';

// What we know already and what we owe, above everything else. It has a fixed height and scrolls inside, so that what
// comes in never pushes the timeline.
export function Strip({desk, view, context}: {desk: Desk; view: View; context: Context}) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    view.isBusyInStrip = () =>
      element.current?.contains(document.activeElement) === true ||
      element.current?.matches(':hover') === true;
    return () => (view.isBusyInStrip = () => false);
  }, []);
  const now = desk.now.value;
  const order = new Map(view.factOrder.value.map((name, index) => [name, index]));
  const facts = context.facts
    .filter((fact) => (millis(fact.expireTime) ?? Infinity) > now)
    .sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  const promises = context.promises
    .filter((one) => one.state === PromiseState.OPEN || one.state === PromiseState.OVERDUE)
    .sort((a, b) => (millis(a.dueTime) ?? 0) - (millis(b.dueTime) ?? 0));
  return (
    <div class="strip" ref={element}>
      <section aria-labelledby="told-title" class="told">
        <h2 id="told-title">
          {t('told.title')} <span class="count">{facts.length}</span>
        </h2>
        {facts.length === 0 ? (
          <p class="none">{t('told.none')}</p>
        ) : (
          <ul tabIndex={0} aria-labelledby="told-title">
            {facts.map((fact) => (
              <FactLine
                desk={desk}
                view={view}
                fact={fact}
                language={context.customer?.language}
                key={fact.name}
              />
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="promised-title" class="promised">
        <h2 id="promised-title">
          {t('promised.title')} <span class="count">{promises.length}</span>
        </h2>
        {promises.length === 0 ? (
          <p class="none">{t('promised.none')}</p>
        ) : (
          <ul tabIndex={0} aria-labelledby="promised-title">
            {promises.map((one) => (
              <PromiseLine desk={desk} view={view} promise={one} key={one.name} />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

function FactLine({
  desk,
  view,
  fact,
  language: theirs,
}: {
  desk: Desk;
  view: View;
  fact: Fact;
  language: string | undefined;
}) {
  const question = questionOf(desk.factKind(fact.kind), fact.question);
  const asked = question.text || fact.kind.replace(/_/g, ' ');
  return (
    <li class={desk.isFresh(view, fact.name) ? 'fact fresh' : 'fact'} data-testid="fact">
      <p class="qa">
        <span class="question">
          <Said text={asked} max={200} />
        </span>{' '}
        <strong class="answer">
          <Said text={fact.value} lang={theirs} />
        </strong>
      </p>
      <p class="muted from">
        {desk.isFresh(view, fact.name) && <span class="chip">{t('fresh')}</span>}
        <span>{onChannel(fact.channel)}</span>
        <Ago at={millis(fact.eventTime)} now={desk.now.value} />
        {fact.source && (
          <span>
            {t('by')} <Said text={fact.source} max={60} />
          </span>
        )}
        {fact.confidencePercent > 0 && fact.confidencePercent < 100 && (
          <span>{t('told.confidence', {percent: fact.confidencePercent / 100})}</span>
        )}
        <button
          type="button"
          class="plain small actions"
          aria-label={t('told.retract.label', {what: plain(asked, 80)})}
          onClick={() => (desk.dialog.value = {kind: 'retract', name: fact.name})}
        >
          {t('told.retract')}
        </button>
      </p>
    </li>
  );
}

function PromiseLine({desk, view, promise}: {desk: Desk; view: View; promise: CustomerPromise}) {
  const now = desk.now.value;
  const due = millis(promise.dueTime) ?? 0;
  const overdue = promise.state === PromiseState.OVERDUE || due < now;
  const end = (kind: 'keep' | 'cancel') => (desk.dialog.value = {kind, name: promise.name});
  const what = plain(promise.text, 80);
  return (
    <li class={overdue ? 'promise overdue' : 'promise'} data-testid="promise">
      <p class="qa">
        <strong class="answer">
          <Said text={promise.text} />
        </strong>
      </p>
      <p class="from">
        {desk.isFresh(view, promise.name) && <span class="chip">{t('fresh')}</span>}
        <time dateTime={new Date(due).toISOString()} title={full(due, locale())} class="due">
          {overdue
            ? t('promised.overdue', {when: relative(due, now, locale())})
            : t('promised.due', {
                when: moment(due, now, locale()),
                in: relative(due, now, locale()),
              })}
        </time>
        {promise.source && (
          <span class="muted">
            {t('by')} <Said text={promise.source} max={60} />
          </span>
        )}
        <span class="actions">
          <button
            type="button"
            class="plain small"
            onClick={() => end('keep')}
            aria-label={t('promised.keep.label', {what})}
          >
            {t('promised.keep')}
          </button>
          <button
            type="button"
            class="plain small"
            onClick={() => end('cancel')}
            aria-label={t('promised.cancel.label', {what})}
          >
            {t('promised.cancel')}
          </button>
        </span>
      </p>
    </li>
  );
}
