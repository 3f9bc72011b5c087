"""A mail server for tests: takes mail, writes down each one that it has taken, and fails by a plan.

What stands in its log was taken, whether or not the sender heard so: that is what "sent twice" is counted by."""
import random
import socketserver
import threading
import time

# How a dialogue may fail, and how often, of a thousand.
FAILURES = {"cut_before_mail": 10, "cut_after_rcpt": 15, "cut_in_data": 15, "cut_before_250": 25, "cut_after_250": 15,
            "421_at_mail": 10, "451_at_rcpt": 15, "451_after_dot": 15, "550_at_rcpt": 0}


class Cut(Exception):
    """The sink goes away in the middle."""


class Mail:
    def __init__(self, recipient, text):
        self.time, self.recipient, self.text = time.monotonic(), recipient, text
        self.message_id = self.header("Message-ID")
        self.marketing = bool(self.header("List-Unsubscribe"))

    def header(self, name):
        head = self.text.split("\r\n\r\n", 1)[0].replace("\r\n ", " ")
        return next((line[len(name) + 2:] for line in head.split("\r\n") if line.lower().startswith(name.lower() + ":")), "")


class MailSink:
    def __init__(self, seed, failures=None):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.failures = FAILURES if failures is None else failures
        self.taken, self.failed = [], {}
        sink = self

        class Dialogue(socketserver.StreamRequestHandler):
            timeout = 30

            def handle(self):
                try:
                    sink.talk(self)
                except (Cut, OSError):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Dialogue)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def plan(self):
        """How the next mail fails; None: it does not."""
        with self.lock:
            chance = self.random.randrange(1000)
            for failure, share in self.failures.items():
                if chance < share:
                    self.failed[failure] = self.failed.get(failure, 0) + 1
                    return failure
                chance -= share
        return None

    def talk(self, peer):
        def say(line):
            peer.wfile.write(line.encode() + b"\r\n")

        def heard():
            line = peer.rfile.readline(2000)
            if not line.endswith(b"\r\n"):
                raise Cut
            return line[:-2].decode("utf-8", "replace")

        say("220 sink")
        failure, recipient = self.plan(), ""
        while True:
            line = heard()
            verb = line[:4].upper()
            if verb == "EHLO":
                say("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
            elif verb == "MAIL" and failure == "cut_before_mail":
                raise Cut
            elif verb == "MAIL" and failure == "421_at_mail":
                say("421 4.3.2 later")
                raise Cut
            elif verb == "RCPT":
                recipient = line[line.index("<") + 1:line.index(">")]
                if failure in ("451_at_rcpt", "550_at_rcpt"):
                    say("451 4.2.2 full" if failure[0] == "4" else "550 5.1.1 nobody")
                    failure = self.plan()
                    continue
                say("250 2.1.5 ok")
                if failure == "cut_after_rcpt":
                    raise Cut
            elif verb == "DATA":
                say("354 go on")
                lines = []
                while (text := heard()) != ".":
                    lines.append(text[1:] if text.startswith(".") else text)
                    if failure == "cut_in_data" and len(lines) > 5:
                        raise Cut
                if failure == "451_after_dot":
                    say("451 4.3.0 not now")
                else:
                    with self.lock:
                        self.taken.append(Mail(recipient, "\r\n".join(lines)))
                    if failure == "cut_before_250":
                        raise Cut
                    say("250 2.0.0 taken")
                    if failure == "cut_after_250":
                        raise Cut
                failure = self.plan()
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")
