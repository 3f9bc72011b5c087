import {Code, ConnectError} from '@connectrpc/connect';
import {BinaryReader} from '@bufbuild/protobuf/wire';
import type {Draft} from './drafts';
import {uuid7} from './uuid7';

// The machine's reason (google.rpc.ErrorInfo) of an error, in lower case; empty when it has none.
export function reasonOf(error: ConnectError): string {
  for (const detail of error.details) {
    if (!('type' in detail) || detail.type !== 'google.rpc.ErrorInfo' || !('value' in detail))
      continue;
    if (!(detail.value instanceof Uint8Array)) continue;
    try {
      const reader = new BinaryReader(detail.value);
      while (reader.pos < reader.len) {
        const [field, wire] = reader.tag();
        if (field === 1) return reader.string().toLowerCase();
        reader.skip(wire, field);
      }
    } catch {
      return '';
    }
  }
  return '';
}

// Whether the same write may be sent again under the same request id.
export function mayRepeat(error: ConnectError): boolean {
  if (reasonOf(error) === 'stale_version') return false; // only a person can tell what to do about it
  return [Code.Unavailable, Code.Aborted, Code.DeadlineExceeded, Code.ResourceExhausted].includes(
    error.code,
  );
}

// The request id of a draft: made when it is first sent and kept while its words stay the same, since the server takes
// one id with the same content for the same write, and refuses it with other content. The contact in which it was first
// sent is part of the content.
export function withRequestId(draft: Draft, interaction: string, now: number): Required<Draft> {
  const sent = JSON.stringify(draft.fields);
  if (draft.requestId && draft.sent === sent) {
    return {
      fields: draft.fields,
      requestId: draft.requestId,
      sent,
      interaction: draft.interaction ?? '',
    };
  }
  return {fields: draft.fields, requestId: uuid7(now), sent, interaction};
}

const kPauses = [400, 1_000, 2_000, 4_000, 8_000]; // ms between attempts; about a quarter of a minute in all

// Sends a write until it is answered, or until the pauses are used up. Throws a ConnectError.
export async function send<T>(
  attempt: () => Promise<T>,
  onAgain: (count: number) => void,
  pause: (millis: number) => Promise<void>,
): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await attempt();
    } catch (cause) {
      const error = ConnectError.from(cause);
      if (!mayRepeat(error) || count >= kPauses.length) throw error;
      onAgain(count + 1);
      await pause(kPauses[count]! * (0.75 + Math.random() / 2));
    }
  }
}
