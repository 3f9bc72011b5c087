"""How records and rows lie in logs and stores, written down a second time on purpose: from README.md here and the .proto
files alone, so that a mistake in the hub's own code is not repeated by what checks it."""
import base64
import hashlib
import json
import os
import sys

# What protoc made of proto/hilo/store/v1 for Python.
sys.path.insert(0, os.path.join(os.environ.get("HILO_BUILD", "build/release"), "proto_python"))
from google.protobuf.message import DecodeError  # noqa: E402
from hilo.store.v1 import records_pb2, rows_pb2  # noqa: E402

ZERO = bytes(16)

# The first byte of a row's key.
META, LANE_OUT, LANE_IN, TIMER, TIMER_NAME, OUTBOX, LOCAL, LANE_WINDOW, CLOCK = range(1, 10)
IDENTIFIER, CUSTOMER, EVENT_ID = 16, 17, 18
MEMBER, TIMELINE, ANSWER = 32, 33, 34
OUTSIDE_DIGEST = {META, OUTBOX, LOCAL, LANE_WINDOW}


def blake(*parts):
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part)
    return state.digest()


def ordered_time(micros):
    """A signed number as eight bytes that sort as it does."""
    return (micros + (1 << 63)).to_bytes(8, "big")


SECRET = (0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3)
OTHER_SECRET = (0x589965CC75374CC3, 0x1D8E4E27C47D124F)
MASK = (1 << 64) - 1


def mix(a, b):
    product = a * b
    return (product & MASK) ^ (product >> 64)


def absorb(state, data, secret=SECRET):
    at = 0
    while len(data) - at >= 16:
        first = int.from_bytes(data[at:at + 8], "little")
        second = int.from_bytes(data[at + 8:at + 16], "little")
        state = mix(first ^ secret[0], second ^ state)
        at += 16
    low = int.from_bytes(data[at:at + 8], "little")
    high = int.from_bytes(data[at + 8:], "little")
    return mix(low ^ secret[1] ^ len(data), high ^ state)


def row_hash(key, value):
    return mix(absorb(absorb(SECRET[2], key), value) ^ SECRET[0], SECRET[1])


def record_hash(before, record):
    low, high = int.from_bytes(before[:8], "little"), int.from_bytes(before[8:], "little")
    head = b"".join((ordered_time(record.append_micros), len(record.key).to_bytes(4, "big"),
                     len(record.header).to_bytes(4, "big"), record.key, record.header))
    one = mix(low ^ SECRET[0], high ^ SECRET[2])
    other = mix(low ^ OTHER_SECRET[0], high ^ OTHER_SECRET[1])
    halves = (absorb(absorb(state, head, secret), record.payload, secret)
              for state, secret in ((one, SECRET), (other, OTHER_SECRET)))
    return b"".join(half.to_bytes(8, "little") for half in halves)


def digest(rows):
    return sum(row_hash(key, value) for key, value in rows.items() if key[0] not in OUTSIDE_DIGEST) & MASK


def lane_place(place):
    topic, partition = place.rsplit("/", 1)
    return bytes([len(topic)]) + topic.encode() + int(partition).to_bytes(4, "big")


def parse_lane_place(data):
    length = data[0]
    return f"{data[1:1 + length].decode()}/{int.from_bytes(data[1 + length:5 + length], 'big')}"


def partition_of(customer, partitions):
    return customer[0] * partitions // 256


def entry_key(customer, member, event_micros, offset):
    inverted_time = bytes(255 - byte for byte in ordered_time(event_micros))
    inverted_offset = (MASK - offset).to_bytes(8, "big")
    return bytes([TIMELINE, customer[0]]) + member + inverted_time + inverted_offset


def member_key(customer, member):
    return bytes([MEMBER, customer[0]]) + member


def answer_key(member, caller, request_id):
    return bytes([ANSWER, member[0]]) + member + caller + request_id


class Undecodable(Exception):
    """Why bytes are no message, as a refusal's reason."""


def decode(data, message):
    """A payload or a row's value: one format byte, then the message."""
    if not data:
        raise Undecodable("null_record")
    if data[0] != 1:
        raise Undecodable("schema_unknown")
    try:
        message.ParseFromString(data[1:])
    except DecodeError:
        raise Undecodable("undecodable") from None
    return message


class Record:
    """A record of a log: its bytes, and what they say where they say something."""
    __slots__ = ("offset", "append_micros", "key", "header", "payload", "_lane", "_body")

    def __init__(self, offset, append_micros, key, header, payload):
        self.offset, self.append_micros = offset, append_micros
        self.key, self.header, self.payload = key, header, payload
        self._lane = self._body = None

    def copy(self):
        return Record(self.offset, self.append_micros, self.key, self.header, self.payload)

    @property
    def lane(self):
        """The header; None when it cannot be read."""
        if self._lane is None:
            header = records_pb2.RecordHeader()
            try:
                header.ParseFromString(self.header)
                self._lane = header
            except DecodeError:
                self._lane = False
        return self._lane or (None if self._lane is False else self._lane)

    @property
    def body(self):
        """The payload's message, or an Undecodable."""
        if self._body is None:
            try:
                self._body = decode(self.payload, records_pb2.Record())
                if self._body.WhichOneof("kind") is None:
                    self._body = Undecodable("schema_unknown")
            except Undecodable as why:
                self._body = why
        return self._body

    @property
    def kind(self):
        return None if isinstance(self.body, Undecodable) else self.body.WhichOneof("kind")


class Log:
    def __init__(self, start, end, stopped):
        self.start, self.end, self.stopped, self.records = start, end, stopped, []


class Dump:
    """What lay in logs and stores: `logs` by place ("customers/2"), `rows` by place and key."""

    def __init__(self):
        self.logs, self.rows = {}, {}

    @staticmethod
    def read(path):
        dump = Dump()
        with open(path, encoding="ascii") as lines:
            for line in lines:
                data = json.loads(line)
                if "record" in data:
                    dump.logs[data["record"]].records.append(Record(
                        data["offset"], data["append_micros"], base64.b64decode(data["key"]),
                        base64.b64decode(data["header"]), base64.b64decode(data["payload"])))
                elif "row" in data:
                    dump.rows.setdefault(data["row"], {})[bytes.fromhex(data["key"])] = base64.b64decode(data["value"])
                else:
                    dump.logs[data["partition"]] = Log(data["start"], data["end"], data["stopped"])
        return dump

    def copy(self):
        """Logs and rows that can be changed; records are copied when they are."""
        other = Dump()
        for place, log in self.logs.items():
            other.logs[place] = Log(log.start, log.end, log.stopped)
            other.logs[place].records = list(log.records)
        other.rows = {place: dict(rows) for place, rows in self.rows.items()}
        return other

    def partitions(self, topic):
        return sorted((place for place in self.logs if place.startswith(topic + "/")), key=lambda place: int(place.split("/")[1]))

    def position_row(self, place):
        value = self.rows.get(place, {}).get(bytes([META]) + b"position")
        return decode(value, rows_pb2.PartitionRow()) if value is not None else rows_pb2.PartitionRow()
