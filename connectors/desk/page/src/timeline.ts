import type {Channel} from './gen/hilo/v1/common_pb';
import type {Interaction, TimelineEntry} from './gen/hilo/v1/customer_pb';
import {millis} from './format';

// A stretch of the timeline that is loaded without a gap, newest first, and how to go on.
export interface Stretch {
  entries: readonly TimelineEntry[];
  nextPageToken: string;
  loaded: boolean; // whether the server has said how it goes on
}

export const kNothing: Stretch = {entries: [], nextPageToken: '', loaded: false};

function newerFirst(a: TimelineEntry, b: TimelineEntry): number {
  return (
    (millis(b.eventTime) ?? 0) - (millis(a.eventTime) ?? 0) ||
    (millis(b.receiveTime) ?? 0) - (millis(a.receiveTime) ?? 0)
  );
}

// Entries of both, each once, newest first. Of two with one name the first list's stays.
export function union(
  first: readonly TimelineEntry[],
  second: readonly TimelineEntry[],
): TimelineEntry[] {
  const names = new Set(first.map((entry) => entry.name));
  return [...first, ...second.filter((entry) => !names.has(entry.name))].sort(newerFirst);
}

// Those of `incoming` that are not in `known`.
export function unseen(
  known: readonly TimelineEntry[],
  incoming: readonly TimelineEntry[],
): TimelineEntry[] {
  const names = new Set(known.map((entry) => entry.name));
  return incoming.filter((entry) => !names.has(entry.name));
}

// What stays of a stretch when a snapshot of the newest entries comes: all of it when the two touch, so that older pages
// which the reader has opened stay open; otherwise the snapshot alone, since there may be a gap between them.
export function fromSnapshot(
  known: Stretch,
  entries: readonly TimelineEntry[],
  nextPageToken: string,
): Stretch {
  const names = new Set(known.entries.map((entry) => entry.name));
  const touches = entries.some((entry) => names.has(entry.name));
  if (known.loaded && touches && nextPageToken !== '') {
    return {
      entries: union(entries, known.entries),
      nextPageToken: known.nextPageToken,
      loaded: true,
    };
  }
  return {entries: [...entries].sort(newerFirst), nextPageToken, loaded: true};
}

// A page of older entries at the end.
export function withOlder(
  known: Stretch,
  entries: readonly TimelineEntry[],
  nextPageToken: string,
): Stretch {
  return {entries: union(known.entries, entries), nextPageToken, loaded: true};
}

// Entries of one interaction, newest first. The newest entry decides the group's place.
export interface Group {
  key: string;
  channel: Channel;
  interaction: Interaction | undefined;
  name: string; // of the interaction, empty when the entries belong to none
  entries: TimelineEntry[];
}

export function group(
  entries: readonly TimelineEntry[],
  interactions: readonly Interaction[],
): Group[] {
  const known = new Map(interactions.map((interaction) => [interaction.name, interaction]));
  const groups: Group[] = [];
  const byName = new Map<string, Group>();
  for (const entry of entries) {
    const last = groups[groups.length - 1];
    let into = entry.interaction
      ? byName.get(entry.interaction)
      : last?.name === ''
        ? last
        : undefined;
    if (!into) {
      const interaction = known.get(entry.interaction);
      into = {
        key: entry.interaction || `alone:${entry.name}`,
        channel: interaction?.channel ?? entry.channel,
        interaction,
        name: entry.interaction,
        entries: [],
      };
      groups.push(into);
      if (entry.interaction) byName.set(entry.interaction, into);
    }
    into.entries.push(entry);
  }
  return groups;
}
