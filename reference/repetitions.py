# SPDX-License-Identifier: Apache-2.0
"""docs/FORMAT.md, section 3.3: parts of the content that are not predicted."""

from arithmetic_code import AdaptiveBit
from errors import Damaged


class NumberModel:
    def __init__(self):
        self.states = [AdaptiveBit() for _ in range(64)]

    def decode(self, code):
        node = 1
        for _ in range(6):
            node = node << 1 | code.adaptive(self.states[node])
        num_bits = node - 64
        if num_bits == 0:
            return 0
        return 1 << num_bits - 1 | code.bits(num_bits - 1)


def read_list(code, repeated):
    """Triples of gap, size and distance."""
    gap_model, size_model, distance_model = (NumberModel() for _ in range(3))
    result = []
    while repeated > 0:
        gap = gap_model.decode(code)
        size = size_model.decode(code) + 32
        distance = distance_model.decode(code) + 1
        if size > repeated:
            raise Damaged("repetitions are larger than the header says")
        repeated -= size
        result.append((gap, size, distance))
    return result


def put_back(repetitions, predicted, reference=b""):
    content = bytearray(reference)
    used = 0
    for gap, size, distance in repetitions:
        if gap > len(predicted) - used or distance > len(content) + gap:
            raise Damaged("a repetition does not fit the content")
        content += predicted[used:used + gap]
        used += gap
        for _ in range(size):
            content.append(content[-distance])
    return bytes(content + predicted[used:])[len(reference):]
