#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the wheels and tries each where nothing else is: in fresh roots of Debian 12
# and 13 without a compiler or headers, if this user may make some (root, and
# debootstrap), and in virtual environments.
#   run.sh              wheels for all interpreters found
#   run.sh --one        the one for `python3`, in a virtual environment
set -euo pipefail
cd "$(dirname "$0")/../.."
source=$PWD
out=$PWD/build/wheels/dist
rm -rf "$out"
mkdir -p build/logs

pythons=()
[ "${1:-}" = --one ] && pythons=("$(command -v python3)")
tools/build_wheels.sh -o "$out" "${pythons[@]}"

tools=$source/build/wheels/tools
for wheel in "$out"/*.whl; do
  echo "== $(basename "$wheel")"
  shown=$(PATH=$tools/bin:$PATH "$tools/bin/auditwheel" show "$wheel")
  # The C library of Debian 12 or an older one, and no other library.
  python3 tests/wheels/check_wheel.py "$wheel" <<<"$shown"
done

# try PYTHON MODELS: compress and restore, and what is said without a model.
try() { "$@" - <"$source/tests/wheels/try_wheel.py"; }

for python in "${pythons[@]:-$(command -v python3)}" "$HOME"/.pyenv/versions/3.1[0-4].*/bin/python; do
  [ -x "$python" ] || continue
  venv=$source/build/wheels/try-venv
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-index \
      --only-binary=:all: --find-links "$out" llma
  (cd "$venv" && LLMA_TEST_DATA=$source/tests/data try bin/python)
  [ "${1:-}" = --one ] && exit
done

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  echo "no roots of Debian: that takes the rights of root, and debootstrap" >&2
  exit
fi
roots=$(mktemp -d)
trap 'rm -rf "$roots"' EXIT
for release in bookworm trixie; do
  root=$roots/$release
  if ! debootstrap --variant=minbase --include=python3,python3-pip "$release" \
      "$root" >"$source/build/logs/$release.log" 2>&1; then
    tail -n 5 "$source/build/logs/$release.log" >&2
    echo "error: no root of $release could be made" >&2
    exit 1
  fi
  if chroot "$root" sh -c 'command -v cc gcc g++ cmake curl' ||
      [ -e "$root"/usr/include/python3*/Python.h ]; then
    echo "error: the root of $release has a compiler, or headers" >&2
    exit 1
  fi
  mkdir "$root/wheels" "$root/data"
  cp "$out"/*.whl "$root/wheels"
  cp "$source"/tests/data/tiny.{gguf,llmm} "$root/data"
  chroot "$root" pip install -q --no-index --break-system-packages \
      --root-user-action=ignore --only-binary=:all: --find-links /wheels llma
  LLMA_TEST_DATA=/data try chroot "$root" python3
  rm -rf "$root"
done
