import type {Signal} from '@preact/signals';
import {has, locale, t} from '../messages';
import {largest, sum} from './exposition';
import type {Figures} from './figures';
import {Plot} from './plot';

export interface Shown {
  figures: Figures;
  at: number; // unix milliseconds of the last answer; 0: none yet
  failed: boolean; // the last question was not answered
}

// What operators look at first: is it fast, is it behind, does it send, and if not why.
export function OperationsPage({shown}: {shown: Signal<Shown>}) {
  const {figures, at, failed} = shown.value;
  const times = figures.moments.map((moment) => moment.time);
  const number = new Intl.NumberFormat(locale());
  const gauge = (name: string) => number.format(largest(figures.latest, name));
  const total = (name: string) => number.format(sum(figures.latest, name));
  const closed = largest(figures.latest, 'hilo_fold_closed_partitions');
  const stopped = largest(figures.latest, 'hilo_fold_lanes_stopped');
  return (
    <main class="operations">
      <h1>{t('operations.title')}</h1>
      <p role="status" class={failed ? 'failed' : 'muted'}>
        {at === 0
          ? t('operations.first')
          : failed
            ? t('operations.stale', {time: new Date(at).toLocaleTimeString(locale())})
            : t('operations.live')}
      </p>
      {closed > 0 && (
        <p class="failed" role="alert">
          {t('operations.closed', {count: closed})}
        </p>
      )}
      {stopped > 0 && (
        <p class="failed" role="alert">
          {t('operations.stopped', {count: stopped})}
        </p>
      )}
      <div class="figures-grid">
        <Plot
          title={t('operations.latency')}
          unit="ms"
          times={times}
          lines={[
            {label: 'p50', colour: 'accent', values: figures.moments.map((one) => one.p50)},
            {label: 'p99', colour: 'warn', values: figures.moments.map((one) => one.p99)},
          ]}
        />
        <Plot
          title={t('operations.lag')}
          unit={t('operations.records')}
          times={times}
          lines={[
            {
              label: t('operations.furthest'),
              colour: 'accent',
              values: figures.moments.map((one) => one.lagRecords),
            },
          ]}
        />
        <Plot
          title={t('operations.sends')}
          unit={t('operations.per-minute')}
          times={times}
          lines={[
            {
              label: t('operations.sent'),
              colour: 'good',
              values: figures.moments.map((one) => one.sent),
            },
            {
              label: t('operations.not-sent'),
              colour: 'danger',
              values: figures.moments.map((one) => one.notSent),
            },
          ]}
        />
        <Counts title={t('operations.deliveries')} rows={figures.deliveries()} />
        <Counts title={t('operations.refusals')} rows={figures.refusals()} />
        <Counts title={t('operations.decisions')} rows={figures.decisions()} />
        <Counts title={t('operations.dead-letters')} rows={figures.deadLetters()} />
        <section class="figure">
          <h2>{t('operations.keys')}</h2>
          <dl class="figures">
            <Row label={t('operations.keys.created')} value={total('hilo_keys_created_total')} />
            <Row label={t('operations.keys.destroyed')} value={total('hilo_keys_destroyed_total')} />
            <Row
              label={t('operations.keys.refused')}
              value={total('hilo_keys_open_refused_total')}
            />
          </dl>
        </section>
        <section class="figure">
          <h2>{t('operations.clocks')}</h2>
          <dl class="figures">
            <Row label={t('operations.clocks.closed')} value={number.format(closed)} />
            <Row
              label={t('operations.clocks.behind')}
              value={`${gauge('hilo_fold_log_time_behind_seconds')} s`}
            />
            <Row
              label={t('operations.lag.seconds')}
              value={`${gauge('hilo_fold_lag_seconds')} s`}
            />
          </dl>
        </section>
      </div>
    </main>
  );
}

function Row({label, value}: {label: string; value: string}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

// Counts by reason since the process began, the largest first.
function Counts({title, rows}: {title: string; rows: readonly [string, number][]}) {
  const number = new Intl.NumberFormat(locale());
  return (
    <section class="figure">
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="none">{t('operations.none')}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('operations.why')}</th>
              <th scope="col">{t('operations.count')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([reason, count]) => {
              const id = `reason.${reason}`;
              return (
                <tr key={reason}>
                  <th scope="row">{has(id) ? t(id) : reason}</th>
                  <td>{number.format(count)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
