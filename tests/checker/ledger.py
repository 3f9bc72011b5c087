"""What senders sent and what they were told, one line of JSON each, written before and after."""
import json
import os


class Ledger:
    """Append-only. `invoke` is on the disk before it returns, so that nothing is sent that is not written down.

    Outcomes: ok (told that it is there), fail (told that it is not and never will be), info (nobody knows).
    Thread-compatible: one writer a file."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="ascii")

    def invoke(self, **what):
        self._write({"op": "invoke", **what})
        os.fsync(self._file.fileno())

    def outcome(self, op, id, **more):
        assert op in ("ok", "fail", "info")
        self._write({"op": op, "id": id, **more})

    def poison(self, partition, payload_hash):
        self._write({"op": "poison", "partition": partition, "payload_hash": payload_hash})
        os.fsync(self._file.fileno())

    def _write(self, line):
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()


class Entry:
    def __init__(self, data):
        self.id = data["id"]
        self.kind = data["kind"]
        self.data = data
        self.outcomes = []

    @property
    def outcome(self):
        # Who was told once that it is there may rely on it. A refusal counts only when no attempt before may have arrived.
        if "ok" in self.outcomes:
            return "ok"
        return "fail" if self.outcomes and all(one == "fail" for one in self.outcomes) else "info"


class Book:
    """Ledgers, read."""

    def __init__(self):
        self.entries, self.poison = {}, []

    @staticmethod
    def read(*paths):
        book = Book()
        for path in paths:
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    if not line.endswith("\n"):
                        continue  # its writer was killed within the line, before it sent
                    data = json.loads(line)
                    if data["op"] == "invoke":
                        book.entries.setdefault(data["id"], Entry(data))
                    elif data["op"] == "poison":
                        book.poison.append((data["partition"], bytes.fromhex(data["payload_hash"])))
                    else:
                        book.entries[data["id"]].outcomes.append(data["op"])
        return book

    def of(self, kind):
        return [entry for entry in self.entries.values() if entry.kind == kind]
