#!/usr/bin/python3
"""Kills a real hilod again and again while real clients send, and proves that nothing was lost and nothing counted twice.

usage: kill_test.py [--kills N] [--seed N] [--keep DIRECTORY] [--at PLACE]

Some kills come at a random moment, the others at a place that the code names (ops/base/kill_point.h). Clients do not know:
raw HTTP, an official SDK, and agents who write by command, each with a ledger. Between some kills the node's files are looked
at as the kill left them. At the end everything comes to rest, the logs are folded a second time by the hub itself, and the
checker (tests/checker) compares logs, states and ledgers.

The last line is the result: "60 kills: 0 lost, 0 doubled, < 5.0 % per kill at 95 %" (the rule of three: none in N
independent kills bounds the rate below 3/N)."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("HILO_BUILD", SOURCE / "build/release"))
os.environ["HILO_BUILD"] = str(BUILD)
sys.path.insert(0, str(SOURCE / "tests/checker"))

from checker import check  # noqa: E402
from encoding import Dump  # noqa: E402
from hub import OPERATOR, SENDING, Hub, Refused, kill_points  # noqa: E402
from ledger import Book  # noqa: E402
from senders import UNKNOWN, Agent, HttpSender, uuid7  # noqa: E402

USERS = 40
HTTP_SENDERS, AGENTS, SDKS = 4, 2, 2
SDK_RATE = 60          # events a second, each
RANDOM_SHARE = 0.25    # of kills that come at no named place
LIVES = (0.15, 0.9)    # seconds until a kill at a random moment
PATIENCE = 4.0         # seconds for a named place to be reached
WAIT = 40              # milliseconds
INSPECTIONS = 5        # looks at the files that a kill left
POISONINGS = 3
REST = 120             # seconds in which everything has to come to rest

OPEN_FIELDS = """apiVersion: hilo/v1
kind: OpenFields
metadata: {name: ledger}
spec:
  when: {type: web.track}
  paths: [ledger_id, ledger_seq, ledger_chain]
"""

# How often a place is passed, about: a kill comes at one of the first passes, so that it comes soon.
PASSES = {"while_opening": 5, "before_trim": 20, "before_progress": 8, "after_read": 60, "before_apply": 60, "before_batch": 60, "after_batch": 60,
          "after_send": 40, "before_report": 40, "log_before_sync": 80, "log_after_sync": 80, "log_before_answer": 80,
          "intake_after_keys": 40, "intake_after_append": 60, "command_appended": 6, "before_answer": 6}


class Trial:
    def __init__(self, arguments, root):
        self.kills, self.root = arguments.kills, Path(root)
        self.random = random.Random(arguments.seed)
        self.hub = Hub(BUILD, root)
        self.at = Counter()
        # What sends has a test of its own, since nothing is sent here.
        self.places = [arguments.at] if arguments.at else sorted(place for place in kill_points(SOURCE) if not place.startswith(SENDING))
        self.random_share = 0 if arguments.at else RANDOM_SHARE
        self.senders, self.sdks = [], []
        self.earlier = []
        self.recovery = []

    def run(self):
        began = time.monotonic()
        if not self.hub.start():
            raise AssertionError(f"hilod did not start:\n{self.hub.log_tail()}")
        self.open_ledger_fields()
        self.start_senders()
        for number in range(1, self.kills + 1):
            self.one_kill(number)
        print(f"{self.kills} kills in {time.monotonic() - began:.0f} s; start after a kill: "
              f"median {sorted(self.recovery)[len(self.recovery) // 2]:.2f} s, at most {max(self.recovery):.2f} s")
        if not self.hub.start():
            raise AssertionError(f"hilod did not start again:\n{self.hub.log_tail()}")
        self.stop_senders()
        self.hub.wait_until_folded(REST)
        self.ask_for_customers()
        self.stop_hub()
        self.hub.dump(self.root / "rest.jsonl")
        self.fold_again()
        return self.judge()

    def open_ledger_fields(self):
        files = [{"path": file.name, "content": file.read_text()} for file in sorted((SOURCE / "state/catalogue/default").glob("*.yaml"))]
        files.append({"path": "ledger.yaml", "content": OPEN_FIELDS})
        answer = self.hub.call("CatalogueService/ApplyCatalogue", {"files": files, "requestId": uuid7()}, OPERATOR)
        while int(self.hub.call("CatalogueService/GetCatalogue", {}, OPERATOR).get("revision", 0)) < int(answer["revision"]):
            time.sleep(0.02)
        self.hub.wait_until_folded(REST)

    # ----------------------------------------------------------------------------------- senders
    def start_senders(self):
        users = [f"u{i}" for i in range(USERS)]
        for i in range(HTTP_SENDERS):
            source = ("web", "till")[i % 2]
            self.senders.append(HttpSender(self.hub, self.root, source, i, users[i::2], self.random.random()))
        for i in range(AGENTS):
            self.senders.append(Agent(self.hub, self.root, i, users, self.random.random()))
        for sender in self.senders:
            sender.start()
        for i in range(SDKS):
            path = self.root / f"sdk-{i}.ledger.jsonl"
            path.touch()
            self.sdks.append(subprocess.Popen(
                ["node", "--no-warnings", Path(__file__).with_name("sdk_sender.mjs"), f"http://127.0.0.1:{self.hub.port}", path, "wk-shop", f"sdk-{i}", str(USERS), str(SDK_RATE)],
                env={**os.environ, "HILO_PEERS": str(peers())}, stdout=subprocess.DEVNULL))

    def stop_senders(self):
        for sdk in self.sdks:
            sdk.send_signal(signal.SIGTERM)
        for sender in self.senders:
            sender.stopping.set()
        end = time.monotonic() + REST
        for sender in self.senders:
            sender.join(max(0.1, end - time.monotonic()))
            if sender.is_alive():
                raise AssertionError(f"{sender.name} is still not told")
            if sender.failure is not None:
                raise sender.failure
        for sdk in self.sdks:
            if sdk.wait(max(0.1, end - time.monotonic())) != 0:
                raise AssertionError("an SDK did not end well")

    def ledgers(self):
        return sorted(str(path) for path in self.root.glob("*.ledger.jsonl"))

    # ------------------------------------------------------------------------------------- kills
    def one_kill(self, number):
        place = self.choose()
        first = self.hub.process.poll() is None  # it serves since the senders began
        if first:
            time.sleep(self.random.uniform(*LIVES))
            self.hub.kill()
            self.at["random"] += 1
        else:
            # Every other time the others go on for a moment, so that what was said too early gets out.
            wait = self.random.choice((0, WAIT))
            kill_at = f"{place}:{self.random.randrange(1, PASSES.get(place, 20) + 1)}:{wait}" if place else None
            serves = self.hub.start(kill_at)
            if serves:
                self.recovery.append(self.hub.started)
            died = self.hub.died(PATIENCE if place else self.random.uniform(*LIVES)) if serves else self.hub.process.wait()
            if died is None:
                self.hub.kill()
                self.at["random"] += 1
            elif died == -signal.SIGKILL:
                self.at[place] += 1
            else:
                raise AssertionError(f"hilod ended with {died}:\n{self.hub.log_tail()}")
        if number % max(1, self.kills // INSPECTIONS) == 0:
            self.inspect(number)
        if number % max(1, self.kills // POISONINGS) == self.kills // (2 * POISONINGS):
            self.hub.poison(self.root / f"poison-{number}.ledger.jsonl", 5, number)

    def choose(self):
        if self.random.random() < self.random_share:
            return None
        fewest = min(self.at[place] for place in self.places)
        return self.random.choice([place for place in self.places if self.at[place] == fewest])

    def inspect(self, number):
        path = self.root / f"killed-{number}.jsonl"
        self.hub.dump_copy(path)
        checker = check(Dump.read(path), Book.read(*self.ledgers()), running=True)
        if checker.problems.found:
            print(f"after kill {number}:")
            checker.problems.print(sys.stdout)
            raise AssertionError(f"what kill {number} left is not whole")
        self.earlier.append(path)

    # -------------------------------------------------------------------------------------- rest
    def stop_hub(self):
        if (code := self.hub.stop()) != 0:
            raise AssertionError(f"hilod ended with {code} when told to stop:\n{self.hub.log_tail()}")

    def ask_for_customers(self):
        """What an agent is shown is what was sent."""
        bought, sure = Counter(), {f"u{i}" for i in range(USERS)}
        for entry in Book.read(*self.ledgers()).of("event"):
            user = entry.data.get("user")
            if user is None or entry.data["expect"] != "counted":
                continue
            if entry.outcome != "ok":
                sure.discard(user)
            elif entry.data["minor"]:
                bought[user, entry.data["currency"]] += entry.data["minor"]
                bought[user, "orders", entry.data["currency"]] += 1
        for user in sorted(sure):
            found = self.hub.call("CustomerService/FindCustomers", {"identifier": {"kind": "IDENTIFIER_KIND_USER_ID", "value": user}})
            customers = found.get("customers", [])
            if len(customers) != 1:
                raise AssertionError(f"{user} is {len(customers)} customers")
            context = self.hub.call("CustomerService/GetContext", {"customer": customers[0]["customer"]["name"]})
            shown = {one["total"]["currency"]: (int(one["total"].get("minor", 0)), int(one.get("orders", 0))) for one in context.get("context", context).get("purchases", [])}
            sent = {currency: (bought[user, currency], bought[user, "orders", currency]) for currency in ("EUR", "USD") if bought[user, currency]}
            if shown != sent:
                raise AssertionError(f"{user} is shown with purchases {shown}, sent were {sent}")
        print(f"{len(sure)} of {USERS} customers are shown with exactly what was sent of them")

    def fold_again(self):
        self.hub.forget_state()
        if not self.hub.start():
            raise AssertionError(f"hilod did not start on its logs alone:\n{self.hub.log_tail()}")
        self.hub.wait_until_folded(REST)
        self.stop_hub()
        self.hub.dump(self.root / "again.jsonl")

    def judge(self):
        book = Book.read(*self.ledgers())
        rest, again = Dump.read(self.root / "rest.jsonl"), Dump.read(self.root / "again.jsonl")
        checker = check(rest, book, earlier=[Dump.read(path) for path in self.earlier], refold=again)
        second = check(again, book, earlier=[rest])
        for one in (checker, second):
            one.problems.print(sys.stdout)
        print(", ".join(f"{count} {name}" for name, count in checker.counts.items()))
        print("kills at: " + ", ".join(f"{place} {self.at[place]}" for place in ["random", *self.places]))
        missing = [place for place in self.places if not self.at[place]]
        if missing and self.kills >= 3 * len(self.places):
            print(f"never killed at: {', '.join(missing)}")
            return False
        found = checker.problems.found + second.problems.found
        lost = sum(" lost" in text or "is not in the log" in text or "does not count" in text for _, text in found)
        doubled = sum("times" in text for _, text in found)
        print(f"{self.kills} kills: {lost} lost, {doubled} doubled, {len(found)} problems in all" if found else
              f"{self.kills} kills: 0 lost, 0 doubled, < {300 / self.kills:.1f} % per kill at 95 %")
        return not found


def peers():
    """Where the official SDK is installed."""
    folder = SOURCE / "tests/integration/peers"
    if (folder / "node_modules/@segment/analytics-node").exists():
        return folder
    print("SKIP: the packages of tests/integration/peers are not installed (npm ci)")
    sys.exit(77)


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--kills", type=int, default=int(os.environ.get("HILO_KILLS", "60")))
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--keep", help="where to leave everything")
    arguments.add_argument("--at", help="kill at this place only")
    given = arguments.parse_args()
    peers()
    print(f"seed {given.seed}")
    root = Path(given.keep) if given.keep else Path(tempfile.mkdtemp(prefix="hilo-kill-"))
    root.mkdir(parents=True, exist_ok=True)
    if any(root.iterdir()):
        sys.exit(f"{root} is not empty: what another run sent would count as this one's")
    root.chmod(0o700)
    trial = Trial(given, root)
    fine = False
    try:
        fine = trial.run()
    except (AssertionError, Refused, *UNKNOWN) as failure:
        print(f"FAILED: {failure}\n{trial.hub.log_tail()}")
    finally:
        for sender in trial.senders:
            sender.stopping.set()
        for process in [trial.hub.process, *trial.sdks]:
            if process is not None and process.poll() is None:
                process.kill()
        if fine and not given.keep:
            shutil.rmtree(root, ignore_errors=True)
        elif not fine:
            print(f"what it left is in {root}")
    sys.stdout.flush()
    os._exit(0 if fine else 1)  # senders may wait for a hub that is gone


if __name__ == "__main__":
    main()
