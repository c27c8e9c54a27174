#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the files of this folder, as list.tsv says.

    make.py LLMA
    make.py LLMA --default-model
    make.py LLMA --release VERSION

Those with options are what LLMA writes with them; functions below make the
others. The second form makes those of the folder default-model, with the default
model, which LLMA must find. Files that a release had stay as they are:
released.txt has their sums, and the third form adds those that it has not.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
SOURCE = FOLDER.parent.parent
MODEL = SOURCE / "tests" / "data" / "tiny.llmm"
sys.path[:0] = [str(SOURCE / "reference"), str(SOURCE / "tests" / "reference")]

import arithmetic_code  # noqa: E402
import container  # noqa: E402
import model_kinds  # noqa: E402
from checksums import crc8, xxh3  # noqa: E402
from decode import Decoder  # noqa: E402
from frame_encoder import KnownCode, coded_frame, frame, varint  # noqa: E402
from model_file import Model  # noqa: E402


def read_list():
    """Name, kind, content or message, options, sentence."""
    rows = []
    for line in (FOLDER / "list.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            rows.append(line.split("\t"))
    return rows


def content_of(name):
    """A file, or a recipe such as `english.txt + 3000 zeros`."""
    content = b""
    for part in name.split(" + "):
        count, _, what = part.partition(" ")
        if what == "zeros":
            content += bytes(int(count))
        elif what:
            content += (FOLDER / what).read_bytes() * int(count)
        else:
            content += (FOLDER / part).read_bytes()
    return content


def reference_of(options):
    """`-D NAME` or `-D NUMBER*NAME`; else nothing."""
    words = options.split()
    if "-D" not in words:
        return b""
    return content_of(words[words.index("-D") + 1].replace("*", " "))


def compress(program, content, options, model=MODEL):
    """What the program writes. The name and time of its input are fixed."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("LLMA_")}
    environment["LLMA_MODEL_PATH"] = environment["XDG_DATA_HOME"] = "/none"
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder, "content.txt")
        plain.write_bytes(content)
        plain.chmod(0o644)
        os.utime(plain, ns=(10 ** 18, 10 ** 18))
        words = options.split()
        if "-D" in words:
            pathlib.Path(folder, "reference").write_bytes(reference_of(options))
            words[words.index("-D") + 1] = "reference"
        result = subprocess.run(
            [program, "-q", "--model", model, *words, "-o",
             "packed.llma", plain.name], cwd=folder, env=environment,
            check=True, capture_output=True)
        assert result.returncode == 0
        return pathlib.Path(folder, "packed.llma").read_bytes()


# --------------------------------------------------- Files made by hand

def file(name):
    return (FOLDER / f"{name}.llma").read_bytes()


def skippable(kind, payload):
    return frame(3, varint(len(payload)) + varint(kind), payload)


def stored(content, flags=0):
    return frame(flags, varint(len(content)), content)


def index(*frames):
    listed = [container.read_frame(data, 0) for data in frames]
    payload = varint(len(listed))
    for one in listed:
        payload += varint(one.size()) + varint(one.content_size)
    digest = xxh3(b"".join(one.header for one in listed))
    payload += digest.to_bytes(8, "little")
    for size in range(16, 1000):
        whole = payload + size.to_bytes(4, "little") + container.INDEX_MAGIC
        made = frame(12, varint(len(whole)), whole)
        if len(made) == size:
            return made
    raise AssertionError


def changed(data, at, value):
    """With another byte in a header, and its check right again."""
    one = container.read_frame(data, 0)
    size = len(one.header)
    header = bytearray(one.header)
    header[at] = value
    header[-1] = crc8(bytes(header[:-1]))
    return bytes(header) + data[size:]


def light_frame(predicted, repeated=0, repetitions=()):
    """Level -1, with no repetitions or with a list that says what it wants."""
    from cm_light import LightPredictor
    code = KnownCode()
    models = [[arithmetic_code.AdaptiveBit() for _ in range(64)]
              for _ in range(3)]
    for triple in repetitions:
        for states, n in zip(models, triple):
            bits = n.bit_length()
            node = 1
            for i in range(5, -1, -1):
                code.decisions = [bits >> i & 1]
                node = node << 1 | code.adaptive(states[node])
            for i in range(bits - 2, -1, -1):
                code.decisions = [n >> i & 1]
                code.bit(arithmetic_code.HALF)
    predictor = LightPredictor(len(predicted))
    for byte in predicted:
        for i in range(7, -1, -1):
            code.decisions = [byte >> i & 1]
            predictor.update(code.bit(predictor.predict()))
    payload = code.finish()
    fields = varint(len(predicted) + repeated) + varint(len(payload))
    if repetitions:
        return frame(2 | 8 | 0x10 | 0x40,
                     fields + varint(repeated) + varint(1) + b"\x01", payload)
    return frame(2 | 8, fields + varint(1) + b"\x01", payload, predicted)


def parts_of(content, count):
    """Parts of different sizes."""
    size = 2 * len(content) // (2 * count + 1)
    parts = [content[i * size:(i + 1) * size] for i in range(count - 1)]
    return parts + [content[(count - 1) * size:]]


def by_hand():
    english = content_of("english.txt")
    first, second = english[:40], english[40:]
    one = stored(english, 8)
    parts = [stored(first), skippable(200, b"for users"), stored(second)]
    light = file("level-1")
    size = container.read_frame(light, 0).size()
    header = len(container.read_frame(light, 0).header)
    full = file("level-2-data")
    full_header = len(container.read_frame(full, 0).header)
    short = file("short")
    model = Model(MODEL.read_bytes())
    name = b"../name"
    source = (varint(len(name)) + name + varint(0o644) + bytes(8) + b"\x00")
    coded = file("level-6")
    model_id_at = coded.index(model.fingerprint[:8])
    lanes = coded_frame(model, parts_of(english, 3), 768, 1)
    return {
        "index": b"".join(parts) + index(*parts),
        "two-members": one + light,
        "zeros-behind": light + bytes(100),
        "unknown-skippable": skippable(3, b"?") + one + skippable(4, b""),
        "level-1-certain": light_frame(content_of(
            "12 table-line.txt + english-line.txt + 12 table-line.txt + "
            "code-line.txt")),
        "no-context-models": coded_frame(model, [english], 16, 0),
        "no-context-models-lanes": coded_frame(model, parts_of(english, 3),
                                               64, 0),
        "window-4096": coded_frame(model, [english], 4096, 1),
        "lanes-3": lanes,
        "lanes-2-full": coded_frame(model, parts_of(
            content_of("2 table-line.txt"), 2), 2048, 2),
        "lanes-64": coded_frame(model, parts_of(
            content_of("2 english.txt"), 64), 256, 1),
        "bad-empty": b"",
        "bad-magic": b"\x89lM" + light[3:],
        "bad-header-check": light[:header - 1] +
                            bytes([light[header - 1] ^ 1]) + light[header:],
        "bad-checksum": changed(light, header - 2, light[header - 2] ^ 1),
        "bad-content": one[:-3] + b"x" + one[-2:],
        "bad-varint": frame(8, b"\x85\x00", b"hello"),
        "bad-flag-of-kind": frame(0x48, b"\x05\x01", b"hello"),
        "bad-payload-size": frame(10, b"\x05\x05\x01\x01", b"hello"),
        "bad-set": changed(light, header - 6, 0),
        "bad-truncated": light[:-1],
        "bad-code-too-long": longer(light, b"\x01"),
        "bad-code-ends-with-zero": longer(light, b"\x00"),
        "bad-code-not-least": other_end(light, 1),
        "bad-code-too-short": shorter(light),
        "bad-start-text": full[:full_header] + b"\x00" +
                          full[full_header + 1:],
        "bad-repetition-distance": light_frame(english, 40, [(5, 8, 5)]),
        "bad-repetition-gap": light_frame(english, 40, [(500, 8, 5)]),
        "bad-repetition-sum": light_frame(english, 40, [(5, 9, 4)]),
        "bad-lane": changed(lanes, lane_size_at(lanes), 0),
        "bad-last-not-alone": stored(first) + one,
        "bad-index-missing": stored(first) + stored(second),
        "bad-index-alone": index(),
        "bad-index-order": parts[2] + parts[1] + parts[0] + index(*parts),
        "bad-index-frame-missing": parts[0] + parts[1] + index(*parts),
        "bad-garbage-behind": light + bytes(5) + b"x",
        "bad-source-name": skippable(1, source) + one,
        "bad-embedded-model": skippable(2, bytes(31)) + one,
        "bad-short-check": short[:2] + bytes([short[2] ^ 1]) + short[3:],
        "bad-short-stored": b"\x90\x00\x00hello",
        "bad-short-cut": short[:-2],
        "unsupported-version": frame(8, b"\x05", b"hello", version=255),
        "unsupported-flag": frame(0x88, b"\x05", b"hello"),
        "unsupported-kind": frame(15, b"\x05\x05", b"hello"),
        "unsupported-reference": file("reference-1"),
        "unsupported-other-reference": file("reference-1"),
        "unsupported-short-reference": file("reference-short"),
        "bad-reference-size": frame(0x2a, b"\x05\x01\x01\x01" + bytes(9), b"?"),
        "bad-reference-of-kind": frame(0x28, b"\x05" + bytes(8) + b"\x01",
                                       b"hello"),
        "unsupported-predictor": changed(light, header - 7, 127),
        "unsupported-predictor-and-model": changed(
            changed(coded, model_id_at - 1, 127), model_id_at, 0),
        "unsupported-context-models": changed(light, header - 6, 3),
        "unsupported-model": changed(coded, model_id_at, 0),
        "unsupported-short-model": short[:1] + bytes([short[1] ^ 1]) +
                                   short[2:],
    }


def with_payload(data, payload):
    """The same frame of level -1 with another payload."""
    one = container.read_frame(data, 0)
    fields = (varint(one.content_size) + varint(len(payload)) + varint(1) +
              bytes([one.models]))
    made = bytearray(frame(10, fields, payload))
    made[-5 - len(payload):-1 - len(payload)] = one.header[-5:-1]
    made[-1 - len(payload)] = crc8(bytes(made[:-1 - len(payload)]))
    return bytes(made)


def longer(data, more):
    return with_payload(data, container.read_frame(data, 0).payload + more)


def shorter(data):
    return with_payload(data, container.read_frame(data, 0).payload[:-9])


def other_end(data, step):
    """The last byte of the code, in its interval or not, is another."""
    payload = bytearray(container.read_frame(data, 0).payload)
    payload[-1] += step
    return with_payload(data, bytes(payload))


def lane_size_at(data):
    """Where the first size of a lane stands in a header."""
    one = container.read_frame(data, 0)
    return len(one.header) - 5 - sum(len(varint(n)) for n in one.lanes[:-1])


def is_written(kind, options):
    """Whether the program writes it. One that an earlier release wrote and this
    one does not has no options but its reference."""
    return kind == "good" and options != "-" and not options.startswith("-D ")


# Name, content and options.
DEFAULT_MODEL_FILES = (
    ("level-3", "markup-line.txt", "-3"),
    ("level-6", "english-line.txt", "-6"),
    ("level-9", "code-line.txt", "-9"),
    ("learning", "binary.bin + english.txt + chinese.txt", "-6 --learn"),
    ("short", "german-line.txt", "--short"),
)


def default_model(program):
    """The path of the default model, or nothing."""
    listed = json.loads(subprocess.run(
        [program, "model", "list", "--json"], capture_output=True).stdout)
    paths = [pathlib.Path(model["path"]) for model in listed
             if model["name"] == "smollm2-135m-text" and model["default"]]
    return paths[0] if paths else None


def make_with_default_model(program, released):
    model = default_model(program)
    for name, content, options in DEFAULT_MODEL_FILES:
        write(f"default-model/{name}", compress(
            program, content_of(content), options, model), released)


# Kinds of models whose steps of learning differ: by the head, by gates and norms.
LEARNING_KINDS = ("caps", "head", "shares")


def names_of_kinds():
    """Of each kind in model_kinds.py: names, content and options of its files."""
    for kind in model_kinds.KINDS:
        files = [(f"kinds/{kind}", "english.txt + chinese.txt", "-6")]
        if kind in LEARNING_KINDS:
            files.append((f"kinds/{kind}-learning", "code.txt + english.txt + "
                          "binary.bin + german.txt", "-9 --learn"))
        yield kind, files


def files_of_kinds():
    """Of each kind: the model, and (name, content, options) of its files."""
    for kind, files in names_of_kinds():
        yield model_kinds.make(kind), [
            (name, content_of(content), options)
            for name, content, options in files]


def make_of_kinds(program, released):
    for model, files in files_of_kinds():
        with tempfile.NamedTemporaryFile(suffix=".llmm") as path:
            path.write(model)
            path.flush()
            for name, content, options in files:
                write(name, compress(program, content, options, path.name),
                      released)


def read_released():
    """The sums of the files that releases had, by name."""
    rows = [line.split() for line in
            (FOLDER / "released.txt").read_text().splitlines()
            if not line.startswith("#")]
    return {name: digest for _, name, digest in rows}


def digest_of(name):
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def write(name, data, released):
    path = FOLDER / f"{name}.llma"
    if f"{name}.llma" in released and path.read_bytes() != data:
        print(f"{name}.llma would change: it was released, and stays")
    else:
        path.write_bytes(data)


def release(version):
    released = read_released()
    names = {f"{row[0]}.llma" for row in read_list()}
    names |= {f"default-model/{row[0]}.llma" for row in DEFAULT_MODEL_FILES}
    names |= {f"{row[0]}.llma" for _, files in names_of_kinds() for row in files}
    with open(FOLDER / "released.txt", "a", encoding="ascii") as file:
        for name in sorted(names - set(released)):
            file.write(f"{version} {name} {digest_of(name)}\n")


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    released = read_released()
    if sys.argv[2:] == ["--default-model"]:
        make_with_default_model(program, released)
        return
    for name, kind, content, options, _ in read_list():
        if is_written(kind, options):
            data = compress(program, content_of(content), options)
            write(name, data, released)
    for name, data in by_hand().items():
        write(name, data, released)
    make_of_kinds(program, released)
    write_first_probabilities()
    if sys.argv[2:3] == ["--release"]:
        release(sys.argv[3])


def write_first_probabilities():
    """The first 24 of some files."""
    lines = []
    for name in ("level-1", "level-1-no-text", "level-2-english", "level-2-run",
                 "level-6", "level-7", "lanes-3", "lanes-2-full", "short",
                 "no-context-models", "reference-1", "reference-2",
                 "reference-6", "reference-short"):
        options, = (row[3] for row in read_list() if row[0] == name)
        decoder = Decoder([Model(MODEL.read_bytes())], 1,
                          reference_of(options))
        list(decoder.decode_file(file(name)))
        numbers = " ".join(map(str, decoder.traces[0][:24]))
        lines.append(f"{name}\t{numbers}\n")
    (FOLDER / "first_probabilities.tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
