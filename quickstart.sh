#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 machine to a compressed and restored file:
#   ./quickstart.sh [FILE]
# Installs missing packages, builds, gets the default model, then compresses and
# restores FILE (or a sample) and compares sizes. May run again at no cost.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD
cd - >/dev/null
file=${1:-$root/samples/alice.txt}
if [ ! -f "$file" ] || [ ! -r "$file" ]; then
  echo "error: $file is not a file that can be read" >&2
  exit 1
fi
file=$(realpath "$file")
cd "$root"

free_kb=$(df -Pk . | awk 'NR == 2 {print $4}')
if [ "$free_kb" -lt 600000 ]; then
  echo "error: building and the model need 600 MB free here" >&2
  exit 1
fi

tools/install_packages.sh build
echo "Building build/release/llma"
if ! { cmake --preset release && cmake --build --preset release --target llma; } \
    >build.log 2>&1; then
  tail -n 20 build.log >&2
  echo "error: the build failed; the whole log is build.log" >&2
  exit 1
fi
rm -f build.log
llma=$root/build/release/llma
tools/get_default_model.sh "$llma"

size=$(stat -c %s "$file")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=$(basename "$file")

now() { date +%s.%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f", b - a}'; }

# The estimate comes from a small piece of the file.
if [ "$size" -gt 20000 ]; then
  head -c 4000 "$file" >"$work/piece"
  start=$(now)
  "$llma" -q -c "$work/piece" "$work/piece.llma"
  "$llma" -q -d "$work/piece.llma" "$work/piece.out"
  awk -v a="$start" -v b="$(now)" -v n="$size" 'BEGIN {
    t = (b - a) * n / 4000
    if (t < 100) printf "Compressing and restoring %d bytes: about %.0f seconds or less\n", n, t
    else printf "Compressing and restoring %d bytes: about %.0f minutes or less\n", n, t / 60}'
fi

start=$(now)
"$llma" -c "$file" "$work/$name.llma"
middle=$(now)
"$llma" -d "$work/$name.llma" "$work/$name"
end=$(now)
if ! cmp -s "$file" "$work/$name"; then
  echo "error: the restored file differs: please report this" >&2
  exit 1
fi

row() {
  awk -v what="$1" -v n="$2" -v all="$size" 'BEGIN {
    printf "  %-22s %10d bytes  %5.1f %%\n", what, n, all ? 100 * n / all : 0}'
}
echo
echo "$name"
row "original" "$size"
row "gzip -9" "$(gzip -9 -c "$file" | wc -c)"
row "xz -9e" "$(xz -9e -c "$file" | wc -c)"
row "zstd --ultra -22" "$(zstd -q --ultra -22 -c "$file" | wc -c)"
row "llma" "$(stat -c %s "$work/$name.llma")"
echo "Compressed in $(seconds "$start" "$middle") s, restored in" \
     "$(seconds "$middle" "$end") s, and the restored file is identical."
echo
echo "Next: $llma -c FILE FILE.llma; $llma -d FILE.llma FILE; $llma --help"
