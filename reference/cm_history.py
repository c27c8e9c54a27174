# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, sections 8 and 9: what a lane has read, the words and
bytes that followed, and record fields. Names are those of that document."""

from cm_basics import (
    MASK32, MASK64, combine, fold_case, is_blank, is_control, is_digit,
    is_letter, is_separator)

NEWLINE = 10


def _make_classes():
    table = [7 if c < 32 else 6 if c >= 128 else 15 for c in range(256)]
    for members, number in ((b"abcdefghijklmnopqrstuvwxyz", 1),
                            (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 2),
                            (b"0123456789", 3), (b" \t", 4), (b"\n\r", 5),
                            (b"([{", 8), (b")]}", 9), (b"\"'`", 10),
                            (b".!?", 11), (b",;:", 12), (b"-_/", 13),
                            (b"=<>+*", 14)):
        for c in members:
            table[c] = number
    return table


CLASSES = _make_classes()
DELIMITERS = b"\n\t\"#&'(),/:;<=>[]{|}"


class MatchState:
    """Section 10."""

    def __init__(self):
        self.source = self.length = self.misses = self.lane = 0


class Cursor:
    """Section 9: the value that is being read of one kind of field."""

    def __init__(self, field_id=0, begin=0, source=0, before=0):
        self.field_id, self.begin = field_id, begin
        self.source, self.before = source, before
        self.value = self.agreed = self.misses = 0
        self.expected = self.expected_after = 0


class Lane:
    """Section 8."""

    def __init__(self, begin):
        self.begin = self.next = begin
        self.last8 = 0
        self.folded8 = 0
        self.binary_score = 0
        # 8.2. Words.
        self.word = self.word_length = self.word_count = 0
        self.words = [0] * 5
        self.lead = self.gap = self.gap_length = 0
        self.sentence_words = 0
        # 8.3. Names.
        self.name = self.name_before = self.operators = 0
        # 8.4. Segments.
        self.segment = self.delimiter = self.delimiter_before = 0
        self.segments = [0] * 4
        # 8.5. Classes.
        self.classes = self.shape = self.run_length = 0
        # 8.6. Markup.
        self.tags = [0] * 16
        self.tag_depth = self.tag = self.tag_mode = 0
        self.tag_closes = False
        self.sibling = self.attribute = 0
        # 8.7. Brackets, quotation marks, keys.
        self.brackets, self.paths, self.keys = [0] * 32, [0] * 32, [0] * 32
        self.bracket_depth = self.path = self.key = 0
        self.quote = self.quoted = 0
        # 8.8. Lines.
        self.line_begin = self.line_above = begin
        self.line_above_length = 0
        self.indent, self.in_indent = 0, True
        self.first_byte = self.first_word = self.first_word_above = 0
        self.line_hash = self.blanks = self.field = self.field_hash = 0

        self.cursors = [Cursor() for _ in range(3)]
        self.matches = [MatchState() for _ in range(3)]

    def byte(self, i):
        """The i-th last byte, from 1."""
        return self.last8 >> 8 * (i - 1) & 0xFF

    def is_binary(self):
        return self.binary_score > 400

    def num_bytes(self):
        return self.next - self.begin

    def column(self):
        return self.next - self.line_begin

    def append(self, byte, is_full):
        self.last8 = (self.last8 << 8 | byte) & MASK64
        self.next += 1
        self.binary_score += ((255 if is_control(byte) else 0) -
                              (self.binary_score >> 4))
        self._append_to_words(byte)
        if is_full:
            self._append_folded(byte)
            self._append_to_names(byte)
            self._append_to_segments(byte)
            self._append_to_classes(byte)
            self._append_to_markup(byte)
            self._append_to_brackets(byte)
            self._append_to_line(byte)

    def _append_to_words(self, byte):
        if byte >= 0xC0:
            self.lead = byte
        elif byte < 0x80:
            self.lead = 0
        is_ideograph = 0xE3 <= byte <= 0xE9 or byte == 0xEF
        if is_ideograph and self.word != 0:
            self._end_word()
        if is_letter(byte) and self.lead not in (0xC2, 0xE2):
            if self.word == 0:
                self.gap_length = 0
            self.word = combine(self.word, fold_case(byte)) | 1
            self.word_length += 1
            return
        if self.word != 0:
            self._end_word()
        self.gap = combine(self.gap, byte)
        self.gap_length += 1
        if byte in b".!?" or self.last8 & 0xFFFF == 0x0A0A:
            self.sentence_words = 0

    def _end_word(self):
        self.words = [self.word] + self.words[:4]
        self.word = self.word_length = 0
        self.gap = self.gap_length = 0
        self.sentence_words += 1
        self.word_count += 1

    def _append_folded(self, byte):
        if byte > 32:
            folded = 48 if is_digit(byte) else fold_case(byte)
            self.folded8 = (self.folded8 << 8 | folded) & MASK64
        elif self.folded8 & 0xFF != 32:
            self.folded8 = (self.folded8 << 8 | 32) & MASK64

    def _append_to_names(self, byte):
        if is_letter(byte) or is_digit(byte) or byte == 95:
            self.name = combine(self.name, byte) | 1
            return
        if self.name != 0:
            self.name_before = self.name
            self.name = self.operators = 0
        self.operators = combine(self.operators, byte)

    def _append_to_segments(self, byte):
        if byte not in DELIMITERS:
            self.segment = combine(self.segment, byte)
            return
        if self.segment != 0:
            self.segments = [self.segment] + self.segments[:3]
            self.segment = 0
        self.delimiter_before, self.delimiter = self.delimiter, byte

    def _append_to_classes(self, byte):
        number = CLASSES[byte]
        if self.classes & 15 == number:
            self.run_length += 1
        else:
            self.shape = (self.shape << 4 | number) & MASK64
            self.run_length = 1
        self.classes = (self.classes << 4 | number) & MASK64

    def _append_to_markup(self, byte):
        if byte == 60:  # <
            self.tag_mode, self.tag, self.tag_closes = 1, 0, False
        elif self.tag_mode == 0:
            pass
        elif byte == 62:  # >
            if self.tag_closes:
                self.tag_depth = max(self.tag_depth - 1, 0)
                self.sibling = self.tag
            elif self.tag != 0 and self.byte(2) != 47:  # /
                self.tags[self.tag_depth & 15] = self.tag
                self.tag_depth += 1
                self.sibling = 0
            else:
                self.sibling = self.tag
            self.tag_mode = 0
        elif self.tag_mode == 1:
            if byte == 47:
                self.tag_closes = True
            elif is_letter(byte):
                self.tag_mode = 2
                self.tag = combine(0, byte) | 1
            else:
                self.tag_mode = 0
        elif self.tag_mode == 2:
            if is_letter(byte) or is_digit(byte) or byte in b":-_":
                self.tag = combine(self.tag, byte) | 1
            else:
                self.tag_mode = 3
        elif byte == 61 and self.quote == 0:  # =
            self.attribute = self.name_before

    def _append_to_brackets(self, byte):
        if byte == 34:  # "
            self.quote = 34 if self.quote == 0 else 0
            if self.quote != 0:
                self.quoted = 0
        elif self.quote != 0:
            self.quoted = combine(self.quoted, byte)
            if byte == NEWLINE:
                self.quote = 0
        elif byte in b"([{":
            at = self.bracket_depth & 31
            self.brackets[at] = byte
            self.paths[at], self.keys[at] = self.path, self.key
            self.path = combine(self.path, self.key)
            self.bracket_depth += 1
        elif byte in b")]}":
            if self.bracket_depth > 0:
                self.bracket_depth -= 1
                at = self.bracket_depth & 31
                self.path, self.key = self.paths[at], self.keys[at]
        elif byte == 58:  # :
            self.key = self.quoted

    def _append_to_line(self, byte):
        if byte == NEWLINE:
            self.line_above = self.line_begin
            self.line_above_length = self.next - self.line_begin
            self.line_begin = self.next
            self.indent, self.in_indent, self.first_byte = 0, True, 0
            self.first_word_above, self.first_word = self.first_word, 0
            self.line_hash = self.blanks = self.field = self.field_hash = 0
            return
        self.line_hash = combine(self.line_hash, byte)
        if self.in_indent:
            if is_blank(byte):
                self.indent += 1
            else:
                self.in_indent = False
                self.first_byte = byte
        if (self.first_word == 0 and self.word == 0 and not self.in_indent and
                not is_letter(byte)):
            self.first_word = self.words[0]
        if self.quote == 0 and is_separator(byte):
            self.field += 1
            self.field_hash = 0
        else:
            self.field_hash = combine(self.field_hash, byte)


class Followers:
    """Section 9.1."""

    def __init__(self):
        self.after1, self.after2, self.after_word = {}, {}, {}

    def append(self, lane, byte):
        """lane: before it has the byte."""
        one, two = lane.last8 & 0xFF, lane.last8 & 0xFFFF
        self.after1[one] = (self.after1.get(one, 0) << 8 | byte) & MASK32
        self.after2[two] = (self.after2.get(two, 0) << 8 | byte) & MASK32

    def append_word(self, lane):
        """lane: after a byte that ended a word."""
        at = lane.words[1] >> 16
        self.after_word[at] = lane.words[0], self.words_after(lane.words[1])[0]

    def words_after(self, word):
        """The one that followed last, and the one before that."""
        return self.after_word.get(word >> 16, (0, 0))


STRUCTURE, FIELD, ITEM = range(3)


class RecordFields:
    """Section 9.2."""

    def __init__(self):
        self.last = {}

    def append(self, content, lane):
        """lane: after it has the byte. content: with zeros behind it."""
        byte = lane.byte(1)
        for cursor in lane.cursors:
            if cursor.expected == byte | 256:
                cursor.agreed += 1
            elif cursor.expected != 0:
                cursor.agreed = 0
                cursor.misses += 1
            cursor.value = combine(cursor.value, byte)
        self._begin_values(lane, byte)
        for cursor in lane.cursors:
            cursor.expected = cursor.expected_after = 0
            at = cursor.source + lane.next - cursor.begin
            if cursor.before != 0:
                if at < len(content):
                    cursor.expected = content[at] | 256
                if at + 1 < len(content):
                    cursor.expected_after = content[at + 1] | 256

    def _begin_values(self, lane, byte):
        if byte == NEWLINE:
            field = combine(lane.first_word_above, lane.path) + 5
            self._begin(lane, STRUCTURE, field & MASK32)
            self._begin(lane, FIELD, 0)
            self._begin(lane, ITEM, 0)
            return
        if lane.quote == 0 and is_separator(byte):
            self._begin(lane, FIELD, lane.field)
        if is_blank(byte):
            if is_blank(lane.byte(2)):
                lane.cursors[ITEM].value = 0
            else:
                lane.blanks += 1
            self._begin(lane, ITEM, lane.blanks)
        open_tag = lane.tags[(lane.tag_depth - 1) & 15]
        if byte == 62 and lane.tag_mode == 0:
            outer = lane.tags[(lane.tag_depth - 2) & 15]
            self._begin(lane, STRUCTURE, combine(open_tag, outer))
        elif byte == 60:
            self._begin(lane, STRUCTURE, combine(open_tag, lane.sibling))
        elif byte == 34 and lane.quote != 0:
            if lane.tag_mode >= 2:
                field = combine(lane.tag, lane.attribute)
            else:
                field = combine(combine(lane.path, lane.key),
                                lane.delimiter_before)
            self._begin(lane, STRUCTURE, field)
        elif byte == 58 and lane.quote == 0:
            field = combine(lane.path, lane.key) + 2
            self._begin(lane, STRUCTURE, field & MASK32)

    def _begin(self, lane, kind, field):
        old = lane.cursors[kind]
        if old.value != 0:
            self.last[kind, old.field_id >> 18] = old.begin, old.value
        field = combine(field, kind)
        source, before = self.last.get((kind, field >> 18), (0, 0))
        lane.cursors[kind] = Cursor(field, lane.next, source, before)
