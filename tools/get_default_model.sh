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
"$llma" model import "$gguf" --name "$name"
