#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the default model where the program looks for models:
#   tools/get_default_model.sh LLMA_PROGRAM
# Nothing is done where it is installed. LLMA_MODEL_GGUF=path saves fetching. It is
# the same as `llma model pull default` gives: the adapter in models/ is merged into
# the weights, if they are those that it is for.
set -euo pipefail

llma=${1:?usage: $0 LLMA_PROGRAM}
name=smollm2-135m-text
gguf_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
if "$llma" model info "$name" >/dev/null 2>&1; then
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gguf=$("$(dirname "$0")/fetch_default_gguf.sh" "$folder")
echo "Installing the model $name" >&2
adapter=()
if echo "$gguf_sha256  $gguf" | sha256sum -c --quiet - >/dev/null 2>&1; then
  adapter=(--adapter "$(dirname "$0")/../models/$name")
fi
"$llma" model import -q "$gguf" --name "$name" "${adapter[@]}"
"$llma" model list --robot | awk -F '\t' -v name="$name" '$2 == name {
  print "The model is in " $5 "."
  print "Files that need it name it by its fingerprint, " $3 "."
}'
