#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/web, the page that compresses, restores and shows: a static folder
# for any web server, which also works from the disk (docs/WEB.md).
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh web
# Debian's node finds acorn by itself, others do not, and emcc needs it.
export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}
for preset in wasm wasm-threads; do
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --target page_engine
done
python3 web/assemble.py build/wasm/web build/wasm-threads/web build/web
echo "build/web is ready: publish it, or open build/web/index.html"
