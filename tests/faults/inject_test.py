#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each system call of what the program does fails once, with the errors that
its manual page lists: never an abort, a hang, a lost input, or half a file
under its final name.

    inject_test.py LLMA CALL_FAULTS DATA_FOLDER [NAME_PART] [--all]
                   [--failing-malloc LIBRARY] [--only CALL:NTH[:ERROR]]
                   [--jobs N]

Without --all it is a choice, the same in each run: each error of each call while
compressing, while restoring and with commands of models, on outputs, other files
of the user and elsewhere. --only shows what one of them does.
"""

import argparse
import collections
import concurrent.futures
import errno
import os
import random
import sys

import fault_scenarios
from fault_scenarios import Place, check_files, snapshot

DISK = ["ENOSPC", "EDQUOT", "EIO"]
RIGHTS = ["EACCES", "EPERM", "EROFS"]
NAMES = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EIO", "ENOMEM"]
MEMORY = ["ENOMEM"]
# Of each call what its manual lists, without what only a fault of the program
# can cause: EBADF, EFAULT, ENOTSOCK.
ERRORS = {
    "read": ["EIO", "EINTR", "EAGAIN", "EISDIR", "EINVAL"],
    "pread": ["EIO", "EINTR", "EAGAIN", "ENXIO", "EOVERFLOW"],
    "readv": ["EIO", "EINTR", "EAGAIN"],
    "write": DISK + ["EINTR", "EAGAIN", "EFBIG", "EPERM", "EPIPE", "EINVAL"],
    "pwrite": DISK + ["EINTR", "EFBIG"],
    "writev": DISK + ["EINTR", "EAGAIN"],
    "open": NAMES + RIGHTS + ["EINTR", "EMFILE", "ENFILE"],
    "openat": NAMES + RIGHTS + ["EINTR", "EMFILE", "ENFILE"],
    "create": NAMES + RIGHTS + ["EINTR", "EMFILE", "ENFILE", "EEXIST",
                                "ENOSPC", "EDQUOT", "EISDIR", "EOPNOTSUPP"],
    "close": ["EIO", "EINTR", "ENOSPC", "EDQUOT"],
    "mmap": MEMORY + ["EAGAIN", "EPERM"],
    "mmap_file": MEMORY + ["EAGAIN", "EACCES", "ENODEV", "ENFILE", "EPERM"],
    "munmap": MEMORY,
    "mremap": MEMORY + ["EAGAIN"],
    "mprotect": MEMORY + ["EACCES"],
    "madvise": MEMORY + ["EINVAL", "EAGAIN", "EIO"],
    "brk": MEMORY,
    "fsync": DISK + ["EROFS", "EINVAL", "EINTR", "ENOSYS", "EOPNOTSUPP"],
    "fdatasync": DISK + ["EROFS", "EINVAL", "EINTR"],
    "syncfs": ["EIO", "ENOSPC"],
    "fallocate": ["ENOSPC", "EOPNOTSUPP", "EINTR", "EFBIG"],
    "ftruncate": ["EIO", "EINTR", "EFBIG", "EINVAL", "EPERM", "EROFS"],
    "fchmod": RIGHTS + ["EIO", "ENOMEM", "ENOSYS", "EOPNOTSUPP"],
    "chmod": RIGHTS + ["EIO"],
    "fchmodat": RIGHTS + ["EIO"],
    "fchown": RIGHTS + ["EIO", "ENOMEM", "EINVAL", "ENOSYS"],
    "utimensat": RIGHTS + ["EINVAL", "ENOSYS", "EIO"],
    "rename": RIGHTS + DISK + ["EBUSY", "EXDEV", "ENOENT", "EISDIR", "EMLINK"],
    "renameat": RIGHTS + DISK + ["EBUSY", "EXDEV", "ENOENT", "EISDIR", "EMLINK"],
    "renameat2": RIGHTS + DISK + ["EBUSY", "EXDEV", "ENOENT", "EINVAL",
                                  "ENOSYS", "EEXIST"],
    "link": RIGHTS + DISK + ["EEXIST", "EMLINK", "EXDEV", "EOPNOTSUPP",
                             "ENOSYS"],
    "linkat": RIGHTS + DISK + ["EEXIST", "EMLINK", "EXDEV", "EOPNOTSUPP"],
    "unlink": RIGHTS + ["EBUSY", "EIO", "ENOENT", "ENOMEM"],
    "unlinkat": RIGHTS + ["EBUSY", "EIO", "ENOENT"],
    "mkdir": RIGHTS + ["EEXIST", "ENOSPC", "ENOENT", "EMLINK", "EDQUOT"],
    "mkdirat": RIGHTS + ["EEXIST", "ENOSPC"],
    "rmdir": RIGHTS + ["ENOTEMPTY", "EBUSY"],
    "symlink": RIGHTS + ["EEXIST"],
    "lseek": ["EINVAL", "EOVERFLOW", "ESPIPE", "ENXIO"],
    "fstat": ["EIO", "ENOMEM", "EOVERFLOW"],
    "stat": NAMES + ["EACCES", "EOVERFLOW"],
    "lstat": NAMES + ["EACCES", "EOVERFLOW"],
    "newfstatat": NAMES + ["EACCES", "EOVERFLOW"],
    "statx": NAMES + ["EACCES", "ENOSYS"],
    "statfs": NAMES + ["EACCES", "EINTR", "ENOSYS", "EOVERFLOW"],
    "fstatfs": ["EIO", "EINTR", "ENOSYS"],
    "access": NAMES + ["EACCES"],
    "faccessat": NAMES + ["EACCES"],
    "faccessat2": NAMES + ["EACCES", "ENOSYS"],
    "readlink": NAMES + ["EACCES", "EINVAL"],
    "readlinkat": NAMES + ["EACCES", "EINVAL"],
    "getcwd": ["EACCES", "ENOENT", "ENOMEM", "ERANGE", "ENAMETOOLONG"],
    "getdents64": ["EIO", "EINVAL", "ENOTDIR"],
    "flock": ["EINTR", "ENOLCK", "EWOULDBLOCK", "EINVAL", "ENOSYS"],
    "fcntl": ["EINVAL", "EACCES", "EAGAIN", "EPERM"],
    "ioctl": ["ENOTTY", "EINVAL", "EIO"],
    "dup": ["EMFILE"],
    "dup3": ["EMFILE", "EINTR"],
    "pipe2": ["EMFILE", "ENFILE"],
    "eventfd2": ["EMFILE", "ENFILE", "ENOMEM"],
    "copy_file_range": DISK + ["EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP"],
    "sendfile": ["EIO", "EINVAL", "EAGAIN", "ENOMEM"],
    "poll": ["EINTR", "ENOMEM", "EINVAL"],
    "ppoll": ["EINTR", "ENOMEM", "EINVAL"],
    "clone": ["EAGAIN", "ENOMEM", "EPERM"],
    "clone3": ["EAGAIN", "ENOMEM", "EPERM", "ENOSYS"],
    "getrandom": ["EAGAIN", "EINTR", "ENOSYS"],
    "sched_getaffinity": ["EINVAL", "EPERM", "ENOSYS", "ESRCH"],
    "sysinfo": ["EFAULT"],
    "prlimit64": ["EPERM", "EINVAL", "ENOSYS"],
    "timer_create": ["EAGAIN", "ENOMEM"],
    "setitimer": ["EINVAL"],
    "clock_nanosleep": ["EINTR"],
    "uname": ["EFAULT"],
    "socket": ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES",
               "EAFNOSUPPORT"],
    "socketpair": ["EMFILE", "ENFILE", "EAFNOSUPPORT"],
    "connect": ["ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT", "EACCES", "EPERM",
                "EADDRNOTAVAIL", "EAGAIN", "EINTR"],
    "bind": ["EADDRINUSE", "EACCES"],
    "sendto": ["EAGAIN", "ECONNRESET", "EINTR", "ENOBUFS", "ENOMEM", "EPIPE"],
    "recvfrom": ["EAGAIN", "ECONNREFUSED", "EINTR", "ENOMEM", "ECONNRESET"],
    "sendmsg": ["EAGAIN", "ECONNRESET", "EINTR", "ENOBUFS"],
    "recvmsg": ["EAGAIN", "ECONNREFUSED", "EINTR", "ENOMEM"],
    "getsockname": ["ENOBUFS"],
    "getpeername": ["ENOBUFS", "ENOTCONN"],
    "getsockopt": ["EINVAL", "ENOPROTOOPT"],
    "setsockopt": ["EINVAL", "ENOPROTOOPT", "EDOM"],
}
# What cannot fail in a program that is right.
NO_ERRORS = {"rt_sigaction", "rt_sigprocmask"}

# Modes, owners and times are worth a warning, no more.
ATTRIBUTES = {"fchmod", "chmod", "fchmodat", "fchown", "utimensat"}
# What a write left to do may fail there.
LATE_WRITES = {"fsync", "fdatasync", "close"}
LOST_WRITES = {"EIO", "ENOSPC", "EDQUOT"}
# After a signal these go on.
RESTARTED = {"read", "pread", "write", "create", "poll", "flock", "ftruncate"}

Fault = collections.namedtuple("Fault", "kind index call nth error what")
# What fails for ever from some call on.
FILLED = ["write", "pwrite", "writev", "create", "fsync", "fdatasync", "ftruncate",
          "link", "linkat", "rename", "renameat", "renameat2", "mkdir"]
FOREVER = {
    "ENOSPC": FILLED,
    "EIO": ["read", "pread", "write", "pwrite", "fsync", "fdatasync", "open",
            "openat", "create", "rename", "renameat", "renameat2", "link",
            "linkat", "unlink", "unlinkat", "newfstatat", "fstat",
            "getdents64", "ftruncate", "lseek"],
    "EROFS": ["create", "fchmod", "fchown", "utimensat", "link", "linkat",
              "rename", "renameat", "renameat2", "unlink", "mkdir", "fsync"],
    "EMFILE": ["open", "openat", "create", "socket", "socketpair", "dup",
               "pipe2", "eventfd2"],
    "ENOMEM": ["mmap", "mmap_file", "mremap", "brk", "mprotect", "clone",
               "clone3"],
    "EAGAIN": ["clone", "clone3"],
    "EPERM": ["fchmod", "fchown", "utimensat", "link", "linkat", "flock",
              "sched_getaffinity", "madvise", "prlimit64"],
}


# Where limits of the machine are read, again and again.
SURROUNDINGS = "/sys/fs/cgroup"


def is_ours(fault, scenario):
    """A call on a file of the scenario's folder, or one that it may make."""
    return "/here" in fault.what or not fault.what.startswith("/") and (
        fault.what in scenario.before or fault.what in scenario.after or
        fault.what.startswith("fd 0 ") or fault.what.startswith("fd 1 "))


def is_stderr(fault):
    return fault.what.startswith("fd 2 ")


def is_output(fault):
    return " w " in fault.what and "/here/" in fault.what and \
        not fault.what.endswith("(deleted)") and \
        fault_scenarios.is_temporary(fault.what) and \
        not fault.what.endswith(".from")


def all_faults(scenario):
    """Of each call all errors."""
    for index, call, nth, what in scenario.calls:
        if call in NO_ERRORS:
            continue
        if call not in ERRORS:
            raise RuntimeError(f"which errors has {call}?")
        for error in ERRORS[call]:
            yield Fault("fail", index, call, nth, error, what)
        if call in ("read", "pread", "write", "pwrite", "sendto", "recvfrom"):
            yield Fault("short", index, call, nth, "", what)
    for error, names in FOREVER.items():
        for index, call, nth, what in scenario.calls:
            if call in names:
                yield Fault("from", index, ",".join(names), 0, error, what)


def kind_of(fault, scenario):
    """Of faults of one kind, one stands for all."""
    direction = "model" if "model" in scenario.command else \
        "restore" if scenario.command[1] in ("-d", "-df", "-t", "-l") else \
        "compress"
    if fault.kind == "from":
        return direction, fault.call, fault.error
    place = "output" if is_output(fault) else "ours" if \
        is_ours(fault, scenario) else "other"
    return direction, fault.kind, fault.call, fault.error, place


def choose(all_of, num_each):
    """The same choice each time: of each kind some, spread over scenarios and the
    calls of one. all_of: pairs of scenario and fault."""
    by_kind = collections.defaultdict(list)
    for scenario, fault in all_of:
        by_kind[kind_of(fault, scenario)].append((scenario, fault))
    generator = random.Random(1)
    chosen = []
    for same in by_kind.values():
        chosen += generator.sample(same, min(num_each, len(same)))
    return chosen


# Of memory.
WITHOUT_MEMORY = ("compress -1", "compress lanes", "compress -6 --rm", "resume",
                  "restore", "restore -1", "salvage", "range", "import", "pull",
                  "pull repository",
                  "model export")


def memory_faults(place, scenario, num):
    """Allocations that fail alone, and from which on all fail."""
    with place.copy(scenario) as folder:
        total = place.run_without_memory(folder, scenario, "0").num_calls
    generator = random.Random(scenario.name)
    # What ends the work is done last, in destructors, too.
    first, last = range(1, min(total, 10)), range(max(1, total - 4), total + 1)
    chosen = range(1, total + 1) if num == 0 else sorted(
        {*first, *last, *generator.choices(range(1, total + 1), k=num)})
    for nth in chosen:
        for all_after in ("", "+"):
            yield Fault("memory", 0, "malloc", nth, all_after,
                        f"of {total} allocations")


def options_of(fault):
    number = str(getattr(errno, fault.error)) if fault.error else ""
    if fault.kind == "short":
        return ["--short", f"{fault.call}:{fault.nth}"]
    if fault.kind == "from":
        return ["--fail-from", f"{fault.index}:{fault.call}:{number}"]
    return ["--fail", f"{fault.call}:{fault.nth}:{number}"]


def says_why(stderr, scenario):
    """A message of the program that names a file or a reason."""
    if not stderr.startswith("llma: ") and "\nllma: " not in stderr:
        return False
    names = [*scenario.before, *scenario.after, "(stdin)", "(stdout)", "data/llma",
             "tiny", "127.0.0.1", "memory", "thread"]
    reasons = {os.strerror(number) for number in errno.errorcode}
    return any(word in stderr for word in [*names, *reasons])


def check(scenario, fault, outcome, now):
    if outcome.num_faults == 0:
        return None
    # With several threads, or by the clock, it may be another call.
    fault = fault._replace(what=outcome.what or fault.what)
    kind, _, text = outcome.ending.partition(" ")
    if kind != "exit":
        return f"ends with {outcome.ending}"
    status = int(text)
    if status not in (0, 1, 2):
        return f"exit {status}"
    keeps = list(scenario.keeps)
    if "unlink" in fault.call:
        keeps += fault_scenarios.TEMPORARY  # for nobody can remove it
    if fault.call == "flock" and fault.error == "EWOULDBLOCK":
        keeps.append("*.part")  # which another process writes
    problem = check_files(scenario, now, status, keeps)
    if problem:
        return problem
    is_silent = is_stderr(fault) or fault.kind == "from" and \
        "write" in fault.call.split(",")
    if status != 0 and not is_silent and not says_why(outcome.stderr, scenario):
        return f"exit {status} without a reason: {outcome.stderr!r}"
    if status != 1 and scenario.told and outcome.stdout != scenario.stdout:
        return f"exit {status}, but standard output is another"
    if fault.kind == "short" and status != scenario.status:
        return "a short read or write is an error"
    if fault.kind == "fail" and not is_stderr(fault):
        ours = is_ours(fault, scenario)
        if fault.call in ATTRIBUTES and status == 1:
            return "a mode, an owner or a time is an error"
        if fault.call in RESTARTED and fault.error == "EINTR" and ours and \
                status != scenario.status:
            return "a signal is an error"
        if fault.call in LATE_WRITES and fault.error in LOST_WRITES and \
                is_output(fault) and \
                status != 1:
            return "what was not written is not an error"
    return None


class Run:
    def __init__(self, place):
        self.place = place
        self.counts = collections.Counter()

    def one(self, scenario, fault, show=False):
        with self.place.copy(scenario) as folder:
            if fault.kind == "memory":
                outcome = self.place.run_without_memory(
                    folder, scenario, f"{fault.nth}{fault.error}")
            else:
                outcome = self.place.trace(folder, scenario, *options_of(fault))
            now = snapshot(folder)
        if show:
            print(f"{scenario.name}: {fault}: {outcome.ending}\n"
                  f"{outcome.stderr}{sorted(now)}")
        return check(scenario, fault, outcome, now), outcome

    def add(self, scenario, fault, problem, outcome):
        if outcome.num_faults == 0:
            self.counts["not reached"] += 1
            return
        self.counts["faults"] += 1
        self.counts[outcome.ending] += 1
        if problem:
            name = fault.call if fault.kind != "from" else \
                f"from {fault.index} on {fault.call}"
            where = f"{name}:{fault.nth}:{fault.error or 'short'}"
            print(f"FAILED: {scenario.name}: {where} ({fault.what})\n"
                  f"    {problem}\n    {outcome.stderr.strip()!r}", flush=True)
            self.counts["failed"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("llma")
    parser.add_argument("tracer")
    parser.add_argument("data")
    parser.add_argument("name_part", nargs="?", default="")
    parser.add_argument("--failing-malloc")
    parser.add_argument("--make-tiny-folder")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_intermixed_args()
    with Place(arguments.llma, arguments.tracer, arguments.data,
               arguments.failing_malloc,
               arguments.make_tiny_folder) as place:
        if not place.can_trace():
            print("skipped: tracing is not allowed here")
            return fault_scenarios.SKIPPED
        run = Run(place)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            faults, of_memory = [], []
            for scenario in fault_scenarios.prepare_all(
                    place, arguments.name_part):
                faults += [(scenario, f) for f in all_faults(scenario)]
                if arguments.failing_malloc and scenario.name in WITHOUT_MEMORY:
                    of_memory += [(scenario, f) for f in memory_faults(
                        place, scenario, 0 if arguments.all else 4)]
            if arguments.only:
                faults = [(s, f) for s, f in faults + of_memory if
                          f"{f.call}:{f.nth}:{f.error or 'short'}".startswith(
                              arguments.only)]
                of_memory = []
                for scenario, fault in faults[:10]:
                    run.one(scenario, fault, show=True)
            elif not arguments.all:
                faults = choose(faults, 2)
            print(f"{len(faults)} faults of calls, {len(of_memory)} of memory",
                  flush=True)
            jobs = {pool.submit(run.one, scenario, fault): (scenario, fault)
                    for scenario, fault in faults + of_memory}
            for job in concurrent.futures.as_completed(jobs):
                run.add(*jobs[job], *job.result())
    counts = run.counts
    print(f"{counts['faults']} faults injected: {counts['exit 0']} ended well, "
          f"{counts['exit 2']} with a warning, {counts['exit 1']} with an error, "
          f"{counts['failed']} against the rules; "
          f"{counts['not reached']} calls were not made again")
    return 1 if counts['failed'] or counts["faults"] < 1 else 0


if __name__ == "__main__":
    sys.exit(main())
