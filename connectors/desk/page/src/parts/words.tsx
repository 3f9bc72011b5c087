import {Assurance, Channel, IdentifierKind} from '../gen/hilo/v1/common_pb';
import {InteractionState} from '../gen/hilo/v1/customer_pb';
import {has, t} from '../messages';

// How sure we are: a sign, a word, and what it rests on. Never by colour alone.
export function AssuranceWords({
  assurance,
  short,
}: {
  assurance: Assurance | undefined;
  short?: boolean;
}) {
  const id =
    assurance === Assurance.VERIFIED
      ? 'verified'
      : assurance === Assurance.MATCHED
        ? 'matched'
        : 'claimed';
  const sign = {verified: '✓', matched: '≈', claimed: '?'}[id];
  const mark = (
    <span class={`assurance ${id}`} data-assurance={id}>
      <span aria-hidden="true">{sign}</span> <strong>{t(`assurance.${id}`)}</strong>
    </span>
  );
  return short ? (
    mark
  ) : (
    <>
      {mark}
      <span class="because">{t(`assurance.${id}.because`)}</span>
    </>
  );
}

const kChannels: Record<Channel, 'all' | 'web' | 'email' | 'sms' | 'call' | 'desk' | 'system'> = {
  [Channel.UNSPECIFIED]: 'all',
  [Channel.WEB]: 'web',
  [Channel.EMAIL]: 'email',
  [Channel.SMS]: 'sms',
  [Channel.CALL]: 'call',
  [Channel.DESK]: 'desk',
  [Channel.SYSTEM]: 'system',
};

export function channelWord(channel: Channel): string {
  return t(`channel.${kChannels[channel] ?? 'all'}`);
}

export function onChannel(channel: Channel): string {
  return t(`on.${kChannels[channel] ?? 'all'}`);
}

export function stateWord(state: InteractionState, channel: Channel): string {
  switch (state) {
    case InteractionState.WAITING:
      return t('interaction.waiting');
    case InteractionState.RINGING:
      return t('interaction.ringing');
    case InteractionState.ACTIVE:
      return t(channel === Channel.CALL ? 'interaction.active' : 'interaction.unknown');
    case InteractionState.HELD:
      return t('interaction.held');
    case InteractionState.WRAP_UP:
      return t('interaction.wrap-up');
    case InteractionState.ENDED:
      return t('interaction.ended');
    default:
      return t('interaction.unknown');
  }
}

const kKinds: Record<
  IdentifierKind,
  'user_id' | 'email' | 'phone' | 'anonymous_id' | 'device_id' | 'other'
> = {
  [IdentifierKind.UNSPECIFIED]: 'other',
  [IdentifierKind.USER_ID]: 'user_id',
  [IdentifierKind.EMAIL]: 'email',
  [IdentifierKind.PHONE]: 'phone',
  [IdentifierKind.ANONYMOUS_ID]: 'anonymous_id',
  [IdentifierKind.DEVICE_ID]: 'device_id',
};

export function kindWord(kind: IdentifierKind): string {
  return t(`identifier.${kKinds[kind] ?? 'other'}`);
}

// A word that another system chose, such as an event type: ours for it where there is one, else its own, made readable.
export function word(prefix: string, value: string): string {
  const id = `${prefix}.${value}`;
  return has(id) ? t(id) : value.replace(/[._]+/g, ' ');
}
