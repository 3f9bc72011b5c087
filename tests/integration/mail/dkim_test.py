#!/usr/bin/env python3
"""What we sign is verified by Debian's python3-dkim: RSA and Ed25519, plain and multipart mail; what is changed on the
way is not."""
import base64
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import dkim
except ImportError:
    print("SKIP: python3-dkim is not installed")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

BUILD = Path(os.environ.get("HILO_BUILD", "build/dev"))
LONG = "Señora Ibáñez, sus zapatillas de montaña esperan en la cesta; ¿las quiere todavía? " * 3


def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


class Verified(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make_key(self, kind):
        """Its file, and the TXT record that receivers look up."""
        key = self.path(kind)
        if kind == "rsa":
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
        else:
            openssl("genpkey", "-algorithm", "ED25519", "-out", key)
        public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
        if kind == "ed25519":
            public = public[-32:]  # the bare key, without its ASN.1 frame
        return key, f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}".encode()

    def print_mail(self, key, text, html=None, subject=LONG):
        with open(self.path("text"), "w", encoding="utf-8") as out:
            out.write(text)
        words = ["--print", "yes", "--to", "ana@example.net", "--from-name", "La zapatería", "--subject", subject,
                 "--unsubscribe", "https://shop.example/u/" + "t" * 150, "--text-file", self.path("text"),
                 "--dkim-key", key, "--dkim-domain", "shop.example", "--dkim-selector", "s1"]
        if html is not None:
            with open(self.path("html"), "w", encoding="utf-8") as out:
                out.write(html)
            words += ["--html-file", self.path("html")]
        return subprocess.run([BUILD / "bin/hilo_send_mail", *words], check=True, capture_output=True).stdout

    def verifies(self, mail, record):
        asked = []

        def txt(name, timeout=5):
            asked.append(name)
            return record

        try:
            good = dkim.verify(mail, dnsfunc=txt)
        except dkim.DKIMException:
            return False
        self.assertEqual(asked, [b"s1._domainkey.shop.example."])
        return good

    def test_signed_mail(self):
        bodies = [("Hello\n", None), ("", None), ("\n\n\n", None), ("trailing blanks  \t \n\n\n", None),
                  (".\n..\n. \n", None), ("ñ" * 5000, None), ("Hello\n", "<p>Hello &amp; welcome</p>\n\n"),
                  (LONG, f"<p>{LONG}</p>")]
        for kind in ("rsa", "ed25519"):
            key, record = self.make_key(kind)
            for text, html in bodies:
                with self.subTest(kind=kind, text=text[:20], html=bool(html)):
                    self.assertTrue(self.verifies(self.print_mail(key, text, html), record))

    def test_changed_mail(self):
        for kind in ("rsa", "ed25519"):
            key, record = self.make_key(kind)
            mail = self.print_mail(key, "Hello\n")
            self.assertTrue(self.verifies(mail, record))
            changes = {
                "the link to stop": mail.replace(b"https://shop.example/u/", b"https://evil.example/u/"),
                "the order to stop by one click": mail.replace(b"=One-Click", b"=Two-Clicks"),
                "the text": mail.replace(b"Hello", b"Hallo"),
                "the subject": mail.replace(b"Subject: ", b"Subject: =?utf-8?B?WA==?= "),
                "the addressee": mail.replace(b"To: ana@", b"To: eva@"),
                "a second From": b"From: bank@bank.example\r\n" + mail,
                "the Message-ID": mail.replace(b"<one@", b"<two@"),
            }
            for name, changed in changes.items():
                with self.subTest(kind=kind, change=name):
                    self.assertNotEqual(changed, mail)
                    self.assertFalse(self.verifies(changed, record))

    def test_folded_on_the_way(self):
        """Relays may fold anew and cut blanks at line ends: relaxed forms allow it."""
        key, record = self.make_key("rsa")
        mail = self.print_mail(key, "Hello\n", subject="Your basket is waiting")
        folded = mail.replace(b"Subject: Your basket is", b"SUBJECT:  Your\r\n\tbasket   is")
        self.assertNotEqual(folded, mail)
        self.assertTrue(self.verifies(folded + b"\r\n\r\n", record))

    def test_keys_that_are_too_short(self):
        key = self.path("short")
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", key)
        with self.assertRaises(subprocess.CalledProcessError) as failure:
            self.print_mail(key, "Hello\n")
        self.assertIn(b"dkim_key_invalid", failure.exception.stderr)


if __name__ == "__main__":
    unittest.main()
