import {nameOf} from '../customer';
import {useEffect} from 'preact/hooks';
import type {Desk} from '../desk';
import {t} from '../messages';
import {plain} from '../text';
import {Announcements} from './bits';
import {CallBanner, Calls} from './calls';
import {Composer} from './composer';
import {Dialogs} from './dialogs';
import {Header} from './header';
import {NextCard} from './next_card';
import {OpenCustomers} from './open_customers';
import {Search} from './search';
import {SideBar} from './side';
import {SignIn} from './sign_in';
import {StatusLine} from './status_line';
import {Strip} from './strip';
import {Timeline} from './timeline_part';
import {TopBar} from './top_bar';

export function Page({desk}: {desk: Desk}) {
  const view = desk.view.value;
  const ringing = desk.ringing.value[0];
  const title = [
    ringing ? t('title.ringing', {who: plain(nameOf(ringing.customer))}) : '',
    view?.context.value ? plain(nameOf(view.context.value.customer), 60) : '',
    'Hilo',
  ]
    .filter(Boolean)
    .join(' – ');
  useEffect(() => {
    document.title = desk.signedIn.value ? title : 'Hilo';
  });
  if (!desk.signedIn.value) return <SignIn desk={desk} />;
  return (
    <div class="desk">
      <Announcements desk={desk} />
      <header class="top">
        <span class="brand">Hilo</span>
        <CallBanner desk={desk} />
        <TopBar desk={desk} />
      </header>
      <nav class="left" aria-label={t('left.label')}>
        <Search desk={desk} />
        <OpenCustomers desk={desk} />
        {/* Last, so that a call that comes or goes moves nothing that somebody is about to press. */}
        <Calls desk={desk} />
      </nav>
      <main class="centre" aria-label={t('centre.label')}>
        {!view && <Nobody />}
        {view && <Header desk={desk} view={view} key={`header ${view.name}`} />}
        {view?.context.value && (
          <>
            <Strip
              desk={desk}
              view={view}
              context={view.context.value}
              key={`strip ${view.name}`}
            />
            <Timeline
              desk={desk}
              view={view}
              context={view.context.value}
              key={`timeline ${view.name}`}
            />
            <Composer desk={desk} view={view} key={`composer ${view.name}`} />
          </>
        )}
      </main>
      <aside class="right" aria-label={t('right.label')}>
        {view?.context.value && (
          <NextCard desk={desk} customer={view.name} key={`next ${view.name}`} />
        )}
        {view?.context.value && (
          <div class="side" key={`side ${view.name}`}>
            <SideBar desk={desk} context={view.context.value} />
          </div>
        )}
      </aside>
      <StatusLine desk={desk} />
      <Dialogs desk={desk} />
    </div>
  );
}

function Nobody() {
  return (
    <div class="nobody">
      <h1>{t('nobody.title')}</h1>
      <p>{t('nobody.text')}</p>
    </div>
  );
}
