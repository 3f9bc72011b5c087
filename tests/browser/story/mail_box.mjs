// The mail server that a story's mails go to, and what lies in it.
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

export class MailBox {
  static async start(build, folder) {
    const program = join(build, 'bin/hilo_mail_sink');
    if (!existsSync(program)) throw new Error(`no ${program}; build the target hilo_mail_sink`);
    const box = new MailBox();
    box.folder = folder;
    mkdirSync(folder, {recursive: true});
    box.child = spawn(program, ['--keep', folder], {stdio: ['pipe', 'pipe', 'inherit']});
    const line = await new Promise((done, failed) => {
      createInterface({input: box.child.stdout}).once('line', done);
      box.child.once('exit', (code) => failed(new Error(`${program} ended with ${code}`)));
    });
    box.port = Number(line.split(' ')[1]);
    return box;
  }

  // The mails to an address: {subject, text, head}.
  to(address) {
    return readdirSync(this.folder)
      .map((name) => readFileSync(join(this.folder, name), 'latin1'))
      .filter((mail) => mail.includes(`\r\nTo: ${address}\r\n`))
      .map((mail) => {
        const head = mail.slice(0, mail.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
        return {head, subject: unworded(/^Subject: (.*)$/m.exec(head)?.[1].trim() ?? ''), text: plainText(mail)};
      });
  }

  async stop() {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.stdin.end();
    await ended;
  }
}

function unworded(text) {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, word) => Buffer.from(word, 'base64').toString('utf8'));
}

// Of the part for those who read no html, as this hub writes it: quoted-printable.
function plainText(mail) {
  const part = mail.split(/\r\n--[^\r\n]+\r\n/).find((one) => /content-type: text\/plain/i.test(one)) ?? '';
  const body = part.slice(part.indexOf('\r\n\r\n') + 4).replace(/=\r\n/g, '');
  const bytes = body.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
