import type {Desk} from '../desk';
import {clock} from '../format';
import {locale, t} from '../messages';

// What the screen is worth, always in sight and said in words.
export function StatusLine({desk}: {desk: Desk}) {
  const {state, since} = desk.live.value;
  const words =
    state === 'connected'
      ? t('live.connected')
      : state === 'catching-up'
        ? t('live.catching-up')
        : since > 0
          ? t('live.stale', {time: clock(since, locale())})
          : t('live.never');
  return (
    <footer class={`status ${state}`}>
      <span role="status" aria-label={t('live.label')} class="live" data-state={state}>
        <span aria-hidden="true" class="dot">
          {state === 'connected' ? '●' : state === 'stale' ? '▲' : '◌'}
        </span>
        {words}
      </span>
      {state === 'stale' && (
        <button type="button" class="plain" onClick={() => desk.reconnect()}>
          {t('live.try')}
        </button>
      )}
      <span role="status" aria-label={t('said.label')} class="said-line">
        {desk.said.value}
      </span>
    </footer>
  );
}
