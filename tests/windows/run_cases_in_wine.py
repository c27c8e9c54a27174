#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of tests/cli against the program for Windows, under Wine.

    run_cases_in_wine.py LLMA.EXE DATA_FOLDER [NAME_PART]

posix_only.txt names the cases that Windows or Wine cannot show, and why. Each of
its lines must be that of a case.
"""

import concurrent.futures
import os
import pathlib
import shlex
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "cli"
sys.path.insert(0, str(CASES))
import run_cases  # noqa: E402

FILES = ["coding", "errors", "files", "frames", "options"]


def read_posix_only():
    reasons = {}
    reason = None
    for line in (HERE / "posix_only.txt").read_text().splitlines():
        if line.startswith("# ") or not line:
            continue
        if line.endswith(":") and not line.startswith(" "):
            reason = line[:-1]
        elif line.startswith("  "):
            reasons[line.strip()] = reason
        else:
            sys.exit(f"posix_only.txt: what is this line? {line}")
    return reasons


def main():
    exe = pathlib.Path(sys.argv[1]).resolve()
    data = pathlib.Path(sys.argv[2]).resolve()
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    reasons = read_posix_only()
    cases = [c for name in FILES
             for c in run_cases.read_cases(CASES / f"{name}.cases")]
    unknown = set(reasons) - {c.name for c in cases}
    if unknown:
        sys.exit(f"posix_only.txt: there is no such case: {sorted(unknown)}")
    chosen = [c for c in cases
              if c.name not in reasons and part in c.name]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrapper = folder / "llma"
        wrapper.write_text("#!/bin/sh\nexec "
                           f"{shlex.quote(str(HERE / 'run_exe.sh'))} "
                           f"{shlex.quote(str(exe))} \"$@\"\n")
        wrapper.chmod(0o755)
        environment = run_cases.make_environment(wrapper, data, folder)
        # Else models that cases install would stay in Wine's own folder.
        environment["XDG_DATA_HOME"] = f"Z:{folder}/home/.local/share"
        template = folder / "template"
        template.mkdir()
        run_cases.make_template(template, environment)
        num_failed = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = pool.map(
                lambda c: run_cases.run_case(c, template, environment), chosen)
            for case, problem in zip(chosen, problems):
                if problem:
                    num_failed += 1
                    print(f"FAILED: {case.name}\n  {problem}", flush=True)
    print(f"{len(chosen)} cases, {num_failed} failed; {len(reasons)} are for "
          "POSIX alone")
    return 1 if num_failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
