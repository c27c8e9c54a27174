# SPDX-License-Identifier: Apache-2.0
"""Ray: how it is reached, and how many tasks it has at a time."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import math
import os
import time
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Union

from .._llma import Model
from ._reference import Reference
from ._worker import Failure, ModelParts, Outcome, ReferenceParts

# Of the smallest object store of a node: what waits or works takes no more.
_STORE_SHARE = 0.3
# Of what goes to all nodes: a model, a reference.
_PART_BYTES = 16 << 20
# What a worker takes before it does anything.
_BASE_MEMORY_BYTES = 128 << 20
# For room in an object store in which nothing is ours, of a second each.
_MAX_WAITS = 3
# So long no node can do a task before that is an error: one may be on its way.
_MAX_WAIT_SECONDS = 60.0


class ClusterError(Exception):
    """Ray is not there, or has no node that is large enough."""


def import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        text = "Ray is not installed; pip install 'llma[ray]' does"
        raise ClusterError(text) from error


@contextlib.contextmanager
def connect(address: str | None) -> Iterator[Any]:
    """Ray as it is; else at `address`, $RAY_ADDRESS, or started here."""
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        where = address or os.environ.get("RAY_ADDRESS") or "this machine"
        raise ClusterError(f"Ray at {where}: {first[0]}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


class Unit(NamedTuple):
    """Work for one task."""

    name: str  # on the dashboard
    payload: bytes  # the last argument
    #: The arguments before it, with the parts of models that are known.
    arguments: Callable[[dict[bytes, ModelParts]], tuple[Any, ...]]
    result_bytes: int  # about
    memory_bytes: int  # beside what every worker takes
    done: Callable[[list[Union[bytes, Failure]]], None]
    #: Says why it was given up. True: not for a fault of the content.
    failed: Callable[[str, bool], None]


class _Running(NamedTuple):
    unit: Unit
    payload: Any  # ObjectRef
    size: int
    tries: int


class Tasks:
    """Units at work, as many as the cluster has room for.

    `find_model` gives a model by the start of its fingerprint, or None; `tick` is
    called now and then.
    """

    def __init__(
        self,
        ray: Any,
        function: Callable[..., Outcome],
        *,
        num_cpus: int,
        retries: int,
        find_model: Callable[[bytes], Model | None],
        tick: Callable[[int], None],
    ) -> None:
        self._ray = ray
        self._function = ray.remote(function)
        self._num_cpus = num_cpus
        self._retries = retries
        self._find_model = find_model
        self._tick = tick
        self._running: dict[Any, _Running] = {}
        self._again: list[_Running] = []
        self._parts: dict[bytes, ModelParts] = {}
        self._references: dict[bytes, ReferenceParts] = {}
        self._bytes = 0
        self._share = 1.0  # of the room that there seems to be
        self._looked = -math.inf
        self._slots = 1
        self._store_bytes = 0
        self._checked: set[int] = set()
        self._waited_since: float | None = None
        self.num_retried = 0

    def submit(self, unit: Unit) -> None:
        """Waits until there is room."""
        self._check_nodes(unit.memory_bytes)
        size = len(unit.payload) + unit.result_bytes
        while not self._has_room(size):
            self._step()
        waits = 0
        while True:
            try:
                payload = self._ray.put(unit.payload)
                break
            except Exception as error:
                if not self._is_shortage(error):
                    raise
                self._shrink()
                if self._running:
                    self._step()
                elif waits < _MAX_WAITS:
                    # Others have filled it, and may give it back.
                    waits += 1
                    time.sleep(1)
                else:
                    unit.failed(_describe(error), True)
                    return
        self._start(_Running(unit._replace(payload=b""), payload, size, 0))

    def share(self, reference: Reference | None) -> ReferenceParts | None:
        """Puts it where each node finds it, the first time."""
        if reference is None:
            return None
        digest, text = reference.digest, memoryview(reference.text)
        if digest not in self._references:
            parts = (
                bytes(text[offset : offset + _PART_BYTES])
                for offset in range(0, len(text), _PART_BYTES)
            )
            self._references[digest] = ReferenceParts(digest, self._put(parts))
        return self._references[digest]

    def drain(self) -> None:
        """Waits for all that is at work."""
        while self._running or self._again:
            self._step()

    def cancel(self) -> None:
        for ref in self._running:
            with contextlib.suppress(Exception):
                self._ray.cancel(ref, force=True)
        self._running.clear()
        self._again.clear()

    def _start(self, running: _Running) -> None:
        unit = running.unit
        ref = self._function.options(
            name=unit.name,
            num_cpus=self._num_cpus,
            memory=unit.memory_bytes + _BASE_MEMORY_BYTES,
            max_retries=self._retries,
        ).remote(*unit.arguments(self._parts), running.payload)
        self._running[ref] = running
        self._bytes += running.size

    def _has_room(self, size: int) -> bool:
        if not self._running:
            return not self._again
        self._look()
        room = self._share * _STORE_SHARE * self._store_bytes
        return (
            not self._again
            and len(self._running) < max(1, int(self._slots * self._share))
            and self._bytes + size <= room
        )

    def _look(self) -> None:
        """At the cluster, whose nodes come and go."""
        now = time.monotonic()
        if now - self._looked < 2:
            return
        self._looked = now
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        cpus = sum(node["Resources"].get("CPU", 0) for node in nodes)
        stores = [node["Resources"].get("object_store_memory", 0) for node in nodes]
        # One waits where one works.
        self._slots = 2 * max(1, int(cpus / self._num_cpus))
        self._store_bytes = int(min(stores, default=0))

    def _check_nodes(self, memory_bytes: int) -> None:
        if memory_bytes not in self._checked:
            if not self._is_feasible(memory_bytes):
                raise ClusterError(self._too_small(memory_bytes))
            self._checked.add(memory_bytes)

    def _is_feasible(self, memory_bytes: int) -> bool:
        return any(
            node["Alive"]
            and node["Resources"].get("CPU", 0) >= self._num_cpus
            and node["Resources"].get("memory", 0) >= memory_bytes + _BASE_MEMORY_BYTES
            for node in self._ray.nodes()
        )

    def _too_small(self, memory_bytes: int) -> str:
        mib = (memory_bytes + _BASE_MEMORY_BYTES) >> 20
        return (
            f"a task needs {self._num_cpus} processors and {mib} MiB of memory, and "
            "no node of the cluster has them; a lower level, smaller frames or fewer "
            "threads need less"
        )

    def _step(self) -> None:
        """Handles what has ended, or waits a little for it."""
        while self._again and (not self._running or self._has_room_again()):
            self._start(self._again.pop())
        ready, _ = self._ray.wait(
            list(self._running), num_returns=1, timeout=0.25, fetch_local=False
        )
        self._tick(len(self._running))
        for ref in ready:
            self._waited_since = None
            self._end(ref)
        if not ready:
            self._watch()

    def _has_room_again(self) -> bool:
        return len(self._running) < max(1, int(self._slots * self._share))

    def _watch(self) -> None:
        """Whether anything can go on at all."""
        now = time.monotonic()
        if now - self._looked < 2:
            return
        self._look()
        needed = min(one.unit.memory_bytes for one in self._running.values())
        if self._is_feasible(needed):
            self._waited_since = None
        elif self._waited_since is None:
            self._waited_since = now
        elif now - self._waited_since > _MAX_WAIT_SECONDS:
            raise ClusterError(self._too_small(needed))

    def _end(self, ref: Any) -> None:
        running = self._running.pop(ref)
        self._bytes -= running.size
        unit = running.unit
        try:
            outcome: Outcome = self._ray.get(ref)
        except Exception as error:
            if not isinstance(error, self._ray.exceptions.RayError):
                raise
            if self._is_shortage(error) and running.tries < self._retries:
                self._shrink()
                self.num_retried += 1
                self._again.append(running._replace(tries=running.tries + 1))
                return
            unit.failed(_describe(error), True)
            return
        finally:
            del ref
        if outcome.absent:
            text = self._deliver(outcome.absent)
            if text is None:
                self._again.append(running)
            else:
                unit.failed(text, False)
        elif outcome.failure is not None:
            unit.failed(str(outcome.failure.error()), False)
        else:
            unit.done(outcome.items)

    def _deliver(self, fingerprint: bytes) -> str | None:
        """Puts a model that a node does not have where it finds it."""
        if fingerprint in self._parts:
            return None
        model = self._find_model(fingerprint)
        if model is None:
            return (
                f"the model {fingerprint.hex()} is neither on a node that needs it "
                "nor here"
            )
        digest = hashlib.blake2b(digest_size=32)
        with open(model.path, "rb") as file:

            def parts() -> Iterator[bytes]:
                while data := file.read(_PART_BYTES):
                    digest.update(data)
                    yield data

            refs = self._put(parts())
        self._parts[fingerprint] = ModelParts(
            model.name, model.fingerprint, digest.digest(), refs
        )
        return None

    def _put(self, parts: Iterable[bytes]) -> tuple[Any, ...]:
        """What all tasks need, without which nothing goes on."""
        try:
            return tuple(self._ray.put(part) for part in parts)
        except Exception as error:
            if not self._is_shortage(error):
                raise
            raise ClusterError(_describe(error)) from error

    def _is_shortage(self, error: Exception) -> bool:
        """Whether less at a time may help."""
        names = ("ObjectStoreFullError", "OutOfDiskError", "OutOfMemoryError",
                 "ObjectLostError", "ObjectFetchTimedOutError")
        kinds = tuple(
            kind
            for name in names
            if (kind := getattr(self._ray.exceptions, name, None)) is not None
        )
        return isinstance(error, kinds) or isinstance(
            getattr(error, "cause", None), kinds
        )

    def _shrink(self) -> None:
        self._share = max(self._share / 2, 1e-3)


def _describe(error: Exception) -> str:
    """What Ray raised, in a line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, ImportError) or "No module named 'llma" in str(error):
        return "a node cannot import llma.ray; install the same llma on all nodes"
    name = type(error).__name__
    texts = {
        "WorkerCrashedError": "the worker died again and again",
        "NodeDiedError": "the node died, and so did others in its place",
        "OutOfMemoryError": "the node was out of memory; -T, --frame-size or a lower "
        "level need less",
        "ObjectStoreFullError": "Ray's object store is full, and so is where it "
        "spills; give it more (ray start --object-store-memory) or other work less",
        "OutOfDiskError": "the disk is full to which Ray's object store spills",
    }
    if name in texts:
        return texts[name]
    lines = [line for line in str(cause or error).splitlines() if line.strip()]
    return f"{name}: {lines[-1].strip()}" if lines else name
