#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that only platform/ speaks with the operating system: no other source
includes a header of POSIX, Linux or Windows, or calls a function of theirs. Tests
may.

    check_system_calls.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

HEADERS = re.compile(
    r'\s*#\s*include\s*[<"]('
    r"(sys|asm|linux|mach|netinet|arpa|net)/.*|"
    r"(aio|dirent|dlfcn|fcntl|fnmatch|ftw|glob|grp|libproc|netdb|poll|pthread|pwd|"
    r"sched|semaphore|signal|spawn|strings|syslog|termios|unistd|utime|wordexp)\.h|"
    r"csignal|filesystem|"
    r"(windows|winsock2?|ws2tcpip|winhttp|psapi|io|direct|process|shlobj|"
    r"fileapi|winbase)\.h)[>\"]", re.I)
CALLS = re.compile(
    r"(?<![\w>])::(open|openat|read|write|pread|pwrite|close|dup2?|pipe2?|l?stat|"
    r"fstat|fstatat|lseek|f?truncate|f?chmod|f?chown|f?sync|fdatasync|unlink|"
    r"unlinkat|rename|renameat2?|link|linkat|symlink|readlink|mkdir|rmdir|mkdtemp|"
    r"mmap|munmap|madvise|poll|select|isatty|ioctl|fcntl|flock|getpid|fork|exec\w+|"
    r"kill|raise|signal|sigaction|sysconf|getauxval|sched_\w+|getrlimit|setrlimit|"
    r"getrusage|pthread_\w+|_?getenv|setenv)\(|\b_(open|read|write|stat\w*|lseeki64)\(")
# What has a reason to, and it.
EXCEPTIONS = {
    # WinHTTP is to Windows what libcurl is elsewhere: it stays behind the same
    # seam, store/http_client.h.
    "store/http_client_windows.cc",
    # A path's parts as text alone.
    "importer/model_import.cc",
}


def main():
    src = pathlib.Path(sys.argv[1]) / "src"
    faults, num_files = [], 0
    for path in sorted(src.rglob("*.*")):
        parts = path.relative_to(src).parts
        if (path.suffix not in {".h", ".cc"} or parts[0] == "platform"
                or "testing" in parts or path.stem.endswith("_test")
                or path.stem.startswith("start_text_")
                or "/".join(parts) in EXCEPTIONS):
            continue
        num_files += 1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.split("//")[0]
            found = HEADERS.match(code) or CALLS.search(code)
            if found:
                faults.append(f"{path}:{number}: {found[0].strip()}: platform/ "
                              "alone speaks with the system")
    if num_files < 200:
        faults.append(f"{src}: only {num_files} files were found")
    print("\n".join(faults) or f"{num_files} files leave the system to platform/")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
