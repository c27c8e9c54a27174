# SPDX-License-Identifier: Apache-2.0
"""The files whose sizes check_sizes.py pins.

All but the sample are made here, from a generator of integers of our own, so
they are the same with every version of Python. They must stay the same, or the
pinned sizes lose their meaning: add a kind rather than change one.
"""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT_BYTES = 24000
NAMES = ["anna", "bela", "carl", "dora", "emil", "fritz", "gerda", "hugo"]
THINGS = ["bolt", "chain", "frame", "lamp", "pedal", "pump", "saddle", "wheel"]


class Numbers:
    """A linear congruential generator modulo 2^64; its upper bits are used."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005
                      + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit

    def one_of(self, values):
        return values[self.below(len(values))]


def until_full(lines):
    """Whole lines of the generator `lines`, TEXT_BYTES or a little less."""
    text = ""
    for line in lines:
        if len(text) + len(line) > TEXT_BYTES:
            return text.encode("ascii")
        text += line


def table_csv():
    numbers = Numbers(1)
    yield "order,date,customer,product,count,price\n"
    order = 10000
    while True:
        order += 1 + numbers.below(3)
        date = f"2024-{1 + numbers.below(12):02}-{1 + numbers.below(28):02}"
        name, thing = numbers.one_of(NAMES), numbers.one_of(THINGS)
        price = f"{numbers.below(90)}.{numbers.below(20) * 5:02}"
        yield f"{order},{date},{name},{thing},{1 + numbers.below(9)},{price}\n"


def events_log():
    numbers = Numbers(2)
    second = 0
    while True:
        second += numbers.below(40)
        clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        name, thing = numbers.one_of(NAMES), numbers.one_of(THINGS)
        event = numbers.one_of([
            f"INFO  http: GET /{thing}/{numbers.below(500)} 200",
            f"INFO  session {numbers.below(2**31):08x} of {name} opened",
            f"DEBUG cache: {numbers.below(100)} % of {numbers.below(9999)} used",
            f"WARN  store: slow query on {thing}, {numbers.below(4000)} ms",
        ])
        yield f"2024-05-17T{clock}Z {event}\n"


def records_json():
    numbers = Numbers(3)
    yield "[\n"
    while True:
        record = {
            "id": numbers.below(2**31),
            "user": {"name": numbers.one_of(NAMES), "active": numbers.below(3) > 0},
            "items": [{"sku": numbers.one_of(THINGS), "count": 1 + numbers.below(5)}
                      for _ in range(1 + numbers.below(3))],
            "note": None if numbers.below(2) else "call " + numbers.one_of(NAMES),
        }
        yield "  " + json.dumps(record) + ",\n"


def program_c():
    numbers = Numbers(4)
    yield "#include <stdint.h>\n#include <stddef.h>\n"
    index = 0
    while True:
        index += 1
        thing, other = numbers.one_of(THINGS), numbers.one_of(THINGS)
        operator = numbers.one_of("+-*^|&")
        yield (f"\n/* Sums the {thing}s that are above {numbers.below(1000)}. */\n"
               f"static uint32_t {thing}_{other}_{index}"
               f"(const uint32_t* {thing}, size_t count) {{\n"
               f"  uint32_t sum = {numbers.below(100)};\n"
               "  for (size_t i = 0; i < count; i++) {\n"
               f"    if ({thing}[i] > {numbers.below(1000)}) {{\n"
               f"      sum = sum {operator} {thing}[i];\n"
               "    }\n  }\n  return sum;\n}\n")


def records_bin():
    """Records of 16 bytes: a counter, a wave with noise, a kind, a time."""
    numbers = Numbers(5)
    level, clock = 0, 1715900000
    records = []
    for counter in range(1000):
        level += numbers.below(201) - 100
        clock += numbers.below(8)
        records.append(counter.to_bytes(4, "little")
                       + level.to_bytes(4, "little", signed=True)
                       + numbers.one_of([1, 1, 1, 2, 7]).to_bytes(2, "little")
                       + b"\0\0" + clock.to_bytes(4, "little"))
    return b"".join(records)


def noise():
    numbers = Numbers(6)
    return bytes(numbers.below(256) for _ in range(4096))


def all_inputs():
    """{name: content}."""
    return {
        "alice.txt": (ROOT / "samples/alice.txt").read_bytes(),
        "table.csv": until_full(table_csv()),
        "events.log": until_full(events_log()),
        "records.json": until_full(records_json()),
        "program.c": until_full(program_c()),
        "records.bin": records_bin(),
        "noise": noise(),
        "zeros": bytes(65536),
        "one_byte": b"a",
        "empty": b"",
    }
