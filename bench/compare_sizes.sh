#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sizes and times of files beside gzip, xz and zstd, as a table:
#   bench/compare_sizes.sh FILE...
# Runs build/release/llma (or $LLMA) with the options in $LLMA_OPTIONS.
set -euo pipefail
llma=${LLMA:-$(dirname "$0")/../build/release/llma}
read -r -a options <<<"${LLMA_OPTIONS:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

now() { date +%s.%N; }
rate() { awk -v a="$1" -v b="$2" -v n="$3" 'BEGIN {printf "%.0f", n / (b - a)}'; }

echo "| file | bytes | gzip -9 | xz -9e | zstd --ultra -22 | llma | ratio | compress B/s | decompress B/s | memory MB |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for file in "$@"; do
  size=$(stat -c %s "$file")
  a=$(now)
  "$llma" "${options[@]}" -q -f -c "$file" "$work/x.llma"
  b=$(now)
  "$llma" -q -f -d "$work/x.llma" "$work/x"
  c=$(now)
  cmp "$file" "$work/x"
  memory=$(python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000)' \
    "$llma" -q -t "$work/x.llma")
  coded=$(stat -c %s "$work/x.llma")
  printf '| %s | %d | %d | %d | %d | %d | %s | %s | %s | %s |\n' \
    "$(basename "$file")" "$size" "$(gzip -9 -c "$file" | wc -c)" \
    "$(xz -9e -c "$file" | wc -c)" "$(zstd -q --ultra -22 -c "$file" | wc -c)" \
    "$coded" \
    "$(awk -v a="$size" -v b="$coded" 'BEGIN {printf "%.2f", a / b}')" \
    "$(rate "$a" "$b" "$size")" "$(rate "$b" "$c" "$size")" "$memory"
done
