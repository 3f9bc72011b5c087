import {render} from 'preact';
import {createApi} from './api';
import {onKey} from './commands';
import {Desk} from './desk';
import {startChords} from './keys';
import {startLanguage} from './messages';
import {Page} from './parts/page';

startLanguage();
startChords();
const desk = new Desk({
  api: (token, onServerTime) => createApi(window.location.origin, token, onServerTime),
  session: window.sessionStorage,
});
document.addEventListener('keydown', (event) => onKey(desk, event));
const root = document.getElementById('desk');
if (root) render(<Page desk={desk} />, root);
void desk.start();
