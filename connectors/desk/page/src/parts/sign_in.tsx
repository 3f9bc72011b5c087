import {useLayoutEffect, useRef, useState} from 'preact/hooks';
import type {Desk} from '../desk';
import {t} from '../messages';
import {LanguageSwitch} from './top_bar';

export function SignIn({desk}: {desk: Desk}) {
  const [busy, setBusy] = useState(false);
  const token = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => token.current?.focus(), []);
  const note = desk.signInNote.value;
  const drafts = desk.drafts.customers().size;
  const submit = async (event: Event) => {
    event.preventDefault();
    const value = token.current?.value.trim() ?? '';
    if (!value || busy) return;
    setBusy(true);
    const refused = await desk.signIn(value);
    setBusy(false);
    if (refused) token.current?.focus();
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">{t('signin.title')}</h1>
        <p>{t('signin.text')}</p>
        {drafts > 0 && <p class="kept">{t('signin.drafts', {count: drafts})}</p>}
        <label for="token">{t('signin.token')}</label>
        <input
          id="token"
          ref={token}
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          aria-describedby="sign-in-note"
          aria-invalid={note === 'signin.wrong' || note === 'signin.forbidden'}
          maxLength={4096}
        />
        <p id="sign-in-note" role="alert" class="failed">
          {note && t(note)}
        </p>
        <button type="submit" class="primary" aria-disabled={busy}>
          {busy ? t('signin.busy') : t('signin.do')}
        </button>
      </form>
      <LanguageSwitch />
    </main>
  );
}
