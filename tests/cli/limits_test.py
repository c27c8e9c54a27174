#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program where threads, processors and memory are few: a right file or one
line that says what is wrong; never an abort, a wait without end or a part of a
file under its final name.

    limits_test.py LLMA DATA_FOLDER SHIM [NAME_PART]

SHIM: the library of thread_shim.c.
"""

import array
import math
import os
import pathlib
import random
import re
import resource
import shutil
import string
import struct
import subprocess
import sys
import tempfile
import time

TIMEOUT_SECONDS = 600
NOBODY = 65534


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def text_bytes(size):
    lines = (f"Line {i * i % 7919} of {i} in a text that goes on.\n" for i in range(size))
    text = ""
    for line in lines:
        text += line
        if len(text) >= size:
            return text[:size].encode()
    return text.encode()


class Place:
    """A folder of one test, and the program."""

    def __init__(self, folder, program, data):
        self.folder = folder
        self.program = program
        self.model = data / "tiny.llmm"

    def __truediv__(self, name):
        return self.folder / name

    def run(self, *arguments, environment=None, **how):
        env = {"PATH": os.environ["PATH"], "LLMA_MODEL_PATH": str(self.model.parent)}
        env.update(environment or {})
        command = [self.program, *arguments]
        try:
            return subprocess.run(
                [str(part) for part in command],
                env=env,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                **how,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"does not end: {command}") from None

    def expect_sane(self, result, out, content=None):
        """Exit 0 with all of the content, or 1 with one line and no file."""
        what = f"{result.args}: {result.returncode}, {result.stderr.decode()!r}"
        expect(result.returncode in (0, 1), what)
        leavings = [p.name for p in self.folder.iterdir() if ".part" in p.name]
        expect(not leavings, f"{what}: leaves {leavings}")
        if result.returncode == 0:
            expect(out.exists(), what)
            expect(content is None or out.read_bytes() == content, what)
            return True
        expect(not out.exists(), what)
        expect(len(result.stderr.decode().strip().splitlines()) in (1, 2), what)
        return False


def threads_that_cannot_be_had(place, shim):
    """Any number of them fails; with those that are there, the same file."""
    content = text_bytes(12000)
    (place / "in").write_bytes(content)
    coding = {
        "-1": ["--frame-size", "4096"],
        "-4": ["--model", place.model, "--frame-size", "4096"],
        "-6": ["--model", place.model],
    }
    for level, options in coding.items():
        made = set()
        for most in (None, 0, 1, 2):
            env = {"LD_PRELOAD": str(shim)}
            if most is not None:
                env["LLMA_TEST_THREADS"] = str(most)
            result = place.run(
                level, "-T8", *options, "-c", place / "in", place / "packed",
                environment=env,
            )
            expect(result.returncode == 0, f"{result.args}: {result.stderr!r}")
            made.add((place / "packed").read_bytes())
            result = place.run(
                "-d", "-T8", place / "packed", place / "out", environment=env
            )
            expect(place.expect_sane(result, place / "out", content), f"{result.args}: {result.stderr!r}")
            (place / "packed").unlink()
            (place / "out").unlink()
        expect(len(made) == 1, f"{level}: {len(made)} different files")


def no_more_threads_than_are_of_use(place, shim):
    """Whatever -T says: a short text has work for few, and no thread is of use
    beyond the processors."""
    env = {"LD_PRELOAD": str(shim), "LLMA_TEST_LOG": str(place / "log")}
    (place / "in").write_bytes(text_bytes(362))
    num_processors = len(os.sched_getaffinity(0))
    for level in ("-1", "-6", "-9"):
        for arguments in (
            [level, "-T1024", "--model", place.model, "-c", place / "in", place / "packed"],
            ["-d", "-T1024", "--model", place.model, place / "packed", place / "out"],
        ):
            result = place.run(*arguments, environment=env)
            expect(result.returncode == 0, result.stderr.decode())
            num_threads = int((place / "log").read_text().split()[0])
            expect(
                num_threads <= num_processors,
                f"{result.args}: {num_threads} threads, {num_processors} processors",
            )
        (place / "packed").unlink()
        (place / "out").unlink()


def a_user_without_processes(place, shim):
    """RLIMIT_NPROC, which root is exempt from."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skipped("only root can become somebody else")
    content = text_bytes(6000)
    (place / "in").write_bytes(content)
    # Where anybody reaches them.
    shutil.copy(place.program, place / "llma")
    shutil.copy(place.model, place / "tiny.llmm")
    for path in (place.folder, place / "in", place / "llma", place / "tiny.llmm"):
        os.chown(path, NOBODY, NOBODY)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # Those that this user has already count too.
    for most in range(1, 6):
        limit = ["prlimit", f"--nproc={most}"]
        for level in ("-1", "-6"):
            outs = []
            for arguments in (
                [level, "-T8", "--model", place / "tiny.llmm", "-c", place / "in", place / "packed"],
                ["-d", "-T8", "--model", place / "tiny.llmm", place / "packed", place / "out"],
            ):
                command = [*user, *limit, place / "llma", *arguments]
                result = subprocess.run(
                    [str(part) for part in command],
                    capture_output=True,
                    timeout=TIMEOUT_SECONDS,
                )
                if b"prlimit" in result.stderr or b"setpriv" in result.stderr:
                    raise Skipped(result.stderr.decode().strip())
                outs.append(arguments[-1])
                if not place.expect_sane(result, arguments[-1]):
                    break
            else:
                expect((place / "out").read_bytes() == content, "the content")
            for out in outs:
                out.unlink(missing_ok=True)


def more_threads_than_processors_are_no_slower(place, shim):
    """As in a container with one of many processors: threads that wait must not
    take the time of those that work. Processor time, for others use this
    machine too."""
    content = text_bytes(6000)
    (place / "in").write_bytes(content)
    processor = min(os.sched_getaffinity(0))

    def seconds(threads, *arguments):
        best = 1e9
        for _ in range(2):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            result = place.run(
                *arguments,
                f"-T{threads}",
                preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
            )
            expect(result.returncode == 0, result.stderr.decode())
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            best = min(
                best,
                after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            )
        return best

    result = place.run("-6", "--lanes", "8", "--model", place.model, "-c", place / "in", place / "packed")
    expect(result.returncode == 0, result.stderr.decode())
    for arguments in (
        ["-6", "--lanes", "8", "--model", place.model, "-o", "/dev/null", place / "in"],
        ["-d", "--model", place.model, "-o", "/dev/null", place / "packed"],
    ):
        one, four = seconds(1, *arguments), seconds(4, *arguments)
        print(f"  {arguments[0]}: one thread {one:.2f} s, four {four:.2f} s")
        expect(four < 1.5 * one + 0.1, f"{arguments[0]}: {one:.2f} s, {four:.2f} s")


def gguf_of_many_tokens(num_tokens):
    """A Gemma 3 of one layer that is nearly all vocabulary."""

    def text(value):
        return struct.pack("<Q", len(value)) + value

    def array_of(kind, count, data):
        return struct.pack("<IIQ", 9, kind, count) + data

    dim = 64
    words = [b"<pad>", b"<eos>", b"<bos>", b"<unk>"]
    kinds = [3, 3, 3, 2]
    words += [b"<0x%02X>" % i for i in range(256)]
    kinds += [6] * 256
    # All can be merged from shorter ones: others would be left out.
    letters = [bytes([c]) for c in (string.ascii_letters + string.digits).encode()]
    longer = letters
    while len(words) + len(longer) < num_tokens:
        words += longer
        longer = [a + b for a in longer for b in letters]
    words += longer[: num_tokens - len(words)]
    kinds += [1] * (num_tokens - len(kinds))
    prefix = "gemma3."
    counts = {
        "block_count": 1, "embedding_length": dim, "feed_forward_length": dim,
        "context_length": 128, "attention.head_count": 2,
        "attention.head_count_kv": 1, "attention.key_length": 32,
        "attention.value_length": 32, "attention.sliding_window": 16,
    }
    fields = [(prefix + key, struct.pack("<II", 4, n)) for key, n in counts.items()]
    fields += [
        (prefix + "attention.layer_norm_rms_epsilon", struct.pack("<If", 6, 1e-6)),
        (prefix + "rope.freq_base", struct.pack("<If", 6, 1e6)),
        ("general.architecture", struct.pack("<I", 8) + text(b"gemma3")),
        ("general.license", struct.pack("<I", 8) + text(b"none")),
        ("tokenizer.ggml.model", struct.pack("<I", 8) + text(b"llama")),
        ("tokenizer.ggml.tokens", array_of(8, num_tokens, b"".join(map(text, words)))),
        ("tokenizer.ggml.token_type", array_of(5, num_tokens, array.array("i", kinds).tobytes())),
        ("tokenizer.ggml.scores", array_of(6, num_tokens, array.array("f", [-1.0]).tobytes() * num_tokens)),
        ("tokenizer.ggml.bos_token_id", struct.pack("<II", 4, 2)),
        ("tokenizer.ggml.eos_token_id", struct.pack("<II", 4, 1)),
    ]
    block = "blk.0."
    shapes = {
        "token_embd": (dim, num_tokens), "output_norm": (dim,),
        block + "attn_norm": (dim,), block + "attn_q": (dim, 64),
        block + "attn_k": (dim, 32), block + "attn_v": (dim, 32),
        block + "attn_output": (64, dim), block + "attn_q_norm": (32,),
        block + "attn_k_norm": (32,), block + "post_attention_norm": (dim,),
        block + "ffn_norm": (dim,), block + "ffn_gate": (dim, dim),
        block + "ffn_up": (dim, dim), block + "ffn_down": (dim, dim),
        block + "post_ffw_norm": (dim,),
    }
    generator = random.Random(5)
    pattern = array.array("f", (generator.uniform(-1, 1) for _ in range(4099))).tobytes()
    heads, data = b"", b""
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        heads += text(name.encode() + b".weight") + struct.pack("<I", len(shape))
        heads += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(data))
        data += (pattern * (size // len(pattern) + 1))[:size]
    start = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(fields))
    start += b"".join(text(key.encode()) + value for key, value in fields) + heads
    return start + bytes(-len(start) % 32) + data


def memory_bounds_hold(place, shim):
    """What -M is told to be enough is enough: the peak stays below it, beside
    the program and its model."""
    (place / "many.gguf").write_bytes(gguf_of_many_tokens(200000))
    result = place.run("model", "import", place / "many.gguf", "-o", place / "many.llmm")
    expect(result.returncode == 0, result.stderr.decode())
    (place / "many.gguf").unlink()
    # So short that the model is taken, however bad it is.
    (place / "in").write_bytes(text_bytes(4000))
    (place / "few").write_bytes(text_bytes(400))  # for many tokens take time
    # Which is no small part of what is needed.
    (place / "old").write_bytes(text_bytes(4000) * 37500)

    def peak_bytes(*arguments):
        """Of the process, with its exit status and message."""
        env = {"LD_PRELOAD": str(shim), "LLMA_TEST_LOG": str(place / "log")}
        result = place.run(*arguments, environment=env)
        peak_kib = int((place / "log").read_text().split()[1])
        expect(peak_kib > 0, "the system does not tell the peak")
        return peak_kib << 10, result.returncode, result.stderr.decode()

    base, status, text = peak_bytes("--version")
    expect(status == 0, text)
    largest = 0
    for level, lanes, model, reference in (
        (1, 0, None, ""), (2, 0, None, ""), (3, 1, "tiny", ""), (6, 8, "tiny", ""),
        (9, 1, "tiny", ""), (4, 64, "tiny", ""), (4, 1, "many", ""),
        (4, 16, "many", ""), (4, 64, "many", ""), (1, 0, None, "old"),
        (6, 2, "tiny", "old"),
    ):
        options = ["-T2"]
        little = "1M"
        if reference:
            options += ["-D", place / reference]
            little = "310M"  # what reading it takes
        allowed = base + (4 << 20)
        if model:
            path = place.model if model == "tiny" else place / "many.llmm"
            options += ["--model", path]
            allowed += path.stat().st_size
        name = place / ("few" if model == "many" else "in")
        compress = [f"-{level}", *options, "-o", place / "packed", "-f", name]
        if lanes:
            compress[1:1] = ["--lanes", str(lanes)]
        for arguments in (compress, ["-t", *options, place / "packed"]):
            _, status, text = peak_bytes("-M", little, *arguments)
            found = re.search(r"needs ([0-9]+) MiB of memory", text)
            expect(status == 1 and found, f"{arguments}: {status}, {text}")
            needed = int(found[1]) + 1
            peak, status, text = peak_bytes("-M", f"{needed}M", *arguments)
            expect(status == 0, f"{arguments} with {needed} MiB: {text}")
            used = peak - allowed >> 20
            print(f"  {arguments[0]} lanes {lanes} {model} {reference}: {used} of "
                  f"{needed} MiB")
            expect(used <= needed, f"{arguments}: {used} of {needed} MiB")
            largest = max(largest, used)
    expect(largest > 32, "nothing needed memory")


def no_descriptor_for_the_model(place, shim):
    """The reason is the limit, not that there is no model."""
    (place / "in").write_bytes(text_bytes(100))

    def leave_one_for_the_input():
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    result = place.run(
        "--stdout",
        place / "in",
        environment={"LLMA_MODEL_PATH": str(place.model)},
        preexec_fn=leave_one_for_the_input,
    )
    lines = result.stderr.decode().splitlines()
    expect(result.returncode == 1 and not result.stdout, lines)
    expect(
        len(lines) == 2
        and "not all can be read" in lines[0]
        and "tiny.llmm: Too many open files (`ulimit -n` is the limit)" in lines[0],
        lines,
    )


TESTS = [
    memory_bounds_hold,
    threads_that_cannot_be_had,
    no_more_threads_than_are_of_use,
    a_user_without_processes,
    more_threads_than_processors_are_no_slower,
    no_descriptor_for_the_model,
]


def main():
    program, data, shim = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    wanted = sys.argv[4] if len(sys.argv) > 4 else ""
    num_failed = 0
    for test in TESTS:
        if wanted not in test.__name__:
            continue
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            try:
                test(Place(pathlib.Path(folder), program, data), shim)
                verdict = "ok"
            except Skipped as reason:
                verdict = f"skipped: {reason}"
            except Failed as failure:
                num_failed += 1
                verdict = f"FAILED: {failure}"
            print(f"{test.__name__}: {verdict} ({time.monotonic() - started:.1f} s)")
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main())
