import {questionOf} from '../customer';
import {focusSoon} from '../focus';
import {useEffect, useRef} from 'preact/hooks';
import type {Desk, View} from '../desk';
import {clock, day, millis, moment} from '../format';
import {Channel} from '../gen/hilo/v1/common_pb';
import {
  InteractionState,
  type Context,
  type Property,
  type TimelineEntry,
} from '../gen/hilo/v1/customer_pb';
import {language, locale, t} from '../messages';
import {group, kNothing, type Group} from '../timeline';
import {Said} from './bits';
import {AssuranceWords, channelWord, stateWord, word} from './words';

const kFilters: readonly Channel[] = [
  Channel.UNSPECIFIED,
  Channel.WEB,
  Channel.CALL,
  Channel.EMAIL,
  Channel.SMS,
  Channel.DESK,
  Channel.SYSTEM,
];

// Everything that happened, newest first. While somebody reads in it, what is new waits behind a button.
export function Timeline({desk, view, context}: {desk: Desk; view: View; context: Context}) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    view.isReading = () => {
      const box = scroller.current;
      const inner = list.current;
      if (!box || !inner) return false;
      const atTop =
        box.scrollHeight > box.clientHeight + 1
          ? box.scrollTop <= 1
          : inner.getBoundingClientRect().top >= 0;
      return !atTop || inner.contains(document.activeElement) || selectsIn(inner);
    };
    const release = () => {
      if (view.held.value.length > 0 && !view.isReading()) desk.showHeld(view);
    };
    window.addEventListener('scroll', release, {passive: true});
    return () => {
      window.removeEventListener('scroll', release);
      view.isReading = () => false;
    };
  }, []);
  const channel = view.channel.value;
  const stretch = view.stretches.value.get(channel);
  const all = view.stretches.value.get(Channel.UNSPECIFIED) ?? kNothing;
  const shown = stretch?.loaded
    ? stretch.entries
    : all.entries.filter((entry) => channel === Channel.UNSPECIFIED || entry.channel === channel);
  const groups = group(shown, context.interactions);
  const held = view.held.value.length;
  const more = !(stretch?.loaded ?? false) || stretch?.nextPageToken !== '';
  const onScroll = () => {
    if (held > 0 && !view.isReading()) desk.showHeld(view);
  };
  return (
    <section aria-labelledby="timeline-title" class="timeline">
      <div class="timeline-head">
        <h2 id="timeline-title">{t('timeline.title')}</h2>
        <div role="log" aria-label={t('timeline.new.label')} class="new">
          {held > 0 && (
            <button
              type="button"
              class="primary"
              onClick={() => {
                desk.showHeld(view);
                scroller.current?.scrollTo({top: 0});
                focusSoon('timeline');
              }}
            >
              {t('timeline.new', {count: held})}
            </button>
          )}
        </div>
        <label for="timeline-channel">{t('timeline.filter')}</label>
        <select
          id="timeline-channel"
          value={String(channel)}
          onChange={(event) => desk.setChannel(view, Number(event.currentTarget.value))}
        >
          {kFilters.map((one) => (
            <option value={String(one)} key={one}>
              {channelWord(one)}
            </option>
          ))}
        </select>
      </div>
      <div
        class="scroller"
        ref={scroller}
        onScroll={onScroll}
        onFocusOut={() => requestAnimationFrame(onScroll)}
      >
        <div ref={list} id="timeline" tabIndex={-1} role="group" aria-labelledby="timeline-title">
          {groups.map((one) => (
            <GroupPart
              desk={desk}
              view={view}
              group={one}
              key={one.key}
              theirs={context.customer?.language}
            />
          ))}
          {shown.length === 0 && !view.loadingOlder.value && (
            <p class="none">{t('timeline.none')}</p>
          )}
        </div>
        {more && (
          <button
            type="button"
            class="older"
            aria-disabled={view.loadingOlder.value}
            onClick={() => void desk.loadOlder(view)}
          >
            {view.loadingOlder.value ? t('timeline.loading') : t('timeline.older')}
          </button>
        )}
        {!more && shown.length > 0 && <p class="none end">{t('timeline.end')}</p>}
      </div>
    </section>
  );
}

function selectsIn(element: Element): boolean {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
}

function GroupPart({
  desk,
  view,
  group: one,
  theirs,
}: {
  desk: Desk;
  view: View;
  group: Group;
  theirs: string | undefined;
}) {
  const now = desk.now.value;
  const interaction = one.interaction;
  const newest = millis(one.entries[0]?.eventTime) ?? 0;
  const start = millis(interaction?.startTime) ?? newest;
  return (
    <div
      class={`group channel-${one.channel}`}
      role="group"
      aria-label={t('timeline.group', {
        channel: channelWord(one.channel),
        when: moment(start, now, locale()),
      })}
    >
      {one.name && (
        <h3>
          <span class="channel">{channelWord(one.channel)}</span>{' '}
          <span>{moment(start, now, locale())}</span>
          {interaction && (
            <span class="muted">
              {interaction.state !== InteractionState.ENDED && (
                <span class="state">{stateWord(interaction.state, interaction.channel)}</span>
              )}
              {interaction.agent && (
                <span>
                  {t('with')} <Said text={interaction.agent} max={60} />
                </span>
              )}
              {interaction.disposition && (
                <Said text={word('disposition', interaction.disposition)} max={60} />
              )}
              {one.channel === Channel.CALL && (
                <AssuranceWords assurance={interaction.assurance} short />
              )}
            </span>
          )}
        </h3>
      )}
      <ul>
        {one.entries.map((entry) => (
          <EntryPart
            desk={desk}
            view={view}
            entry={entry}
            theirs={theirs}
            alone={!one.name}
            key={entry.name}
          />
        ))}
      </ul>
    </div>
  );
}

// The detail that is what somebody wrote, where it is not "text".
const kWords: Readonly<Record<string, string>> = {
  'desk.fact_recorded': 'value',
  'desk.case_opened': 'title',
  'desk.case_closed': 'resolution',
};

// Codes that the desk itself writes are shown in words.
function valueOf({property, value}: Property): string {
  return property === 'disposition' || property === 'method' ? word(property, value) : value;
}

// Kinds of the catalogue in its words for people.
function titleOf(desk: Desk, entry: TimelineEntry): string {
  switch (entry.type) {
    case 'desk.fact_recorded':
    case 'desk.question_asked':
      return questionOf(desk.factKind(entry.title), '').text || entry.title.replace(/_/g, ' ');
    case 'desk.case_opened': {
      const titles = desk.me.value?.caseKinds.find((one) => one.kind === entry.title)?.titles;
      return titles?.[language.value] || entry.title.replace(/_/g, ' ');
    }
    default:
      return entry.title;
  }
}

const kPreview = 4; // details shown on the line itself

function EntryPart({
  desk,
  view,
  entry,
  theirs,
  alone,
}: {
  desk: Desk;
  view: View;
  entry: TimelineEntry;
  theirs: string | undefined;
  alone: boolean;
}) {
  const at = millis(entry.eventTime) ?? 0;
  const now = desk.now.value;
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  const words = kWords[entry.type] ?? 'text';
  const written = entry.properties.find((one) => one.property === words)?.value;
  // A question in the catalogue's words is its own title.
  const isTitle =
    entry.type === 'desk.question_asked' &&
    !questionOf(desk.factKind(entry.title), written ?? '').own;
  const text = isTitle ? undefined : written;
  const rest = entry.properties.filter((one) => one.property !== words);
  const title = titleOf(desk, entry);
  const lang = entry.channel === Channel.DESK ? undefined : theirs;
  return (
    <li
      class={desk.isFresh(view, entry.name) ? 'entry fresh' : 'entry'}
      data-testid="entry"
      data-type={entry.type}
    >
      <details>
        <summary>
          <time dateTime={new Date(at).toISOString()}>
            {alone && !sameDay ? `${day(at, locale())} ` : ''}
            {clock(at, locale())}
          </time>
          <span class="what">
            {alone && <span class="channel">{channelWord(entry.channel)}</span>}
            {!(entry.type === 'web.track' && title) && (
              <span class="type">{word('event', entry.type)}</span>
            )}
            {title && (
              <strong>
                <Said text={title} lang={lang} max={200} />
              </strong>
            )}
            {text && (
              <span class="preview">
                <Said text={text} lang={lang} max={300} />
              </span>
            )}
            {!text && (
              <span class="preview muted">
                {rest.slice(0, kPreview).map((one) => (
                  <span key={one.property} class="pair">
                    <Said text={one.property.replace(/_/g, ' ')} max={60} />{' '}
                    <Said text={valueOf(one)} lang={lang} max={80} />
                  </span>
                ))}
              </span>
            )}
          </span>
        </summary>
        <div class="unfolded">
          {text && (
            <p class="text">
              <Said text={text} lang={lang} />
            </p>
          )}
          {rest.length > 0 && (
            <dl>
              {rest.map((one) => (
                <div key={one.property}>
                  <dt>
                    <Said text={one.property} max={128} />
                  </dt>
                  <dd>
                    <Said text={valueOf(one)} lang={lang} />
                  </dd>
                </div>
              ))}
            </dl>
          )}
          {entry.propertiesLeftOut > 0 && (
            <p class="muted">{t('timeline.left-out', {count: entry.propertiesLeftOut})}</p>
          )}
          <p class="muted">
            {moment(at, now, locale())}
            {entry.source && (
              <>
                {' '}
                · {t('by')} <Said text={entry.source} max={60} />
              </>
            )}
            {entry.timeClamped && <> · {t('timeline.clamped')}</>}
          </p>
        </div>
      </details>
    </li>
  );
}
