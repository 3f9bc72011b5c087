"""Mistakes made in a good dump or ledger, one at a time, that the checker must find. Each keeps everything else as an
unlucky hub would have it: offsets stay dense, and what is derived from records (hashes, digests) is derived again, so
that no other invariant gives the mistake away by accident."""
from collections import defaultdict

from encoding import (ANSWER, EVENT_ID, IDENTIFIER, LANE_IN, LANE_OUT, MEMBER, META, OUTBOX, TIMELINE, ZERO, Record,
                      answer_key, blake, decode, digest, lane_place, record_hash)
from hilo.store.v1 import records_pb2, rows_pb2

FORMAT = b"\x01"
POSITION = bytes([META]) + b"position"


def encode(message):
    return FORMAT + message.SerializeToString()


def filled(record):
    """A record without effect in this one's place, so that offsets stay what others say they are."""
    return Record(record.offset, record.append_micros, b"", b"", encode(records_pb2.Record(parameters=records_pb2.Parameters())))


def put_behind(log, at, record):
    """Puts a record in the place of a tick behind `at`."""
    for later in range(at + 1, len(log.records)):
        if log.records[later].kind == "tick":
            log.records[later] = record
            return
    raise LookupError


def derive(dump):
    """Running hashes in ticks and rows, and the rows' digests, as if the hub had computed them of what is there now."""
    for place, rows in dump.rows.items():
        records = dump.logs[place].records
        hashes = [ZERO]
        for at, record in enumerate(records):
            record.offset = at
            if record.kind == "tick" and record.body.tick.position:
                body = record.body
                body.tick.record_hash = hashes[body.tick.position]
                records[at] = record = Record(at, record.append_micros, record.key, record.header, encode(body))
            hashes.append(record_hash(hashes[-1], record))
        dump.logs[place].end = len(records)
        row = decode(rows[POSITION], rows_pb2.PartitionRow())
        row.record_hash = hashes[min(row.position, len(records))]
        row.state_digest = digest(rows)
        del row.marks[:]
        row.ClearField("batch_begin")
        rows[POSITION] = encode(row)
    for log in dump.logs.values():
        for at, record in enumerate(log.records):
            record.offset = at
        log.end = len(log.records)


class Good:
    """A good dump and its ledger, with what mutations need to find in them."""

    def __init__(self, dump, book):
        self.dump, self.book = dump, book

    def copy(self):
        dump = self.dump.copy()
        for log in dump.logs.values():
            log.records = [record.copy() for record in log.records]
        return dump

    def events(self, dump):
        """(place, index, event) of events that counted, oldest first; with what their sender calls them."""
        found = []
        seen = set()
        kept = {key[1:]: decode(value, rows_pb2.EventIdRow()) for key, value in dump.rows["events/0"].items() if key[0] == EVENT_ID}
        for at, record in enumerate(dump.logs["events/0"].records):
            if record.kind != "event":
                continue
            event = records_pb2.Event.FromString(record.body.event)
            row = kept.get(event.event_id)
            if row is not None and row.offset == at and event.event_id not in seen:
                seen.add(event.event_id)
                found.append((at, event))
        return found


def in_log_of_customers(dump, event_id):
    """Where the copy of an event that its customer accepted lies."""
    for place in dump.partitions("customers"):
        for at, record in enumerate(dump.logs[place].records):
            if record.kind == "customer_event" and record.body.customer_event.event:
                if records_pb2.Event.FromString(record.body.customer_event.event).event_id == event_id:
                    return place, at, record
    raise LookupError


def rewrite_member(dump, wanted, change):
    """Changes the first member row that `wanted` takes."""
    for place in dump.partitions("customers"):
        for key, value in sorted(dump.rows[place].items()):
            if key[0] == MEMBER:
                row = decode(value, rows_pb2.MemberRow())
                if wanted(row):
                    change(row)
                    dump.rows[place][key] = encode(row)
                    return
    raise LookupError


def lane_again(dump, place, source):
    """Relabels a lane in its target's log: dense sequences and a valid chain over what lies there, duplicates kept out."""
    topic, partition = source.split("/")
    chain, sequence, old = ZERO, 0, set()
    records = []
    for record in dump.logs[place].records:
        header = record.lane
        if header is None or (header.source_topic, header.source_partition) != (topic, int(partition)):
            records.append(record)
            continue
        if header.sequence in old:
            records.append(filled(record))
            continue
        old.add(header.sequence)
        sequence += 1
        chain = blake(chain, record.payload)
        again = records_pb2.RecordHeader()
        again.CopyFrom(header)
        again.sequence, again.chain = sequence, chain
        records.append(Record(0, record.append_micros, record.key, again.SerializeToString(), record.payload))
    dump.logs[place].records = records
    for at, tag in ((place, LANE_IN), (source, LANE_OUT)):
        other = source if tag == LANE_IN else place
        key = bytes([tag]) + lane_place(other)
        row = decode(dump.rows[at][key], rows_pb2.LaneInRow() if tag == LANE_IN else rows_pb2.LaneOutRow())
        row.sequence, row.chain = sequence, chain
        dump.rows[at][key] = encode(row)
    position(dump, place, len(records))


def position(dump, place, at):
    row = decode(dump.rows[place][POSITION], rows_pb2.PartitionRow())
    row.position = at
    dump.rows[place][POSITION] = encode(row)


# ------------------------------------------------------------------------------------------ mutations
# Each takes (good, dump, book) and changes dump or book. The marks of which one must be among what the checker finds.
MUTATIONS = {}


def mutation(*marks):
    def add(function):
        MUTATIONS[function.__name__] = (set(marks), function)
        return function
    return add


@mutation("C1")
def acknowledged_event_lost(good, dump, book):
    """An event that was acknowledged is not in the log: another event's bytes lie there."""
    events = good.events(dump)
    at, _ = events[len(events) // 2]
    records = dump.logs["events/0"].records
    name = {field.name: field.value for field in records_pb2.EventBody.FromString(events[len(events) // 2][1].body).open}["ledger_id"]
    for i, record in enumerate(records):
        if record.kind == "event":
            try:
                event = records_pb2.Event.FromString(record.body.event)
                fields = {field.name: field.value for field in records_pb2.EventBody.FromString(event.body).open}
            except Exception:
                continue
            if fields.get("ledger_id") == name:
                records[i] = Record(0, record.append_micros, record.key, record.header, records[events[0][0]].payload)


@mutation("C8")
def record_dropped(good, dump, book):
    """A log lost a record in its middle."""
    del dump.logs["customers/1"].records[3]


@mutation("C8")
def tail_lost(good, dump, book):
    """A log ends before its end."""
    del dump.logs["customers/1"].records[-3:]


@mutation("C1", "C7")
def counted_twice(good, dump, book):
    """Identity emitted an event twice, with everything else as it should be then."""
    _, event = good.events(dump)[5]
    place, at, record = in_log_of_customers(dump, event.event_id)
    twin = record.copy()
    header = records_pb2.RecordHeader.FromString(twin.header)
    header.sequence += 1_000_000
    put_behind(dump.logs[place], at, Record(0, twin.append_micros, twin.key, header.SerializeToString(), twin.payload))
    lane_again(dump, place, "events/0")


@mutation("C1")
def never_emitted(good, dump, book):
    """Identity counted an event and told no customer."""
    _, event = good.events(dump)[7]
    place, at, record = in_log_of_customers(dump, event.event_id)
    sequence = record.lane.sequence
    dump.logs[place].records = [
        filled(one) if one.lane is not None and one.lane.source_topic == "events" and one.lane.sequence == sequence else one
        for one in dump.logs[place].records]
    lane_again(dump, place, "events/0")


@mutation("C2", "C5")
def order_swapped(good, dump, book):
    """Two events of one sender lie the other way round."""
    last = {}
    records = dump.logs["events/0"].records
    for at, event in good.events(dump):
        fields = {field.name: field.value for field in records_pb2.EventBody.FromString(event.body).open}
        data = book.entries[fields["ledger_id"]].data
        of = (data["source"], data["identifier"])
        if of in last and data["seq"] == last[of][1] + 1:
            first = last[of][0]
            records[first].payload, records[at].payload = records[at].payload, records[first].payload
            records[:] = [record.copy() for record in records]
            return
        last[of] = (at, data["seq"])
    raise LookupError


@mutation("C5")
def sender_chain_broken(good, dump, book):
    """An event carries another chain value than its sender gave it."""
    at, event = good.events(dump)[11]
    body = records_pb2.EventBody.FromString(event.body)
    for field in body.open:
        if field.name == "ledger_chain":
            field.value = ("0" if field.value[0] != "0" else "1") + field.value[1:]
    event.body = body.SerializeToString()
    record = records_pb2.Record(event=event.SerializeToString())
    old = dump.logs["events/0"].records[at]
    dump.logs["events/0"].records[at] = Record(0, old.append_micros, old.key, old.header, encode(record))


@mutation("C1")
def refused_event_there(good, dump, book):
    """A sender was told that an event was refused, and it lies in the log."""
    at, event = good.events(dump)[4]
    fields = {field.name: field.value for field in records_pb2.EventBody.FromString(event.body).open}
    book.entries[fields["ledger_id"]].outcomes = ["fail"]


@mutation("C1")
def invented_event(good, dump, book):
    """An event in the log that nobody sent."""
    _, event = good.events(dump)[9]
    fields = {field.name: field.value for field in records_pb2.EventBody.FromString(event.body).open}
    del book.entries[fields["ledger_id"]]


@mutation("C1")
def amount_changed(good, dump, book):
    """A purchase counts with another amount than was sent."""
    for entry in book.of("event"):
        if entry.outcome == "ok" and entry.data.get("minor") and entry.data["expect"] == "counted":
            entry.data["minor"] += 1
            return
    raise LookupError


@mutation("C1")
def command_lost(good, dump, book):
    """A command that was answered has no effect and no answer."""
    for place in dump.partitions("customers"):
        for key, value in dump.rows[place].items():
            if key[0] == ANSWER and decode(value, rows_pb2.AnswerRow()).code == 0:
                del dump.rows[place][key]
                return
    raise LookupError


@mutation("C1")
def answered_not_there(good, dump, book):
    """A caller was answered by a hub that never had the command."""
    entry = book.of("command")[0]
    entry.data = dict(entry.data)
    book.entries["00" * 16] = entry
    entry.id, entry.outcomes = "00" * 16, ["ok"]


@mutation("C3")
def event_counted_off_by_one(good, dump, book):
    """A member counts an event too many."""
    def change(row):
        row.events += 1
    rewrite_member(dump, lambda row: row.events > 2, change)


@mutation("C3")
def purchase_doubled(good, dump, book):
    """A member's purchases are counted twice, as after a join that does not know what it has joined."""
    def change(row):
        row.purchases[0].total_minor *= 2
    rewrite_member(dump, lambda row: row.purchases and row.purchases[0].total_minor, change)


@mutation("C3")
def purchase_day_missing(good, dump, book):
    def change(row):
        del row.purchases[0].days[0]
    rewrite_member(dump, lambda row: row.purchases and len(row.purchases[0].days), change)


@mutation("C3")
def fact_missing(good, dump, book):
    def change(row):
        del row.facts[0]
    rewrite_member(dump, lambda row: len(row.facts), change)


@mutation("C3")
def half_a_member(good, dump, book):
    """A member's row is there and its timeline is not, as after half a transfer."""
    for place in dump.partitions("customers"):
        keys = [key for key in dump.rows[place] if key[0] == TIMELINE]
        if keys:
            for key in keys:
                if key[2:18] == keys[0][2:18]:
                    del dump.rows[place][key]
            return
    raise LookupError


@mutation("C3")
def member_lost(good, dump, book):
    for place in dump.partitions("customers"):
        for key in dump.rows[place]:
            if key[0] == MEMBER:
                del dump.rows[place][key]
                return
    raise LookupError


@mutation("C3")
def entry_of_another_event(good, dump, book):
    for place in dump.partitions("customers"):
        keys = [key for key, value in dump.rows[place].items()
                if key[0] == TIMELINE and decode(value, rows_pb2.TimelineRow()).event]
        if len(keys) > 1:
            dump.rows[place][keys[0]] = dump.rows[place][keys[-1]]
            return
    raise LookupError


@mutation("C6")
def position_off_by_one(good, dump, book):
    """The state stands one record before what it holds."""
    row = decode(dump.rows["customers/2"][POSITION], rows_pb2.PartitionRow())
    position(dump, "customers/2", row.position - 1)


@mutation("C6")
def position_beyond_the_log(good, dump, book):
    """The log lost its tail, the state did not."""
    row = decode(dump.rows["customers/2"][POSITION], rows_pb2.PartitionRow())
    position(dump, "customers/2", row.position + 5)


@mutation("C6")
def stale_row(good, dump, book):
    """A row of before, under the digest of today."""
    key = next(key for key in dump.rows["events/0"] if key[0] == IDENTIFIER)
    dump.rows["events/0"][key] += b"\x10\x01"
    return "as it is"


@mutation("C3")
def history_rewritten(good, dump, book):
    """A record of long ago has other bytes; ticks remember."""
    for at, record in enumerate(dump.logs["customers/0"].records):
        if record.kind == "tick":
            body = record.body
            body.tick.wall_micros += 1
            dump.logs["customers/0"].records[at] = Record(at, record.append_micros, record.key, record.header, encode(body))
            return "as it is"
    raise LookupError


@mutation("C10")
def diverged_owner(good, dump, book):
    """Two ticks give one position two digests."""
    log = dump.logs["customers/3"]
    for at, record in enumerate(log.records):
        if record.kind == "tick" and record.body.tick.position:
            body = records_pb2.Record()
            body.CopyFrom(record.body)
            body.tick.state_digest ^= 1
            log.records.append(Record(0, record.append_micros, b"", b"", encode(body)))
            position(dump, "customers/3", len(log.records))
            return
    raise LookupError


@mutation("C7")
def same_sequence_other_bytes(good, dump, book):
    """A lane's record was sent again with other bytes."""
    for place in dump.partitions("customers"):
        log = dump.logs[place]
        for record in log.records:
            if record.lane is not None and record.lane.sequence == 2:
                body = records_pb2.Record()
                body.CopyFrom(record.body)
                body.customer_event.begins = not body.customer_event.begins
                put_behind(log, record.offset, Record(0, record.append_micros, record.key, record.header, encode(body)))
                return
    raise LookupError


@mutation("C7")
def lane_tail_lost(good, dump, book):
    """The last record of a lane is not in the target's log, and no longer in the outbox."""
    place = "customers/1"
    last = max(record.lane.sequence for record in dump.logs[place].records if record.lane is not None)
    log = dump.logs[place]
    log.records = [filled(one) if one.lane is not None and one.lane.sequence == last else one for one in log.records]


@mutation("C7")
def outbox_not_empty(good, dump, book):
    """At rest something is still to be sent."""
    row = rows_pb2.OutboxRow(epoch=1)
    for record in dump.logs["customers/1"].records:
        if record.lane is not None and record.lane.sequence == 1:
            row.records.add(header=record.header, payload=record.payload)
            break
    key = bytes([OUTBOX]) + lane_place("customers/1") + (1).to_bytes(8, "big")
    dump.rows["events/0"][key] = encode(row)


@mutation("C7")
def accepted_too_much(good, dump, book):
    """A target says that it has accepted what it has not."""
    key = bytes([LANE_IN]) + lane_place("events/0")
    row = decode(dump.rows["customers/1"][key], rows_pb2.LaneInRow())
    row.sequence += 1
    dump.rows["customers/1"][key] = encode(row)


@mutation("C7")
def chain_forged(good, dump, book):
    """A record of a lane carries another chain value."""
    log = dump.logs["customers/1"]
    for at, record in enumerate(log.records):
        if record.lane is not None and record.lane.sequence == 3:
            header = records_pb2.RecordHeader.FromString(record.header)
            header.chain = bytes([header.chain[0] ^ 1]) + header.chain[1:]
            log.records[at] = Record(0, record.append_micros, record.key, header.SerializeToString(), record.payload)
            return
    raise LookupError


@mutation("C4")
def wrong_partition(good, dump, book):
    """An event went to a partition that is not its customer's."""
    _, event = good.events(dump)[6]
    place, at, record = in_log_of_customers(dump, event.event_id)
    body = records_pb2.Record()
    body.CopyFrom(record.body)
    customer = bytearray(body.customer_event.customer)
    customer[0] ^= 0x80
    body.customer_event.customer = bytes(customer)
    log = dump.logs[place]
    log.records[at] = Record(0, record.append_micros, record.key, record.header, encode(body))
    lane_again(dump, place, "events/0")


@mutation("C2")
def lost_split(good, dump, book):
    """A person's next event begins a customer anew."""
    for place in dump.partitions("customers"):
        log, begun = dump.logs[place], defaultdict(set)
        for at, record in enumerate(log.records):
            if record.kind != "customer_event" or not record.body.customer_event.event:
                continue
            before = begun[record.body.customer_event.customer]
            again = record.lane.sequence in before
            before.add(record.lane.sequence)
            if not again and len(before) == 4:
                body = records_pb2.Record()
                body.CopyFrom(record.body)
                body.customer_event.begins = True
                log.records[at] = Record(0, record.append_micros, record.key, record.header, encode(body))
                lane_again(dump, place, "events/0")
                return
    raise LookupError


@mutation("C1")
def event_id_forgotten(good, dump, book):
    """An event id is forgotten before its time, as by a clock that is no log time."""
    rows = dump.rows["events/0"]
    del rows[next(key for key in rows if key[0] == EVENT_ID)]


@mutation("C12")
def dead_letter_missing(good, dump, book):
    """A refused record left nothing behind."""
    log = dump.logs["dead-letters/0"]
    first = next(one for one in log.records if one.lane.source_topic == "events")
    log.records = [one for one in log.records
                   if one.lane.source_topic != "events" or one.lane.sequence != first.lane.sequence]
    relabel_letters(dump, "events/0")


@mutation("C12")
def dead_letter_twice(good, dump, book):
    log = dump.logs["dead-letters/0"]
    first = next(one for one in log.records if one.lane.source_topic == "events")
    header = records_pb2.RecordHeader.FromString(first.header)
    header.sequence += 1_000_000
    log.records.insert(log.records.index(first) + 1, Record(0, first.append_micros, first.key, header.SerializeToString(), first.payload))
    relabel_letters(dump, "events/0")


@mutation("C12")
def dead_letter_of_a_good_record(good, dump, book):
    def change(letter):
        letter.position.offset = good.events(dump)[3][0]
    rewrite_letter(dump, change, move=True)


@mutation("C12")
def dead_letter_with_other_bytes(good, dump, book):
    def change(letter):
        letter.payload += b"x"
    rewrite_letter(dump, change)


@mutation("C12")
def dead_letter_with_other_reason(good, dump, book):
    def change(letter):
        letter.reason = "because"
    rewrite_letter(dump, change)


@mutation("C9")
def partition_stopped(good, dump, book):
    dump.logs["customers/2"].stopped = "state_diverged"


def answered_permits(dump):
    """(place, key of the answer, answer, record, index) of each request for a permit that was answered."""
    for place in dump.partitions("customers"):
        rows = dump.rows[place]
        for at, record in enumerate(dump.logs[place].records):
            if record.kind != "command" or not record.body.command.HasField("request_permit"):
                continue
            command = record.body.command
            key = answer_key(command.member, command.caller, command.request_id)
            if key in rows:
                row = decode(rows[key], rows_pb2.AnswerRow())
                if row.offset == at:
                    yield place, key, row, record, at


@mutation("C11")
def permit_for_what_was_refused(good, dump, book):
    """A dispatcher was told yes where the fold had said no."""
    for place, key, row, _, _ in answered_permits(dump):
        if row.result.permit.reason in ("sent", "in_flight", "unknown", "opted_out"):
            row.result.permit.granted = True
            dump.rows[place][key] = encode(row)
            return
    raise LookupError


@mutation("C11")
def permit_not_counted(good, dump, book):
    """A permit was given, and the state says that it was not."""
    for place, key, row, _, _ in answered_permits(dump):
        if row.result.permit.granted:
            row.result.permit.granted = False
            dump.rows[place][key] = encode(row)
            return
    raise LookupError


@mutation("C11")
def sent_without_a_decision(good, dump, book):
    """A message goes out that nobody decided."""
    for place in dump.partitions("customers"):
        log = dump.logs[place]
        for at, record in enumerate(log.records):
            if record.kind != "decided":
                continue
            decided = record.body.decided
            wanted = [at for at, other in enumerate(log.records) if other.kind == "decided" and other.body.decided.run == decided.run
                      and other.body.decided.turn == decided.turn]
            target = dump.logs["outbound.email/" + place.split("/")[1]]
            if not any(other.kind == "message" and other.lane.cause.offset == at for other in target.records):
                continue
            for other in wanted:
                log.records[other] = filled(log.records[other])
            return
    raise LookupError


@mutation("C11")
def place_given_back(good, dump, book):
    """A message that was sent, or may have been, ends as if it had not been."""
    def gone(message):
        return message.state in (3, 6) and message.attempts > 0

    def give_back(row):
        next(message for message in row.messages if gone(message)).state = 8
    rewrite_member(dump, lambda row: any(gone(message) for message in row.messages), give_back)


def rewrite_letter(dump, change, move=False):
    log = dump.logs["dead-letters/0"]
    for at, record in enumerate(log.records):
        if record.lane.source_topic != "events":
            continue
        body = records_pb2.Record()
        body.CopyFrom(record.body)
        change(body.dead_letter)
        header = records_pb2.RecordHeader.FromString(record.header)
        if move:
            header.cause.offset = body.dead_letter.position.offset
        log.records[at] = Record(0, record.append_micros, record.key, header.SerializeToString(), encode(body))
        break
    relabel_letters(dump, "events/0")


def relabel_letters(dump, source):
    """As lane_again, for a log that nothing folds."""
    topic, partition = source.split("/")
    chain, sequence, old, records = ZERO, 0, set(), []
    for record in dump.logs["dead-letters/0"].records:
        header = record.lane
        if (header.source_topic, header.source_partition) != (topic, int(partition)):
            records.append(record)
            continue
        if header.sequence in old:
            continue
        old.add(header.sequence)
        sequence += 1
        chain = blake(chain, record.payload)
        again = records_pb2.RecordHeader()
        again.CopyFrom(header)
        again.sequence, again.chain = sequence, chain
        records.append(Record(0, record.append_micros, record.key, again.SerializeToString(), record.payload))
    dump.logs["dead-letters/0"].records = records
    key = bytes([LANE_OUT]) + lane_place("dead-letters/0")
    row = decode(dump.rows[source][key], rows_pb2.LaneOutRow())
    row.sequence, row.chain = sequence, chain
    dump.rows[source][key] = encode(row)
