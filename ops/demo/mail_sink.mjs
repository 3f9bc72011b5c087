// A mail server for trying things out: takes every mail, keeps it as a file, and shows what came at http://…/.
// usage: node mail_sink.mjs SMTP_PORT HTTP_PORT FOLDER
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [smtpPort, httpPort, folder] = process.argv.slice(2);
const kMaxMails = 200; // shown; older ones stay as files
const kMaxBytes = 1 << 20; // of one mail
mkdirSync(folder, { recursive: true });
const mails = [];

function keep(recipient, bytes) {
  const name = `${String(Date.now())}-${mails.length}.eml`;
  writeFileSync(join(folder, name), bytes);
  const header = (wanted) => new RegExp(`^${wanted}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(bytes)?.[1] ?? '';
  mails.unshift({ name, recipient, subject: decodeWords(header('Subject')), messageId: header('Message-ID'), at: new Date() });
  mails.length = Math.min(mails.length, kMaxMails);
}

function decodeWords(text) {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, word) => Buffer.from(word, 'base64').toString('utf8'));
}

createServer((socket) => {
  let buffer = '';
  let recipient = '';
  let inData = false;
  const say = (line) => socket.write(`${line}\r\n`);
  say('220 demo sink');
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    buffer += chunk;
    if (buffer.length > kMaxBytes) return socket.destroy();
    for (;;) {
      const mark = inData ? '\r\n.\r\n' : '\r\n';
      const end = buffer.indexOf(mark);
      if (end < 0) return;
      const line = buffer.slice(0, end + (inData ? 2 : 0));
      buffer = buffer.slice(end + mark.length);
      if (inData) {
        keep(recipient, line.replace(/^\./gm, ''));
        inData = false;
        say('250 2.0.0 kept');
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') say('250-demo sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SMTPUTF8');
      else if (verb === 'RCPT') (recipient = /<(.*?)>/.exec(line)?.[1] ?? ''), say('250 2.1.5 ok');
      else if (verb === 'DATA') (inData = true), say('354 go on');
      else if (verb === 'QUIT') say('221 bye'), socket.end();
      else say('250 ok');
    }
  });
}).listen(Number(smtpPort), '127.0.0.1');

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// Text and html of a mail that this hub wrote: quoted-printable parts.
function readable(bytes) {
  const parts = bytes.split(/\r\n--=_[0-9a-f]+(?:--)?\r\n/);
  const chosen = parts.find((part) => /text\/plain/.test(part)) ?? bytes;
  const body = chosen.slice(chosen.indexOf('\r\n\r\n') + 4);
  const decoded = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1').toString('utf8');
}

createHttp((request, response) => {
  const name = decodeURIComponent(new URL(request.url, 'http://x').pathname.slice(1));
  const mail = mails.find((one) => one.name === name);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Security-Policy', "default-src 'none'");
  if (mail) {
    const bytes = readFileSync(join(folder, name), 'latin1');
    return response.end(`<!doctype html><title>Mail</title><p><a href="/">all mails</a><pre>${escape(readable(bytes))}</pre><details><summary>As it came</summary><pre>${escape(bytes)}</pre></details>`);
  }
  const rows = mails
    .map((one) => `<tr><td>${one.at.toLocaleTimeString()}<td>${escape(one.recipient)}<td><a href="/${one.name}">${escape(one.subject)}</a><td>${escape(one.messageId)}`)
    .join('');
  response.end(`<!doctype html><title>Mails sent</title><h1>Mails sent</h1><p>${mails.length} so far.<table border="1" cellpadding="4"><tr><th>When<th>To<th>Subject<th>Message-ID${rows}</table>`);
}).listen(Number(httpPort), '127.0.0.1');
