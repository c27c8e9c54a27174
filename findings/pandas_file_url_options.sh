#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pandas gives file:// addresses to urllib, not to fsspec: reading leaves
# storage_options out without a word, and writing tries to read.
#
# Seen with pandas 3.1.1 and fsspec 2026.9.0 (PyPI, Python 3.11, Linux). Where a
# path is an address of fsspec, pandas hands storage_options to it, so that
# {"compression": "gzip"} opens a compressed file of any name. It is how a
# compressor that registers itself with fsspec is reached from read_csv() and
# to_csv(). local:// does so. For file:// pandas asks first whether urllib knows
# the scheme, which it does; the options become headers of a request that has
# none. (With a plain path the same options are an error, as documented, so it
# is not by intent that they are ignored.) Seen:
#
#   read  local table
#   read  file UnicodeDecodeError
#   write local gzip
#   write file URLError
#
# Needs python3 with venv. Exits with 1 if the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    pandas==3.1.1 fsspec==2026.9.0
cat >"$work/run.py" <<'END'
import gzip
import os

import pandas

OPTIONS = {"compression": "gzip"}
with gzip.open("table.bin", "wt") as file:
    file.write("a,b\n1,2\n")


def read(scheme):
    try:
        table = pandas.read_csv(f"{scheme}://{os.getcwd()}/table.bin",
                                storage_options=OPTIONS)
        return "table" if list(table.columns) == ["a", "b"] else "other"
    except Exception as error:
        return type(error).__name__


def write(scheme):
    name = f"{os.getcwd()}/{scheme}.bin"
    try:
        pandas.DataFrame({"a": [1]}).to_csv(f"{scheme}://{name}",
                                            storage_options=OPTIONS)
        with open(name, "rb") as file:
            return "gzip" if file.read(2) == b"\x1f\x8b" else "other"
    except Exception as error:
        return type(error).__name__


for scheme in ("local", "file"):
    print("read ", scheme, read(scheme))
for scheme in ("local", "file"):
    print("write", scheme, write(scheme))
END
cd "$work"
venv/bin/python run.py | tee seen
diff seen - <<'END'
read  local table
read  file UnicodeDecodeError
write local gzip
write file URLError
END
