#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a program for Windows under Wine: run_exe.sh PROGRAM [ARGUMENT...]
# WINEPREFIX says where Wine keeps its files; else they are in a folder for tests.
: "${WINEPREFIX:=${TMPDIR:-/tmp}/llma-wine-$(id -u)}"
: "${WINEDEBUG:=-all}"
: "${WINEDLLOVERRIDES:=mscoree,mshtml=}"  # neither .NET nor a browser
export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES
for wine in wine64 /usr/lib/wine/wine64 wine; do
  command -v "$wine" >/dev/null || continue
  if [ ! -f "$WINEPREFIX/system.reg" ]; then
    "$wine" wineboot -i >/dev/null 2>&1
  fi
  exec "$wine" "$@"
done
echo "run_exe.sh: needs Wine: tools/install_packages.sh windows" >&2
exit 127
