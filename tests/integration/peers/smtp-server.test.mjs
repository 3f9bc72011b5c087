// npm smtp-server, a mail server that we did not write: what it says about a mail is what we tell.
import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {promisify} from 'node:util';
import {SMTPServer} from 'smtp-server';

const sender = process.env.HILO_SEND_MAIL;
const folder = mkdtempSync(join(tmpdir(), 'hilo-smtp-'));
const certificate = join(folder, 'certificate.pem');
const key = join(folder, 'key.pem');
const mails = [];
let server;

function refuse(code, text) {
  const error = new Error(text);
  error.responseCode = code;
  return error;
}

before(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-out', certificate, '-keyout', key], {stdio: 'ignore'});
  server = new SMTPServer({
    key: readFileSync(key), cert: readFileSync(certificate), size: 1 << 20, authMethods: ['PLAIN', 'LOGIN'],
    onAuth: ({username, password}, session, done) =>
      username === 'shop' && password === 'sécret' ? done(null, {user: 'shop'}) : done(refuse(535, 'wrong name or password')),
    onRcptTo: ({address}, session, done) => {
      if (address.startsWith('nobody@')) return done(refuse(550, '5.1.1 no such person'));
      if (address.startsWith('full@')) return done(refuse(452, '4.2.2 mailbox full'));
      done();
    },
    onData: (stream, session, done) => {
      const pieces = [];
      stream.on('data', (piece) => pieces.push(piece));
      stream.on('end', () => {
        if (stream.sizeExceeded) return done(refuse(552, '5.3.4 too big'));
        if (session.envelope.rcptTo[0].address.startsWith('spam@')) return done(refuse(554, '5.7.1 spam'));
        mails.push({envelope: session.envelope, secure: session.secure, bytes: Buffer.concat(pieces).toString()});
        done(null, 'taken');
      });
    },
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, {recursive: true});
});

async function send(to, more = {}) {
  const words = {host: 'localhost', port: server.server.address().port, ca: certificate, user: 'shop', password: 'sécret', to, ...more};
  const {stdout} = await promisify(execFile)(sender, Object.entries(words).flatMap(([name, value]) => [`--${name}`, String(value)]));
  return stdout.trim();
}

test('a mail is taken as it was written, encrypted and under our name', async () => {
  assert.match(await send('ana@example.net', {subject: 'Sus zapatillas de montaña'}), /^sent 250 \S+ dot$/);
  const [mail] = mails;
  assert.equal(mail.secure, true);
  assert.equal(mail.envelope.mailFrom.address, 'shop@shop.example');
  assert.match(mail.bytes, /^Message-ID: <one@shop.example>\r$/m);
  assert.match(mail.bytes, /^Subject: =\?utf-8\?B\?/m);
});

test('refusals are told by their kind', async () => {
  assert.match(await send('nobody@example.net'), /^permanent 550 \S+ rcpt$/);
  assert.match(await send('full@example.net'), /^transient 452 \S+ rcpt$/);
  assert.match(await send('spam@example.net'), /^permanent 554 \S+ dot$/);
  assert.equal(mails.length, 1);
});

test('a wrong password is no fault of the mail', async () => {
  assert.match(await send('ana@example.net', {password: 'wrong'}), /^not_sent 535 \S+ auth$/);
  assert.equal(mails.length, 1);
});

test('a mail whose permit ran out is not taken', async () => {
  assert.match(await send('ana@example.net', {allowed: 'no'}), /^not_sent /);
  assert.match(await send('ana@example.net', {id: 'two@shop.example'}), /^sent /);
  assert.equal(mails.length, 2);
  assert.match(mails[1].bytes, /<two@shop.example>/);
});
