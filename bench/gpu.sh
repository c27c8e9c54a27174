#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a machine with a GPU and its driver: builds, lets the device check itself,
# compares its files with the processor's, and times 16 MiB at -6. At most ten
# minutes. Needs what tools/install_packages.sh build installs, and the default
# model (llma model pull default).
#   bench/gpu.sh [TEXT]     a text of 16 MiB; else words of samples/alice.txt
set -euo pipefail
cd "$(dirname "$0")/.."
limit=600 start=$SECONDS
left() { echo $((limit - (SECONDS - start))); }
within() { timeout "$(left)" "$@"; }

echo "== building"
within cmake --preset release -DLLMA_TESTS=OFF >/dev/null
within cmake --build --preset release --target llma | tail -1
llma=$PWD/build/release/llma
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$llma" --version -v
if ! "$llma" --version -v | grep -q '^device: '; then
  echo "there is no OpenCL device" >&2
  exit 1
fi

echo "== the device checks itself and compares 64 KiB with the processor"
head -c 65536 samples/alice.txt >"$work/sample"
within "$llma" --engine cpu -6 -c "$work/sample" >"$work/cpu.llma"
# A warning, with status 2, says that the processor took over.
within "$llma" --engine opencl -6 -c "$work/sample" >"$work/device.llma"
cmp "$work/cpu.llma" "$work/device.llma"
within "$llma" --engine opencl -dc "$work/cpu.llma" | cmp - "$work/sample"
"$llma" --version -v | grep '^device: '

size=$((16 << 20))
if [ $# -gt 0 ]; then
  head -c "$size" "$1" >"$work/text"
else
  # Its words in another order: no long repetitions, which cost next to nothing.
  awk -v size="$size" 'BEGIN { srand(1) } { for (i = 1; i <= NF; ++i) word[n++] = $i }
    END { while (sum <= size) {
      line = ""
      for (i = 0; i < 12; ++i) line = line word[int(rand() * n)] " "
      print line
      sum += length(line) + 1 } }' samples/alice.txt | head -c "$size" >"$work/text" || true
fi
size=$(stat -c %s "$work/text")
speed() {  # NAME SECONDS
  awk -v name="$1" -v size="$size" -v seconds="$2" \
    'BEGIN { printf "%s: %.2f s, %.3f MB/s\n", name, seconds, size / seconds / 1e6 }'
}
now() { date +%s.%N; }
round_trip() {  # LANES
  local before after
  echo "== 16 MiB at -6 with $1 lanes"
  before=$(now)
  within "$llma" --engine opencl -6 --lanes "$1" -c "$work/text" >"$work/text.llma"
  after=$(now)
  speed compressed "$(awk "BEGIN { print $after - $before }")"
  before=$(now)
  within "$llma" --engine opencl -dc "$work/text.llma" >"$work/back"
  after=$(now)
  speed restored "$(awk "BEGIN { print $after - $before }")"
  cmp "$work/text" "$work/back"
  echo "16 MiB are $(stat -c %s "$work/text.llma") bytes; all was equal"
}
round_trip 64
round_trip 12  # what -6 has by itself
