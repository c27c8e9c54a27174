#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device of OpenCL writes and restores what the processor does, and is replaced
by it where it is refused. Says that it is skipped where there is no device.

    opencl_test.py LLMA MODEL TEXT BYTES [OPTION...]

BYTES of TEXT are compressed with MODEL and options.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

TIMEOUT_SECONDS = 900


def main():
    llma, model, text, size, *options = sys.argv[1:]
    content = pathlib.Path(text).read_bytes()[:int(size)]
    with tempfile.TemporaryDirectory() as folder:
        verdicts = pathlib.Path(folder) / "llma" / "opencl"
        # Models are found where they were.
        data_home = os.environ.get("XDG_DATA_HOME",
                                   os.path.expanduser("~/.local/share"))
        models = ":".join(filter(None, [os.environ.get("LLMA_MODEL_PATH"),
                                        data_home + "/llma"]))
        # One thread is enough, and others want to run, too.
        env = {**os.environ, "XDG_DATA_HOME": folder, "LLMA_MODEL_PATH": models,
               "POCL_MAX_PTHREAD_COUNT": "1"}

        def run(engine, args, data, status=0):
            done = subprocess.run([llma, "--engine", engine, "--model", model,
                                   "-T1", *args], input=data, env=env,
                                  capture_output=True, timeout=TIMEOUT_SECONDS)
            assert done.returncode == status, (engine, args, done)
            return done.stdout, done.stderr.decode()

        def device_lines():
            about = subprocess.run([llma, "--version", "-v"], env=env, check=True,
                                   capture_output=True, text=True).stdout
            return re.findall(r"^device: (.*)$", about, re.M)

        if not any("cannot be used" not in line for line in device_lines()):
            print("no OpenCL device: skipped")
            return 77
        assert "not checked yet" in device_lines()[0], device_lines()

        expected, _ = run("cpu", ["-c", *options], content)
        made, said = run("opencl", ["-c", *options], content)
        assert made == expected, "the device wrote something else"
        assert said == "", said
        assert any("computes as it must" in line for line in device_lines())
        assert run("opencl", ["-dc"], expected) == (content, "")

        # A verdict is kept, and a bad one is believed.
        files = list(verdicts.iterdir())
        assert len(files) == 2, files  # of the device, and of it with the model
        for file in files:
            file.write_text("refused: 1 + 1 is 3\n")
        # Then integers divide for the device, which is checked by itself.
        made, said = run("opencl", ["-c", *options], content)
        assert (made, said) == (expected, ""), said
        files_now = list(verdicts.iterdir())
        assert len(files_now) == 3, files_now  # one more with the model
        for file in files_now:
            file.write_text("refused: 1 + 1 is 3\n")
        made, said = run("opencl", ["-c", *options], content, status=2)
        assert made == expected
        assert "the processor took over: " in said and "1 + 1 is 3" in said, said
        assert run("opencl", ["-c", "-q", *options], content, status=2)[1] == ""
        assert any("refused: 1 + 1 is 3" in line for line in device_lines())
        assert run("cpu", ["-dc"], made) == (content, "")
    print(f"{len(content)} bytes are the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
