import type {Desk, View} from '../desk';
import {nameOf} from '../desk';
import {clock, isZone, millis} from '../format';
import {IdentifierKind} from '../gen/hilo/v1/common_pb';
import {InteractionState, type KnownIdentifier} from '../gen/hilo/v1/customer_pb';
import {language, t} from '../messages';
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
        <h1 id="customer" tabIndex={-1}>{view.failed.value ? t('customer.failed') : t('customer.loading')}</h1>
        {view.failed.value && (
          <p class="failed" role="alert">
            {view.failed.value}{' '}
            <button type="button" onClick={() => desk.retryLoad(view)}>{t('customer.retry')}</button>
          </p>
        )}
      </header>
    );
  }
  const customer = context.customer;
  const interaction = desk.interactionOf(view.name);
  const known = customer?.identifiers ?? [];
  const strong = known.filter((one) => one.identifier && !kWeak.includes(one.identifier.kind));
  const weak = known.filter((one) => one.identifier && kWeak.includes(one.identifier.kind));
  const zone = customer?.timeZone ?? '';
  return (
    <header class="who-header" aria-label={t('customer.header')}>
      {view.failed.value && <p class="failed" role="alert">{view.failed.value}</p>}
      <div class="who-line">
        <h1 id="customer" tabIndex={-1}><Said text={nameOf(customer)} max={120} /></h1>
        <span class="contact">
          {interaction ? (
            <>
              <span class="state">{channelWord(interaction.channel)}: {stateWord(interaction.state)}</span>
              {interaction.state !== InteractionState.RINGING && (
                <span class="muted"> <Ago at={millis(interaction.startTime)} now={desk.now.value} /></span>
              )}
            </>
          ) : <span class="muted">{t('customer.no-contact')}</span>}
        </span>
      </div>
      <div class="sure-line" role="group" aria-label={t('assurance.label')}>
        {interaction ? <AssuranceWords assurance={interaction.assurance} />
          : <span class="muted">{t('assurance.none')}</span>}
        {interaction && <CommandButton desk={desk} id="verify">{t('assurance.verify')}</CommandButton>}
        {interaction && <CommandButton desk={desk} id="end">{t('contact.end')}</CommandButton>}
        {!interaction && <CommandButton desk={desk} id="start">{t('contact.start')}</CommandButton>}
      </div>
      <dl class="identifiers" aria-label={t('customer.identifiers')}>
        {strong.map((one) => <KnownBy desk={desk} known={one} key={one.identifier?.value} />)}
        {zone && isZone(zone) && (
          <div><dt>{t('customer.their-time')}</dt><dd>{clock(desk.now.value, language.value, zone)} ({zone})</dd></div>
        )}
        {weak.length > 0 && (
          <div class="weak">
            <details>
              <summary>{t('customer.devices', {count: weak.length})}</summary>
              <ul>
                {weak.map((one) => (
                  <li key={one.identifier?.value}>
                    {kindWord(one.identifier!.kind)} <Said text={one.identifier!.value} max={60} />
                  </li>
                ))}
              </ul>
            </details>
          </div>
        )}
      </dl>
    </header>
  );
}

function KnownBy({desk, known}: {desk: Desk; known: KnownIdentifier}) {
  const identifier = known.identifier!;
  const copy = () => {
    void navigator.clipboard.writeText(identifier.value).then(
      () => (desk.said.value = t('copied')), () => (desk.said.value = t('not-copied')));
  };
  return (
    <div>
      <dt>{kindWord(identifier.kind)}</dt>
      <dd>
        <Said text={identifier.value} max={120} />
        {'clipboard' in navigator && (
          <button
            type="button" class="plain" onClick={copy}
            aria-label={t('copy', {what: kindWord(identifier.kind), value: plain(identifier.value, 60)})}
          >
            <span aria-hidden="true">⧉</span>
          </button>
        )}
      </dd>
    </div>
  );
}
