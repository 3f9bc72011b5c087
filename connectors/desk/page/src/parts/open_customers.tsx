import {nameOf} from '../customer';
import type {Desk} from '../desk';
import {t} from '../messages';
import {plain} from '../text';
import {Said} from './bits';

export function OpenCustomers({desk}: {desk: Desk}) {
  const views = desk.views.value;
  if (views.length === 0) return null;
  const drafted = desk.drafts.customers();
  return (
    <section aria-labelledby="open-title">
      <h2 id="open-title">{t('open.title')}</h2>
      <ul class="rows">
        {views.map((view) => {
          const name = nameOf(view.context.value?.customer);
          const draft = drafted.has(view.name);
          return (
            <li key={view.name} class="row">
              <button
                type="button"
                class="row-open"
                aria-current={view.name === desk.current.value || undefined}
                onClick={() => desk.openCustomer(view.name)}
              >
                <Said text={name} max={60} />
                {draft && <span class="chip">{t('open.draft')}</span>}
              </button>
              <button
                type="button"
                class="plain"
                aria-label={t('open.close', {who: plain(name, 60)})}
                onClick={() => desk.closeCustomer(view.name)}
              >
                ✕
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
