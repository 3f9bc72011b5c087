import {nameOf} from '../customer';
import type {Desk} from '../desk';
import {millis} from '../format';
import {InteractionState} from '../gen/hilo/v1/customer_pb';
import {Channel, IdentifierKind} from '../gen/hilo/v1/common_pb';
import type {Call} from '../gen/hilo/v1/desk_service_pb';
import {t} from '../messages';
import {Ago, Said} from './bits';
import {AssuranceWords, stateWord} from './words';

function phoneOf(call: Call): string {
  return (
    call.customer?.identifiers.find((one) => one.identifier?.kind === IdentifierKind.PHONE)
      ?.identifier?.value ?? ''
  );
}

// A ringing call whose customer is not on the screen. Its place is always there, so that nothing moves when it fills.
export function CallBanner({desk}: {desk: Desk}) {
  const waiting = desk.ringing.value.filter((call) => call.customer?.name !== desk.current.value);
  const call = waiting[0];
  if (!call) return <div class="banner" />;
  const number = desk.calls.value.indexOf(call) + 1;
  return (
    <div class="banner ringing" role="region" aria-label={t('banner.label')}>
      <strong>{t('banner.ringing')}</strong>
      <span class="who">
        <Said text={nameOf(call.customer)} max={60} />
      </span>
      {waiting.length > 1 && <span>{t('banner.more', {count: waiting.length - 1})}</span>}
      <button
        type="button"
        class="primary"
        aria-keyshortcuts={`Alt+${number}`}
        onClick={() => desk.openCall(number - 1)}
      >
        {t('banner.open')}
        <kbd aria-hidden="true">Alt+{number}</kbd>
      </button>
    </div>
  );
}

export function Calls({desk}: {desk: Desk}) {
  const calls = desk.calls.value;
  return (
    <section aria-labelledby="calls-title">
      <h2 id="calls-title">{t('calls.title')}</h2>
      {calls.length === 0 && <p class="none">{t('calls.none')}</p>}
      <ul class="cards">
        {calls.map((call, index) => (
          <CallCard desk={desk} call={call} index={index} key={call.interaction?.name} />
        ))}
      </ul>
    </section>
  );
}

function CallCard({desk, call, index}: {desk: Desk; call: Call; index: number}) {
  const interaction = call.interaction;
  const name = call.customer?.name ?? '';
  const state = interaction?.state ?? InteractionState.UNSPECIFIED;
  const phone = phoneOf(call);
  return (
    <li class={state === InteractionState.RINGING ? 'card ringing' : 'card'} data-testid="call">
      <button
        type="button"
        class="card-open"
        disabled={!name}
        aria-current={desk.current.value === name || undefined}
        aria-keyshortcuts={index < 9 ? `Alt+${index + 1}` : undefined}
        onClick={() => desk.openCall(index)}
      >
        <span class="card-line">
          <strong class="state">{stateWord(state, Channel.CALL)}</strong>
          <Ago at={millis(interaction?.startTime)} now={desk.now.value} />
          {index < 9 && <kbd aria-hidden="true">Alt+{index + 1}</kbd>}
        </span>
        <span class="card-name">
          <Said text={nameOf(call.customer)} max={80} />
        </span>
        <span class="card-line muted">
          {phone && <Said text={phone} max={40} />}
          {interaction?.queue && (
            <span>
              {t('calls.queue')} <Said text={interaction.queue} max={40} />
            </span>
          )}
        </span>
        <span class="card-line">
          <AssuranceWords assurance={(desk.contactOf(name) ?? interaction)?.assurance} short />
          {!call.known && <span class="chip">{t('calls.unknown')}</span>}
        </span>
      </button>
      {call.others.length > 0 && (
        <div class="others">
          <span>{t('calls.others')}</span>
          {call.others.map((other) => (
            <button
              type="button"
              class="plain"
              key={other.name}
              onClick={() => desk.openCustomer(other.name)}
            >
              <Said text={nameOf(other)} max={60} />
            </button>
          ))}
        </div>
      )}
    </li>
  );
}
