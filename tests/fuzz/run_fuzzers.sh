#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the preset `fuzz` and lets each fuzzer search for so many seconds, two
# at a time:
#   tests/fuzz/run_fuzzers.sh SECONDS [NAME...]
# Fails if one finds something, and says where the input is. What they learn
# stays in build/fuzz/corpus, where the next run starts.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?usage: run_fuzzers.sh SECONDS [NAME...]}
shift
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzzer.cc; do
    names+=("$(basename "$source" _fuzzer.cc)")
  done
fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${names[@]/%/_fuzzer}" | tail -n 1

# fuzz NAME: the exit status of the fuzzer.
fuzz() {
  local name=$1 folder=build/fuzz
  mkdir -p "$folder/corpus/$name" "$folder/found/$name"
  local log=$folder/$name.log status=0
  # Comparisons of predicted numbers would drown the others.
  local profile=1
  case $name in decoder | model) profile=0 ;; esac
  # A context model's tables are virtual memory of 330 MB at most.
  "$folder/tests/fuzz/${name}_fuzzer" -max_total_time="$seconds" \
      -rss_limit_mb=1024 -malloc_limit_mb=384 -timeout=100 -max_len=8192 \
      -use_value_profile=$profile -print_final_stats=1 \
      -artifact_prefix="$folder/found/$name/" \
      "$folder/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ $status -eq 0 ]; then
    echo "$name: nothing found in ${runs:-?} runs"
  else
    grep -E 'ERROR|SUMMARY|not true|runtime error' "$log" | head -n 5 || true
    echo "$name: FOUND SOMETHING; the log is $log, the input:"
    grep -o "$folder/found/.*" "$log" | sort -u
  fi
  return $status
}
export -f fuzz
export seconds
printf '%s\0' "${names[@]}" | xargs -0 -P 2 -I{} bash -c 'fuzz {}'
