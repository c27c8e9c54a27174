#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/llma-VERSION-windows-x86_64.zip on Debian: the program and the
# library for Windows, what is needed to link it, the manual as text, and licences.
#   tools/install_packages.sh windows   installs what this needs
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^project(llma VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=llma-$version-windows-x86_64
cmake --preset windows -DLLMA_TESTS=OFF
cmake --build --preset windows --target llma llma_shared

folder=build/windows/$name
rm -rf "$folder"
mkdir -p "$folder/include" "$folder/licences"
cp build/windows/llma.exe build/windows/llma.dll build/windows/llma.lib "$folder"
x86_64-w64-mingw32-strip "$folder/llma.exe" "$folder/llma.dll"
cp -r include/llma "$folder/include"
cp LICENSE "$folder/LICENSE.txt"
cp docs/WINDOWS.md "$folder/README.txt"
mandoc -T ascii docs/man/llma.1 | col -b >"$folder/llma.txt"
# Of what is linked in.
for package in libz-mingw-w64 mingw-w64-common gcc-mingw-w64-base libxxhash-dev \
               nlohmann-json3-dev; do
  cp "/usr/share/doc/$package/copyright" "$folder/licences/$package.txt"
done
rm -f "build/$name.zip"
(cd build/windows && cmake -E tar cf "../$name.zip" --format=zip "$name")
echo "build/$name.zip: $(stat -c %s "build/$name.zip") bytes"
