# SPDX-License-Identifier: Apache-2.0
"""docs/CONTEXT_LAW.md, section 11: the contexts of the light and of the full
set, in their order."""

from cm_basics import MASK32, combine, hash64


def low_bytes(n):
    return (1 << 8 * n) - 1


def light_contexts(lane):
    last8 = lane.last8
    values = [last8 & low_bytes(n) for n in (2, 3, 4, 6)]
    if lane.is_binary():
        values += [0xB0 << 32 ^ last8 & 0xFF,
                   0xB1 << 32 ^ last8 & 0xFFFF00,
                   0xB2 << 32 ^ last8 & 0xFF00FF,
                   0xB3 << 32 ^ last8 & 0xFF00FF00]
    else:
        values += [lane.word << 32 ^ lane.byte(1),
                   lane.word << 32 ^ lane.words[0]]
    return salted(values)


def salted(values):
    return [hash64(value, i + 1) for i, value in enumerate(values)]


def full_contexts(lane, content, followers, expected, expected_kind):
    """content: all bytes of all lanes. expected: the byte that the longest
    match expects plus 256, or 0; expected_kind: of its length."""
    values = [lane.last8 & low_bytes(n) for n in range(1, 8)]

    def add(a, b):
        values.append((a & MASK32) << 32 ^ b)

    last8 = lane.last8
    last1, last2, last3 = (last8 & low_bytes(n) for n in (1, 2, 3))
    word, words = lane.word, lane.words

    # Words.
    add(word, last1)
    add(word, words[0])
    add(word, combine(words[0], words[1]))
    add(word, words[1])
    add(word, combine(words[1], words[2]))
    add(word, words[2])
    add(word, lane.gap)
    add(word, combine(lane.gap, words[0]))
    add(word, combine(words[0], combine(words[1], words[2])))
    add(word, lane.first_byte << 8 | lane.sentence_words)
    add(word, combine(lane.first_word, last1))

    # Orders with holes.
    for mask in (0xFF00, 0xFFFF00, 0xFF0000, 0xFF00FF, 0xFFFFFF00, 0xFF000000,
                 0xF0F0F0F0F0F0FF, 0xE0E0E0E0FF):
        values.append(last8 & mask)

    # Lines.
    column = lane.column()
    above = (content[lane.line_above + column]
             if column < lane.line_above_length else 0)
    add(column, last1)
    add(above << 16 | last1 << 8, lane.byte(2))
    add(above << 8 | last1, column << 1 & MASK32)
    add(lane.field << 8 | above, lane.field_hash)
    add(lane.field, lane.first_word)
    add(lane.indent << 8 | lane.first_byte, last2)

    # Markup and brackets.
    open_tag = lane.tags[(lane.tag_depth - 1) & 15]
    add(open_tag, last3)
    add(combine(open_tag, lane.tag_mode), combine(lane.tag, word))
    bracket = lane.brackets[(lane.bracket_depth - 1) & 31]
    add(bracket << 8 | lane.quote, last2)
    add(lane.key, combine(lane.quoted, lane.quote))
    add(lane.key, last2)

    # Names.
    add(lane.name, lane.operators)
    add(lane.name, combine(lane.operators, lane.name_before))

    # Classes.
    add(lane.classes & MASK32, last1)
    values.append(lane.classes & low_bytes(6))
    add(lane.shape & MASK32, (lane.run_length << 8 | last1) & MASK32)
    add(word, lane.shape & low_bytes(5))
    add(lane.run_length, lane.shape & low_bytes(6))

    # What followed.
    one = followers.after1.get(last1, 0)
    two = followers.after2.get(last2, 0)
    add(one & 0xFFFF, last1)
    add(one & 0xFFFFFF, 3)
    add(two & 0xFFFF, last1)
    add(two & 0xFFFFFF, last2)
    add(two & 0xFFFFFF, word)
    after, after_before = followers.words_after(words[0])
    add(word, combine(after, 11))
    add(word, combine(after, words[0]))
    add(word, combine(after, after_before))

    # Segments and paths.
    before = lane.segments
    segment = combine(lane.segment, lane.delimiter)
    add(segment, before[0])
    add(segment, combine(before[0], before[1]))
    add(segment, before[1])
    add(segment, combine(before[2], before[1]))
    add(segment, lane.field)
    key_path = combine(lane.path, lane.key)
    add(key_path, segment)
    add(key_path, last1)
    add(lane.path, segment)

    # The expected byte.
    values.append(expected << 8 | min(expected_kind, 15))
    add(expected << 8 | last1, expected_kind // 4)
    add(expected, word)
    add(expected, last2)

    # Folded orders.
    for n in 3, 4, 5, 6, 8:
        values.append(lane.folded8 & low_bytes(n))

    # Record fields.
    for cursor in lane.cursors:
        state = min(cursor.agreed, 3) | min(cursor.misses, 3) << 2
        add(cursor.field_id, cursor.value)
        add(cursor.field_id, combine(cursor.value, cursor.before))
        add(cursor.expected << 9 | cursor.expected_after, state)
        add(cursor.field_id, cursor.expected << 12 | state << 8 | last1)

    # Siblings and the line so far.
    add(combine(open_tag, lane.sibling), combine(lane.tag, lane.tag_mode))
    add(lane.line_hash, lane.first_word_above)

    # Among bytes that are no text.
    if lane.is_binary():
        for mask in (0xFFFF0000, 0xFF00FFFF, 0xFFFF00FF, 0xFFFFFF0000,
                     0xF8F8F8F8, 0xE0FFFF, 0xF0F0FF, 0xFF0000FF):
            values.append(last8 & mask)
    return salted(values)
