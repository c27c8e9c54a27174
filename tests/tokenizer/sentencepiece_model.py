# SPDX-License-Identifier: Apache-2.0
"""SentencePiece's own tokenizer with the vocabulary of a GGUF file: makes the
protocol buffer that the package reads. Needs the package `sentencepiece`."""

import struct

BPE = 2
# Types of pieces are those of GGUF's tokens.
NORMAL, UNKNOWN, USER_DEFINED, BYTE = 1, 2, 4, 6


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def encode_model(tokens, scores, types):
    """ModelProto: nothing is put before a text, no character is changed."""
    out = b""
    if UNKNOWN not in types:
        types = list(types)
        types[tokens.index("<unk>")] = UNKNOWN
    for token, score, kind in zip(tokens, scores, types, strict=True):
        # Sources that write user-defined blanks as they are mean the same.
        piece = text(1, token.replace(" ", "\u2581").encode())
        piece += varint(2 << 3 | 5) + struct.pack("<f", score)
        out += text(1, piece + number(3, kind))
    has_bytes = BYTE in types
    out += text(2, number(3, BPE) + number(35, has_bytes))
    normalizer = text(1, b"identity") + number(3, 0) + number(4, 0)
    return out + text(3, normalizer + number(5, 1))


def make_tokenizer(tokens, scores, types):
    """A sentencepiece.SentencePieceProcessor; ids are those of the lists."""
    import sentencepiece

    model = encode_model(tokens, scores, types)
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def spelling(token, kind):
    """The bytes of a token of type NORMAL, USER_DEFINED or BYTE."""
    if kind == BYTE:
        return bytes([int(token[3:5], 16)])
    return token.replace("\u2581", " ").encode()
