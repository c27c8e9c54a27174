# SPDX-License-Identifier: Apache-2.0
"""docs/FORMAT.md, sections 0 to 5: frames, members, indexes."""

from dataclasses import dataclass, field

from checksums import crc8, xxh3
from errors import Damaged, Unsupported

MAGIC = b"\x89lm"
STORED, CODED, CONTEXTS, SKIPPABLE, INDEX = range(5)
INDEX_MAGIC = b"lmi\x98"


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, size):
        if size > len(self.data) - self.at:
            raise Damaged("the file ends too early")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self, most=(1 << 64) - 1):
        """Section 0.2."""
        value = 0
        for i in range(10):
            byte = self.number(1)
            value |= (byte & 0x7F) << 7 * i
            if byte & 0x80 == 0:
                if byte == 0 and i > 0:
                    raise Damaged("a varint that is not the shortest")
                if value > most:
                    raise Damaged("a number that is too large")
                return value
        raise Damaged("a varint that is too long")


@dataclass
class Frame:
    kind: int
    is_last: bool
    at: int = 0
    header: bytes = b""
    payload: bytes = b""
    content_size: int = 0
    payload_size: int = 0
    repeated: int = 0
    predictor: int = 0
    models: int = 0            # context models: 0 none, 1 light, 2 full
    model_id: bytes = b""
    window: int = 0
    lanes: list = field(default_factory=list)
    type: int = 0
    checksum_size: int = 0
    checksum: int = 0
    reference: tuple = None    # XXH3 and size

    def size(self):
        return len(self.header) + len(self.payload)

    def has_content(self):
        return self.kind <= CONTEXTS

    def check(self, data):
        stored = xxh3(data) & (1 << 8 * self.checksum_size) - 1
        if stored != self.checksum:
            raise Damaged("the checksum differs")


def read_frame(data, at):
    """Section 2."""
    reader = Reader(data, at)
    if reader.take(3) != MAGIC:
        raise Damaged("no frame starts here")
    version = reader.number(1)
    if version != 1:
        raise Unsupported(f"format version {version}")
    flags = reader.number(1)
    if flags & 0x80:
        raise Unsupported("flag 7: something newer wrote this")
    frame = Frame(kind=flags & 7, is_last=bool(flags & 8), at=at)
    if frame.kind > INDEX:
        raise Unsupported(f"frame kind {frame.kind}")
    is_coded = frame.kind in (CODED, CONTEXTS)
    if ((frame.kind == INDEX and (not frame.is_last or flags & 0x10)) or
            (frame.kind == SKIPPABLE and frame.is_last) or
            (not is_coded and flags & 0x60)):
        raise Damaged("flags that the kind has not")
    if frame.has_content():
        frame.content_size = reader.varint((1 << 48) - 1)
    if frame.kind == STORED:
        frame.payload_size = frame.content_size
    else:
        frame.payload_size = reader.varint((1 << 48) - 1)
    if flags & 0x40:
        frame.repeated = reader.varint()
        if not 1 <= frame.repeated < frame.content_size:
            raise Damaged("the size of repetitions")
    if is_coded:
        read_kind_fields(reader, frame)
    elif frame.kind == SKIPPABLE:
        frame.type = reader.varint(65535)
    if flags & 0x20:
        frame.reference = reader.number(8), reader.varint(1 << 30)
        if frame.reference[1] == 0 or frame.content_size > 1 << 31:
            raise Damaged("the sizes of reference and content")
    checked_size = (frame.content_size if frame.has_content()
                    else frame.payload_size)
    if not flags & 0x10:
        frame.checksum_size = 4 if checked_size < 65536 else 8
        frame.checksum = reader.number(frame.checksum_size)
    if crc8(data[at:reader.at]) != reader.number(1):
        raise Damaged("the header check differs")
    frame.header = data[at:reader.at]
    frame.payload = reader.take(frame.payload_size)
    return frame


def read_kind_fields(reader, frame):
    """Section 2.2."""
    if frame.payload_size >= frame.content_size:
        raise Damaged("a payload that is not smaller than the content")
    frame.predictor = reader.varint(65535)
    predicted = frame.content_size - frame.repeated
    if frame.kind == CONTEXTS:
        frame.models = reader.number(1)
        frame.lanes = [predicted]
        if frame.models == 0:
            raise Damaged("no context models, and no other ones")
    else:
        frame.model_id = reader.take(8)
        frame.window = (reader.varint(65535) + 1) * 16
        byte = reader.number(1)
        frame.models = byte & 3
        frame.lanes = [reader.varint() for _ in range(byte >> 2)]
        frame.lanes.append(predicted - sum(frame.lanes))
        if min(frame.lanes) < 1:
            raise Damaged("an empty lane")
    if frame.models > 2:
        raise Unsupported(f"context models {frame.models}")
    if (frame.models or frame.repeated) and frame.content_size > 1 << 31:
        raise Damaged("a content that is too large")


def check_index(frame, member):
    """Section 4. member: the frames before it, since the last member."""
    reader = Reader(frame.payload)
    if reader.varint(1 << 24) != len(member):
        raise Damaged("the index lists other frames")
    for listed in member:
        if (reader.varint() != listed.size() or
                reader.varint() != listed.content_size):
            raise Damaged("the index lists other sizes")
    headers = b"".join(listed.header for listed in member)
    if (reader.number(8) != xxh3(headers) or
            reader.number(4) != frame.size() or
            reader.take(4) != INDEX_MAGIC or
            reader.at != len(frame.payload)):
        raise Damaged("the index does not fit the frames")


def read_frames(data):
    """All frames of a file, in order; sections 1 and 4."""
    at = 0
    num_members = 0
    member = []
    while at < len(data):
        if num_members > 0 and not any(data[at:]) and not any(
                frame.has_content() for frame in member):
            break  # zeros fill up the file
        frame = read_frame(data, at)
        at += frame.size()
        has_content = any(before.has_content() for before in member)
        if frame.kind == INDEX:
            frame.check(frame.payload)
            if not has_content:
                raise Damaged("an index without content")
            check_index(frame, member)
        elif frame.is_last and has_content:
            raise Damaged("a last frame that is not alone")
        if frame.is_last:
            member = []
            num_members += 1
        else:
            member.append(frame)
        yield frame
    if num_members == 0 or any(frame.has_content() for frame in member):
        raise Damaged("the file ends within a member")


def check_source(payload):
    """Section 5.1. The name of the file."""
    reader = Reader(payload)
    name = reader.take(reader.varint(4096))
    if not name or name in (b".", b"..") or b"/" in name or b"\0" in name:
        raise Damaged("the name of a file")
    reader.varint(0o7777)
    reader.take(8)
    reader.varint(10 ** 9 - 1)
    if reader.at != len(payload):
        raise Damaged("more than a source")
    return name
