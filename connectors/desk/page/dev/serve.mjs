// `npm run dev`: the page on the stand-in, with Ana ringing a few seconds after you sign in with "agent-token".
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {kAna, startFake} from './fake.mjs';

const fake = await startFake({
  dist: join(dirname(fileURLToPath(import.meta.url)), '../dist'),
  port: 8099,
});
console.log(`${fake.url} token: agent-token (a second window: second-token)`);
console.log('keys: r rings, n adds a web event, d drops the streams, q quits');
process.stdin.on('data', (data) => {
  switch (data.toString().trim()) {
    case 'r':
      fake.ring(kAna);
      break;
    case 'n':
      fake.changed(kAna, [
        fake.addEntry(kAna, {type: 'web.page', title: 'Home', channel: 'CHANNEL_WEB'}),
      ]);
      break;
    case 'd':
      fake.endStreams();
      break;
    case 'q':
      process.exit(0);
      break;
    default:
      break;
  }
});
