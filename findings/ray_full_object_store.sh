#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ray's object store takes three times its size although spilling is off.
#
# Seen with ray 2.60.0 (PyPI, CPython 3.11, Linux x86-64). With
# object_store_memory of 80 MiB and automatic_object_spilling_enabled false, one
# expects that a put which does not fit waits for room or raises
# ObjectStoreFullError, which exists for this case. But four puts of 60 MiB, all
# of whose references are held, succeed, and all four objects are read back
# right: what does not fit goes to files in Ray's temporary folder. So neither
# setting bounds what puts take, and a program cannot learn from Ray that the
# store is full before the disk is.
#
# Output seen:
#
#   held: 240 MiB of a store of 80 MiB, spilling off, errors: none
#
# Needs python3 with venv and pip. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check ray==2.60.0
cat >"$work/puts.py" <<'END'
import sys

import ray
from ray.cluster_utils import Cluster

STORE, OBJECT, COUNT = 80 << 20, 60 << 20, 4
cluster = Cluster(initialize_head=True, head_node_args={
    "num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False,
    "_system_config": {"automatic_object_spilling_enabled": False}})
ray.init(address=cluster.address, log_to_driver=False, logging_level="fatal")
error, held = "none", []
try:
    for i in range(COUNT):
        held.append(ray.put(bytes([i]) * OBJECT))
    total = sum(len(content) for content in (ray.get(one) for one in held))
    for i, one in enumerate(held):
        content = ray.get(one)
        assert content[0] == content[-1] == i
except Exception as caught:
    error, total = type(caught).__name__, len(held) * OBJECT
print(f"held: {total >> 20} MiB of a store of {STORE >> 20} MiB, spilling off, "
      f"errors: {error}", flush=True)
ray.shutdown()
cluster.shutdown()
sys.exit(error != "none" or total != COUNT * OBJECT)
END
if ! "$work/venv/bin/python" "$work/puts.py" 2>"$work/log"; then
  tail -n 5 "$work/log" >&2
  echo "the behaviour has changed" >&2
  exit 1
fi
