# SPDX-License-Identifier: Apache-2.0
"""What the program does in the tests of faults, each in a folder of its own,
and what must hold there whatever fails."""

import contextlib
import fnmatch
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "store"))
from model_host import ModelHost, Repository  # noqa: E402

REFUSED = 125  # what call_faults exits with where tracing is not allowed
SKIPPED = 77   # what ctest takes for it
SECONDS = 40   # of a run that takes less than one where nothing else runs
# What may be left behind by a run that was killed, or could not unlink it.
TEMPORARY = ("*.tmp.*", "*.tmp", "*.part", "*.part.from", ".*.tmp*",
             ".llma*", "*.tmp??????")


def text_bytes(size, seed=1):
    words = "the a of model file byte reads writes and then but 42 = ;\n".split(" ")
    generator = random.Random(seed)
    return " ".join(generator.choices(words, k=size // 2)).encode()[:size]


class Scenario:
    """A command, and what it does to which files of its folder."""

    def __init__(self, name, command, make, *, stdin=None, removes=None,
                 status=0, keeps=(), prepare=(), told=True):
        self.name = name
        self.command = command
        self.make = make            # makes the files of a folder
        self.prepare = prepare      # commands that make more of them
        self.stdin = stdin
        self.removes = removes or {}  # input: output that must be there first
        self.status = status        # where nothing fails
        self.keeps = keeps          # patterns of what a failed run leaves
        self.told = told            # whether what was printed is always the same
        self.template = None
        self.before = self.after = None
        self.stdout = None
        self.calls = []


class Outcome:
    def __init__(self, ending, stdout, stderr, num_calls, num_faults, what=""):
        self.ending = ending        # "exit 1", "signal 6", "timeout"
        self.stdout = stdout
        self.stderr = stderr
        self.num_calls = num_calls
        self.num_faults = num_faults
        self.what = what            # failed at last


def snapshot(folder):
    """Relative names of all files, with what they hold."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


class Place:
    """The program, its models and a host of one, while a test runs."""

    def __init__(self, llma, tracer, data, failing_malloc=None,
                 make_tiny_folder=None):
        self.llma = pathlib.Path(llma).resolve()
        self.tracer = pathlib.Path(tracer).resolve()
        self.failing_malloc = failing_malloc and \
            pathlib.Path(failing_malloc).resolve()
        self.data = pathlib.Path(data).resolve()
        self.stack = contextlib.ExitStack()
        self.folder = pathlib.Path(
            self.stack.enter_context(tempfile.TemporaryDirectory()))
        models = self.folder / "models"
        models.mkdir()
        shutil.copy(self.data / "tiny.llmm", models)
        self.gguf = (self.data / "tiny.gguf").read_bytes()
        self.host = ModelHost(self.gguf)
        self.stack.callback(self.host.close)
        if make_tiny_folder:
            tiny = self.folder / "tiny"
            subprocess.run([make_tiny_folder, self.data / "tiny.gguf", tiny],
                           check=True)
            files = {p.name: p.read_bytes() for p in tiny.iterdir()}
            self.host.repositories["Owner/Tiny"] = Repository(
                files, large=[n for n in files if n.endswith(".safetensors")])
        self.environment = {
            k: v for k, v in os.environ.items()
            if not k.startswith(("LLMA_", "XDG_", "LC_", "HF_")) and
            not k.lower().endswith("_proxy")}
        self.environment.update(
            LC_ALL="C", HOME=str(self.folder / "home"),
            LLMA_MODEL_PATH=str(models),
            HF_ENDPOINT=f"http://127.0.0.1:{self.host.port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def can_trace(self):
        return subprocess.run([self.tracer, "--probe"],
                              capture_output=True).returncode == 0

    def environment_in(self, folder):
        return {**self.environment, "XDG_DATA_HOME": str(folder / "data")}

    def run(self, folder, command, stdin=None):
        command = [self.llma if part == "llma" else part for part in command]
        return subprocess.run(command, cwd=folder, env=self.environment_in(folder),
                              input=stdin if stdin is not None else b"",
                              capture_output=True, timeout=SECONDS)

    def run_without_memory(self, folder, scenario, which):
        """`which` allocations fail, as failing_malloc.c takes them."""
        counted = folder.parent / "allocations"
        environment = {**self.environment_in(folder),
                       "LD_PRELOAD": str(self.failing_malloc),
                       "LLMA_COUNT_MALLOC": str(counted),
                       "LLMA_FAIL_MALLOC": which}
        try:
            done = subprocess.run(
                [self.llma, *scenario.command[1:]], cwd=folder, env=environment,
                input=scenario.stdin if scenario.stdin is not None else b"",
                capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return Outcome("timeout", b"", "", 0, 1)
        num_calls = int(counted.read_text()) if counted.exists() else 0
        ending = f"exit {done.returncode}" if done.returncode >= 0 else \
            f"signal {-done.returncode}"
        return Outcome(ending, done.stdout, done.stderr.decode(errors="replace"),
                       num_calls, 1)

    def trace(self, folder, scenario, *options, log=None):
        report = folder.parent / (folder.name + ".report")
        command = [self.tracer, "--report", report, "--seconds", str(SECONDS),
                   *options]
        if log:
            command += ["--log", log]
        command += ["--", *[self.llma if part == "llma" else part
                            for part in scenario.command]]
        done = subprocess.run(
            command, cwd=folder, env=self.environment_in(folder),
            input=scenario.stdin if scenario.stdin is not None else b"",
            capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        lines = report.read_text(errors="replace").split("\n")
        report.unlink()
        return Outcome(lines[0], done.stdout, done.stderr.decode(errors="replace"),
                       int(lines[1].split()[1]), int(lines[2].split()[1]),
                       lines[3])

    def prepare(self, scenario):
        """Makes the scenario's folder, and what comes of it when all is well."""
        scenario.template = self.folder / scenario.name.replace(" ", "_")
        scenario.template.mkdir()
        scenario.make(scenario.template)
        for command in scenario.prepare:
            done = self.run(scenario.template, command)
            if done.returncode != 0:
                raise RuntimeError(f"{command}: {done.stderr.decode()}")
        scenario.before = snapshot(scenario.template)
        with self.copy(scenario) as folder:
            log = self.folder / "log"
            outcome = self.trace(folder, scenario, log=log)
            if outcome.ending != f"exit {scenario.status}":
                raise RuntimeError(
                    f"{scenario.name}: {outcome.ending}: {outcome.stderr}")
            scenario.after = snapshot(folder)
            scenario.stdout = outcome.stdout
            scenario.calls = []
            for line in log.read_text(errors="replace").splitlines():
                index, name, nth, what = line.split(" ", 3)
                scenario.calls.append((int(index), name, int(nth), what))

    @contextlib.contextmanager
    def copy(self, scenario):
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name) / "here"
            shutil.copytree(scenario.template, folder, symlinks=True)
            yield folder


def is_temporary(name, patterns=TEMPORARY):
    base = name.rsplit("/", 1)[-1]
    return any(fnmatch.fnmatchcase(base, p) for p in patterns)


def check_files(scenario, now, status, keeps):
    """What is wrong with the files after a run that ended with `status`, which
    is None if it was killed."""
    for name, content in scenario.before.items():
        if is_temporary(name) and name not in scenario.after:
            continue  # what an interrupted run left, which this one uses
        goal = scenario.after.get(name)
        if name not in now:
            output = scenario.removes.get(name)
            if output is None:
                return f"{name} is lost"
            if now.get(output) != scenario.after[output]:
                return f"{name} is lost, and {output} is not complete"
        elif now[name] not in (content, goal):
            return f"{name} is neither as it was nor as it should become"
    for name, content in now.items():
        if name in scenario.before:
            continue
        if name in scenario.after:
            if content != scenario.after[name]:
                return f"{name} is there, but not complete"
        elif not is_temporary(name, keeps) and not (
                # Complete, but it could not get its name.
                is_temporary(name) and content in scenario.after.values()):
            return f"{name} was left behind"
    if status is not None and status == scenario.status:
        for name, content in scenario.after.items():
            if now.get(name) != content:
                return f"exit {status}, but {name} is not as it should be"
    if status == 0:
        for name in scenario.removes:
            if name in now:
                return f"exit 0, but {name} was not removed"
    if status == 2 and scenario.status == 0:
        for name, content in scenario.after.items():
            if now.get(name) != content:
                return f"exit 2, but {name} is not as it should be"
    return None


def make_files(**files):
    def make(folder):
        for name, content in files.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return make


TEXT = text_bytes(9000)       # several frames of 4,096 bytes
SHORT_TEXT = text_bytes(1200)  # for what uses the model


def make_short_text(folder):
    (folder / "text").write_bytes(SHORT_TEXT)


def make_text(folder):
    (folder / "text").write_bytes(TEXT)


def make_many(folder):
    for i, name in enumerate(("d/a", "d/b", "d/e/c", "d/e/empty")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text_bytes(3000 - 1000 * i, i))


def scenarios(place):
    def make_gguf(folder):
        (folder / "tiny.gguf").write_bytes(place.gguf)

    def make_damaged(folder):
        make_text(folder)
        done = place.run(folder, ["llma", "-1", "--frame-size", "4K", "-c",
                                  "text"])
        file = bytearray(done.stdout)
        file[len(file) // 2] ^= 0x55
        (folder / "text").unlink()
        (folder / "text.llma").write_bytes(file)

    def make_part(level):
        def make(folder):
            make_text(folder)
            done = place.run(folder, ["llma", level, "--model", "tiny",
                                      "--frame-size", "4K", "-c", "text"])
            (folder / "text.llma.part").write_bytes(
                done.stdout[:len(done.stdout) * 2 // 3])
        return make

    def make_pulled_part(folder):
        (folder / "data/llma").mkdir(parents=True)
        (folder / "data/llma/tiny.pull.part").write_bytes(place.gguf[:100000])
        (folder / "data/llma/tiny.pull.part.from").write_text(
            f"{url}\n\"one\"\n{sha256}\n")

    url = place.host.url("ok")
    sha256 = hashlib.sha256(place.gguf).hexdigest()
    pull = ["llma", "model", "pull", url, "--name", "tiny",
            f"--sha256={sha256}"]
    part = ("*.part", "*.part.from")
    many = {f: f + ".llma" for f in ("d/a", "d/b", "d/e/c", "d/e/empty")}
    pack = [["llma", "-6", "--model", "tiny", "text"], ["rm", "text"]]
    pack_1 = [["llma", "-1", "--frame-size", "4K", "text"], ["rm", "text"]]
    tiny = ["llma", "--model", "tiny"]
    yield Scenario("compress", [*tiny, "-6", "-T2", "text"], make_short_text)
    yield Scenario("compress -1", ["llma", "-1", "text"], make_text)
    yield Scenario("compress -9", [*tiny, "-9", "-T1", "--verify", "text"], make_short_text)
    yield Scenario("compress lanes", [*tiny, "--lanes", "4", "-T3", "text"], make_short_text)
    yield Scenario("compress --rm", ["llma", "-1", "--rm", "text"], make_text,
                   removes={"text": "text.llma"})
    yield Scenario("compress -6 --rm", [*tiny, "-T1", "--rm", "text"], make_short_text,
                   removes={"text": "text.llma"})
    yield Scenario("compress -f", ["llma", "-1", "-f", "text"],
                   make_files(**{"text": TEXT, "text.llma": b"old"}))
    yield Scenario("compress -N", ["llma", "-1", "-N", "-o", "out", "text"],
                   make_text)
    yield Scenario("compress --short", [*tiny, "-T1", "--short", "text"],
                   make_files(text=b"A short message."))
    yield Scenario("compress --embed-model", [*tiny, "-T1", "--embed-model", "text"],
                   make_short_text)
    yield Scenario("compress several", ["llma", "-1", "d/a", "d/b", "d/e/c"],
                   make_many)
    yield Scenario("compress -r --rm", ["llma", "-1", "-r", "--rm", "d"],
                   make_many, removes=many)
    yield Scenario("compress pipe", [*tiny, "-T2"], lambda folder: None,
                   stdin=SHORT_TEXT)
    yield Scenario("compress -c", ["llma", "-1", "--stdout", "text"], make_text)
    yield Scenario("resume", ["llma", "-1", "--frame-size", "4K", "--resume",
                              "text"], make_part("-1"), keeps=part)
    yield Scenario("resume -3 --rm", [*tiny, "-3", "-T1", "--frame-size", "4K",
                                      "--resume", "--rm", "text"],
                   make_part("-3"), keeps=part, removes={"text": "text.llma"})
    yield Scenario("restore", ["llma", "-d", "-T2", "text.llma"], make_short_text,
                   prepare=pack)
    yield Scenario("restore -1", ["llma", "-d", "text.llma"], make_text,
                   prepare=pack_1)
    yield Scenario("restore --rm", ["llma", "-d", "--rm", "text.llma"],
                   make_text, prepare=pack_1, removes={"text.llma": "text"})
    yield Scenario("restore -N", ["llma", "-d", "-N", "out.llma"], make_text,
                   prepare=[["llma", "-1", "-N", "-o", "out.llma", "text"],
                            ["rm", "text"]])
    yield Scenario("restore -f", ["llma", "-df", "text.llma"], make_text,
                   prepare=[["llma", "-1", "text"],
                            ["sh", "-c", "echo old >text"]])
    yield Scenario("restore pipe", ["llma", "-d"], lambda folder: None,
                   stdin=b"")
    yield Scenario("restore holes", ["llma", "-d", "text.llma"],
                   make_files(text=TEXT + bytes(50000) + TEXT),
                   prepare=[["llma", "-1", "text"], ["rm", "text"]])
    yield Scenario("restore -r --rm", ["llma", "-d", "-r", "--rm", "d"],
                   make_many, prepare=[["llma", "-1", "-r", "--rm", "d"]],
                   removes={v: k for k, v in many.items()})
    yield Scenario("test", ["llma", "-t", "-T2", "text.llma"], make_short_text,
                   prepare=pack)
    yield Scenario("list", ["llma", "-l", "-v", "text.llma"], make_short_text,
                   prepare=pack, told=False)
    yield Scenario("range", ["llma", "-d", "--range", "5000:2000", "-o", "out",
                             "text.llma"], make_text, prepare=pack_1)
    yield Scenario("salvage", ["llma", "-d", "--salvage", "-o", "out",
                               "text.llma"], make_damaged, status=2)
    yield Scenario("import", ["llma", "model", "import", "tiny.gguf",
                              "-o", "out.llmm"], make_gguf)
    yield Scenario("import name", ["llma", "model", "import", "tiny.gguf",
                                   "--name", "new"], make_gguf, told=False)
    # What was fetched is kept if it cannot be imported.
    fetched = (*part, "tiny.pull", "tiny.gguf")
    yield Scenario("pull", pull, lambda folder: None, keeps=fetched, told=False)
    yield Scenario("pull on", [*pull, "--keep-source"], make_pulled_part,
                   keeps=fetched, told=False)
    if place.host.repositories:
        # The same file has its name when it is whole, in the folder that goes.
        parts = (*part, "config.json", "tokenizer.json", "*.safetensors",
                 "*.safetensors.index.json")
        yield Scenario("pull repository",
                       ["llma", "model", "pull", "hf:Owner/Tiny"],
                       lambda folder: None, keeps=parts, told=False)
    yield Scenario("model list", ["llma", "model", "list"],
                   lambda folder: None, told=False)
    yield Scenario("model verify", ["llma", "model", "verify", "tiny"],
                   lambda folder: None, told=False)
    yield Scenario("model export", ["llma", "model", "export", "tiny",
                                    "out.tar"], lambda folder: None)


def prepare_all(place, name_part=""):
    prepared = []
    for scenario in scenarios(place):
        if name_part not in scenario.name:
            continue
        if scenario.name == "restore pipe":
            scenario.stdin = place.run(
                place.folder, ["llma", "-6", "--model", "tiny"], SHORT_TEXT).stdout
        place.prepare(scenario)
        prepared.append(scenario)
    return prepared
