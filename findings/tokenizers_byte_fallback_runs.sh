#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tokenizers: one incomplete character takes with it all characters before it
# that are spelled in bytes.
#
# Seen with tokenizers 0.23.3 and sentencepiece 0.2.3 (PyPI, Python 3.11, x86-64
# Linux). Vocabularies like Llama 2's have tokens <0x00> to <0xFF> for what they
# have no other token for: rare characters, and in Llama's case the newline.
# Where a text is cut after some number of tokens, or a model makes a wrong
# byte, a character remains incomplete. The documentation of the decoder
# ByteFallback promises U+FFFD for byte tokens that cannot be converted, and
# sentencepiece, whose decoding it repeats in tokenizer.json, keeps the others.
# But ByteFallback takes all byte tokens in a row as one string. Where this is
# not valid UTF-8 as a whole, each of its bytes becomes U+FFFD: characters that
# were right go away with the next token. At the end of a text DecodeStream
# hides it, since it waits while the text ends with U+FFFD. But after a wrong
# byte it fails at each further token, because what it has given out is no
# longer there. Who wants what can be read has to join the bytes himself.
#
# Below, both decode the same tokens. First, a text of three characters that the
# vocabulary has no token for, A, B and C, cut after 3 to 9 of its 9 bytes.
# Then, two newlines (/) before a byte of A, and A and B with a wrong byte in
# between. U+FFFD is written as "?". Seen:
#
#                        sentencepiece   tokenizers
#   3 tokens             A               A
#   4 tokens             A?              ????
#   5 tokens             A??             ?????
#   6 tokens             AB              AB
#   7 tokens             AB?             ???????
#   8 tokens             AB??            ????????
#   9 tokens             ABC             ABC
#   newlines, half       //?             ???
#   wrong byte between   A?B             ???????
#   the same as a stream                 A, then it fails
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    sentencepiece==0.2.3 tokenizers==0.23.3
cat >"$work/run.py" <<'END'
import io

import sentencepiece
import tokenizers
from tokenizers import decoders, models

TEXT = "\u65e5\u672c\u8a9e"  # each of three bytes


def train():
    """A vocabulary of English letters and of all bytes."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the quick brown fox", "a lazy dog"] * 20),
        model_writer=model, vocab_size=290, model_type="bpe",
        byte_fallback=True, minloglevel=5)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def convert(processor):
    """With the decoder that tokenizer.json of Llama 2 has."""
    vocab = {processor.id_to_piece(i): i for i in range(len(processor))}
    result = tokenizers.Tokenizer(models.BPE(
        vocab, [], unk_token="<unk>", byte_fallback=True))
    result.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(),
        decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return result


def readable(text):
    return text.translate(str.maketrans(TEXT + "\ufffd\n", "ABC?/"))


def show(name, *texts):
    texts = [readable(t) for t in texts]
    print(f"{name:21}{texts[0]:16}{texts[1]}")


def stream(tokenizer, ids):
    decoder, text = decoders.DecodeStream(), ""
    for i in ids:
        try:
            text += decoder.step(tokenizer, i) or ""
        except Exception as error:
            if "Invalid prefix" not in str(error):
                raise
            return text + ", then it fails"
    return text


one = train()
other = convert(one)


def byte_ids(data):
    return [one.piece_to_id(f"<0x{byte:02X}>") for byte in data]


show("", "sentencepiece", "tokenizers")
text = TEXT.encode()
for count in range(3, 10):
    ids = byte_ids(text[:count])
    show(f"{count} tokens", one.decode(ids), other.decode(ids))
ids = byte_ids(b"\n\n" + text[:1])
show("newlines, half", one.decode(ids), other.decode(ids))
ids = byte_ids(text[:3] + b"\xe6" + text[3:6])
show("wrong byte between", one.decode(ids), other.decode(ids))
streamed = stream(other, ids + one.encode("a dog"))
show("the same as a stream", "", streamed)
END
cd "$work"
venv/bin/python run.py | tee seen
diff seen - <<'END'
                     sentencepiece   tokenizers
3 tokens             A               A
4 tokens             A?              ????
5 tokens             A??             ?????
6 tokens             AB              AB
7 tokens             AB?             ???????
8 tokens             AB??            ????????
9 tokens             ABC             ABC
newlines, half       //?             ???
wrong byte between   A?B             ???????
the same as a stream                 A, then it fails
END
