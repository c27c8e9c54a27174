#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a computer's life, and large amounts: nothing may be lost,
nothing half written may stand under a final name, and a message must say what
happened.

    hard_cases_test.py LLMA DATA_FOLDER [NAME_PART] [--big]

--big sends 50 MB through a pipe instead of 500 KB, which takes minutes; the
rest is the same.
"""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# Of a command that takes seconds where nothing else runs.
TIMEOUT_SECONDS = 7200 if "--big" in sys.argv else 600
FRAME_BYTES = 4096
NOBODY = 65534


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def text_bytes(size, seed=1):
    """Text that the context models shorten."""
    words = "the a of model file byte reads writes and then but 42 = ;\n".split(" ")
    generator = random.Random(seed)
    text = " ".join(generator.choices(words, k=size // 3)).encode()
    while len(text) < size:
        text += text
    return text[:size]


class Place:
    """A folder of one test, and the program."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment

    def __truediv__(self, name):
        return self.folder / name

    def run(self, *command, status=0, **how):
        """The program, or another one; standard error must not be empty when it
        fails."""
        how = {"stdin": subprocess.DEVNULL, **how}
        if "input" in how:
            del how["stdin"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, timeout=TIMEOUT_SECONDS,
            stdout=how.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **how)
        said = done.stderr.decode(errors="replace")
        expect(done.returncode == status,
               f"{command}: status {done.returncode}, not {status}: {said}")
        expect(status == 0 or status < 0 or said, f"{command} says nothing")
        return done.stdout, said

    def start(self, *command, **how):
        # Slower than who waits for it.
        return subprocess.Popen(("nice", "-n", "5", *command), cwd=self.folder,
                                env=self.environment, stderr=subprocess.PIPE,
                                **how)

    def names(self, folder="."):
        return sorted(os.listdir(self.folder / folder))


def wait_for(condition, what):
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        expect(time.monotonic() < end, f"waited in vain: {what}")
        time.sleep(0.005)


def has_bytes(pattern, size):
    try:
        return any(p.stat().st_size >= size
                   for p in pattern.parent.glob(pattern.name))
    except FileNotFoundError:
        return False


def try_tar(place):
    (place / "dir/sub").mkdir(parents=True)
    (place / "dir/text").write_bytes(text_bytes(50000))
    (place / "dir/sub/two words").write_bytes(b"x")
    place.run("tar", "-I", "llma -1", "-cf", "x.tar.llma", "dir")
    shutil.move(place / "dir", place / "old")
    place.run("llma", "-t", "x.tar.llma")
    place.run("tar", "-I", "llma", "-xf", "x.tar.llma")
    place.run("diff", "-r", "old", "dir")


def try_large_pipe(place):
    # New text, noise, and text that was there before.
    old_text = text_bytes(200000)
    with open(place / "big", "wb") as file:
        for i in range(100 if "--big" in sys.argv else 1):
            file.write(text_bytes(50000, i) + random.Random(i).randbytes(250000) +
                       old_text)
    place.run("bash", "-c", "set -o pipefail; cat big | llma -1 | llma -d | cmp - big")


def try_concatenation(place):
    contents = [text_bytes(20000), b"", random.Random(4).randbytes(5000), b"x"]
    files = []
    for i, content in enumerate(contents):
        level = "-1" if i % 2 == 0 else "-6"
        files.append(place.run("llma", level, input=content)[0])
    (place / "all.llma").write_bytes(b"".join(files))
    content = b"".join(contents)
    expect(place.run("llmacat", "all.llma")[0] == content, "concatenation")
    expect(place.run("llma", "-d", input=b"".join(files))[0] == content, "its pipe")
    expect(place.run("llma", "-dc", "--range", "19990:20", "all.llma")[0] ==
           content[19990:20010], "a range across its border")
    (place / "all.llma").write_bytes(b"".join(files)[:-1])
    place.run("llma", "-d", "all.llma", status=1)
    expect(place.names() == ["all.llma"], "half a content under its name")


def try_many_files(place):
    for i in range(1000):
        folder = place / f"many/{i % 7}/{i % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.txt").write_text(f"file {i} " * (i % 9))
    shutil.copytree(place / "many", place / "old")
    place.run("llma", "-1", "-r", "--rm", "many")
    found = [p for p in (place / "many").rglob("*") if p.is_file()]
    expect(len(found) == 1000 and all(p.suffix == ".llma" for p in found),
           f"{len(found)} files")
    listed = json.loads(place.run("llma", "-l", "-r", "--json", "many")[0])
    expect(len(listed) == 1000, f"{len(listed)} files are listed")
    place.run("llma", "-d", "-r", "--rm", "many")
    place.run("diff", "-r", "old", "many")


def try_odd_names(place):
    names = [" ", "two words", "new\nline", "-d", "--rm", "tab\t", "*", "'\"",
             "\udcff\udcfe", "a" * 250, "b" * 245, "字" * 82, "äöü", "\x1b[2J", ".hidden", "x.llma.y"]
    for name in names:
        (place / name).write_bytes(os.fsencode(name) * 9)
    place.run("llma", "-1", "--rm", "--", *names)
    expect(place.names() == sorted(n + ".llma" for n in names), "names")
    place.run("llma", "-d", "--files0", "--rm",
              input=b"\0".join(os.fsencode("./" + n + ".llma") for n in names))
    for name in names:
        expect((place / name).read_bytes() == os.fsencode(name) * 9, repr(name))
    # No room for a suffix.
    (place / ("b" * 251)).write_bytes(b"x")
    said = place.run("llma", "-1", "b" * 251, status=1)[1]
    expect("too long" in said, said)
    # A path as long as there is one.
    (place / ("c" * 250)).write_bytes(b"x")
    path = "./" * 1922 + "c" * 250  # 4,094 bytes
    place.run("llma", "-1", "--rm", path)
    place.run("llma", "-d", "c" * 250 + ".llma")


def limited(num_bytes):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))
    return limit


def try_full_disk(place):
    """A limit on the size of files stands for a disk; then a small disk, where
    mounting is allowed."""
    noise = random.Random(5).randbytes(120000)
    (place / "noise").write_bytes(noise)
    place.run("llma", "-1", "-o", "whole.llma", "noise")
    commands = [("llma", "-1", "--rm", "noise"),
                ("llma", "-d", "-o", "out", "whole.llma"),
                ("llma", "-1", "--verify", "-c", "noise", "out")]
    for command in commands:
        said = place.run(*command, status=1, preexec_fn=limited(50000))[1]
        expect("File too large" in said, said)
        expect(place.names() == ["noise", "whole.llma"], place.names())
    with open("/dev/full", "wb") as full:
        for command in (("llma", "-1", "--stdout", "noise"),
                        ("llma", "-dc", "whole.llma"),
                        ("llma", "-l", "whole.llma")):
            said = place.run(*command, status=1, stdout=full)[1]
            expect("No space left" in said, said)
    (place / "disk").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs",
                       place / "disk"], stderr=subprocess.DEVNULL).returncode != 0:
        return
    try:
        for command in (("llma", "-1", "-o", "disk/x", "noise"),
                        ("llma", "-d", "-o", "disk/y", "whole.llma")):
            said = place.run(*command, status=1)[1]
            expect("No space left" in said, said)
            expect(place.names("disk") == [], place.names("disk"))
        # What is there already stays, even with -f.
        (place / "disk/old").write_bytes(b"precious")
        place.run("llma", "-1", "-f", "-o", "disk/old", "noise", status=1)
        expect((place / "disk/old").read_bytes() == b"precious", "overwritten")
        expect(place.names("disk") == ["old"], place.names("disk"))
        # With --resume the part stays, and goes on when there is room.
        place.run("llma", "-1", "--resume", "--frame-size", "4K", "-o", "disk/z",
                  "noise", status=1)
        expect(place.names("disk") == ["old", "z.part"], place.names("disk"))
        subprocess.run(["mount", "-o", "remount,size=1m", place / "disk"], check=True)
        place.run("llma", "-1", "--resume", "--frame-size", "4K", "-o", "disk/z",
                  "noise")
        expect(place.run("llma", "-dc", "disk/z")[0] == noise, "not resumed")
    finally:
        subprocess.run(["umount", place / "disk"], check=True)


def as_nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def try_read_only_folder(place):
    folder = place / "closed"
    folder.mkdir()
    (folder / "text").write_bytes(text_bytes(5000))
    place.run("llma", "-1", "-o", "closed/x.llma", "closed/text")
    folder.chmod(0o555)
    before = place.names("closed")
    try:
        for command in (("llma", "-1", "closed/text"),
                        ("llma", "-1", "--rm", "closed/text"),
                        ("llma", "-d", "closed/x.llma")):
            said = place.run(*command, status=1, preexec_fn=as_nobody)[1]
            expect("Permission denied" in said and "closed/" in said, said)
            expect(place.names("closed") == before, place.names("closed"))
        shown = place.run("llma", "-dc", "closed/x.llma", preexec_fn=as_nobody)[0]
        expect(shown == text_bytes(5000), "not readable")
    finally:
        folder.chmod(0o755)
    # A file that may not be read; the next one is done all the same.
    (folder / "secret").write_bytes(b"x")
    (folder / "secret").chmod(0)
    (folder / "two").write_bytes(b"y")
    folder.chmod(0o777)
    said = place.run("llma", "-1", "closed/secret", "closed/two", status=1,
                     preexec_fn=as_nobody)[1]
    expect("closed/secret: Permission denied" in said, said)
    expect("two.llma" in place.names("closed"), place.names("closed"))
    expect("secret.llma" not in place.names("closed"), place.names("closed"))


def stop_when_begun(place, process, part, size=FRAME_BYTES):
    """Stops it in mid-write."""
    wait_for(lambda: has_bytes(part, size) or process.poll() is not None, part)
    process.send_signal(signal.SIGSTOP)
    expect(process.poll() is None, "it was done too soon")


def try_shrinking_file(place):
    big = place / "big"
    big.write_bytes(text_bytes(300000))
    process = place.start("llma", "-1", "--rm", "--frame-size", "16K", "big")
    stop_when_begun(place, process, place / "big.llma.part")
    os.truncate(big, 100000)
    process.send_signal(signal.SIGCONT)
    said = process.communicate()[1].decode()
    expect(process.returncode == 1 and "big: became shorter" in said, said)
    expect(place.names() == ["big"], place.names())


def try_growing_file(place):
    """What changes while it is read is not removed."""
    big = place / "big"
    big.write_bytes(text_bytes(250000))
    process = place.start("llma", "-1", "--rm", "--frame-size", "16K", "big")
    stop_when_begun(place, process, place / "big.llma.part")
    with open(big, "ab") as file:
        file.write(b"more")
    process.send_signal(signal.SIGCONT)
    said = process.communicate()[1].decode()
    expect(process.returncode == 2 and "has changed, so it is kept" in said, said)
    expect("big" in place.names(), place.names())
    place.run("llma", "-t", "big.llma")


def replaced_input(place, replace, *options):
    """A run that is stopped while `replace` does something to its input; what
    it says."""
    process = place.start("llma", "-1", "--rm", "--frame-size", "16K", *options,
                          "dir/big")
    stop_when_begun(place, process, place / "dir/big.llma.part")
    replace()
    process.send_signal(signal.SIGCONT)
    return process.communicate()[1].decode(), process.returncode


def try_replaced_input(place):
    """Editors and rotated logs: the name is another file's now, which was never
    compressed."""
    content = text_bytes(250000)
    folder = place / "dir"

    def begin():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "big").write_bytes(content)

    def rotate():
        (folder / "big").rename(folder / "big.1")
        (folder / "big").write_bytes(b"new")

    def link():
        (folder / "big").rename(folder / "big.1")
        (folder / "big").symlink_to("big.1")

    def touch():
        # As before by size and time, but written again.
        info = (folder / "big").stat()
        (folder / "big").write_bytes(content[::-1])
        os.utime(folder / "big", ns=(info.st_atime_ns, info.st_mtime_ns))

    for replace in (rotate, link):
        begin()
        said, status = replaced_input(place, replace)
        expect(status == 2 and "is another file now, so it is kept" in said, said)
        expect(place.names("dir") == ["big", "big.1", "big.llma"],
               place.names("dir"))
        expect(place.run("llma", "-dc", "dir/big.llma")[0] == content, "content")
    begin()
    said, status = replaced_input(place, touch)
    expect(status == 2 and "has changed, so it is kept" in said, said)
    expect((folder / "big").read_bytes() == content[::-1], "written again")
    # A link that leads elsewhere, with -f.
    begin()
    (folder / "big").rename(folder / "one")
    (folder / "two").write_bytes(b"two")
    (folder / "big").symlink_to("one")

    def relink():
        (folder / "big").unlink()
        (folder / "big").symlink_to("two")

    said, status = replaced_input(place, relink, "-f")
    expect(status == 2 and "is another file now" in said, said)
    expect("big" in place.names("dir"), place.names("dir"))


def try_moved_folder(place):
    """Names are those in the folder that was found, wherever it goes."""
    content = text_bytes(250000)
    (place / "dir").mkdir()
    (place / "dir/big").write_bytes(content)

    def move():
        (place / "dir").rename(place / "moved")
        (place / "dir").mkdir()
        (place / "dir/big").write_bytes(b"another")

    said, status = replaced_input(place, move)
    expect(status == 0, said)
    expect((place / "dir/big").read_bytes() == b"another", "another's file")
    expect(place.names("moved") == ["big.llma"], place.names("moved"))
    expect(place.run("llma", "-dc", "moved/big.llma")[0] == content, "content")


def interrupt(place, number, *options):
    process = place.start("llma", "-1", "--frame-size", "16K", *options, "big")
    stop_when_begun(place, process, place / "big.llma.part", 3 * FRAME_BYTES)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    process.communicate()
    expect(process.returncode == -number, f"status {process.returncode}")


def try_interruptions(place):
    content = text_bytes(250000)
    (place / "big").write_bytes(content)
    whole = place.run("llma", "-1", "--frame-size", "16K", "-c", "big")[0]
    # A polite signal takes the part along; with --resume, and with the signal
    # that nobody can handle, it stays, under another name.
    interrupt(place, signal.SIGINT)
    expect(place.names() == ["big"], place.names())
    interrupt(place, signal.SIGINT, "--resume", "--rm")
    expect(place.names() == ["big", "big.llma.part"], place.names())
    interrupt(place, signal.SIGKILL, "--resume", "--rm")
    expect(place.names() == ["big", "big.llma.part"], place.names())
    said = place.run("llma", "-1", "big", status=1)[1]
    expect("--resume goes on" in said, said)
    said = place.run("llma", "-1", "-v", "--frame-size", "16K", "--resume", "big")[1]
    expect("goes on at byte" in said and "at byte 0" not in said, said)
    expect((place / "big.llma").read_bytes() == whole, "another result")
    expect(place.names() == ["big", "big.llma"], place.names())


def try_killed_decompression(place):
    (place / "big").write_bytes(text_bytes(250000))
    place.run("llma", "-1", "--rm", "--frame-size", "8K", "big")
    for number in (signal.SIGINT, signal.SIGKILL):
        process = place.start("llma", "-d", "--rm", "big.llma")
        stop_when_begun(place, process, place / "big.tmp.*", 1)
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        process.communicate()
        expect(process.returncode == -number, f"status {process.returncode}")
        expect("big" not in place.names(), place.names())
        place.run("llma", "-t", "big.llma")
        if number == signal.SIGINT:
            expect(place.names() == ["big.llma"], place.names())


def try_salvage(place):
    """One frame of 16 is destroyed: once its payload, once its header."""
    content = text_bytes(16 * FRAME_BYTES)
    (place / "x").write_bytes(content)
    place.run("llma", "-1", "--frame-size", "4K", "x")
    listed = json.loads(place.run("llma", "-l", "--json", "x.llma")[0])
    frames = listed[0]["frames"]
    expect(len(frames) == 16, f"{len(frames)} frames")
    for number, first, last in ((5, 30, 60), (9, 0, None), (0, 0, 40), (15, 0, 9)):
        frame = frames[number]
        bad = bytearray((place / "x.llma").read_bytes())
        start = frame["offset"] + first
        end = frame["offset"] + (frame["compressed"] if last is None else last)
        bad[start:end] = random.Random(6).randbytes(end - start)
        (place / "bad.llma").write_bytes(bad)
        said = place.run("llma", "-d", "bad.llma", status=1)[1]
        expect(number == 0 or "--salvage" in said, said)
        place.run("llma", "-t", "bad.llma", status=1)
        said = place.run("llma", "-d", "--salvage", "-f", "-o", "out", "bad.llma",
                         status=2)[1]
        lost = range(number * FRAME_BYTES, (number + 1) * FRAME_BYTES)
        expect(f"lost: bytes {lost[0]} to {lost[-1]} " in said, said)
        expect("restored 15 frames" in said, said)
        expected = bytearray(content)
        expected[lost[0]:lost[-1] + 1] = bytes(FRAME_BYTES)
        if number == 15:  # nothing that would have to stay in its place
            del expected[lost[0]:]
        expect((place / "out").read_bytes() == expected, f"frame {number}")


def try_attributes(place):
    """Owner, mode and time go along in both directions; set-id bits do not."""
    is_root = os.geteuid() == 0
    (place / "x").write_bytes(b"content " * 100)
    if is_root:
        os.chown(place / "x", 1234, 2345)
    for mode in (0o640, 0o444, 0o4755):
        (place / "x").chmod(mode)
        os.utime(place / "x", ns=(10**18 + 7, 1234567890123456789))
        place.run("llma", "-1", "-f", "x")
        place.run("llma", "-d", "-f", "-o", "y", "x.llma")
        for name in ("x.llma", "y"):
            info = (place / name).stat()
            expect(info.st_mode & 0o7777 == mode & 0o777, f"{name}: {info}")
            expect(info.st_mtime_ns == 1234567890123456789, f"{name}: {info}")
            expect(not is_root or (info.st_uid, info.st_gid) == (1234, 2345),
                   f"{name}: {info}")


def try_sparse_output(place):
    with open(place / "x", "wb") as file:
        file.write(b"start")
        file.truncate(400000)
        file.seek(0, os.SEEK_END)
        file.write(b"end")
        file.truncate(500000)
    place.run("llma", "-1", "x")
    place.run("llma", "-d", "-o", "y", "x.llma")
    place.run("cmp", "x", "y")
    used = (place / "y").stat().st_blocks * 512
    expect(used < 1 << 16, f"{used} bytes are used")
    # Into a pipe, all of it.
    place.run("bash", "-c", "set -o pipefail; llma -dc x.llma | cmp - x")


def try_closed_pipe(place):
    (place / "x").write_bytes(random.Random(7).randbytes(200000))
    place.run("llma", "-1", "x")
    expect(place.run("bash", "-c", "llma -dc x.llma | head -c 3 | wc -c; "
                     "exit $((${PIPESTATUS[0]} == 0))")[0].split() == [b"3"], "head")


def try_no_descriptors(place):
    """Closed standard streams must not become the files that are opened."""
    (place / "x").write_bytes(text_bytes(5000))
    place.run("bash", "-c", "llma -1 x <&- >&- 2>&-")
    place.run("bash", "-c", "llma -1 missing 2>&- || llma -d -o y x.llma >&-")
    place.run("cmp", "x", "y")
    place.run("bash", "-c", "llma -1 -c x >&-", status=1)
    place.run("bash", "-c", "llma -1 <&-", status=1)


def shim(place, name, source):
    """The environment in which a library replaces functions of libc; None
    without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    (place / f"{name}.c").write_text(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", place / f"{name}.so",
                    place / f"{name}.c", "-ldl"], check=True)
    return {**place.environment, "LD_PRELOAD": str(place / f"{name}.so")}


REFUSALS = """
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#define REFUSE(name, ...) int name(__VA_ARGS__) { errno = %s; return -1; }
#ifdef MODES
REFUSE(fchmod, int f, mode_t m)
REFUSE(fchown, int f, uid_t u, gid_t g)
REFUSE(futimens, int f, const struct timespec t[2])
#endif
#ifdef SYNCS
REFUSE(fsync, int f)
REFUSE(fdatasync, int f)
#endif
#ifdef NAMES
REFUSE(renameat2, int a, const char *b, int c, const char *d, unsigned e)
#endif
#ifdef LINKS
REFUSE(linkat, int a, const char *b, int c, const char *d, int e)
#endif
#ifdef RENAMES
REFUSE(renameat, int a, const char *b, int c, const char *d)
#endif
"""


def try_refused_calls(place):
    """File systems that keep no modes, sync nothing, know no flags or links: the
    work is not thrown away for that."""
    content = text_bytes(5000)
    (place / "x").write_bytes(content)

    def run(what, error, command, status=0):
        environment = shim(
            place, f"{error}-{'-'.join(what)}",
            "".join(f"#define {w}\n" for w in what) + REFUSALS % error)
        if environment is None:
            return ""
        for name in ("x.llma", "y"):
            (place / name).unlink(missing_ok=True)
        if command[1] == "-d":
            place.run("llma", "-1", "x")
        there = Place(place.folder, environment)
        said = there.run(*command, status=status)[1]
        name = "y" if command[1] == "-d" else "x.llma"
        if status != 1:
            expect(place.run("llma", "-dc", "x.llma")[0] == content, what)
        if command[1] == "-d" and status != 1:
            expect((place / name).read_bytes() == content, what)
        return said

    compress = ("llma", "-1", "x")
    restore = ("llma", "-d", "-o", "y", "x.llma")
    for command in (compress, restore):
        said = run(["MODES"], "EPERM", command, 2)
        expect("cannot set the owner, mode or time" in said, said)
        for error in ("EINVAL", "ENOSYS", "EOPNOTSUPP", "EROFS"):
            run(["SYNCS"], error, command)
        for error in ("EINVAL", "ENOSYS", "EOPNOTSUPP", "EPERM"):
            run(["NAMES"], error, command)
            run(["NAMES", "LINKS"], error, command)
        # Nothing that is there is overwritten, whatever there is to rename with.
        said = run(["NAMES", "LINKS", "RENAMES"], "EIO", command, 1)
        expect("the result is complete in" in said, said)
        for left in place.folder.glob("*.part"):
            expect(place.run("llma", "-dc", left.name)[0] == content, "part")
            left.unlink()
        for left in place.folder.glob("*.tmp.*"):
            expect(left.read_bytes() == content, "complete")
            left.unlink()
    # What was written may not be there: the source stays.
    said = run(["SYNCS"], "EIO", ("llma", "-1", "--rm", "x"), 1)
    expect("x is kept" in said and "x" in place.names(), said)
    run(["SYNCS"], "EIO", ("llma", "-1", "--rm", "--no-sync", "-k", "x"))


def try_order_of_syncing(place):
    """Result and folder are on the device before the source is removed; many
    wait together."""
    environment = shim(place, "trace", r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static void note(const char *what) {
  FILE *file = fopen(getenv("TRACE"), "a");
  fprintf(file, "%s\n", what);
  fclose(file);
}
int fsync(int fd) {
  struct stat info;
  fstat(fd, &info);
  note(S_ISDIR(info.st_mode) ? "folder" : "file");
  return 0;
}
int unlinkat(int folder, const char *name, int flags) {
  int (*next)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
  note(name);
  return next(folder, name, flags);
}
""")
    if environment is None:
        return
    trace = place / "trace.txt"
    environment["TRACE"] = str(trace)
    there = Place(place.folder, environment)

    def calls(*command):
        trace.unlink(missing_ok=True)
        there.run("llma", "-1", *command)
        return trace.read_text().split() if trace.exists() else []

    names = [f"f{i}" for i in range(20)]
    for name in names:
        (place / name).write_bytes(b"x")
    expect(calls("f0") == [], "synced though the source stays")
    expect(calls("-f", "f0") == ["file"], "a file that is replaced")
    (place / "f0.llma").unlink()
    start = time.monotonic()
    done = calls("--rm", *names)
    seconds = time.monotonic() - start
    expect(done[-1] == "f19" and done.count("file") == 20, done)
    for i, name in enumerate(names):
        before = done[:done.index(name)]
        expect(before.count("file") > i and "folder" in before, done)
    expect(done.count("folder") <= 1 + seconds, done)
    for name in names:
        (place / name).write_bytes(b"x")
    expect(calls("--rm", "--no-sync", "-f", *names) == names, "synced")


def try_non_blocking(place):
    """Descriptors as event loops leave them: input that is not there yet, and a
    reader who takes his time."""
    content = random.Random(8).randbytes(300000)
    (place / "x").write_bytes(content)
    place.run("llma", "-1", "x")
    for command in (("llma", "-1"), ("llma", "-d")):
        source = (place / ("x" if command[1] == "-1" else "x.llma")).read_bytes()
        ends = [os.pipe() for _ in range(3)]
        for end in (e for pair in ends for e in pair):
            os.set_blocking(end, False)
        process = subprocess.Popen(
            (*command, "-v"), stdin=ends[0][0], stdout=ends[1][1],
            stderr=ends[2][1], env=place.environment)
        for end in (ends[0][0], ends[1][1], ends[2][1]):
            os.close(end)
        time.sleep(0.2)
        done, pieces = 0, []
        while True:
            if done < len(source):
                try:
                    done += os.write(ends[0][1], source[done:done + 50000])
                except BlockingIOError:
                    pass
                if done == len(source):
                    os.close(ends[0][1])
            time.sleep(0.002)
            try:
                piece = os.read(ends[1][0], 30000)
            except BlockingIOError:
                continue
            if not piece:
                break
            pieces.append(piece)
        expect(process.wait() == 0, os.read(ends[2][0], 1000))
        os.close(ends[1][0])
        os.close(ends[2][0])
        result = b"".join(pieces)
        if command[1] == "-1":
            result = place.run("llma", "-d", input=result)[0]
        expect(result == content, command)


def try_shared_input(place):
    """Standard input starts where others have left it, however it is read, and
    they go on behind it."""
    content = text_bytes(5000)
    (place / "x").write_bytes(content)
    place.run("llma", "-1", "x")
    (place / "both").write_bytes(b"h" * 100 + (place / "x.llma").read_bytes())
    for options, expected in (("-d", content), ("-d --range 10:50", content[10:60]),
                              ("-d --salvage", content)):
        shown = place.run("bash", "-c", f"(head -c 100 >/dev/null; llma {options}; "
                          "wc -c) <both")[0]
        expect(shown == expected + b"0\n", f"{options}: {shown[-50:]}")
    shown = place.run("bash", "-c", "(head -c 100 >/dev/null; llma -l --robot; wc -c) "
                      "<both")[0].split(b"\t")
    expect(int(shown[3]) == (place / "x.llma").stat().st_size, shown)
    expect(shown[-1] == b"(stdin)\n0\n", shown)
    # Behind what is there already.
    place.run("bash", "-c", "echo old >new; llma -dc x.llma >>new; "
              "cmp new <(echo old; cat x)")


def try_wrong_sizes(place):
    """Files of the kernel say 0 or 4,096 bytes, and give others."""
    for path in ("/proc/self/status", "/proc/version", "/sys/class/net/lo/address",
                 "/sys/kernel/mm/transparent_hugepage/enabled"):
        if not os.access(path, os.R_OK):
            continue
        packed = place.run("llma", "-1", "-c", path)[0]
        shown = place.run("llma", "-d", input=packed)[0]
        expect(shown and (path == "/proc/self/status" or
                          shown == pathlib.Path(path).read_bytes()), path)
        place.run("llma", "-1", "-f", "-o", "out", path)
        expect(place.run("llma", "-dc", "out")[0], path)


def try_private_parts(place):
    """Nobody else can read what is not complete."""
    (place / "big").write_bytes(text_bytes(250000))
    (place / "big").chmod(0o644)
    for command, part in ((("llma", "-1", "--frame-size", "16K", "big"),
                           "big.llma.part"),
                          (("llma", "-d", "-o", "out", "big.llma"), "out.tmp.*")):
        process = place.start(*command)
        stop_when_begun(place, process, place / part, 1)
        for path in place.folder.glob(part):
            expect(path.stat().st_mode & 0o777 == 0o600, oct(path.stat().st_mode))
        process.send_signal(signal.SIGCONT)
        expect(process.wait() == 0, command)
        process.communicate()
    for name in ("big.llma", "out"):
        expect((place / name).stat().st_mode & 0o777 == 0o644, name)


def try_output_made_meanwhile(place):
    """A file that takes the name while it is written is not overwritten, and the
    work is not lost."""
    content = text_bytes(250000)
    (place / "big").write_bytes(content)
    process = place.start("llma", "-1", "--rm", "--frame-size", "16K", "big")
    stop_when_begun(place, process, place / "big.llma.part")
    (place / "big.llma").write_bytes(b"precious")
    process.send_signal(signal.SIGCONT)
    said = process.communicate()[1].decode()
    expect(process.returncode == 1 and "complete in big.llma.part" in said, said)
    expect((place / "big.llma").read_bytes() == b"precious", "overwritten")
    expect((place / "big").read_bytes() == content, "removed")
    expect(place.run("llma", "-dc", "big.llma.part")[0] == content, "lost")
    # With -f, too, if it is the input.
    for name in ("big.llma", "big.llma.part"):
        (place / name).unlink()
    process = place.start("llma", "-1", "-f", "--frame-size", "16K", "big")
    stop_when_begun(place, process, place / "big.llma.part")
    (place / "big").rename(place / "big.llma")
    process.send_signal(signal.SIGCONT)
    said = process.communicate()[1].decode()
    expect(process.returncode == 1 and "overwrite the input" in said, said)
    expect((place / "big.llma").read_bytes() == content, "the input is lost")


TESTS = [value for name, value in list(globals().items())
         if name.startswith("try_")]


def main():
    words = [w for w in sys.argv[1:] if w != "--big"]
    llma, data = (pathlib.Path(w).resolve() for w in words[:2])
    part = words[2] if len(words) > 2 else ""
    failed = num_run = 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        root.chmod(0o755)  # nobody must get in
        (root / "bin").mkdir()
        # A copy: the build folder may be closed to others.
        shutil.copy(llma, root / "bin/llma")
        for other in ("unllma", "llmacat"):
            (root / "bin" / other).symlink_to("llma")
        (root / "models").mkdir()
        shutil.copy(data / "tiny.llmm", root / "models")
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("LLMA_", "XDG_", "LC_"))}
        environment.update(PATH=f"{root}/bin:{environment.get('PATH', '')}",
                           LC_ALL="C", HOME=f"{root}/home",
                           LLMA_MODEL_PATH=f"{root}/models")
        for test in TESTS:
            if part not in test.__name__:
                continue
            folder = root / test.__name__
            folder.mkdir()
            start = time.monotonic()
            num_run += 1
            try:
                test(Place(folder, environment))
                print(f"{test.__name__}: {time.monotonic() - start:.1f} s")
            except (Failed, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAILED: {test.__name__}: {error}")
    print(f"{num_run} hard cases, {failed} failed")
    return 1 if failed or not num_run else 0


if __name__ == "__main__":
    sys.exit(main())
