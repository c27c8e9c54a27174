#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program on the default model: ratio, and the same file from every kernel
set and thread count, decoded across each pair.

    e2e_test.py LLMA SAMPLE     (the model is found as the program finds it)
"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def run(llma, *arguments, kernels="", content=None, **variables):
    env = dict(os.environ, LLMA_KERNELS=kernels, **variables)
    done = subprocess.run([llma, *arguments], input=content, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.decode()


def must(llma, *arguments, **options):
    status, out, err = run(llma, *arguments, **options)
    assert status == 0, f"{arguments}: exit {status}: {err}"
    return out


def supported_kernels(llma):
    """Names of the kernel sets that this machine can run."""
    names = []
    for name in ["scalar", "avx2", "avx512vnni256", "avxvnni", "avx512vnni",
                 "amx", "neon", "neon_i8mm"]:
        status, _, _ = run(llma, kernels=name, content=b"a")
        if status == 0:
            names.append(name)
    return names


def main():
    llma, sample = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
    passed = 0

    # A novel shrinks to about a seventh, and comes back. (A file, not a pipe:
    # a pipe's first frame is small, and costs context.)
    coded = must(llma, "--lanes", "1", "--stdout", sys.argv[2])
    ratio = len(sample) / len(coded)
    print(f"sample: {len(sample)} -> {len(coded)} bytes, {ratio:.2f} : 1")
    assert ratio > 6.9, "the ratio is worse than it was"
    coded = must(llma, "--lanes", "8", content=sample)
    assert must(llma, "-d", content=coded) == sample
    passed += 2

    # A few bytes only, and of the scalar kernels fewer: they make about 10 bytes
    # a second.
    piece, few = sample[200:500], sample[200:280]
    kernels = supported_kernels(llma)
    assert "scalar" in kernels
    setups = [(k, t) for k in kernels if k != "scalar" for t in ["1", "2"]]
    files = {setup: must(llma, "-T", setup[1], kernels=setup[0], content=piece)
             for setup in setups}
    for a, b in itertools.combinations(setups, 2):
        assert files[a] == files[b], f"{a} and {b} write different files"
        passed += 1
    for setup in setups:
        assert must(llma, "-d", "-T", setup[1], kernels=setup[0],
                    content=files[setups[0]]) == piece, setup
        passed += 1
    coded_few = must(llma, content=few)
    assert must(llma, kernels="scalar", content=few) == coded_few
    assert must(llma, "-d", kernels="scalar", content=coded_few) == few
    passed += 2

    # Lanes and windows; what no token spells; what no model foretells.
    binary = bytes(range(256)) * 3
    for content, options in [(sample[:3000], ["--lanes", "4"]),
                             (sample[:3000], ["--window", "256"]),
                             (binary, []), (os.urandom(3000), []), (b"", []),
                             (b"\x00", []), (b"\r\n" * 200, [])]:
        coded = must(llma, *options, content=content)
        assert len(coded) <= len(content) + 64, (len(content), len(coded))
        assert must(llma, "-d", content=coded) == content, options
        passed += 1

    # Start-up: map and check the model, the first token out.
    best = 9.0
    for _ in range(5):
        start = time.monotonic()
        must(llma, content=b"a")
        best = min(best, time.monotonic() - start)
    print(f"start-up and one token: {best:.3f} s")

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a file"
        path.write_bytes(sample[:500])
        must(llma, "-c", path, f"{path}.llma")
        assert run(llma, "-o", f"{path}.llma", path)[0] == 1, "overwrote"
        damaged = bytearray(pathlib.Path(f"{path}.llma").read_bytes())
        damaged[-5] ^= 1
        status, _, err = run(llma, "-d", content=bytes(damaged))
        assert status == 1 and err, "damage went unnoticed"
        passed += 2
        # Where the model is missing, the catalog knows it by its fingerprint.
        if not os.path.exists("/usr/share/llma"):
            status, _, err = run(llma, "-d", content=coded_few,
                                 LLMA_MODEL_PATH=folder, XDG_DATA_HOME=folder)
            assert status == 1, "decoded without a model"
            assert "llma model pull smollm2-135m-text" in err, err
            passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
