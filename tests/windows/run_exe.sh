#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a program for Windows under Wine: run_exe.sh PROGRAM [ARGUMENT...]
# WINEPREFIX says where Wine keeps its files; else they are in a folder for tests.
: "${WINEPREFIX:=${TMPDIR:-/tmp}/llma-wine-$(id -u)}"
: "${WINEDEBUG:=-all}"
export WINEPREFIX WINEDEBUG
for wine in wine64 /usr/lib/wine/wine64 wine; do
  if command -v "$wine" >/dev/null; then exec "$wine" "$@"; fi
done
echo "run_exe.sh: needs Wine: tools/install_packages.sh windows" >&2
exit 127
