#!/usr/bin/python3
"""Tries the checker: a checker that never failed proves nothing, and neither does one that always fails.

usage: checker_test.py clean|mutations|faults [--seeds N]

  clean       N worlds on a hostile log, and no alarm
  mutations   one mistake at a time in a good dump, each found, by the invariant that is there for it
  faults      hubs with a planted fault, each found within N seeds"""
import argparse
import copy
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checker import check
from encoding import Dump
from ledger import Book
from mutations import MUTATIONS, Good, derive

BIN = Path(os.environ["HILO_BUILD"]) / "bin"

# What a fold or its runtime may do wrong, and where it is compiled in. Of some of them the hub itself takes notice and stops:
# then that is what the checker reports.
FAULTS = {
    "hilo_checker_world": [
        "apply_twice", "skip_event", "entry_lost", "memory_in_fold", "bytes_changed", "wrong_partition", "dedup_forgets",
        "answer_forgotten", "refusal_swallowed", "refused_counts", "member_swapped", "stale_restore", "told_too_early"],
    "hilo_checker_world_faults": [
        "position_off_by_one", "outbox_not_in_batch", "lost_lane_tail", "same_sequence_other_bytes", "progress_before_durable",
        "duplicate_accepted", "gap_accepted", "clock_in_fold"],
}


def make(program, directory, first, seeds, events, fault=""):
    done = subprocess.run([BIN / program, directory, str(first), str(seeds), str(events), fault], capture_output=True, text=True,
                          timeout=300)
    return done.returncode == 0, done.stderr.strip()


def check_world(place):
    return check(Dump.read(place / "dump.jsonl"), Book.read(place / "ledger.jsonl"), refold=Dump.read(place / "refold.jsonl"))


def clean(seeds):
    alarms = 0
    with tempfile.TemporaryDirectory() as directory:
        for first in range(1, seeds + 1, 20):
            count = min(20, seeds + 1 - first)
            made, why = make("hilo_checker_world", directory, first, count, 300)
            if not made:
                sys.exit(f"seeds {first} to {first + count - 1}: {why}")
            for seed in range(first, first + count):
                checker = check_world(Path(directory) / str(seed))
                if checker.problems.found:
                    alarms += 1
                    print(f"seed {seed}:")
                    checker.problems.print(sys.stdout)
    print(f"{seeds} clean worlds, {alarms} false alarms")
    return alarms == 0


def mutations(seed=7):
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        made, why = make("hilo_checker_world", directory, seed, 1, 400)
        if not made:
            sys.exit(why)
        place = Path(directory) / str(seed)
        good = Good(Dump.read(place / "dump.jsonl"), Book.read(place / "ledger.jsonl"))
        again = good.copy()
        derive(again)
        if found := check(again, good.book).problems.found:
            sys.exit(f"the good dump is not good: {found[:3]}")
        for name, (marks, mutate) in MUTATIONS.items():
            dump, book = good.copy(), copy.deepcopy(good.book)
            if mutate(good, dump, book) != "as it is" and not marks & {"C8"}:
                derive(dump)
            problems = check(dump, book).problems
            hit = problems.marks & marks
            missed += not hit
            print(f"{'found ' if hit else 'MISSED'} {name}: {', '.join(sorted(problems.marks)) or 'nothing'}")
    print(f"{len(MUTATIONS)} mistakes in a good dump, {len(MUTATIONS) - missed} found by the invariant that is there for them")
    return missed == 0


def faults(seeds):
    found = total = 0
    for program, names in FAULTS.items():
        for name in names:
            total += 1
            marks, at = set(), 0
            for seed in range(1, seeds + 1):
                with tempfile.TemporaryDirectory() as directory:
                    made, why = make(program, directory, seed, 1, 300, name)
                    marks = check_world(Path(directory) / str(seed)).problems.marks if made else {"stopped by its own check"}
                at = seed
                if marks:
                    break
            found += bool(marks)
            print(f"{'found ' if marks else 'MISSED'} {name}" + (f" at seed {at}: {', '.join(sorted(marks))}" if marks else ""))
    print(f"{total} planted faults, {found} found")
    return found == total


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("what", choices=["clean", "mutations", "faults"])
    arguments.add_argument("--seeds", type=int, default=int(os.environ.get("HILO_SEEDS", "0")))
    given = arguments.parse_args()
    fine = {"clean": lambda: clean(given.seeds or 100), "mutations": mutations, "faults": lambda: faults(given.seeds or 10)}
    return 0 if fine[given.what]() else 1


if __name__ == "__main__":
    sys.exit(main())
