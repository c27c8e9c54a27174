#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the files of tests/files notice a changed constant of the context models.

    planted_constants.py SOURCE BUILD [NAME...]

SOURCE is a checkout that may be changed, without changes of its own; BUILD is a
release build of it. One constant after the other (or those that are named) is changed
in SOURCE, llma is built, and the files of tests/files are written again: prints the
first that is not the same. Exits with 1 if a change is not noticed. Takes about half a
minute for each.
"""

import pathlib
import subprocess
import sys

# File below src/cm, what stands there once, what takes its place.
CHANGES = (
    ("bit_history.cc", "{41, 40, 12, 8, 6, 5}", "{41, 40, 11, 8, 6, 5}"),
    ("bit_history.cc", "{0, 1, 2, 3, 4, 5, 5, 6}", "{0, 1, 2, 3, 4, 5, 6, 6}"),
    ("context_mixer.cc", ".first_q16 = 1300,", ".first_q16 = 1301,"),
    ("context_mixer.cc", ".first_q16 = 2000,", ".first_q16 = 2001,"),
    ("context_mixer.cc", ".last_q16 = 130}", ".last_q16 = 131}"),
    ("counters.h", "kMapPrior = 16;", "kMapPrior = 17;"),
    ("counters.h", "kRunPrior = 6;", "kRunPrior = 7;"),
    ("joint_predictor.cc", "kJointRate = {.first_q16 = 200,",
     "kJointRate = {.first_q16 = 201,"),
    ("joint_predictor.cc", ".last_q16 = 50};", ".last_q16 = 51};"),
    ("light_match.cc", "kHashedBytes = 5;", "kHashedBytes = 6;"),
    ("light_predictor.cc", "kFirstRate = 500;", "kFirstRate = 501;"),
    ("light_predictor.cc", "kRefinementShift = 5;", "kRefinementShift = 6;"),
    ("logistic.h", "kMaxStretchQ12 = 12 * 4096;",
     "kMaxStretchQ12 = 12 * 4096 - 1;"),
    ("token_ends.cc", ".first_q16 = 1000, .last_q16 = 1000}",
     ".first_q16 = 1001, .last_q16 = 1000}"),
    ("wide_logistic.cc", "kLn2Q32 = 2977044472;", "kLn2Q32 = 2977044473;"),
)


def first_difference(make, program):
    """The name of a file that is written differently, or None."""
    for name, kind, content, options, _ in make.read_list():
        if not make.is_written(kind, options):
            continue
        try:
            made = make.compress(program, make.content_of(content), options)
        except subprocess.CalledProcessError as error:
            return f"{name} (status {error.returncode})"
        if made != (make.FOLDER / f"{name}.llma").read_bytes():
            return name
    return None


def main():
    source, build = (pathlib.Path(text).resolve() for text in sys.argv[1:3])
    sys.path[:0] = [str(source / "tests" / "files")]
    import make
    num_missed = 0
    for name, old, new in CHANGES:
        if sys.argv[3:] and name not in sys.argv[3:]:
            continue
        path = source / "src" / "cm" / name
        before = path.read_text()
        if before.count(old) != 1:
            sys.exit(f"{name}: {old!r} does not stand there once")
        try:
            path.write_text(before.replace(old, new))
            subprocess.run(["cmake", "--build", build, "--target", "llma"],
                           check=True, stdout=subprocess.DEVNULL)
            found = first_difference(make, build / "llma")
        finally:
            path.write_text(before)
        num_missed += found is None
        print(f"{name}: {new} {'is not noticed' if found is None else found}",
              flush=True)
    subprocess.run(["cmake", "--build", build, "--target", "llma"],
                   check=True, stdout=subprocess.DEVNULL)
    sys.exit(1 if num_missed else 0)


if __name__ == "__main__":
    main()
