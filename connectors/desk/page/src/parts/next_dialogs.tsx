import {useEffect, useRef, useState} from 'preact/hooks';
import type {Desk, View} from '../desk';
import {money} from '../format';
import {DecisionStage, type Candidate} from '../gen/hilo/v1/decision_pb';
import type {Product} from '../gen/hilo/v1/decision_service_pb';
import {language, locale, t, type MessageId} from '../messages';
import {Alert, Dialog, Said} from './bits';

const kStages: Record<DecisionStage, MessageId> = {
  [DecisionStage.UNSPECIFIED]: 'stage.arbitration',
  [DecisionStage.CHANNEL]: 'stage.channel',
  [DecisionStage.ELIGIBILITY]: 'stage.eligibility',
  [DecisionStage.APPLICABILITY]: 'stage.applicability',
  [DecisionStage.SUITABILITY]: 'stage.suitability',
  [DecisionStage.CONTACT_POLICY]: 'stage.contact-policy',
  [DecisionStage.ARBITRATION]: 'stage.arbitration',
  [DecisionStage.RANKED]: 'stage.ranked',
};

// Why an action is offered, and why another one is not: all that were looked at, with the stage at which each fell.
export function WhyNot({desk, view}: {desk: Desk; view: View}) {
  const close = () => (desk.dialog.value = undefined);
  const [candidates, setCandidates] = useState<readonly Candidate[] | undefined>(undefined);
  const [failed, setFailed] = useState('');
  const [text, setText] = useState('');
  useEffect(() => {
    let gone = false;
    const decision = desk.next.of(view.name)?.name ?? '';
    void desk
      .explainActions(decision ? {decision} : {customer: view.name})
      .then((found) => !gone && setCandidates(found))
      .catch((cause: unknown) => !gone && setFailed(desk.explain(cause)));
    return () => {
      gone = true;
    };
  }, [desk, view.name]);
  const wanted = text.trim().toLocaleLowerCase();
  const shown = (candidates ?? []).filter((one) =>
    `${one.title} ${one.action}`.toLocaleLowerCase().includes(wanted),
  );
  return (
    <Dialog desk={desk} label={t('why-not.title')} onClose={close} wide>
      <label for="why-not-text">{t('why-not.search')}</label>
      <input
        id="why-not-text"
        type="search"
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Alert text={failed} />
      {!candidates && !failed && <p class="none">{t('next.waiting')}</p>}
      {candidates && shown.length === 0 && <p class="none">{t('why-not.none')}</p>}
      <ul class="items" data-testid="why-not">
        {shown.map((one) => (
          <li key={one.action}>
            <p>
              <strong>{one.title || one.action}</strong>{' '}
              <span class="muted">
                {one.rank > 0 ? t('why-not.rank', {rank: one.rank}) : t(kStages[one.stage])}
              </span>
            </p>
            <p>{one.why}</p>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

// Selling goes on in this contact although a complaint is open: needs a reason, which is kept.
export function ReleaseSelling({desk, view}: {desk: Desk; view: View}) {
  const close = () => (desk.dialog.value = undefined);
  const [reason, setReason] = useState('');
  const [failed, setFailed] = useState('');
  const interaction = desk.contactOf(view.name)?.name ?? '';
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!reason.trim()) return setFailed(t('release.missing'));
    const why = await desk.next.release(interaction, reason.trim());
    if (why) setFailed(why);
    else close();
  };
  return (
    <Dialog desk={desk} label={t('release.title')} onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{t('release.text')}</p>
        <label for="release-reason">{t('release.reason')}</label>
        <textarea
          id="release-reason"
          maxLength={500}
          required
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <Alert text={failed} />
        <button type="submit" class="primary">
          {t('release.do')}
        </button>
      </form>
    </Dialog>
  );
}

// What can be bought, and what it costs.
export function Products({desk}: {desk: Desk}) {
  const close = () => (desk.dialog.value = undefined);
  const [products, setProducts] = useState<readonly Product[] | undefined>(undefined);
  const [failed, setFailed] = useState('');
  const running = useRef(0);
  const search = async (query: string) => {
    const run = ++running.current;
    try {
      const found = await desk.searchProducts(query, language.value);
      if (run !== running.current) return;
      setProducts(found);
      setFailed('');
    } catch (cause) {
      if (run !== running.current) return;
      setProducts(undefined); // they would be the answer to another question
      setFailed(desk.explain(cause));
    }
  };
  useEffect(() => void search(''), []);
  return (
    <Dialog desk={desk} label={t('products.title')} onClose={close} wide>
      <label for="products-text">{t('products.search')}</label>
      <input
        id="products-text"
        type="search"
        autocomplete="off"
        maxLength={100}
        onInput={(event) => void search(event.currentTarget.value)}
      />
      <Alert text={failed} />
      <p role="status" class={products?.length === 0 ? 'none' : 'unseen'}>
        {products && t('products.found', {count: products.length})}
      </p>
      <ul class="items products" data-testid="products">
        {(products ?? []).map((one) => (
          <li key={one.product}>
            <strong>
              <Said text={one.title} max={120} />
            </strong>{' '}
            <span class="muted">{one.product}</span>
            <span class="price">
              {one.price ? money(one.price, locale()) : ''}
              {!one.available && ` · ${t('products.unavailable')}`}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
