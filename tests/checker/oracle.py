"""The oracle: folds the logs by its own simple code, in memory, without lanes' windows, batches or stores.

It does not decide who is who: it takes identity's word from the records that identity emitted, and checks that word for
what must hold of it whoever decides."""
from collections import defaultdict

from encoding import ZERO, Undecodable, blake, entry_key, partition_of
from hilo.store.v1 import records_pb2
from google.protobuf.message import DecodeError

DAY = 86_400_000_000
LATENESS = 7 * DAY
# By how much log time may differ from the log's append time before an event's lateness is beyond doubt.
CLOCK_SLACK = 3_600_000_000
RUNTIME_KINDS = {"tick", "accept_time", "activate_version", "parameters", "lane_reset"}
# Commands that are no entries of a timeline: what was shown, and how a message went.
WITHOUT_ENTRY = {"request_permit", "report_message", "record_decision"}
USER_ID = 1
ORDER, REFUND, PAYMENT = 1, 2, 3


class Lane:
    """What a receiver that keeps the contract accepts of one lane."""

    def __init__(self, source):
        self.source, self.epoch, self.chain = source, 1, ZERO
        self.accepted = []  # Records; the first has sequence 1
        self.base = 0       # sequences below were given up by a reset
        self.duplicates = self.early = 0

    @property
    def sequence(self):
        return self.base + len(self.accepted)


class Refused:
    """A record that must be a dead letter."""

    def __init__(self, record, reasons):
        self.record, self.reasons = record, reasons


class Member:
    def __init__(self, customer, member):
        self.customer, self.member = customer, member
        self.events = 0
        self.first = self.last = None
        self.purchases = {}
        self.facts = []     # (event or request id, kind)
        self.retracted = False
        self.entries = {}   # key of the row -> (kind, bytes)

    def see(self, micros):
        self.events += 1
        self.first = micros if self.first is None else min(self.first, micros)
        self.last = micros if self.last is None else max(self.last, micros)


class Purchases:
    def __init__(self):
        self.total = self.paid = self.count = self.repeats = 0
        self.days = set()


def receive(records, problems, upto=None):
    """Lanes by source, and the records that a fold would look at (offset order)."""
    lanes, passed = {}, []
    seen = {}
    for record in records:
        if upto is not None and record.offset >= upto:
            break
        header = record.lane
        if header is None or not header.source_topic:
            passed.append(record)
            if record.kind == "lane_reset":
                reset(lanes, record.body.lane_reset)
            continue
        source = f"{header.source_topic}/{header.source_partition}"
        lane = lanes.setdefault(source, Lane(source))
        same = (source, header.epoch, header.sequence)
        before = seen.setdefault(same, record)
        if before.payload != record.payload or before.lane.chain != header.chain:
            problems.add("C7", f"{same} has other bytes at offset {record.offset} than at {before.offset}")
        if header.epoch != lane.epoch:
            continue
        if header.sequence <= lane.sequence:
            lane.duplicates += 1
            continue
        if header.sequence > lane.sequence + 1:
            lane.early += 1
            continue
        chain = blake(lane.chain, record.payload)
        if chain != header.chain:
            problems.add("C7", f"the chain breaks at {same}, offset {record.offset}")
            continue
        lane.chain = chain
        lane.accepted.append(record)
        passed.append(record)
    return lanes, passed


def reset(lanes, asked):
    source = f"{asked.source_topic}/{asked.source_partition}"
    lane = lanes.setdefault(source, Lane(source))
    if asked.epoch <= lane.epoch:
        return
    lane.epoch, lane.chain = asked.epoch, asked.chain
    keep = getattr(asked, "from") - lane.base
    if keep >= 0:
        del lane.accepted[keep:]
    lane.base = getattr(asked, "from") - len(lane.accepted)


def decode_reason(record):
    """Why the runtime refuses a record whatever fold it is for; None when it does not."""
    if record.lane is None:
        return {"header_undecodable"}
    if not record.payload:
        return {"null_record"}
    if isinstance(record.body, Undecodable):
        return {str(record.body)}
    return {"unexpected_record"} if record.kind == "dead_letter" else None


class Identity:
    """events/0: which events count."""

    def __init__(self):
        self.accepted = {}  # offset -> (event, bytes)
        self.by_id = {}     # event id -> (body hash, offset)
        self.refused = {}   # offset -> Refused
        self.repeats = 0
        self.late = []      # offsets of events that may be refused as late: their dead letters decide

    def fold(self, records, dead_letters):
        for record in records:
            reasons = decode_reason(record)
            if reasons is None:
                reasons = self.apply(record, dead_letters)
            if reasons:
                self.refused[record.offset] = Refused(record, reasons)

    def apply(self, record, dead_letters):
        kind = record.kind
        if kind in RUNTIME_KINDS or kind == "catalogue":
            return None
        if kind in ("accept_suggestion", "split_member", "erase_customer"):
            return {"not_yet_supported"}
        if kind != "event":
            return {"schema_unknown"}
        event = records_pb2.Event()
        try:
            event.ParseFromString(record.body.event)
        except DecodeError:
            return {"event_malformed"}
        if reasons := malformed(event):
            return reasons
        known = self.by_id.get(event.event_id)
        if known is not None:
            if known[0] == event.body_hash:
                self.repeats += 1
                return None
            return {"event_id_conflict"}
        age = record.append_micros - event.event_micros
        if age > LATENESS + CLOCK_SLACK:
            return {"event_too_late"}
        if age > LATENESS - CLOCK_SLACK and dead_letters.get(record.offset) == "event_too_late":
            return {"event_too_late"}
        if len({one.hash for one in event.identifiers if one.kind == USER_ID and not one.weak}) > 1:
            return {"strong_conflict"}
        self.by_id[event.event_id] = (event.body_hash, record.offset)
        self.accepted[record.offset] = (event, record.body.event)
        return None


def malformed(event):
    wrong = {"event_malformed", "identifier_missing"}
    if len(event.event_id) != 16 or len(event.body_hash) != 16 or not 1 <= len(event.identifiers) <= 16:
        return wrong
    if any(not 1 <= one.kind <= 5 or len(one.hash) != 16 for one in event.identifiers):
        return wrong
    if len(event.groups) > 16 or any(len(one.group) != 16 for one in event.groups):
        return wrong
    return None


class Customers:
    """customers/p: members, their timelines and what came of commands."""

    def __init__(self, partition, partitions):
        self.partition, self.partitions = partition, partitions
        self.members = {}    # (customer, member) -> Member
        self.refused = {}    # offset -> Refused
        self.commands = {}   # (member, caller, request id) -> [content hash, offset, code by the oracle or None]
        self.applied = defaultdict(int)  # request id -> times
        self.counted = {}    # event id -> [offsets]

    def fold(self, records, answers):
        for record in records:
            reasons = decode_reason(record)
            if reasons is None:
                if record.kind == "customer_event":
                    reasons = self.event(record)
                elif record.kind == "command":
                    reasons = self.command(record, answers)
                elif record.kind == "decided":
                    reasons = self.decided(record)
                elif record.kind not in RUNTIME_KINDS and record.kind != "catalogue":
                    reasons = {"unexpected_record"}
            if reasons:
                self.refused[record.offset] = Refused(record, reasons)

    def ours(self, customer):
        return partition_of(customer, self.partitions) == self.partition

    def event(self, record):
        envelope = record.body.customer_event
        if len(envelope.customer) != 16 or len(envelope.member) != 16:
            return {"record_malformed"}
        if not self.ours(envelope.customer):
            return {"wrong_partition"}
        event, body = records_pb2.Event(), records_pb2.EventBody()
        try:
            event.ParseFromString(envelope.event)
            body.ParseFromString(event.body)
        except DecodeError:
            return {"record_malformed"}
        key = (envelope.customer, envelope.member)
        member = self.members.get(key)
        if member is None:
            member = self.members[key] = Member(*key)
        if not envelope.event:
            return None
        micros = envelope.event_micros or event.event_micros
        self.counted.setdefault(event.event_id, []).append(record.offset)
        member.see(micros)
        for fact in body.facts:
            member.facts.append((event.event_id, fact.kind))
        if body.HasField("purchase"):
            purchase(member, body.purchase, micros)
        member.entries[entry_key(envelope.customer, envelope.member, micros, record.offset)] = ("event", envelope.event)
        return None

    def decided(self, record):
        decided = record.body.decided
        if len(decided.customer) != 16 or len(decided.member) != 16:
            return {"record_malformed"}
        if not self.ours(decided.customer):
            return {"wrong_partition"}
        return None if (decided.customer, decided.member) in self.members else {"record_malformed"}

    def command(self, record, answers):
        command = record.body.command
        if len(command.customer) != 16 or len(command.member) != 16:
            return {"record_malformed"}
        if not self.ours(command.customer):
            return {"wrong_partition"}
        if len(command.caller) != 16 or len(command.request_id) != 16:
            return None  # answered, not kept
        key = (command.member, command.caller, command.request_id)
        if key in self.commands:
            return None
        if command.not_after_micros and command.not_after_micros < record.append_micros:
            return None
        member = self.members.get((command.customer, command.member))
        code = answers(key)
        if member is None:
            code = 5  # not found, whatever the row says
        elif command.WhichOneof("operation") in ("add_note", "record_fact"):
            code = 0  # cannot be refused
        self.commands[key] = (command.content_hash, record.offset, code)
        if code != 0:
            return None
        self.applied[command.request_id] += 1
        what = command.WhichOneof("operation")
        if what == "record_fact":
            member.facts.append((command.request_id, command.record_fact.kind))
        member.retracted |= what == "retract_fact"
        if what in WITHOUT_ENTRY:
            return None
        place = entry_key(command.customer, command.member, record.append_micros, record.offset)
        member.entries[place] = ("command", command)
        return None


def purchase(member, bought, micros):
    if bought.kind not in (ORDER, REFUND, PAYMENT) or len(bought.currency) != 3 or bought.minor < 0:
        return
    if bought.kind == ORDER and len(bought.order) == 16:
        for sums in member.purchases.values():
            if bought.order in sums.orders:
                sums.repeats += 1
                return
    sums = member.purchases.get(bought.currency)
    if sums is None:
        sums = member.purchases[bought.currency] = Purchases()
        sums.orders = set()
    if bought.kind == PAYMENT:
        sums.paid += bought.minor
    elif bought.kind == REFUND:
        sums.total -= bought.minor
    else:
        sums.total += bought.minor
        sums.count += 1
        sums.days.add(micros // DAY)
        if len(bought.order) == 16:
            sums.orders.add(bought.order)
