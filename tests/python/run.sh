#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Python package into a fresh virtual environment and tests it.
#   run.sh                  all tests but those with large libraries
#   run.sh --all-libraries  the examples of docs/PYTHON.md, and nothing else
#   run.sh --ray            llma.ray, with Ray, and nothing else
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=build/python-venv
rm -rf "$venv"
python3 -m venv "$venv"
pip=("$venv/bin/pip" install -q --disable-pip-version-check)
requirements=(-r tests/python/requirements.txt)
case "${1:-}" in
  "") ;;
  --all-libraries) requirements+=(-r tests/python/all_libraries.txt) ;;
  --ray) requirements+=(-r tests/python/ray_requirements.txt) ;;
  *) echo "usage: $0 [--all-libraries|--ray]" >&2; exit 1 ;;
esac
"${pip[@]}" "${requirements[@]}"
# The compilers' names that CMake finds by itself, so that ccache knows what the
# preset `release` compiles too.
export CC=${CC:-cc} CXX=${CXX:-c++}
"${pip[@]}" -C build-dir=build/python .
# From elsewhere, so that nothing but the installed package is found.
tests=$PWD/tests/python
python=$PWD/$venv/bin/python
cd "$venv"
case "${1:-}" in
  --all-libraries)
    exec "$python" -m pytest -q -p no:cacheprovider "$tests/libraries_test.py" ;;
  --ray) exec "$python" -m pytest -q -p no:cacheprovider "$tests/ray_test.py" ;;
esac
"$python" -m pytest -q -p no:cacheprovider "$tests"
"$python" "$tests/../faults/limits_test.py" "$tests/../data" --python "$python"
"$python" -m mypy --strict -p llma
"$python" -m mypy --strict "$tests"
