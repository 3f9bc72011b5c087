"""Those who send while the hub dies: raw HTTP, one event after the other for each customer, and agents who write by command.
What they send stands in their ledgers before it leaves them. They send again until they are told."""
import base64
import http.client
import json
import os
import random
import secrets
import threading
import time

from encoding import ZERO, blake
from hub import Refused
from ledger import Ledger

DAY = 86_400
PAUSE = 0.05  # after an error, before it is sent again
# Nobody knows whether what was sent before one of these arrived.
UNKNOWN = (OSError, http.client.HTTPException)


def uuid7():
    micros = int(time.time() * 1000).to_bytes(6, "big")
    rest = bytearray(secrets.token_bytes(10))
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    text = (micros + bytes(rest)).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"


class Sender(threading.Thread):
    """Works until told to stop, and then ends what it has begun."""

    def __init__(self, hub, root, name, seed):
        super().__init__(name=name)
        self.hub, self.random = hub, random.Random(seed)
        self.path = f"{root}/{name}.ledger.jsonl"
        self.ledger = Ledger(self.path)
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.turn()
        except Exception as failure:  # the test fails with it
            self.failure = failure


class HttpSender(Sender):
    """Events of the customers `users` by one source, in order for each."""

    def __init__(self, hub, root, source, number, users, seed):
        super().__init__(hub, root, f"{source}-{number}", seed)
        self.source, self.users, self.sent = source, users, 0
        self.place = {user: (0, ZERO) for user in users}
        self.key = "Basic " + base64.b64encode(f"wk-{source}:".encode()).decode()

    def event(self, user):
        self.sent += 1
        name = f"{self.name}-{self.sent}"
        sequence, chain = self.place[user]
        sequence, chain = sequence + 1, blake(chain, name.encode())
        late = self.random.random() < 0.02
        minor = self.random.randrange(1, 50_000) if self.random.random() < 0.3 else 0
        properties = {"ledger_id": name, "ledger_seq": str(sequence), "ledger_chain": chain.hex(), "note": "ñ" * self.random.randrange(40)}
        kind = "Product Viewed"
        if minor:
            kind = "Order Completed"
            properties.update(order_id=f"o-{name}", total=f"{minor // 100}.{minor % 100:02}", currency=self.random.choice(("EUR", "USD")))
        elif self.random.random() < 0.1:
            kind = "Product Added"
            properties.update(name=f"thing {self.sent}")
        now = time.time()
        body = {"messageId": name, "userId": user, "event": kind, "properties": properties, "sentAt": iso(now),
                "timestamp": iso(now - 8 * DAY if late else now - self.random.randrange(60))}
        if self.random.random() < 0.3:
            body["anonymousId"] = f"browser-of-{user}"
        self.ledger.invoke(kind="event", id=name, source=self.name, identifier=user, seq=sequence, chain=chain.hex(), ordered=True,
                           minor=minor, currency=properties.get("currency", "") if minor else "",
                           expect="event_too_late" if late else "counted", user=user)
        return name, sequence, chain, body, late

    def turn(self):
        user = self.random.choice(self.users)
        name, sequence, chain, body, late = self.event(user)
        self.until_told(name, body)
        self.place[user] = (sequence, chain)
        if not late and self.random.random() < 0.02:  # a late one is late also under other words
            self.conflict(name, body)
        if self.random.random() < 0.02:
            self.junk()

    def conflict(self, name, body):
        """The same message id with another body: refused at once, or a dead letter."""
        other = {**body, "properties": {**body["properties"], "ledger_id": name + "-other"}}
        self.ledger.invoke(kind="event", id=name + "-other", expect="event_id_conflict")
        self.until_told(name + "-other", other)

    def junk(self):
        """An event that names nobody: refused before it is appended."""
        self.sent += 1
        name = f"{self.name}-{self.sent}-junk"
        self.ledger.invoke(kind="event", id=name, expect="refused")
        told = self.until_told(name, {"messageId": name, "userId": "null", "event": "Product Viewed", "properties": {"ledger_id": name}})
        if told != "fail":
            raise AssertionError(f"{name} names nobody and was answered with {told}")

    def until_told(self, name, body):
        data = json.dumps(body)
        while True:
            try:
                status, _ = self.hub.post("/v1/track", {"Authorization": self.key}, data)
            except UNKNOWN:
                status = 0
            told = "ok" if status == 200 else "fail" if 400 <= status < 500 and status not in (408, 429) else "info"
            self.ledger.outcome(told, name)
            if told != "info":
                return told
            time.sleep(PAUSE)


class Agent(Sender):
    """Notes and facts by command, each with a request id that stays until it is answered."""

    def __init__(self, hub, root, number, users, seed):
        super().__init__(hub, root, f"agent-{number}", seed)
        self.users, self.names, self.written = users, {}, 0

    def turn(self):
        user = self.random.choice(self.users)
        try:
            name = self.find(user)
        except (Refused, *UNKNOWN):
            name = None
        if name is None:
            time.sleep(PAUSE)
            return
        request = uuid7()
        entry = request.replace("-", "")
        self.written += 1
        note = self.random.random() < 0.7
        method = "CustomerService/AddNote" if note else "CustomerService/RecordFact"
        body = {"customer": name, "write": {"requestId": request}}
        body.update({"text": f"note {self.written}"} if note else {"kind": "shoe_size", "value": str(self.written % 50)})
        self.ledger.invoke(kind="command", id=entry, what="note" if note else "fact", user=user)
        while True:
            try:
                self.hub.call(method, body)
                told = "ok"
            except Refused as refused:
                # Refused for good only when the hub says what is wrong with it.
                told = "fail" if refused.status in (400, 404, 409) else "info"
            except UNKNOWN:
                told = "info"
            self.ledger.outcome(told, entry)
            if told != "info":
                break
            time.sleep(PAUSE)
        if told == "fail":
            raise AssertionError(f"command {entry} was refused")
        self.stopping.wait(0.02)

    def find(self, user):
        if user not in self.names:
            found = self.hub.call("CustomerService/FindCustomers", {"identifier": {"kind": "IDENTIFIER_KIND_USER_ID", "value": user}})
            customers = found.get("customers", [])
            if not customers:
                return None
            self.names[user] = customers[0]["customer"]["name"]
        return self.names[user]
