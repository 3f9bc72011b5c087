import type {Desk} from '../desk';
import {language, t, useLanguage} from '../messages';
import {plain} from '../text';
import {CommandButton} from './bits';

export function LanguageSwitch() {
  const other = language.value === 'en' ? 'es' : 'en';
  return (
    <button type="button" class="plain" lang={other} onClick={() => useLanguage(other)}>
      {other === 'es' ? 'Español' : 'English'}
    </button>
  );
}

export function TopBar({desk}: {desk: Desk}) {
  const me = desk.me.value;
  return (
    <div class="top-bar">
      <span class="me">{plain(me?.displayName || me?.agent || '', 60)}</span>
      <CommandButton desk={desk} id="palette">
        {t('top.palette')}
      </CommandButton>
      <LanguageSwitch />
      <CommandButton desk={desk} id="sign-out">
        {t('top.sign-out')}
      </CommandButton>
    </div>
  );
}
