#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the default model where the program looks for models:
#   tools/get_default_model.sh LLMA_PROGRAM
# Nothing is done where it is installed. LLMA_MODEL_GGUF=path saves fetching.
set -euo pipefail

llma=${1:?usage: $0 LLMA_PROGRAM}
name=smollm2-135m-instruct
if "$llma" model info "$name" >/dev/null 2>&1; then
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gguf=$("$(dirname "$0")/fetch_default_gguf.sh" "$folder")
echo "Installing the model $name" >&2
"$llma" model import -q "$gguf" --name "$name"
"$llma" model list --robot | awk -F '\t' -v name="$name" '$2 == name {
  print "The model is in " $5 "."
  print "Files that need it name it by its fingerprint, " $3 "."
}'
