#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# datasets, streaming: in a chained address, an absolute file:// path is looked
# for below the current folder. Without streaming the same address works.
#
# Seen with datasets 5.2.0 and fsspec 2026.9.0 (PyPI, Python 3.11, Linux). fsspec
# chains file systems with "::": zip://n.txt::file:///tmp/d/n.zip is a member of
# an archive, and a file system of a compressor is used the same way.
# load_dataset() takes such addresses as data_files. With streaming=True the last
# part loses its root and is joined to the current folder, so that in /tmp/d the
# file /tmp/d/tmp/d/n.zip is missing. The same path without file:// is found. Seen:
#
#   file://, loaded a line
#   file://, streamed FileNotFoundError
#   path, loaded a line
#   path, streamed a line
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datasets==5.2.0 fsspec==2026.9.0
cat >"$work/run.py" <<'END'
import os
import zipfile

import datasets

datasets.disable_progress_bars()
with zipfile.ZipFile("n.zip", "w") as archive:
    archive.writestr("n.txt", "a line\n")

for name, prefix in (("file://,", "file://"), ("path,", "")):
    for how, streaming in (("loaded", False), ("streamed", True)):
        try:
            rows = datasets.load_dataset(
                "text", data_files=f"zip://n.txt::{prefix}{os.getcwd()}/n.zip",
                split="train", streaming=streaming)
            print(name, how, next(iter(rows))["text"])
        except Exception as error:
            print(name, how, type(error).__name__)
END
cd "$work"
HF_HOME=$work/hf venv/bin/python run.py 2>/dev/null | tee seen
diff seen - <<'END'
file://, loaded a line
file://, streamed FileNotFoundError
path, loaded a line
path, streamed a line
END
