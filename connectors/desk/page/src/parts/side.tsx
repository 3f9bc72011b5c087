import {focusSoon} from '../focus';
import type {ComponentChildren} from 'preact';
import type {Desk} from '../desk';
import {day, full, millis, money, relative} from '../format';
import {
  CaseState,
  ConsentStatus,
  type Case,
  type Context,
  type PurchaseSummary,
} from '../gen/hilo/v1/customer_pb';
import {language, locale, t} from '../messages';
import {plain} from '../text';
import {Ago, Said} from './bits';
import {channelWord, kindWord, word} from './words';

function Part({
  id,
  title,
  count,
  children,
}: {
  id: string;
  title: string;
  count?: number;
  children: ComponentChildren;
}) {
  return (
    <section aria-labelledby={`${id}-title`} class="part">
      <h2 id={`${id}-title`}>
        {title}
        {count !== undefined && <span class="count">{count}</span>}
      </h2>
      {children}
    </section>
  );
}

// What stands beside the timeline: cases first, then what helps to judge and what binds us.
export function SideBar({desk, context}: {desk: Desk; context: Context}) {
  const open = context.cases.filter((one) => one.state === CaseState.OPEN);
  const closed = context.cases.filter((one) => one.state !== CaseState.OPEN);
  const traits = context.customer?.traits ?? [];
  return (
    <>
      <Part id="cases" title={t('cases.title')} count={open.length}>
        {open.length === 0 && <p class="none">{t('cases.none')}</p>}
        <ul class="items">
          {open.map((one) => (
            <CaseItem desk={desk} case={one} key={one.name} />
          ))}
        </ul>
        <button
          type="button"
          onClick={() => {
            desk.composer.value = 'case';
            focusSoon('composer-first');
          }}
        >
          {t('cases.open')}
        </button>
        {closed.length > 0 && (
          <details>
            <summary>{t('cases.closed', {count: closed.length})}</summary>
            <ul class="items">
              {closed.map((one) => (
                <CaseItem desk={desk} case={one} key={one.name} />
              ))}
            </ul>
          </details>
        )}
      </Part>
      {context.suggestions.length > 0 && (
        <Part id="suggestions" title={t('suggestions.title')} count={context.suggestions.length}>
          <ul class="items">
            {context.suggestions.map((one) => (
              <li key={one.name}>
                <p>{t('suggestions.same')}</p>
                <p class="muted">
                  {word('suggestion', one.reason)}: {kindWord(one.identifierKind)}{' '}
                  <Ago at={millis(one.eventTime)} now={desk.now.value} />
                </p>
                <button type="button" onClick={() => desk.openCustomer(one.otherCustomer)}>
                  {t('suggestions.open', {id: one.otherCustomer.slice(-6)})}
                </button>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part id="purchases" title={t('purchases.title')}>
        {context.purchases.length === 0 && <p class="none">{t('purchases.none')}</p>}
        {context.purchases.map((one) => (
          <Purchases desk={desk} summary={one} key={one.total?.currency} />
        ))}
      </Part>
      <Part id="consents" title={t('consents.title')}>
        {context.consents.length === 0 && <p class="none">{t('consents.none')}</p>}
        <ul class="items">
          {context.consents.map((one) => (
            <li key={`${one.channel} ${one.purpose}`}>
              <p>
                <span aria-hidden="true">{one.status === ConsentStatus.GRANTED ? '✓ ' : '✕ '}</span>
                <strong>
                  {t(one.status === ConsentStatus.GRANTED ? 'consents.granted' : 'consents.denied')}
                </strong>{' '}
                {word('purpose', one.purpose)} · {channelWord(one.channel)}
              </p>
              <p class="muted">
                <Ago at={millis(one.eventTime)} now={desk.now.value} />
                {one.proof?.mechanism && <> · {word('mechanism', one.proof.mechanism)}</>}
                {one.proof?.source && (
                  <>
                    {' '}
                    · <Said text={one.proof.source} max={60} />
                  </>
                )}
              </p>
            </li>
          ))}
        </ul>
      </Part>
      <Part id="groups" title={t('groups.title')}>
        {context.groups.length === 0 && <p class="none">{t('groups.none')}</p>}
        <ul class="items">
          {context.groups.map((one) => (
            <li key={one.group}>
              <p>
                {word('group', one.kind)} <Said text={one.displayName} max={80} />
                {one.role && <span class="muted"> · {word('role', one.role)}</span>}
              </p>
            </li>
          ))}
        </ul>
      </Part>
      {traits.length > 0 && (
        <Part id="traits" title={t('traits.title')}>
          <details>
            <summary>{t('traits.all', {count: traits.length})}</summary>
            <dl class="traits">
              {traits.map((one) => (
                <div key={one.trait}>
                  <dt>
                    <Said text={one.trait.replace(/_/g, ' ')} max={60} />
                  </dt>
                  <dd>
                    <Said text={one.value} lang={context.customer?.language} max={300} />{' '}
                    <span class="muted">{channelWord(one.channel)}</span>
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        </Part>
      )}
    </>
  );
}

function CaseItem({desk, case: one}: {desk: Desk; case: Case}) {
  const now = desk.now.value;
  const due = millis(one.dueTime);
  const titles = desk.me.value?.caseKinds.find((kind) => kind.kind === one.kind)?.titles;
  const kind = titles?.[language.value] || one.kind.replace(/_/g, ' ');
  const isOpen = one.state === CaseState.OPEN;
  return (
    <li data-testid="case" data-state={isOpen ? 'open' : 'closed'}>
      <p>
        <strong>
          <Said text={one.title} max={500} />
        </strong>
      </p>
      <p class="muted">
        {kind} · {isOpen ? t('cases.opened') : t('cases.ended')}{' '}
        <Ago at={millis(isOpen ? one.openTime : one.closeTime)} now={now} />
        {one.source && (
          <>
            {' '}
            · {t('by')} <Said text={one.source} max={60} />
          </>
        )}
      </p>
      {isOpen && due !== undefined && (
        <p class={due < now ? 'due overdue' : 'due'}>
          <time dateTime={new Date(due).toISOString()} title={full(due, locale())}>
            {due < now
              ? t('promised.overdue', {when: relative(due, now, locale())})
              : t('cases.due', {when: relative(due, now, locale())})}
          </time>
        </p>
      )}
      {one.resolution && (
        <p>
          <Said text={one.resolution} max={500} />
        </p>
      )}
      {one.satisfaction > 0 && <p>{t('cases.satisfaction', {count: one.satisfaction})}</p>}
      {isOpen && (
        <button
          type="button"
          class="small"
          aria-label={t('cases.close.label', {what: plain(one.title, 80)})}
          onClick={() => (desk.dialog.value = {kind: 'close-case', name: one.name})}
        >
          {t('cases.close')}
        </button>
      )}
    </li>
  );
}

function Purchases({desk, summary}: {desk: Desk; summary: PurchaseSummary}) {
  const last = millis(summary.lastTime);
  const first = millis(summary.firstTime);
  return (
    <dl class="figures">
      <div>
        <dt>{t('purchases.total')}</dt>
        <dd>{summary.total ? money(summary.total, locale()) : '–'}</dd>
      </div>
      <div>
        <dt>{t('purchases.orders')}</dt>
        <dd>{summary.orders.toString()}</dd>
      </div>
      <div>
        <dt>{t('purchases.last')}</dt>
        <dd>
          {last === undefined ? (
            '–'
          ) : (
            <>
              <Ago at={last} now={desk.now.value} />{' '}
              <span class="muted">{day(last, locale())}</span>
            </>
          )}
        </dd>
      </div>
      {first !== undefined && first !== last && (
        <div>
          <dt>{t('purchases.first')}</dt>
          <dd>{day(first, locale())}</dd>
        </div>
      )}
    </dl>
  );
}
