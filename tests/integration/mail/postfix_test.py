#!/usr/bin/env python3
"""Our mail, handed to a real Postfix: taken, refused for good, put off, and relayed.

Postfix is never installed, as Debian's mail servers exclude one another and start themselves: the package is fetched and
unpacked under build/, and runs from there in a mount namespace of its own, where copies of the lists of accounts with
Postfix's own in them lie over the real ones. Nothing of this machine changes. Exits with 77, and says why, where that is
impossible; in CI that is a failure."""
import email
import email.policy
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BUILD = Path(os.environ.get("HILO_BUILD", "build/dev")).resolve()
CACHE = BUILD.parent / "postfix"
WAIT = 60  # seconds for what takes two or three


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)


def unpacked():
    """The folder that Debian's package was unpacked into."""
    root = CACHE / "root"
    if (root / "usr/sbin/postfix").exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob("postfix_*.deb")):
        got = subprocess.run(["apt-get", "download", "postfix"], cwd=CACHE, capture_output=True, text=True)
        if got.returncode != 0:
            skip(f"apt-get download postfix failed: {got.stderr.strip()[-300:]}")
    fresh = CACHE / f"root.{os.getpid()}"
    subprocess.run(["dpkg-deb", "-x", str(sorted(CACHE.glob("postfix_*.deb"))[-1]), str(fresh)], check=True)
    try:
        fresh.rename(root)
    except OSError:  # another run was faster
        shutil.rmtree(fresh)
    return root


def own_mounts():
    """The command that gives another one a mount namespace of its own; none where mounts could be seen outside."""
    def works(*words):
        return subprocess.run([*words, "true"], capture_output=True).returncode == 0

    plain = ["unshare", "-m"]
    if works(*plain):  # it makes all mounts private first
        return plain
    # In a chroot there is no mount at "/" that it could do that to. They are private anyway when init knows no shared one.
    unchanged = [*plain, "--propagation", "unchanged"]
    try:
        private = " shared:" not in Path("/proc/1/mountinfo").read_text()
    except OSError:
        private = False
    return unchanged if private and works(*unchanged) else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postfix:
    """A Postfix of our own: `folder` holds its settings, queue and accounts."""

    def __init__(self, root, folder, relay_port, certificate):
        self.root, self.folder, self.port = root, Path(folder), free_port()
        self.write_settings(relay_port, certificate)
        self.write_accounts()
        self.output = open(self.folder / "log", "wb")
        script = """
            mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
            chown -R postfix "$1/data" && chown root "$1/queue" && exec "$2/usr/sbin/postfix" -c "$1/conf" start-fg"""
        environment = {**os.environ, "LD_LIBRARY_PATH": f"{root}/usr/lib/postfix", "MAIL_CONFIG": f"{folder}/conf"}
        self.process = subprocess.Popen([*own_mounts(), "sh", "-ec", script, "sh", folder, str(root)],
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
                                        env=environment, start_new_session=True)

    def write_settings(self, relay_port, certificate):
        conf = self.folder / "conf"
        for name in (conf, self.folder / "queue", self.folder / "data"):
            name.mkdir()
        share = next(path.parent for path in self.root.rglob("master.cf.dist"))
        master = []
        for line in (share / "master.cf.dist").read_text().splitlines():
            fields = line.split()
            if line[:1] not in ("#", " ", "\t", "") and len(fields) >= 8:
                fields[4] = "n"  # no chroot
                if fields[0] == "smtp" and fields[1] == "inet":
                    fields[0] = f"127.0.0.1:{self.port}"
                line = " ".join(fields)
            master.append(line)
        (conf / "master.cf").write_text("\n".join(master) + "\n")
        for name in ("dynamicmaps.cf", "postfix-files"):
            found = [path for path in self.root.rglob(name) if path.is_file()]
            if found:
                shutil.copy(found[0], conf / name)
        for name in ("dynamicmaps.cf.d", "postfix-files.d"):
            (conf / name).mkdir(exist_ok=True)
        root = self.root
        (conf / "main.cf").write_text(f"""
compatibility_level = 3.6
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {conf}
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
manpage_directory = {root}/usr/share/man
sendmail_path = {root}/usr/sbin/sendmail
newaliases_path = /bin/true
mailq_path = /bin/true
html_directory = no
readme_directory = no
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH={root}/usr/lib/postfix
maillog_file = /dev/stdout
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mx.test
mydestination =
local_transport = error:5.1.1 nobody is local here
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate[0]}
smtpd_tls_key_file = {certificate[1]}
smtp_dns_support_level = disabled
smtp_host_lookup = native
transport_maps = inline:{{ taken.test=discard: {{ nobody.test = error:5.1.1 nobody by this name }} {{ full.test = retry:4.2.2 mailbox full }} relay.test=smtp:[127.0.0.1]:{relay_port} shop.test=smtp:[127.0.0.1]:{relay_port} }}
""")

    def write_accounts(self):
        """The real lists, with the accounts that Postfix wants."""
        accounts, groups = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
        if not re.search(r"^postfix:", accounts, re.M):
            accounts += "postfix:x:64321:64321::/:/usr/sbin/nologin\n"
        for name, number in (("postfix", 64321), ("postdrop", 64322)):
            if not re.search(rf"^{name}:", groups, re.M):
                groups += f"{name}:x:{number}:\n"
        (self.folder / "passwd").write_text(accounts)
        (self.folder / "group").write_text(groups)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def wait_until_ready(self):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT) as peer:
                    if peer.recv(4).startswith(b"220"):
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("Postfix did not start:\n" + self.log())

    def stop(self):
        # By its own pid: "master" ends all that it started.
        self.process.terminate()
        try:
            self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


class Sink:
    def __init__(self, folder, plan):
        (Path(folder) / "kept").mkdir()
        self.kept, self.log = Path(folder) / "kept", Path(folder) / "sink.log"
        (Path(folder) / "plan").write_text(plan)
        self.process = subprocess.Popen(
            [BUILD / "bin/hilo_mail_sink", "--log", self.log, "--keep", self.kept, "--plan", Path(folder) / "plan"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def taken(self):
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def mail(self, number):
        bytes_ = (self.kept / f"{number}.eml").read_bytes()
        return email.message_from_bytes(bytes_, policy=email.policy.default)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(WAIT)
        self.process.stdout.close()


class PostfixTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Not in a folder that only root may enter: Postfix's accounts look into it.
        cls.folder = tempfile.mkdtemp(prefix="hilo-postfix-", dir="/tmp")
        os.chmod(cls.folder, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        certificate = (f"{cls.folder}/certificate.pem", f"{cls.folder}/key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-out", certificate[0], "-keyout", certificate[1]], check=True, capture_output=True)
        cls.certificate = certificate[0]
        cls.sink = Sink(cls.folder, "at rcpt to=refused@ reply 550 5.1.1 no such person\n")
        cls.addClassCleanup(cls.sink.stop)
        cls.postfix = Postfix(unpacked(), cls.folder, cls.sink.port, certificate)
        cls.addClassCleanup(cls.postfix.stop)
        cls.postfix.wait_until_ready()

    def send(self, to, **more):
        words = ["--host", "127.0.0.1", "--port", self.postfix.port, "--ca", self.certificate, "--to", to, "--from",
                 "shop@shop.test"]
        for name, value in more.items():
            words += [f"--{name}", value]
        done = subprocess.run([BUILD / "bin/hilo_send_mail", *map(str, words)], capture_output=True, text=True,
                              timeout=WAIT)
        self.assertEqual(done.returncode, 0, done.stderr + self.postfix.log())
        return done.stdout.split()

    def wait_for(self, wanted):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            found = [(number, one) for number, one in enumerate(self.sink.taken(), 1) if wanted(one)]
            if found:
                return found[0]
            time.sleep(0.1)
        self.fail("nothing like that came to the sink:\n" + self.postfix.log())

    def test_taken(self):
        kind, code, enhanced, where = self.send("ana@taken.test")
        self.assertEqual((kind, code, enhanced, where), ("sent", "250", "2.0.0", "dot"))

    def test_refused_for_good(self):
        self.assertEqual(self.send("ana@nobody.test"), ["permanent", "550", "5.1.1", "rcpt"])

    def test_put_off(self):
        self.assertEqual(self.send("ana@full.test"), ["transient", "450", "4.2.2", "rcpt"])

    def test_an_address_that_the_server_does_not_understand(self):
        self.assertEqual(self.send("ana@[192.0.2.1]x.test"), ["permanent", "501", "5.1.3", "rcpt"])

    def test_not_allowed_any_more(self):
        self.assertEqual(self.send("gone@relay.test", id="gone@shop.test", allowed="no")[0], "not_sent")
        # One that is allowed comes after it, so that the first would have arrived.
        self.assertEqual(self.send("ana@relay.test", id="allowed@shop.test")[0], "sent")
        self.wait_for(lambda one: one["message_id"] == "allowed@shop.test")
        self.assertFalse([one for one in self.sink.taken() if one["message_id"] == "gone@shop.test"])

    def test_relayed_as_it_was_written(self):
        text = "¡Hola, Ana!\n.\n..\nFrom here on: " + "ñ" * 3000 + "\n"
        Path(self.folder, "text").write_text(text, encoding="utf-8")
        Path(self.folder, "html").write_text(f"<p>{text}</p>", encoding="utf-8")
        subject = "Ana, sus zapatillas de montaña esperan todavía en la cesta; ¿las quiere en talla 38?"
        outcome = self.send("ana@relay.test", id="whole@shop.test", subject=subject, unsubscribe="https://shop.test/u/T",
                            **{"text-file": f"{self.folder}/text", "html-file": f"{self.folder}/html",
                               "from-name": "La zapatería, S.A."})
        self.assertEqual(outcome[0], "sent")
        number, _ = self.wait_for(lambda one: one["message_id"] == "whole@shop.test")
        mail = self.sink.mail(number)
        self.assertEqual(mail["Subject"], subject)
        self.assertEqual(mail["From"].addresses[0].display_name, "La zapatería, S.A.")
        self.assertEqual(mail["List-Unsubscribe"], "<https://shop.test/u/T>")
        for kind, written in (("plain", text), ("html", f"<p>{text}</p>")):
            # The line end before the next part belongs to its frame.
            came = mail.get_body((kind,)).get_content().replace("\r\n", "\n")
            self.assertEqual(came.rstrip("\n"), written.rstrip("\n"))

    def test_a_bounce_comes_back_with_our_envelope_id(self):
        """Postfix takes it, the next server does not: the report goes to the sender, and names what it is about."""
        self.assertEqual(self.send("refused@relay.test", id="bounced@shop.test")[0], "sent")
        number, report = self.wait_for(lambda one: one["recipient"] == "shop@shop.test" and one["sender"] == "")
        self.assertEqual(report["sender"], "")
        text = (self.sink.kept / f"{number}.eml").read_text(errors="replace")
        self.assertIn("Original-Envelope-Id: bounced", text)
        self.assertIn("Action: failed", text)
        self.assertIn("Status: 5.1.1", text)

    def test_a_certificate_of_somebody_else(self):
        other = f"{self.folder}/other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-out", other, "-keyout", f"{self.folder}/other.key"],
                       check=True, capture_output=True)
        words = ["--host", "127.0.0.1", "--port", str(self.postfix.port), "--ca", other, "--to", "ana@taken.test"]
        done = subprocess.run([BUILD / "bin/hilo_send_mail", *words], capture_output=True, text=True, timeout=WAIT)
        self.assertEqual(done.stdout.split()[0::3], ["not_sent", "starttls"])


if __name__ == "__main__":
    for command in ("unshare", "dpkg-deb", "apt-get", "openssl"):
        if shutil.which(command) is None:
            skip(f"no {command}")
    if os.geteuid() != 0:
        skip("a mount namespace needs root")
    if own_mounts() is None:
        skip("unshare -m is not allowed here, or its mounts would be seen outside")
    unittest.main()
