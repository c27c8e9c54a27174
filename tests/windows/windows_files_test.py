#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What only Windows has: backslashes, patterns, long paths, names of devices,
attributes, names that no text has, its folder of models, Ctrl-Break.

    windows_files_test.py LLMA.EXE DATA_FOLDER
"""

import os
import pathlib
import stat
import subprocess
import sys
import tempfile

RUN = str(pathlib.Path(__file__).resolve().parent / "run_exe.sh")
EXE = str(pathlib.Path(sys.argv[1]).resolve())
MODEL = str(pathlib.Path(sys.argv[2]).resolve() / "tiny.llmm")
TEXT = b"the model reads a byte and then writes the file\n" * 20


def llma(folder, *words, status=0, **more):
    environment = {**os.environ, "LLMA_MODEL_PATH": MODEL, **more}
    done = subprocess.run([RUN, EXE, *words], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != status:
        sys.exit(f"llma {words}: status {done.returncode}\n"
                 f"{done.stdout}\n{done.stderr.decode(errors='replace')}")
    return done.stdout, done.stderr.decode(errors="replace")


def check(is_right, what):
    if not is_right:
        sys.exit(f"FAILED: {what}")


def case_backslashes(folder):
    (folder / "sub").mkdir()
    (folder / "sub/a.txt").write_bytes(TEXT)
    llma(folder, "-1", "sub\\a.txt")
    check((folder / "sub/a.txt.llma").is_file(), "sub\\a.txt is in sub")
    llma(folder, "-d", "-o", ".\\b.txt", "sub\\a.txt.llma")
    check((folder / "b.txt").read_bytes() == TEXT, "it comes back")


def case_patterns(folder):
    for name in ("a.txt", "b.txt", "c.dat"):
        (folder / name).write_bytes(TEXT)
    llma(folder, "-1", "*.txt")
    check(sorted(p.name for p in folder.glob("*.llma"))
          == ["a.txt.llma", "b.txt.llma"], "*.txt names two files")


def case_long_paths(folder):
    deep = folder
    for i in range(8):
        deep = deep / (f"{i}" * 60)
        deep.mkdir()
    (deep / "a.txt").write_bytes(TEXT)
    name = str((deep / "a.txt").relative_to(folder))
    check(len(name) > 400, "the path is long")
    llma(folder, "-1", name)
    (deep / "a.txt").unlink()
    llma(folder, "-d", name + ".llma")
    check((deep / "a.txt").read_bytes() == TEXT, "a long path comes back")


def case_devices(folder):
    (folder / "a.txt").write_bytes(TEXT)
    llma(folder, "-1", "-o", "NUL", "a.txt")
    check(not (folder / "NUL").exists(), "NUL is a device")
    out, _ = llma(folder, "-1", "-c", "nul")
    check(0 < len(out) < 100, "the device has no content")


def case_unicode(folder):
    for name in ("grün 字.txt", "\U0001f40e.txt"):
        (folder / name).write_bytes(TEXT)
        llma(folder, "-1", "--rm", name)
        check(not (folder / name).exists(), f"{name} is removed")
        check((folder / (name + ".llma")).is_file(), f"{name} is there")
        llma(folder, "-d", name + ".llma")
        check((folder / name).read_bytes() == TEXT, f"{name} comes back")
    _, error = llma(folder, "-1", "fehlt-ä", status=1)
    check("fehlt-ä: No such file or directory" in error, error)


def case_read_only(folder):
    source = folder / "a.txt"
    source.write_bytes(TEXT)
    source.chmod(0o444)
    os.utime(source, (1234567890, 1234567890))
    llma(folder, "-1", "a.txt")
    made = (folder / "a.txt.llma").stat()
    check(not made.st_mode & stat.S_IWUSR, "it stays read-only")
    check(made.st_mtime == 1234567890, "its time stays")


def case_overwrites(folder):
    (folder / "a.txt").write_bytes(TEXT)
    (folder / "out").write_bytes(b"old")
    _, error = llma(folder, "-1", "-o", "out", "a.txt", status=1)
    check("exists already" in error, error)
    check((folder / "out").read_bytes() == b"old", "not without -f")
    llma(folder, "-1", "-f", "-o", "out", "a.txt")
    llma(folder, "-d", "-f", "-o", "a.txt", "out")
    check((folder / "a.txt").read_bytes() == TEXT, "it comes back")
    check(sorted(p.name for p in folder.iterdir()) == ["a.txt", "out"],
          "nothing else is left")


def case_model_folder(folder):
    (folder / "llma").mkdir()
    (folder / "llma/tiny.llmm").write_bytes(pathlib.Path(MODEL).read_bytes())
    out, _ = llma(folder, "model", "list", LLMA_MODEL_PATH="",
                  XDG_DATA_HOME="Z:" + str(folder))
    check(b"tiny" in out, f"the model is found: {out}")


def case_other_names(folder):
    (folder / "a.txt").write_bytes(TEXT)
    llma(folder, "-1", "a.txt")
    for name, words in (("unllma.exe", ["-c", "a.txt.llma"]),
                        ("LLMACAT.EXE", ["a.txt.llma"])):
        (folder / name).write_bytes(pathlib.Path(EXE).read_bytes())
        out = subprocess.run([RUN, str(folder / name), *words], cwd=folder,
                             check=True, capture_output=True).stdout
        check(out == TEXT, f"{name} decompresses")


def main():
    cases = [(n, f) for n, f in sorted(globals().items())
             if n.startswith("case_")]
    for name, case in cases:
        with tempfile.TemporaryDirectory() as folder:
            case(pathlib.Path(folder))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
