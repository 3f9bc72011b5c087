"""C11: what was sent, judged by the log of a customers partition, the permits that its state says it gave, and what it emitted."""
from collections import defaultdict

from encoding import blake
from google.protobuf.message import DecodeError
from hilo.store.v1 import records_pb2

GRANTED, DENIED = 1, 2
TRANSACTIONAL = 2
SENT, TRANSIENT, PERMANENT, UNKNOWN, NOT_SENT = 1, 2, 3, 4, 5
SURELY_NOT = {TRANSIENT, PERMANENT, NOT_SENT}
# hilo.v1.MessageState
STATE_SENT, STATE_FAILED, STATE_EXPIRED, STATE_CANCELLED = 3, 5, 7, 8
GIVEN_BACK = {STATE_FAILED, STATE_EXPIRED, STATE_CANCELLED}


def message_id(decided):
    name = b"message" + decided.run + f"{decided.order.channel}/{decided.turn}".encode()
    return blake(decided.member, name)


class Signal:
    def __init__(self, offset, signal, micros, rank, name):
        self.offset, self.channel, self.purpose = offset, signal.channel, signal.purpose
        self.grants, self.rank = signal.status == GRANTED, rank
        self.order = (micros, rank, name)


class Permit:
    def __init__(self, offset, attempt, incarnation):
        self.offset, self.attempt, self.incarnation = offset, attempt, incarnation


def in_force(signals):
    """Whether a grant is in force: a withdrawal stands against grants of a lower rank until one of its own rank or above."""
    def lifted(withdrawal):
        return any(one.grants and one.rank >= withdrawal.rank and one.order > withdrawal.order for one in signals)

    def barred(grant):
        return any(not one.grants and one.rank > grant.rank and not lifted(one) for one in signals)

    left = [one for one in signals if not (one.grants and barred(one))]
    best = max(left, key=lambda one: (one.order, not one.grants), default=None)
    return best is not None and best.grants


class Outbound:
    """What a partition's records say about messages."""

    def __init__(self, problems):
        self.problems = problems
        self.decided = defaultdict(list)   # message -> (offset, order)
        self.signals = defaultdict(list)   # member -> Signals
        self.permits = defaultdict(list)   # message -> Permits, in order
        self.member = {}                   # message -> member that asked
        self.reports = defaultdict(list)   # message -> (offset, report)
        self.offers = defaultdict(dict)    # message -> attempt -> (offset, order)

    def read(self, passed, ours, answer):
        """`ours`: whether a customer lies here; `answer`: the answer to the command at an offset, or None."""
        for record in passed:
            if record.kind == "customer_event" and ours(record.body.customer_event.customer):
                self.read_event(record)
            elif record.kind == "decided" and ours(record.body.decided.customer):
                decided = record.body.decided
                self.decided[message_id(decided)].append((record.offset, decided.order))
            elif record.kind == "command":
                said = answer(record)
                if said is not None and said.code == 0:
                    self.read_command(record, said)

    def read_event(self, record):
        envelope = record.body.customer_event
        event, body = records_pb2.Event(), records_pb2.EventBody()
        try:
            event.ParseFromString(envelope.event)
            body.ParseFromString(event.body)
        except DecodeError:
            return
        micros = envelope.event_micros or event.event_micros
        for signal in body.consents:
            if signal.status in (GRANTED, DENIED):
                self.signals[envelope.member].append(Signal(record.offset, signal, micros, body.source_rank, event.event_id))

    def read_command(self, record, answer):
        command = record.body.command
        what = command.WhichOneof("operation")
        if what == "record_consent":
            self.signals[command.member].append(
                Signal(record.offset, command.record_consent.signal, record.append_micros, 0, command.request_id))
        elif what == "request_permit" and answer.result.permit.granted:
            asked = command.request_permit
            self.permits[asked.message].append(Permit(record.offset, asked.attempt, asked.incarnation))
            self.member[asked.message] = command.member
        elif what == "report_message":
            self.reports[command.report_message.message].append((record.offset, command.report_message))

    def check_offers(self, emitted):
        for record in emitted:
            if record.kind != "message":
                self.problems.add("C11", f"a {record.kind} was emitted to a channel")
                continue
            message, cause = record.body.message, record.lane.cause.offset
            offers = self.offers[message.message]
            orders = [order for offset, order in self.decided[message.message] if offset <= cause]
            if not any(order.action == message.order.action and getattr(order, "class") == getattr(message.order, "class")
                       for order in orders):
                self.problems.add("C11", f"offset {cause} sends a message that nobody decided")
            if offers and any(order.action != message.order.action for _, order in offers.values()):
                self.problems.add("C11", f"offset {cause}: of two decisions for one run and turn both were taken")
            if message.attempt != len(offers) + 1:
                self.problems.add("C11", f"offset {cause} offers attempt {message.attempt} after {len(offers)}")
            offers[message.attempt] = (cause, message.order)

    def check_permits(self):
        for message, permits in self.permits.items():
            offers, before = self.offers[message], None
            for permit in permits:
                name = f"the permit at offset {permit.offset}"
                offer = offers.get(permit.attempt)
                if offer is None or offer[0] > permit.offset:
                    self.problems.add("C11", f"{name} is for an attempt that was not offered")
                    continue
                order = offer[1]
                if before is not None and permit.attempt <= before.attempt:
                    self.problems.add("C11", f"{name} is a second one for its attempt")
                elif before is not None:
                    self.check_again(name, message, order, before, permit)
                if getattr(order, "class") != TRANSACTIONAL and not self.agreed(message, order, permit.offset):
                    self.problems.add("C11", f"{name} was given without consent")
                before = permit

    def told(self, message, permit, upto=None):
        return {report.result for offset, report in self.reports[message]
                if report.attempt == permit.attempt and report.incarnation == permit.incarnation and (upto is None or offset < upto)}

    def check_again(self, name, message, order, before, permit):
        told = self.told(message, before, permit.offset)
        if SENT in told:
            self.problems.add("C11", f"{name} was given though the message was sent")
        elif getattr(order, "class") != TRANSACTIONAL and not told & {TRANSIENT, NOT_SENT}:
            self.problems.add("C11", f"{name} was given though the attempt before may have been sent")

    def agreed(self, message, order, offset):
        purpose = order.purpose or ("marketing" if getattr(order, "class") == 1 else "")
        if not purpose:
            return True
        return in_force([one for one in self.signals[self.member[message]]
                         if one.offset < offset and one.purpose == purpose and one.channel in (0, order.channel)])

    def check_row(self, row):
        runs = set()
        for message in row.messages:
            permits = self.permits.get(message.message, [])
            name = f"a message of member {row.member.hex()}"
            if message.reason == "duplicate":
                continue
            if message.run and message.run in runs:
                self.problems.add("C11", f"{name} is the second of one run")
            runs.add(message.run)
            if message.message not in self.decided:
                self.problems.add("C11", f"{name} was decided by nobody")
            if message.attempts != len(permits):
                self.problems.add("C11", f"{name} counts {message.attempts} permits, {len(permits)} were given")
            outcomes = [self.told(message.message, permit) for permit in permits]
            if message.state in GIVEN_BACK and not all(told & SURELY_NOT for told in outcomes):
                self.problems.add("C11", f"{name} gave its place back though it may have been sent")
            if message.state == STATE_SENT and not any(SENT in told for told in outcomes):
                self.problems.add("C11", f"{name} counts as sent, and nobody said so")
