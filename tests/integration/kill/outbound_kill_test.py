#!/usr/bin/python3
"""Kills a real hilod at every step from what is due to what was reported, while it sends mail, and proves that nothing was sent
that should not have been.

usage: outbound_kill_test.py [--kills N] [--messages N] [--seed N] [--keep DIRECTORY] [--at PLACE]

Each customer leaves a basket (one reminder: class default) and asks for a return (one confirmation: transactional). Some
withdraw their consent while that is under way. The mail server (mail_sink.py) fails in every phase. What it has taken is
counted: a reminder never twice; a confirmation again only under the same Message-ID; no reminder after a withdrawal that was
acknowledged, but for what was permitted before; none to whom nothing may be sent.

The last line is the result: "60 kills, 1000 messages: 0 sent twice, 0 after an opt-out, < 5.0 % per kill at 95 %"."""
import argparse
import base64
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("HILO_BUILD", SOURCE / "build/release"))
sys.path.insert(0, str(SOURCE / "tests/checker"))

from hub import OPERATOR, SENDING, Hub, Refused, kill_points  # noqa: E402
from mail_sink import MailSink  # noqa: E402
from senders import PAUSE, UNKNOWN, uuid7  # noqa: E402

SENDERS = 4
OPT_OUTS = 0.1         # of customers
SILENT = 0.05          # never said that they want mail
PATIENCE = 3.0         # seconds for a named place to be reached
REST = 150             # seconds in which everything has to come to rest
WINDOW = 10.0          # seconds after an acknowledged withdrawal in which what was permitted before may still arrive
PASSES = 12            # a kill comes at one of the first passes of its place

SETTLED = {"SENT", "FAILED", "UNKNOWN", "EXPIRED", "CANCELLED", "REFUSED"}


class Customers(threading.Thread):
    """Customers one after the other, each told until the hub has it."""

    def __init__(self, trial, number, names):
        super().__init__(daemon=True)
        self.trial, self.names = trial, names
        self.random = random.Random(f"{trial.seed} {number}")
        self.failure = None

    def run(self):
        try:
            for name in self.names:
                self.trial.gate.acquire()
                self.shop(name)
                if name in self.trial.withdrawing:
                    self.withdraw(name)
        except Exception as failure:  # the test fails with it
            self.failure = failure

    def shop(self, name):
        consent = {} if name in self.trial.silent else {"consent": {"categoryPreferences": {"Marketing": True}}}
        batch = [{"type": "identify", "traits": {"email": f"{name}@example.com", "first_name": "Ana"}, "context": consent},
                 {"type": "track", "event": "Return Requested", "properties": {"order_id": f"o-{name}", "size": 42, "reason": "torn"}},
                 {"type": "track", "event": "Product Added", "properties": {"product_id": "shoes-7", "name": "Trail shoes"}}]
        for number, event in enumerate(batch):
            event.update(userId=name, messageId=f"{name}-{number}")
        key = "Basic " + base64.b64encode(b"wk-shop:").decode()
        body = json.dumps({"batch": batch})
        self.again(lambda: self.trial.hub.post("/v1/batch", {"Authorization": key}, body)[0] == 200)

    def withdraw(self, name):
        """By command, answered when it is in force."""
        time.sleep(self.random.uniform(0, 2.5))
        request = uuid7()

        def attempt():
            found = self.trial.hub.call("CustomerService/FindCustomers", {"identifier": {"kind": "IDENTIFIER_KIND_USER_ID", "value": name}})
            if not found.get("customers"):
                return False
            self.trial.hub.call("CustomerService/RecordConsent", {
                "customer": found["customers"][0]["customer"]["name"], "channel": "CHANNEL_EMAIL", "purpose": "marketing",
                "status": "CONSENT_STATUS_DENIED", "proof": {"mechanism": "agent"}, "write": {"requestId": request}})
            return True
        self.again(attempt)
        self.trial.withdrawn[f"{name}@example.com"] = time.monotonic()

    def again(self, attempt):
        end = time.monotonic() + 600
        while time.monotonic() < end and not self.trial.over:
            try:
                if attempt():
                    return
            except (Refused, *UNKNOWN):
                pass
            time.sleep(PAUSE)
        raise AssertionError("the hub never took it")


class Trial:
    def __init__(self, given, root):
        self.kills, self.seed, self.random = given.kills, given.seed, random.Random(given.seed)
        self.sink = MailSink(given.seed)
        self.hub = Hub(BUILD, root, more=f'public_url: "http://127.0.0.1:$PORT"\nemail: {{host: 127.0.0.1, port: {self.sink.port}, '
                       'tls: none, from_address: shop@shop.example}\n')
        self.names = [f"c{i}" for i in range(given.messages // 2)]
        self.withdrawing = set(self.random.sample(self.names, int(len(self.names) * OPT_OUTS)))
        self.silent = set(self.random.sample(self.names, int(len(self.names) * SILENT)))
        self.withdrawn, self.over = {}, False
        self.gate = threading.Semaphore(0)  # customers come in as long as it kills
        self.places = [given.at] if given.at else sorted(place for place in kill_points(SOURCE) if place.startswith(SENDING))
        self.at = Counter()

    def run(self):
        if not self.hub.start():
            raise AssertionError(f"hilod did not start:\n{self.hub.log_tail()}")
        self.apply_catalogue()
        senders = [Customers(self, i, self.names[i::SENDERS]) for i in range(SENDERS)]
        began = time.monotonic()
        for sender in senders:
            sender.start()
        for number in range(self.kills):
            self.gate.release(len(self.names) * (number + 1) // self.kills - len(self.names) * number // self.kills)
            self.one_kill()
        print(f"{self.kills} kills in {time.monotonic() - began:.0f} s")
        if not self.hub.start():
            raise AssertionError(f"hilod did not start again:\n{self.hub.log_tail()}")
        for sender in senders:
            sender.join(REST)
            if sender.failure is not None or sender.is_alive():
                raise sender.failure or AssertionError("a customer is still not served")
        messages = self.wait_until_settled()
        self.hub.stop()
        return self.judge(messages)

    def apply_catalogue(self):
        """The built-in one with short waits, no quiet hours and attempts without number."""
        files = []
        for file in sorted((SOURCE / "state/catalogue/default").glob("*.yaml")):
            text = file.read_text()
            if file.name == "journeys.yaml":
                text = text.replace("wait: 30m", "wait: 1s").replace("retry: 5m", "retry: 1s").replace("retry: 1m", "retry: 1s")
                text = text.replace("max_attempts: 5", "max_attempts: 20").replace("max_attempts: 8", "max_attempts: 20")
                # The confirmation must not take the basket with it.
                text = text.replace("    - {when: {type: web.track, event: Return Requested}, reason: returned}\n", "")
            if file.name == "policies.yaml":
                text = text.replace('from: "21:00", to: "09:00"', 'from: "04:00", to: "04:01"')
            files.append({"path": file.name, "content": text})
        answer = self.hub.call("CatalogueService/ApplyCatalogue", {"files": files, "requestId": uuid7()}, OPERATOR)
        if answer.get("problems"):
            raise AssertionError(f"the catalogue was refused: {answer['problems'][:3]}")

    def one_kill(self):
        """The one that serves dies, then the next one is told where."""
        if self.hub.process.poll() is None:
            time.sleep(self.random.uniform(0.1, 0.5))
            self.hub.kill()
        place = min(self.places, key=lambda one: (self.at[one], self.random.random()))
        if not self.hub.start(f"{place}:{self.random.randrange(1, PASSES + 1)}:{self.random.choice((0, 20))}"):
            self.at[place] += 1  # so soon that it did not serve yet
            return
        died = self.hub.died(PATIENCE)
        if died is None:
            self.hub.kill()
            self.at["random"] += 1
        elif died == -signal.SIGKILL:
            self.at[place] += 1
        else:
            raise AssertionError(f"hilod ended with {died}:\n{self.hub.log_tail()}")

    def wait_until_settled(self):
        """All messages of all customers, once nothing more can come of them but late reports."""
        end = time.monotonic() + REST
        names, open_ones, messages = list(self.names), [], {}
        while True:
            open_ones = []
            for name in names:
                found = self.hub.call("CustomerService/FindCustomers", {"identifier": {"kind": "IDENTIFIER_KIND_USER_ID", "value": name}})
                customer = found["customers"][0]["customer"]["name"]
                messages[name] = self.hub.call("DecisionService/ListMessages", {"customer": customer}).get("messages", [])
                states = {one["state"].removeprefix("MESSAGE_STATE_") for one in messages[name]}
                # A permit whose owner died runs out after the longest answer of a mail server; until then it stands.
                if not any(one.get("action") == "return-confirmation" for one in messages[name]) or states - SETTLED - {"PERMITTED"}:
                    open_ones.append(name)
            if not open_ones:
                return messages
            if time.monotonic() > end:
                raise AssertionError(f"not settled within {REST} s: {open_ones[:3]}: {messages[open_ones[0]]}")
            names = open_ones
            time.sleep(0.5)

    def judge(self, messages):
        problems = []
        reminders, confirmations = Counter(), {}
        late = []
        for mail in self.sink.taken:
            if mail.marketing:
                reminders[mail.recipient] += 1
                if mail.recipient in self.withdrawn and mail.time > self.withdrawn[mail.recipient]:
                    late.append((mail.time - self.withdrawn[mail.recipient], mail.recipient))
            else:
                confirmations.setdefault(mail.recipient, Counter())[mail.message_id] += 1
        problems += [f"{who} was reminded {count} times" for who, count in reminders.items() if count > 1]
        problems += [f"{who} got a confirmation under {len(ids)} Message-IDs" for who, ids in confirmations.items() if len(ids) > 1]
        problems += [f"{who} was reminded {after:.1f} s after the withdrawal" for after, who in late if after > WINDOW]
        problems += [f"{name} was reminded without consent" for name in self.silent if reminders[f"{name}@example.com"]]
        states = Counter((one.get("action", "nothing"), one["state"].removeprefix("MESSAGE_STATE_")) for list_ in messages.values() for one in list_)
        told = {f"{name}@example.com" for name, list_ in messages.items() if any(
            one.get("action") == "basket-reminder" and one["state"] == "MESSAGE_STATE_SENT" for one in list_)}
        problems += [f"{who} is shown as reminded, and was not" for who in told if not reminders[who]]
        repeats = sum(sum(ids.values()) - 1 for ids in confirmations.values())
        print(", ".join(f"{action} {state.lower()} {count}" for (action, state), count in sorted(states.items())))
        print(f"sink: {len(self.sink.taken)} taken, failures {self.sink.failed}; {repeats} confirmations repeated under their Message-ID; "
              f"{len(self.withdrawn)} withdrawals, longest window {max([after for after, _ in late], default=0):.2f} s")
        print("kills at: " + ", ".join(f"{place} {self.at[place]}" for place in ["random", *self.places]))
        for problem in problems[:20]:
            print(problem)
        if self.kills >= 5 * len(self.places) and not all(self.at[place] for place in self.places):
            print("never killed at: " + ", ".join(place for place in self.places if not self.at[place]))
            return False
        count = sum(len(list_) for list_ in messages.values())
        if len(self.sink.taken) < len(self.names) / 2:
            print("hardly anything was sent: this proves nothing")
            return False
        twice = sum(count - 1 for count in reminders.values() if count > 1)
        print(f"{self.kills} kills, {count} messages: {twice} sent twice, {len(late) if any(a > WINDOW for a, _ in late) else 0} after an opt-out"
              + ("" if problems else f", < {300 / max(self.kills, 1):.1f} % per kill at 95 %"))
        return not problems


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--kills", type=int, default=int(os.environ.get("HILO_KILLS", "60")))
    arguments.add_argument("--messages", type=int, default=1_000)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--keep", help="where to leave everything")
    arguments.add_argument("--at", help="kill at this place only")
    given = arguments.parse_args()
    print(f"seed {given.seed}")
    root = Path(given.keep) if given.keep else Path(tempfile.mkdtemp(prefix="hilo-outbound-kill-"))
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o700)
    trial = Trial(given, root)
    fine = False
    try:
        fine = trial.run()
    except (AssertionError, Refused, *UNKNOWN) as failure:
        print(f"FAILED: {failure}\n{trial.hub.log_tail()}")
    finally:
        trial.over = True
        if trial.hub.process is not None and trial.hub.process.poll() is None:
            trial.hub.process.kill()
        if fine and not given.keep:
            shutil.rmtree(root, ignore_errors=True)
        elif not fine:
            print(f"what it left is in {root}")
    sys.stdout.flush()
    os._exit(0 if fine else 1)


if __name__ == "__main__":
    main()
