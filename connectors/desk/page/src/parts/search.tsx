import {focusSoon} from '../focus';
import {nameOf} from '../customer';
import {useRef, useState} from 'preact/hooks';
import {byId, chordFor} from '../commands';
import type {Desk} from '../desk';
import {chordAria} from '../keys';
import {IdentifierKind} from '../gen/hilo/v1/common_pb';
import type {FindCustomersRequest, FoundCustomer} from '../gen/hilo/v1/customer_service_pb';
import type {MessageInitShape} from '@bufbuild/protobuf';
import type {FindCustomersRequestSchema} from '../gen/hilo/v1/customer_service_pb';
import {guesses, type SearchKind} from '../guess';
import {has, t} from '../messages';
import {Said} from './bits';
import {kindWord} from './words';

type Query = MessageInitShape<typeof FindCustomersRequestSchema>;

const kKinds: readonly SearchKind[] = ['auto', 'phone', 'email', 'user_id', 'loyalty_card'];
const kIdentifiers: Partial<Record<SearchKind, IdentifierKind>> = {
  phone: IdentifierKind.PHONE,
  email: IdentifierKind.EMAIL,
  user_id: IdentifierKind.USER_ID,
};

function queryOf(kind: SearchKind, value: string): Query {
  const identifier = kIdentifiers[kind];
  return identifier === undefined
    ? {group: {kind: 'loyalty_card', id: value}}
    : {identifier: {kind: identifier, value}};
}

// By phone, e-mail, customer number or loyalty card: one opens, several are shown to pick from, none is said.
export function Search({desk}: {desk: Desk}) {
  const [kind, setKind] = useState<SearchKind>('auto');
  const [found, setFound] = useState<readonly FoundCustomer[]>([]);
  const [note, setNote] = useState('');
  const more = useRef<{query: Query; token: string} | undefined>(undefined);
  const running = useRef(0);

  const search = async (event: Event) => {
    event.preventDefault();
    const value = desk.searchText.value.trim();
    if (!value) return;
    const run = ++running.current;
    setFound([]);
    more.current = undefined;
    setNote(t('search.busy'));
    for (const guess of guesses(kind, value)) {
      const query = queryOf(guess, value);
      try {
        const answer = await desk.find(query as FindCustomersRequest);
        if (run !== running.current) return;
        if (answer.customers.length === 0) continue;
        if (answer.customers.length === 1 && answer.nextPageToken === '') {
          const name = answer.customers[0]!.customer?.name;
          setNote(t('search.opened', {who: nameOf(answer.customers[0]!.customer)}));
          desk.searchText.value = '';
          if (name) desk.openCustomer(name);
          return;
        }
        more.current = answer.nextPageToken ? {query, token: answer.nextPageToken} : undefined;
        setFound(answer.customers);
        setNote(
          t('search.many', {
            count: answer.customers.length,
            more: answer.nextPageToken ? 'yes' : 'no',
          }),
        );
        focusSoon('found-0');
        return;
      } catch (cause) {
        if (run !== running.current) return;
        // A guess that the server does not take for such an identifier is only a wrong guess.
        const words = desk.explain(cause);
        if (kind === 'auto' && words === t('error.identifier')) continue;
        setNote(words);
        return;
      }
    }
    setNote(t('search.none', {value}));
  };

  const loadMore = async () => {
    if (!more.current) return;
    try {
      const answer = await desk.find({
        ...more.current.query,
        pageToken: more.current.token,
      } as FindCustomersRequest);
      more.current = answer.nextPageToken
        ? {query: more.current.query, token: answer.nextPageToken}
        : undefined;
      setFound([...found, ...answer.customers]);
    } catch (cause) {
      setNote(desk.explain(cause));
    }
  };

  const close = () => {
    setFound([]);
    setNote('');
    focusSoon('search');
  };

  return (
    <section
      aria-labelledby="search-title"
      onKeyDown={(event) => event.key === 'Escape' && close()}
    >
      <h2 id="search-title">{t('search.title')}</h2>
      <form role="search" onSubmit={search} aria-labelledby="search-title">
        <label for="search" class="unseen">
          {t('search.label')}
        </label>
        <input
          id="search"
          type="search"
          autocomplete="off"
          spellcheck={false}
          maxLength={512}
          placeholder={t('search.placeholder')}
          aria-keyshortcuts={chordAria(chordFor(byId('search')))}
          value={desk.searchText.value}
          onInput={(event) => (desk.searchText.value = event.currentTarget.value)}
        />
        <div class="search-line">
          <label for="search-kind" class="unseen">
            {t('search.kind')}
          </label>
          <select
            id="search-kind"
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value as SearchKind)}
          >
            {kKinds.map((one) => (
              <option value={one} key={one}>
                {t(`search.kind.${one}` as 'search.kind.auto')}
              </option>
            ))}
          </select>
          <button type="submit">{t('search.do')}</button>
        </div>
      </form>
      <p role="status" aria-label={t('search.result')} class="note">
        {note}
      </p>
      {found.length > 0 && (
        <ul class="cards" aria-label={t('search.found')}>
          {found.map((one, index) => (
            <li class="card" key={one.customer?.name}>
              <button
                type="button"
                class="card-open"
                id={`found-${index}`}
                onClick={() => {
                  setFound([]);
                  setNote('');
                  desk.searchText.value = '';
                  if (one.customer) desk.openCustomer(one.customer.name);
                }}
              >
                <span class="card-name">
                  <Said text={nameOf(one.customer)} max={80} />
                </span>
                <span class="card-line muted">
                  {one.role && (
                    <span>
                      {has(`role.${one.role}`) ? t(`role.${one.role}` as 'role.holder') : one.role}
                    </span>
                  )}
                  {one.shared && <span class="chip">{t('search.shared')}</span>}
                  {one.customer?.identifiers.slice(0, 2).map(
                    (known) =>
                      known.identifier && (
                        <span key={known.identifier.value}>
                          {kindWord(known.identifier.kind)}{' '}
                          <Said text={known.identifier.value} max={60} />
                        </span>
                      ),
                  )}
                </span>
              </button>
            </li>
          ))}
          {more.current && (
            <li>
              <button type="button" onClick={loadMore}>
                {t('search.more')}
              </button>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
