#!/usr/bin/python3
"""Checks that nothing was lost or counted twice: from what lies in logs and stores (hilo_dump), and what senders wrote down.

usage: checker.py --dump FILE [--ledger FILE ...] [--running] [--earlier FILE ...] [--refold FILE]

  --running   the hub was killed or still works: outboxes may be full, and folds may stand before the ends of their logs
  --earlier   dumps of the same node from before: what they show must still be there, unchanged
  --refold    a dump of a node that folded the same logs again from the beginning: its state must be the same

Prints one line a problem, "C7 customers/2: …", and ends with 1 when there is one. README.md says what the marks mean."""
import argparse
import sys
from collections import defaultdict

from encoding import (ANSWER, CLOCK, EVENT_ID, IDENTIFIER, LANE_IN, LANE_OUT, MEMBER, OUTBOX, OUTSIDE_DIGEST, TIMELINE, ZERO,
                      Dump, Record, Undecodable, answer_key, blake, decode, digest, lane_place, member_key, parse_lane_place,
                      partition_of, record_hash)
from hilo.store.v1 import records_pb2, rows_pb2
from ledger import Book
from oracle import USER_ID, Customers, Identity, receive
from outbound import Outbound

SHOWN_OF_A_KIND = 5


class Problems:
    def __init__(self):
        self.found = []
        self.where = ""

    def add(self, mark, text):
        self.found.append((mark, f"{self.where}{': ' if self.where else ''}{text}"))

    @property
    def marks(self):
        return {mark for mark, _ in self.found}

    def print(self, out):
        shown = defaultdict(int)
        for mark, text in self.found:
            shown[mark] += 1
            if shown[mark] <= SHOWN_OF_A_KIND:
                print(mark, text, file=out)
        for mark, count in shown.items():
            if count > SHOWN_OF_A_KIND:
                print(mark, f"and {count - SHOWN_OF_A_KIND} more", file=out)


class Checker:
    def __init__(self, dump, book, running=False):
        self.dump, self.book, self.running = dump, book, running
        self.problems = Problems()
        self.hashes = {}     # place -> running hash at each offset
        self.claims = {}     # (place, position) -> digest that a tick or a mark says
        self.position = {}
        self.emitted = {}    # (source, target) -> Records by sequence, from the target's log, then the outbox
        self.counts = defaultdict(int)

    def run(self):
        self.events = self.dump.partitions("events")
        self.customers = self.dump.partitions("customers")
        self.folded = self.events + self.customers
        for place, log in self.dump.logs.items():
            self.problems.where = place
            self.check_contiguous(log)
        for place in self.folded:
            self.problems.where = place
            self.check_position(place)
        self.lanes = {}
        for place, log in self.dump.logs.items():
            self.problems.where = place
            self.lanes[place], _ = receive(log.records, self.problems)
        for place in self.folded:
            self.problems.where = place
            self.check_lanes_out(place)
            self.check_lanes_in(place)
        self.problems.where = ""
        self.read_dead_letters()
        self.fold_identity()
        self.check_emissions()
        self.fold_customers()
        self.problems.where = ""
        self.check_dead_letters()
        if self.book is not None:
            self.check_ledger()
        return self.problems

    # ---------------------------------------------------------------------------------------- logs
    def check_contiguous(self, log):
        if log.stopped:
            self.problems.add("C9", f"it stopped: {log.stopped}")
        expected = log.start
        for record in log.records:
            if record.offset != expected:
                self.problems.add("C8", f"offset {expected} is missing or comes twice")
                expected = record.offset
            expected += 1
        if expected != log.end:
            self.problems.add("C8", f"it ends at {log.end} and has records up to {expected}")
        if log.start != 0:
            self.problems.add("C8", "it was trimmed: the checker needs it from the beginning")

    def claim(self, place, position, record_hash_said, digest_said, by):
        hashes = self.hashes[place]
        if position >= len(hashes):
            self.problems.add("C6", f"{by} speaks of position {position}, beyond the log's end")
        elif hashes[position] != record_hash_said:
            self.problems.add("C3", f"{by} has another record hash for position {position} than the log")
        if self.claims.setdefault((place, position), digest_said) != digest_said:
            self.problems.add("C10", f"{by} has another digest for position {position} than was said before")

    def check_position(self, place):
        log, rows = self.dump.logs[place], self.dump.rows.get(place, {})
        hashes = [ZERO]
        for record in log.records:
            hashes.append(record_hash(hashes[-1], record))
        self.hashes[place] = hashes
        for record in log.records:
            if record.kind != "tick" or record.body.tick.position == 0:
                continue
            tick = record.body.tick
            if tick.position > record.offset:
                self.problems.add("C6", f"the tick at {record.offset} speaks of position {tick.position}, not folded yet")
            self.claim(place, tick.position, tick.record_hash, tick.state_digest, f"the tick at {record.offset}")
            self.counts["ticks"] += 1
        row = self.dump.position_row(place)
        self.position[place] = row.position
        if row.position > len(log.records):
            self.problems.add("C6", f"the state stands at {row.position}, beyond the log's end {len(log.records)}")
            return
        if row.position and hashes[row.position] != row.record_hash:
            self.problems.add("C6", f"the state's record hash is not that of the log's first {row.position} records")
        computed = digest(rows)
        if computed != row.state_digest:
            self.problems.add("C6", f"the rows' digest is {computed:016x}, the state says {row.state_digest:016x}")
        self.claim(place, row.position, row.record_hash or ZERO, row.state_digest, "the state")
        for mark in row.marks:
            self.claim(place, mark.position, mark.record_hash or ZERO, mark.state_digest, "a mark")
        if not self.running and row.position != log.end:
            self.problems.add("C6", f"at rest the state stands at {row.position}, the log ends at {log.end}")

    # --------------------------------------------------------------------------------------- lanes
    def check_lanes_out(self, place):
        """What left this partition: in its targets' logs, and still in its outbox."""
        rows = self.dump.rows.get(place, {})
        heads = {}
        for key, value in rows.items():
            if key[0] == LANE_OUT:
                heads[parse_lane_place(key[1:])] = decode(value, rows_pb2.LaneOutRow())
        outbox = defaultdict(dict)
        for key, value in rows.items():
            if key[0] != OUTBOX:
                continue
            target = parse_lane_place(key[1:])
            first = int.from_bytes(key[-8:], "big")
            for i, one in enumerate(decode(value, rows_pb2.OutboxRow()).records):
                outbox[target][first + i] = Record(-1, 0, b"", one.header, one.payload)
        for target in self.dump.logs:
            lane = self.lanes[target].get(place)
            head = heads.get(target)
            if lane is None and head is None:
                continue
            self.check_lane_out(place, target, lane, head or rows_pb2.LaneOutRow(), outbox[target])
        for target in set(heads) - set(self.dump.logs):
            self.problems.add("C7", f"a lane goes to {target}, of which there is no log")

    def check_lane_out(self, place, target, lane, head, outbox):
        accepted = list(lane.accepted) if lane else []
        chain = lane.chain if lane else ZERO
        base = lane.base if lane else 0
        for sequence, record in outbox.items():
            if base < sequence <= base + len(accepted) and accepted[sequence - base - 1].payload != record.payload:
                self.problems.add("C7", f"to {target}: the outbox has other bytes for sequence {sequence} than the log")
        if not self.running and outbox:
            self.problems.add("C7", f"to {target}: at rest the outbox holds {len(outbox)} records")
        for sequence in range(base + len(accepted) + 1, head.sequence + 1):
            record = outbox.get(sequence)
            if record is None:
                self.problems.add("C7", f"to {target}: sequence {sequence} of {head.sequence} is neither in the log nor in the outbox")
                break
            chain = blake(chain, record.payload)
            if record.lane is None or record.lane.chain != chain or record.lane.sequence != sequence:
                self.problems.add("C7", f"to {target}: the chain breaks at sequence {sequence} of the outbox")
                break
            accepted.append(record)
        if base + len(accepted) > head.sequence:
            self.problems.add("C7", f"to {target}: the log has sequence {base + len(accepted)}, the state has emitted {head.sequence}")
        elif base + len(accepted) == head.sequence and head.sequence and chain != head.chain:
            self.problems.add("C7", f"to {target}: the chain at the head is not the state's")
        causes = [record.lane.cause.offset for record in accepted]
        if causes != sorted(causes):
            self.problems.add("C2", f"to {target}: records do not follow the order of what caused them")
        if causes and causes[-1] >= self.position[place]:
            self.problems.add("C6", f"to {target}: emitted for offset {causes[-1]}, but the state stands at {self.position[place]}")
        if any(record.lane.cause.topic + "/" + str(record.lane.cause.partition) != place for record in accepted):
            self.problems.add("C7", f"to {target}: a record's cause lies elsewhere")
        self.emitted[place, target] = accepted
        self.counts["emissions"] += len(accepted)

    def check_lanes_in(self, place):
        """What the state says it has accepted is what a receiver accepts up to its position."""
        log, rows = self.dump.logs[place], self.dump.rows.get(place, {})
        lanes, _ = receive(log.records, Problems(), upto=self.position[place])
        states = {parse_lane_place(key[1:]): decode(value, rows_pb2.LaneInRow()) for key, value in rows.items() if key[0] == LANE_IN}
        for source in set(lanes) | set(states):
            lane, state = lanes.get(source), states.get(source)
            if lane is None or state is None:
                if (lane and lane.sequence) or (state and state.sequence):
                    self.problems.add("C7", f"from {source}: a lane is in the log or in the state alone")
                continue
            if state.diverged:
                self.problems.add("C7", f"from {source}: the lane has diverged")
            if (state.epoch, state.sequence) != (lane.epoch, lane.sequence) or (lane.sequence and state.chain != lane.chain):
                self.problems.add("C7", f"from {source}: the state has accepted {state.epoch}/{state.sequence}, the log gives "
                                        f"{lane.epoch}/{lane.sequence}, or another chain")
            self.counts["duplicates"] += lane.duplicates
            self.counts["early"] += lane.early

    # -------------------------------------------------------------------------------- dead letters
    def read_dead_letters(self):
        self.dead = defaultdict(list)  # (place, offset) -> letters
        for (place, target), records in self.emitted.items():
            if not target.startswith("dead-letters/"):
                continue
            for record in records:
                letter = record.body.dead_letter if record.kind == "dead_letter" else None
                if letter is None:
                    self.problems.add("C12", f"{target}: a record of {place} is no dead letter")
                    continue
                at = f"{letter.position.topic}/{letter.position.partition}"
                if at != place or letter.position.offset != record.lane.cause.offset:
                    self.problems.add("C12", f"{target}: a letter from {place} speaks of {at}/{letter.position.offset}")
                self.dead[at, letter.position.offset].append(letter)
                self.counts["dead letters"] += 1

    def check_dead_letters(self):
        refused = {}
        for place in self.events:
            for offset, one in self.identity.refused.items():
                refused[place, offset] = one
        for place, fold in self.folds.items():
            for offset, one in fold.refused.items():
                refused[place, offset] = one
        for at, letters in self.dead.items():
            name = f"{at[0]}/{at[1]}"
            if at not in refused:
                self.problems.add("C12", f"{name} is a dead letter ({letters[0].reason}), but nothing is wrong with it")
                continue
            if len(letters) > 1:
                self.problems.add("C12", f"{name} is {len(letters)} dead letters")
            record, letter = refused[at].record, letters[0]
            if letter.reason not in refused[at].reasons:
                self.problems.add("C12", f"{name} was refused as {letter.reason}, not as one of {sorted(refused[at].reasons)}")
            if letter.header != record.header or letter.payload != record.payload:
                self.problems.add("C12", f"{name}: its dead letter has other bytes than the record")
            if letter.append_micros != record.append_micros:
                self.problems.add("C12", f"{name}: its dead letter has another append time")
        for at in refused.keys() - self.dead.keys():
            self.problems.add("C12", f"{at[0]}/{at[1]} had to be a dead letter ({sorted(refused[at].reasons)}) and is none")
        if self.book is not None:
            self.check_poison(refused)

    def check_poison(self, refused):
        planted = set(self.book.poison)
        for place in self.folded:
            for record in self.dump.logs[place].records[:self.position[place]]:
                if (place, blake(record.payload)) in planted and (place, record.offset) not in refused:
                    self.problems.add("C12", f"{place}/{record.offset}: the poison counted")

    # ------------------------------------------------------------------------------------ identity
    def fold_identity(self):
        self.identity = Identity()
        for place in self.events:
            _, passed = receive(self.dump.logs[place].records, Problems(), upto=self.position[place])
            self.identity.fold(passed, {offset: letters[0].reason for (at, offset), letters in self.dead.items() if at == place})
        rows = {key: value for place in self.events for key, value in self.dump.rows.get(place, {}).items()}
        kept = {}
        for key, value in rows.items():
            if key[0] == EVENT_ID:
                row = decode(value, rows_pb2.EventIdRow())
                kept[key[1:]] = (row.body_hash, row.offset)
        for event_id, known in self.identity.by_id.items():
            if kept.get(event_id) != known:
                self.problems.add("C1", f"events: the event id of offset {known[1]} is not remembered, or another one is")
        if len(kept) > len(self.identity.by_id):
            self.problems.add("C1", f"events: {len(kept) - len(self.identity.by_id)} event ids are remembered that were not accepted")
        self.counts["events"] = len(self.identity.accepted)
        self.counts["repeats"] = self.identity.repeats

    def check_emissions(self):
        """Each accepted event goes to one customer, once, as it was; and whoever it is, it is one person."""
        told = defaultdict(list)
        users, of_customer, member_of, begun = {}, {}, {}, {}
        everything = []
        for (place, target), records in self.emitted.items():
            if place in self.events and target in self.customers:
                everything += [(record.lane.cause.offset, target, record) for record in records]
        everything.sort(key=lambda one: one[0])
        for cause, target, record in everything:
            name = f"{target}: what events/0/{cause} emitted"
            if record.kind != "customer_event":
                self.problems.add("C7", f"{name} is a {record.kind}")
                continue
            sent = record.body.customer_event
            if partition_of(sent.customer, len(self.customers)) != int(target.split("/")[1]):
                self.problems.add("C4", f"{name} belongs in another partition")
            if cause not in self.identity.accepted or sent.identity_offset != cause:
                self.problems.add("C1", f"{name}, though that event does not count")
                continue
            if not sent.event:
                continue
            told[cause].append(record)
            event, data = self.identity.accepted[cause]
            if sent.event != data:
                self.problems.add("C1", f"{name} has other bytes than the event")
            if sent.begins and begun.setdefault(sent.customer, cause) != cause:
                self.problems.add("C2", f"{name} begins a customer a second time")
            if sent.customer not in begun:
                self.problems.add("C2", f"{name} belongs to a customer who has not begun")
            if any(index >= len(event.identifiers) for index in sent.bound):
                self.problems.add("C2", f"{name} binds identifiers that its event has not")
                continue
            for index in sent.bound:
                one = event.identifiers[index]
                if member_of.setdefault((one.kind, one.hash), sent.member) != sent.member:
                    self.problems.add("C2", f"{name} binds an identifier that is bound to another member")
            for one in event.identifiers:
                if one.kind != USER_ID or one.weak:
                    continue
                if users.setdefault(one.hash, sent.customer) != sent.customer:
                    self.problems.add("C2", f"{name} goes to another customer than this user id before")
                if of_customer.setdefault(sent.customer, one.hash) != one.hash:
                    self.problems.add("C2", f"{name} gives its customer a second user id")
        for offset in self.identity.accepted:
            if len(told[offset]) != 1:
                self.problems.add("C1", f"the event at events/0/{offset} went to customers {len(told[offset])} times")
        self.check_identifier_rows(member_of)

    def check_identifier_rows(self, member_of):
        rows = {key: value for place in self.events for key, value in self.dump.rows.get(place, {}).items()}
        for (kind, hashed), member in member_of.items():
            value = rows.get(bytes([IDENTIFIER, kind]) + hashed)
            row = decode(value, rows_pb2.IdentifierRow()) if value is not None else None
            if row is None or (not row.shared and row.member != member):
                self.problems.add("C6", "events: an identifier that was bound has no row, or one of another member")

    # ----------------------------------------------------------------------------------- customers
    def fold_customers(self):
        self.folds = {}
        for place in self.customers:
            self.problems.where = place
            rows = self.dump.rows.get(place, {})
            answers = {key: decode(value, rows_pb2.AnswerRow()) for key, value in rows.items() if key[0] == ANSWER}

            def code_of(key, answers=answers):
                row = answers.get(answer_key(*key))
                return row.code if row is not None else None

            fold = self.folds[place] = Customers(int(place.split("/")[1]), len(self.customers))
            _, passed = receive(self.dump.logs[place].records, Problems(), upto=self.position[place])
            fold.fold(passed, code_of)
            self.check_answers(fold, answers)
            self.check_outbound(place, fold, passed, answers, rows)
            self.check_members(fold, rows)
            self.counts["members"] += len(fold.members)
            self.counts["commands"] += len(fold.commands)

    def check_answers(self, fold, answers):
        for key, (content, offset, code) in fold.commands.items():
            row = answers.get(answer_key(*key))
            if row is None or row.content_hash != content or row.offset != offset or row.code != code:
                self.problems.add("C1", f"the command at offset {offset} has no answer, or one of another command")
        if len(answers) != len(fold.commands):
            self.problems.add("C1", f"{len(answers)} answers are kept for {len(fold.commands)} commands")

    def check_outbound(self, place, fold, passed, answers, rows):
        def answer_of(record, answers=answers):
            command = record.body.command
            row = answers.get(answer_key(command.member, command.caller, command.request_id)) if command.member else None
            return row if row is not None and row.offset == record.offset else None

        outbound = Outbound(self.problems)
        outbound.read(passed, fold.ours, answer_of)
        for (source, target), records in self.emitted.items():
            if source == place and target.startswith("outbound."):
                outbound.check_offers(records)
            elif source == place and target.startswith("suppression/"):
                for record in records:
                    if record.kind != "suppression" or record.body.suppression.address.sealed:
                        self.problems.add("C11", f"{target}: a record is no suppression, or holds more than a hash")
        outbound.check_permits()
        for key, value in rows.items():
            if key[0] == MEMBER:
                outbound.check_row(decode(value, rows_pb2.MemberRow()))
        self.counts["permits"] += sum(len(permits) for permits in outbound.permits.values())

    def check_members(self, fold, rows):
        expected = {member_key(*key): member for key, member in fold.members.items()}
        entries = {}
        for key, value in rows.items():
            if key[0] == TIMELINE:
                entries[key] = decode(value, rows_pb2.TimelineRow())
            elif key[0] == MEMBER and key not in expected:
                self.problems.add("C3", "there is a member whom no record made")
        for key, member in expected.items():
            value = rows.get(key)
            if value is None:
                self.problems.add("C3", f"member {member.member.hex()} is missing")
                continue
            self.check_member(member, decode(value, rows_pb2.MemberRow()))
            for place, (kind, data) in member.entries.items():
                self.check_entry(member, place, kind, data, entries.pop(place, None))
        for key, entry in entries.items():
            # How a message went is told by the fold itself, also when no record says it.
            if entry.WhichOneof("what") == "message" and key[2:18] in {member.member for member in fold.members.values()}:
                continue
            self.problems.add("C3", f"the timeline of member {key[2:18].hex()} has an entry that no record made")

    def check_member(self, member, row):
        name = f"member {member.member.hex()}"
        if (row.customer, row.member) != (member.customer, member.member):
            self.problems.add("C3", f"{name} names another customer or member")
        if row.events != member.events:
            self.problems.add("C3", f"{name} counts {row.events} events, {member.events} came")
        if member.events and (row.first_micros, row.last_micros) != (member.first, member.last):
            self.problems.add("C3", f"{name} has another first or last time")
        if not row.left_out.purchases:
            self.check_purchases(name, member, {one.currency: one for one in row.purchases})
        if not row.left_out.facts and not member.retracted:
            facts = sorted((fact.origin.event_id, fact.kind) for fact in row.facts)
            if facts != sorted(member.facts):
                self.problems.add("C3", f"{name} has {len(facts)} facts, or others than the {len(member.facts)} that were told")

    def check_purchases(self, name, member, rows):
        for currency in set(rows) | set(member.purchases):
            row, sums = rows.get(currency), member.purchases.get(currency)
            if row is None or sums is None:
                self.problems.add("C3", f"{name} has purchases in {currency} in the row or in the log alone")
                continue
            said = (row.total_minor, row.paid_minor, row.count, row.repeats, list(row.days))
            if said != (sums.total, sums.paid, sums.count, sums.repeats, sorted(sums.days)):
                self.problems.add("C3", f"{name} bought {sums.total} {currency} in {sums.count} orders, the row says {row.total_minor} in {row.count}")

    def check_entry(self, member, place, kind, data, entry):
        name = f"member {member.member.hex()}"
        if entry is None:
            self.problems.add("C3", f"{name}: an entry of its timeline is missing ({kind})")
            return
        if entry.WhichOneof("what") != kind:
            self.problems.add("C3", f"{name}: an entry of its timeline is a {entry.WhichOneof('what')}, not a {kind}")
        elif kind == "event" and entry.event != data:
            self.problems.add("C3", f"{name}: an entry of its timeline has other bytes than its event")
        elif kind == "command":
            command = records_pb2.Command()
            command.ParseFromString(entry.command)
            if command != data:
                self.problems.add("C3", f"{name}: an entry of its timeline is another command")

    # -------------------------------------------------------------------------------------- ledger
    def check_ledger(self):
        """Every event of the ledger against the log, whatever the fold made of it."""
        in_log, first_seen, counted = defaultdict(int), {}, defaultdict(list)
        for place in self.events:
            for record in self.dump.logs[place].records:
                fields = self.open_fields(record)
                if fields is not None and "ledger_id" in fields:
                    in_log[fields["ledger_id"]] += 1
                    first_seen.setdefault(fields["ledger_id"], (record.offset, fields))
        for offset, (event, _) in self.identity.accepted.items():
            fields = open_fields(event)
            if "ledger_id" not in fields:
                self.problems.add("C1", f"the event at events/0/{offset} stands in no ledger")
                continue
            counted[fields["ledger_id"]].append((offset, event))
        for name in set(in_log) - set(self.book.entries):
            self.problems.add("C1", f"event {name} stands in no ledger")
        for entry in self.book.of("event"):
            self.check_event(entry, in_log[entry.id], counted.get(entry.id, []), first_seen.get(entry.id))
            self.counts[f"ledger {entry.outcome}"] += 1
        self.check_order(first_seen)
        self.check_commands()

    def open_fields(self, record):
        if record.kind != "event":
            return None
        event = records_pb2.Event()
        try:
            event.ParseFromString(record.body.event)
            return open_fields(event)
        except Exception:  # poison
            return None

    def check_event(self, entry, copies, counted, seen):
        expect = entry.data.get("expect", "counted")
        name = f"event {entry.id}"
        if entry.outcome == "fail" or expect == "refused":
            if copies:
                self.problems.add("C1", f"{name} was refused, or had to be, and lies in the log all the same")
            return
        if len(counted) > 1:
            self.problems.add("C1", f"{name} counts {len(counted)} times")
        folded = seen is not None and seen[0] < self.position[self.events[0]]
        if entry.outcome == "ok" and not copies:
            self.problems.add("C1", f"{name} was acknowledged and is not in the log")
        elif expect == "counted" and folded and not counted:
            self.problems.add("C1", f"{name} is in the log and does not count")
        elif expect != "counted" and counted:
            self.problems.add("C1", f"{name} counts, though it had to be refused as {expect}")
        elif expect != "counted" and folded and not self.refused_as(seen[0], expect):
            self.problems.add("C12", f"{name} is no dead letter {expect}")
        for _, event in counted[:1]:
            body = records_pb2.EventBody.FromString(event.body)
            if "minor" in entry.data and body.purchase.minor != entry.data["minor"]:
                self.problems.add("C1", f"{name} was sent with {entry.data['minor']} and counts {body.purchase.minor}")
            places = [place for place, fold in self.folds.items() for _ in fold.counted.get(event.event_id, [])]
            if len(places) > 1 or (not self.running and not places):
                self.problems.add("C1", f"{name} reached its customer {len(places)} times")

    def refused_as(self, offset, reason):
        return any(letter.reason == reason for letter in self.dead.get((self.events[0], offset), []))

    def check_order(self, first_seen):
        """Per identifier and source: one after the other, and the chain that the sender made."""
        last = {}
        for name, (offset, fields) in sorted(first_seen.items(), key=lambda one: one[1][0]):
            entry = self.book.entries.get(name)
            if entry is None or not entry.data.get("ordered"):
                continue
            of = (entry.data["source"], entry.data["identifier"])
            sequence, chain = last.get(of, (0, ZERO))
            if entry.data["seq"] != sequence + 1:
                self.problems.add("C2", f"{of}: {entry.data['seq']} follows {sequence} at events/0/{offset}")
            chain = blake(chain, name.encode())
            if bytes.fromhex(fields["ledger_chain"]) != chain and entry.data["seq"] == sequence + 1:
                self.problems.add("C5", f"{of}: the chain breaks at {entry.data['seq']}, events/0/{offset}")
            last[of] = (entry.data["seq"], chain)

    def check_commands(self):
        applied = defaultdict(int)
        for fold in self.folds.values():
            for request, times in fold.applied.items():
                applied[request] += times
        for entry in self.book.of("command"):
            times = applied[bytes.fromhex(entry.id)]
            if entry.outcome == "ok" and times != 1:
                self.problems.add("C1", f"command {entry.id} was answered and had {times} effects")
            elif entry.outcome == "fail" and times:
                self.problems.add("C1", f"command {entry.id} was refused and had {times} effects")
            elif times > 1:
                self.problems.add("C1", f"command {entry.id} had {times} effects")
            self.counts[f"commands {entry.outcome}"] += 1

    # -------------------------------------------------------------------------------- other dumps
    def check_earlier(self, earlier):
        """What was once visible stays, byte by byte; what was once said of a position is said still."""
        for place, log in earlier.logs.items():
            self.problems.where = place
            now = self.dump.logs[place].records
            for record in log.records:
                if record.offset >= len(now):
                    self.problems.add("C8", f"offset {record.offset} was there before and is gone")
                    break
                same = now[record.offset]
                if (same.payload, same.header, same.key, same.append_micros) != (record.payload, record.header, record.key, record.append_micros):
                    self.problems.add("C8", f"offset {record.offset} held other bytes before")
                    break
            if place in self.folded:
                row = earlier.position_row(place)
                for mark in [row, *row.marks]:
                    if mark.position:
                        self.claim(place, mark.position, mark.record_hash, mark.state_digest, "an earlier dump")
        self.problems.where = ""

    def check_refold(self, again):
        """The same records folded from the beginning give the same rows; ticks that came since change the clock alone."""
        skipped = OUTSIDE_DIGEST | {CLOCK}
        for place in self.folded:
            self.problems.where = place
            before = {key: value for key, value in self.dump.rows.get(place, {}).items() if key[0] not in skipped}
            after = {key: value for key, value in again.rows.get(place, {}).items() if key[0] not in skipped}
            for key in set(before) | set(after):
                if before.get(key) != after.get(key):
                    self.problems.add("C10", f"a row of table {key[0]} differs when folded again")
        self.problems.where = ""


def open_fields(event):
    body = records_pb2.EventBody.FromString(event.body)
    return {field.name: field.value for field in body.open}


def check(dump, book, running=False, earlier=(), refold=None):
    checker = Checker(dump, book, running)
    try:
        checker.run()
        for one in earlier:
            checker.check_earlier(one)
        if refold is not None:
            checker.check_refold(refold)
    except Undecodable as why:
        checker.problems.add("C6", f"a row cannot be read: {why}")
    return checker


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--dump", required=True)
    arguments.add_argument("--ledger", action="append", default=[])
    arguments.add_argument("--running", action="store_true")
    arguments.add_argument("--earlier", action="append", default=[])
    arguments.add_argument("--refold")
    given = arguments.parse_args()
    checker = check(Dump.read(given.dump), Book.read(*given.ledger) if given.ledger else None, given.running,
                    [Dump.read(path) for path in given.earlier], Dump.read(given.refold) if given.refold else None)
    checker.problems.print(sys.stdout)
    print(", ".join(f"{count} {name}" for name, count in checker.counts.items()))
    return 1 if checker.problems.found else 0


if __name__ == "__main__":
    sys.exit(main())
