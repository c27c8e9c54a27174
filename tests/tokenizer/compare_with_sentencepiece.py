#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares llma's tokenizer with the package `sentencepiece`: a small vocabulary
is trained on mixed text, or that of a GGUF file is taken, and both cut other
mixed text. Exits with 77 (skipped) if a package is missing.

    compare_with_sentencepiece.py IMPORT_MODEL DUMP_TOKENS TINY.gguf
    compare_with_sentencepiece.py IMPORT_MODEL DUMP_TOKENS --of MODEL.gguf
"""
import io
import subprocess
import sys
import tempfile

import compare_with_tokenizers as texts

try:
    import sentencepiece
    from gguf import GGUFReader, GGUFValueType, GGUFWriter

    import sentencepiece_model
except ImportError as error:
    texts.missing(f"{error.name} is not installed")

NUM_CHARACTERS = 20_000  # of a text; sentencepiece takes it as one sentence
NUM_TOKENS = 490  # not more than the tiny model has rows
WHOLE = ["\n", "\n\n", "\n\n\n", "  ", "    ", "<b>", "</b>"]


def train():
    """tokens, scores, types of a vocabulary of characters, bytes and merges."""
    # Not too many characters: the rest will be bytes.
    sentences = [s for s in texts.SENTENCES if max(s) < "\u0250"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 20), model_writer=model,
        model_type="bpe", vocab_size=NUM_TOKENS, byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity",
        add_dummy_prefix=False, remove_extra_whitespaces=False,
        user_defined_symbols=WHOLE, minloglevel=2)
    trained = sentencepiece.SentencePieceProcessor(
        model_proto=model.getvalue())
    ids = range(trained.get_piece_size())

    def kind(i):
        token = trained.id_to_piece(i)
        if trained.is_byte(i):
            return sentencepiece_model.BYTE
        if trained.is_control(i):
            return 3
        if trained.is_unknown(i):
            return sentencepiece_model.UNKNOWN
        return (sentencepiece_model.USER_DEFINED
                if token.replace("\u2581", " ") in WHOLE
                else sentencepiece_model.NORMAL)

    return ([trained.id_to_piece(i) for i in ids],
            [trained.get_score(i) for i in ids], [kind(i) for i in ids])


def write_gguf(tiny_path, path, tokens, scores, types):
    """The tiny model with another vocabulary."""
    tiny = GGUFReader(tiny_path)
    out = GGUFWriter(path, "llama")
    for key, field in tiny.fields.items():
        if key.startswith("llama."):
            out.add_key_value(key, field.contents(), field.types[0])
    out.add_key_value("tokenizer.ggml.model", "llama", GGUFValueType.STRING)
    out.add_token_list(tokens)
    out.add_token_scores(scores)
    out.add_token_types(types)
    for tensor in tiny.tensors:
        out.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def read_vocabulary(path):
    fields = GGUFReader(path).fields
    return tuple(fields["tokenizer.ggml." + key].contents()
                 for key in ("tokens", "scores", "token_type"))


def expected_sizes(processor, tokens, types, text):
    return [len(sentencepiece_model.spelling(tokens[i], types[i]))
            for i in processor.encode(text)]


def compare(name, expected, dump_tokens, llmm, text):
    data = text.encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        output = subprocess.run([dump_tokens, llmm, file.name], check=True,
                                stdout=subprocess.PIPE).stdout
    actual, pos = list(map(int, output.split())), 0
    for i, (a, b) in enumerate(zip(expected, actual)):
        if a != b:
            sys.exit(f"{name}: token {i} at byte {pos} is {b} bytes long, "
                     f"should be {a}: {data[max(0, pos - 20):pos + 20]}")
        pos += a
    if len(expected) != len(actual) or pos != len(data):
        sys.exit(f"{name}: {len(actual)} tokens instead of {len(expected)}")
    print(f"{name}: {len(data)} bytes, {len(actual)} tokens agree")


def main():
    import_model, dump_tokens, *source = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if source[0] == "--of":
            gguf = source[1]
            vocabulary = read_vocabulary(gguf)
        else:
            vocabulary, gguf = train(), folder + "/model.gguf"
            write_gguf(source[0], gguf, *vocabulary)
        tokens, _, types = vocabulary
        processor = sentencepiece_model.make_tokenizer(*vocabulary)
        llmm = folder + "/model.llmm"
        subprocess.run([import_model, gguf, llmm], check=True)
        for seed in range(3):
            # A character of SentencePiece's own would be taken for a blank.
            text = texts.generate_text(seed)[:NUM_CHARACTERS]
            text = text.replace("\u2581", "_") + "\n\n  <b>x</b>    end\n"
            compare(f"seed {seed}",
                    expected_sizes(processor, tokens, types, text),
                    dump_tokens, llmm, text)


if __name__ == "__main__":
    main()
