#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL in front of any system call: input or complete output is always there,
and the same command, run again, does what it should have done.

    kill_test.py LLMA CALL_FAULTS DATA_FOLDER [NAME_PART] [--moments N] [--jobs N]

N moments of each scenario, spread over its calls; if not told, 40 of those that
stand for a kind, and 8 of the others.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import sys

import fault_scenarios
from fault_scenarios import (Place, Scenario, TEMPORARY, check_files,
                             is_temporary, make_many, snapshot, text_bytes)


def make_long_text(folder):
    (folder / "text").write_bytes(text_bytes(60000))


def long_scenarios():
    """With more calls, so that there are more moments."""
    tool = ["llma", "-1", "--frame-size", "4K"]
    yield Scenario("rm long", [*tool, "--rm", "text"], make_long_text,
                   removes={"text": "text.llma"})
    yield Scenario("resume long", [*tool, "--resume", "text"], make_long_text,
                   keeps=("*.part",))
    yield Scenario("resume long --rm", [*tool, "--resume", "--rm", "text"],
                   make_long_text, keeps=("*.part",),
                   removes={"text": "text.llma"})
    yield Scenario("restore long --rm", ["llma", "-d", "--rm", "text.llma"],
                   make_long_text, prepare=[[*tool, "--rm", "text"]],
                   removes={"text.llma": "text"})
    many = {f: f + ".llma" for f in ("d/a", "d/b", "d/e/c", "d/e/empty")}
    yield Scenario("-f -r --rm", ["llma", "-2", "-f", "-r", "--rm", "d"],
                   make_many, removes=many)


SAME = {"compress --rm", "compress -6 --rm", "compress -f", "compress -r --rm",
        "resume", "resume -3 --rm", "restore --rm", "restore -r --rm", "pull",
        "pull on", "pull repository", "import", "import name"}


MAIN = {"compress -r --rm", "resume long --rm", "pull", "import"}


def moments(scenario, num):
    """Of the calls, all or some, the first and the last among them."""
    total = len(scenario.calls)
    if total <= num:
        return list(range(1, total + 1))
    chosen = random.Random(scenario.name).sample(range(2, total), num - 2)
    return sorted([1, total, *chosen])


def is_done(scenario, now):
    return all(now.get(name) == content
               for name, content in scenario.after.items())


def go_on(place, scenario, folder):
    """Runs the command again, until all is done; what is wrong if it is not."""
    now = snapshot(folder)
    command = list(scenario.command)
    left = [name for name in scenario.removes if name in now]
    if is_done(scenario, now) and not left:
        return None
    if "--resume" in command:
        # Where only the removal was left to do, the output is in its way.
        if any(now.get(n) == c for n, c in scenario.after.items()
               if n not in scenario.before):
            return None
    elif "-f" not in command:
        command.insert(3 if "model" in command else 1, "-f")
    done = place.run(folder, command)
    if done.returncode != scenario.status:
        return f"then exit {done.returncode}: {done.stderr.decode()!r}"
    now = snapshot(folder)
    if not is_done(scenario, now):
        return f"then it was not complete: {sorted(now)}"
    more = [name for name in now if name not in scenario.after and
            not is_temporary(name)]
    if more or any(name.endswith(".part") for name in now):
        return f"then {sorted(now)} was there"
    return None


def kill_once(place, scenario, index):
    with place.copy(scenario) as folder:
        outcome = place.trace(folder, scenario, "--kill", str(index))
        if outcome.num_faults == 0:
            return "not reached", None
        if outcome.ending != "signal 9":
            return "killed", f"ends with {outcome.ending}"
        now = snapshot(folder)
        problem = check_files(scenario, now, None,
                              (*TEMPORARY, *scenario.keeps))
        state = "killed, done" if is_done(scenario, now) else "killed"
        return state, problem or go_on(place, scenario, folder)


def check_order(scenario):
    """The input is removed after the output and its folder are on the disk."""
    names = {name: index for index, name, _, _ in scenario.calls}
    synced = max(names.get("fsync", 0), names.get("fdatasync", 0))
    for index, name, _, what in scenario.calls:
        if name in ("unlink", "unlinkat") and what in scenario.removes:
            if index < synced:
                return f"{what} is removed before the last fsync"
            return None if synced else "nothing is synchronized before removal"
    return f"no input is removed: {scenario.calls}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("llma")
    parser.add_argument("tracer")
    parser.add_argument("data")
    parser.add_argument("name_part", nargs="?", default="")
    parser.add_argument("--moments", type=int)
    parser.add_argument("--make-tiny-folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_intermixed_args()
    num_failed = 0
    counts = collections.Counter()
    with Place(arguments.llma, arguments.tracer, arguments.data,
               make_tiny_folder=arguments.make_tiny_folder) as place:
        if not place.can_trace():
            print("skipped: tracing is not allowed here")
            return fault_scenarios.SKIPPED
        jobs = {}
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for scenario in [*fault_scenarios.scenarios(place),
                             *long_scenarios()]:
                if arguments.name_part not in scenario.name or (
                        scenario.name in
                        {s.name for s in fault_scenarios.scenarios(place)} and
                        scenario.name not in SAME):
                    continue
                place.prepare(scenario)
                if len(scenario.removes) == 1:
                    problem = check_order(scenario)
                    if problem:
                        num_failed += 1
                        print(f"FAILED: {scenario.name}: {problem}")
                num = arguments.moments or (
                    16 if scenario.name in MAIN else 4)
                for index in moments(scenario, num):
                    jobs[pool.submit(kill_once, place, scenario, index)] = (
                        scenario, index)
            for job in concurrent.futures.as_completed(jobs):
                scenario, index = jobs[job]
                state, problem = job.result()
                counts[state] += 1
                counts[scenario.name] += 1
                if problem:
                    num_failed += 1
                    call = " ".join(map(str, scenario.calls[index - 1]))
                    print(f"FAILED: {scenario.name}: killed before {call}\n"
                          f"    {problem}", flush=True)
    killed = counts["killed"] + counts["killed, done"]
    print(f"{killed} times killed: {counts['killed']} before all was done, "
          f"{counts['killed, done']} after that; {num_failed} against the rules; "
          f"{counts['not reached']} calls were not made again")
    return 1 if num_failed or killed < 1 else 0


if __name__ == "__main__":
    sys.exit(main())
