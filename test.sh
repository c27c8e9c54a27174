#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test, from a fresh Debian 12 machine on:
#   ./test.sh               all tests
#   ./test.sh --quick       the unit tests of one build only
#   ./test.sh --fuzz        each fuzzer for five minutes, and nothing else
#   ./test.sh --all-faults  every system call and allocation fails with every
#                           error, which takes an hour or two, and nothing else
#   ./test.sh --all-processors
#                           the core for six processors of 32 and 64 bits, both
#                           orders of bytes, under emulators, and nothing else
#   ./test.sh --windows     the programs for Windows, under Wine, and nothing else
#   ./test.sh --wheels      wheels for each Python found, tried in fresh roots of
#                           Debian 12 and 13, and nothing else
#   ./test.sh --python-libraries
#                           the examples of docs/PYTHON.md, those with large
#                           libraries too, and nothing else
#   ./test.sh --ray         llma.ray on clusters of some processes, and nothing else
#   ./test.sh --web         the page of web/, in Node and Chromium, which are
#                           large, and nothing else
# Installs missing packages, Python packages into build/venv, and the default
# model into build/data unless it is installed. Logs are in build/logs.
set -euo pipefail
cd "$(dirname "$0")"

quick=false
fuzz=false
all_faults=false
python_libraries=false
all_processors=false
ray=false
windows=false
wheels=false
web=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  --fuzz) fuzz=true ;;
  --all-faults) all_faults=true ;;
  --all-processors) all_processors=true ;;
  --python-libraries) python_libraries=true ;;
  --ray) ray=true ;;
  --windows) windows=true ;;
  --wheels) wheels=true ;;
  --web) web=true ;;
  *)
    echo "usage: $0 [--quick|--fuzz|--all-faults|--all-processors|" \
         "--wheels|--python-libraries|--ray|--windows|--web]" >&2
    exit 1 ;;
esac

# step WORDS: what comes next; and how long it took before, in all.
step() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }
mkdir -p build/logs
# quiet LOG COMMAND...: the output goes to a log, its end is shown on failure.
quiet() {
  local log=build/logs/$1.log
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "error: '$*' failed; the whole log is $log" >&2
    exit 1
  fi
}
# build PRESET [OPTION...] [--target TARGET...]
build() {
  local preset=$1 options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != --target ]; do
    options+=("$1")
    shift
  done
  quiet "$preset-configure" cmake --preset "$preset" "${options[@]}"
  quiet "$preset-build" cmake --build --preset "$preset" "$@"
}
# Compiling takes most of the time. Builds with many test programs compile these
# without optimization, common headers once, and keep of the debugging information
# the line numbers.
fast=(-DLLMA_TEST_OPTIONS=-O0 -DLLMA_FAST_BUILD=ON
      -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g1 -DNDEBUG")
# Tests that WebAssembly runs too.
web_tests='numerics_test kernels_test engine_test'
# Tests of the program: those that take long, and those that do not; and what takes
# very long with sanitizers, and shows nothing there that others do not.
long='any_input|hard_cases|interruption|limits'
without_sanitizers='repetitive_input|cli_(scripts|options|coding)|second_decoder'
short='test|scripts|coding|errors|files|frames|options|check_.*|completions|file_types'

step "Packages"
if $windows; then
  tools/install_packages.sh windows
else
  tools/install_packages.sh test
fi

# What two builds have in common is compiled once.
export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER-ccache}
export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

if $all_processors; then
  tools/install_packages.sh processors
  for preset in s390x i386 armhf ppc64el riscv64 aarch64; do
    step "The core: $preset"
    build $preset -DLLMA_TEST_OPTIONS=-O1 -DLLMA_FAST_BUILD=ON
    ctest --preset $preset -j 2
  done
  exit
fi

if $windows; then
  step "Programs for Windows, and that for Linux beside them"
  build release --target llma
  build windows "${fast[@]}" -DLLMA_TESTS=ON \
      -DLLMA_LINUX_PROGRAM="$PWD/build/release/llma" \
      --target llma llma_shared every_function kernels_test numerics_test \
      platform_test codec_test api_test
  step "What they do under Wine"
  tests/windows/run_exe.sh cmd /c exit
  exec ctest --preset windows -j 2 \
      -R '^(windows_.*|(kernels|numerics|platform|codec|api)_test)$'
fi

if $wheels; then
  tools/install_packages.sh wheels
  exec tests/wheels/run.sh
fi

if $python_libraries; then
  step "Python libraries"
  exec tests/python/run.sh --all-libraries
fi

if $ray; then
  step "Ray"
  exec tests/python/run.sh --ray
fi

if $fuzz; then
  step "Fuzzers: five minutes each"
  exec tests/fuzz/run_fuzzers.sh 300
fi

if $web; then
  step "The page"
  quiet build_web tools/build_web.sh
  step "The module of the page, and the core, under Node"
  NODE_PATH=${NODE_PATH:-/usr/share/nodejs} \
      build wasm -DLLMA_TEST_OPTIONS=-O1 --target $web_tests
  ctest --preset wasm -R "^(web_.*|${web_tests// /|})\$"
  step "The page in Chromium"
  build release --target llma
  if ! build/venv-web/bin/python -c 'import selenium' 2>/dev/null; then
    python3 -m venv build/venv-web
    build/venv-web/bin/pip install -q --disable-pip-version-check \
        -r tests/web/requirements.txt
  fi
  exec build/venv-web/bin/python tests/web/page_test.py build/web \
      build/release/llma .
fi

if $quick; then
  step "Unit tests"
  build dev "${fast[@]}"
  exec ctest --preset dev -j 2
fi

if $all_faults; then
  step "All faults"
  build release -DLLMA_TESTS=ON --target faults_programs
  faults=build/release/tests/faults
  tests/faults/limits_test.py tests/data --llma build/release/llma \
      --c $faults/codec_in_limits --more
  tests/faults/kill_test.py build/release/llma $faults/call_faults tests/data \
      --moments 200
  exec tests/faults/inject_test.py build/release/llma $faults/call_faults \
      tests/data --failing-malloc $faults/libfailing_malloc.so --all
fi

# Python packages for tests and the default model, while the compiler works.
python=$PWD/build/venv/bin/python
fetch() {
  if ! "$python" -c 'import gguf, numpy, sentencepiece, tokenizers' 2>/dev/null; then
    python3 -m venv build/venv &&
      build/venv/bin/pip install -q --disable-pip-version-check \
          -r tests/requirements.txt || return 1
  fi
  tools/fetch_default_gguf.sh build/data/gguf >build/logs/gguf_path
}
quiet fetch fetch &
fetching=$!

step "Unit tests: g++, all checks on"
build dev "${fast[@]}" -DLLMA_TEST_PYTHON="$python"
wait $fetching
gguf=$(<build/logs/gguf_path)
# Some of them wait. What takes long from outside is for the optimized program.
LLMA_MODEL_GGUF=$gguf ctest --preset dev -j 3 -E "^cli_($long)\$"

step "Format"
git ls-files -z '*.h' '*.cc' | xargs -0 clang-format --dry-run -Werror
echo "every file is formatted"

step "Unit tests: clang++, address and undefined-behaviour sanitizers"
build fuzz "${fast[@]}"
# Without what is about numbers and sizes, takes ten seconds or more here, and runs
# on the same code as others do.
slow=FpEnvTest.BuffersAndStreams:ApiTest.BitsOfPieces*:ApiCppTest.FramesMadeApart*
slow+=:ApiWorkTest.Progress*:FileCodec.FramesEndWhereTextDoes:FileCodec.FilesOfNoise*
slow+=:CodecContext.NothingOfOneContent*:ReferenceTest.AllLevelsAndSets
slow+=:GgufKeysTest.RopeScalingMeans*:*FolderMutationTest.OtherValues/0
slow+=:Sets/ContextMixerTest.*/1
# Only opencl_host_test looks for a device, in a run of its own: LeakSanitizer itself
# fails at times where a driver's threads end beside it.
GTEST_FILTER="-$slow" OCL_ICD_VENDORS=/nonexistent ctest --preset fuzz -j 2 \
    -E "layers|registration|tokenizer_compare|^sizes|ratio_script|$without_sanitizers"
ASAN_OPTIONS=detect_leaks=0 ctest --preset fuzz -R '^opencl_host_test$'

step "Fuzzers: 15 seconds each"
tests/fuzz/run_fuzzers.sh 15

step "What computes, by clang++, optimized"
optimized='cm coder codec engine import_anywhere kernels model numerics'
build clang-core "${fast[@]}" --target ${optimized// /_test }_test
ctest --preset clang-core -j 2 -R "^(${optimized// /|})_test\$"

step "Threads: thread sanitizer"
build tsan "${fast[@]}" --target base_test model_test codec_test
# Without what codec_test does in one thread, and model_test for shapes and kernels.
codec=FrameCodecTest
others=$codec.RoundTrips:$codec.Context*:$codec.Right*:$codec.Short*
others+=:ForwardTest.Trees*:ForwardTest.SharesOfEachHeadCount
GTEST_FILTER="-$others" \
    ctest --preset tsan -j 2 -R '^(base_test|model_test|codec_test)$'

step "The core alone, with addresses of 32 bits"
build i386 --target decode_alone
ctest --preset i386 -R '^core_decodes_alone$'

step "The core where the highest byte of a number is first: s390x, emulated"
# Without the tests that take long there (--all-processors has them): these files,
# models and hashes are of all parts.
big_endian='base|coder|container|numerics|model_file|predict|tokenizer'
big_endian+='|import_anywhere|coded_alike'
IFS='|' read -ra targets <<<"$big_endian"
build s390x -DLLMA_TEST_OPTIONS=-O1 -DLLMA_FAST_BUILD=ON \
    --target engine_test "${targets[@]/%/_test}"
ctest --preset s390x -j 2 -R "^($big_endian)_test\$"
GTEST_FILTER='GoldenTrace*' ctest --preset s390x -R '^engine_test$'

step "What has parts of its own for AArch64, under an emulator"
# Files of all kinds are those of coded_alike_test; --all-processors has the rest.
aarch64='base|coded_alike|engine|kernels|numerics|predict'
IFS='|' read -ra targets <<<"$aarch64"
build aarch64 -DLLMA_TEST_OPTIONS=-O1 -DLLMA_FAST_BUILD=ON \
    --target "${targets[@]/%/_test}"
# Meanwhile, the Python package in a fresh virtual environment, which is fetched.
quiet python tests/python/run.sh &
python_tests=$!
ctest --preset aarch64 -j 2 -R "^($aarch64)_test\$"

step "The Python package, in a fresh virtual environment"
wait $python_tests

step "The program on the default model"
build release -DLLMA_TESTS=ON -DLLMA_TEST_DEFAULT_MODEL=ON \
    -DLLMA_TEST_PYTHON="$python" -DLLMA_TEST_RANDOM_FILES=ON \
    --target llma llma_shared llma_static kernels_test codec_test \
    fast_clock thread_shim faults_programs
export XDG_DATA_HOME=$PWD/build/data
LLMA_MODEL_GGUF=$gguf tools/get_default_model.sh build/release/llma
ctest --preset release -j 3 -E "^cli_($short)\$" -R \
    '^(e2e|default_model_files|second_decoder_random.*|kernels_test|codec_test|.*cli.*|sizes.*|install_.*|faults_.*)$'
