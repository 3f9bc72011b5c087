import {nameOf} from '../customer';
import type {Desk, View} from '../desk';
import {clock, isZone, millis} from '../format';
import {Assurance, IdentifierKind} from '../gen/hilo/v1/common_pb';
import {InteractionState, type KnownIdentifier} from '../gen/hilo/v1/customer_pb';
import {locale, t} from '../messages';
import {plain} from '../text';
import {Ago, CommandButton, Said} from './bits';
import {AssuranceWords, channelWord, kindWord, stateWord} from './words';

const kWeak = [IdentifierKind.ANONYMOUS_ID, IdentifierKind.DEVICE_ID, IdentifierKind.UNSPECIFIED];

// Who this is, and how sure we are in this contact.
export function Header({desk, view}: {desk: Desk; view: View}) {
  const context = view.context.value;
  if (!context) {
    return (
      <header class="who-header">
        <h1 id="customer" tabIndex={-1}>
          {view.failed.value ? t('customer.failed') : t('customer.loading')}
        </h1>
        {view.failed.value && (
          <p class="failed" role="alert">
            {view.failed.value}{' '}
            <button type="button" onClick={() => desk.retryLoad(view)}>
              {t('customer.retry')}
            </button>
          </p>
        )}
      </header>
    );
  }
  const customer = context.customer;
  const mine = desk.contactOf(view.name);
  const shown = mine ?? desk.elsewhere(context);
  const known = customer?.identifiers ?? [];
  const strong = known.filter((one) => one.identifier && !kWeak.includes(one.identifier.kind));
  const weak = known.filter((one) => one.identifier && kWeak.includes(one.identifier.kind));
  const zone = customer?.timeZone ?? '';
  return (
    <header class="who-header" aria-label={t('customer.header')}>
      {view.failed.value && (
        <p class="failed" role="alert">
          {view.failed.value}
        </p>
      )}
      <div class="who-line">
        <h1 id="customer" tabIndex={-1}>
          <Said text={nameOf(customer)} max={120} />
        </h1>
        {shown ? (
          <span class="contact">
            <span class="state">
              {channelWord(shown.channel)}: {stateWord(shown.state, shown.channel)}
            </span>{' '}
            {!mine && shown.agent && (
              <span>
                {t('with')} <Said text={shown.agent} max={60} />
              </span>
            )}{' '}
            {shown.state !== InteractionState.RINGING && (
              <span class="muted">
                {t('since')} <Ago at={millis(shown.startTime)} now={desk.now.value} />
              </span>
            )}
          </span>
        ) : (
          <span class="muted">{t('customer.no-contact')}</span>
        )}
        {zone && isZone(zone) && (
          <span class="muted their-time">
            {t('customer.their-time')} {clock(desk.now.value, locale(), zone)} ({zone})
          </span>
        )}
      </div>
      <div class="sure-line" role="group" aria-label={t('assurance.label')}>
        {shown ? (
          <AssuranceWords assurance={shown.assurance} />
        ) : (
          <span class="because muted">{t('assurance.none')}</span>
        )}
        {mine && mine.assurance !== Assurance.VERIFIED && (
          <CommandButton desk={desk} id="verify">
            {t('assurance.verify')}
          </CommandButton>
        )}
        {mine && (
          <CommandButton desk={desk} id="end">
            {t('contact.end')}
          </CommandButton>
        )}
        {!mine && (
          <CommandButton desk={desk} id="start">
            {t('contact.start')}
          </CommandButton>
        )}
      </div>
      <div class="known">
        <dl class="identifiers" aria-label={t('customer.identifiers')}>
          {strong.map((one) => (
            <KnownBy desk={desk} known={one} key={one.identifier?.value} />
          ))}
        </dl>
        {weak.length > 0 && (
          <details class="weak">
            <summary>{t('customer.devices', {count: weak.length})}</summary>
            <ul>
              {weak.map((one) => (
                <li key={one.identifier?.value}>
                  {kindWord(one.identifier!.kind)} <Said text={one.identifier!.value} max={60} />
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </header>
  );
}

function CopySign() {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width="14"
      height="14"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
    >
      <rect x="2" y="2" width="8" height="9" rx="1.5" />
      <path d="M6 14h6.5a1.5 1.5 0 0 0 1.5-1.5V5" />
    </svg>
  );
}

function KnownBy({desk, known}: {desk: Desk; known: KnownIdentifier}) {
  const identifier = known.identifier!;
  const copy = () => {
    void navigator.clipboard.writeText(identifier.value).then(
      () => (desk.said.value = t('copied')),
      () => (desk.said.value = t('not-copied')),
    );
  };
  return (
    <div>
      <dt>{kindWord(identifier.kind)}</dt>
      <dd>
        <Said text={identifier.value} max={120} />
        {'clipboard' in navigator && (
          <button
            type="button"
            class="plain"
            onClick={copy}
            aria-label={t('copy', {
              what: kindWord(identifier.kind),
              value: plain(identifier.value, 60),
            })}
          >
            <CopySign />
          </button>
        )}
      </dd>
    </div>
  );
}
