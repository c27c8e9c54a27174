#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages that are missing; does nothing where all are there.
#   tools/install_packages.sh build   what building and running needs
#   tools/install_packages.sh test    what ./test.sh needs as well
#   tools/install_packages.sh processors  what ./test.sh --all-processors needs
#   tools/install_packages.sh windows     what ./test.sh --windows needs, and
#                                         tools/build_windows.sh
#   tools/install_packages.sh wheels      what ./test.sh --wheels needs
#   tools/install_packages.sh web         what tools/build_web.sh and ./test.sh --web
#                                         need, which is large
#   tools/install_packages.sh --missing GROUP   only prints their names
set -euo pipefail

build=(g++ cmake ninja-build pkg-config make
       libxxhash-dev libcurl4-openssl-dev zlib1g-dev
       nlohmann-json3-dev
       python3 python3-dev python3-pip python3-venv ca-certificates xz-utils
       zstd unzip)
test=(libgtest-dev googletest libbenchmark-dev clang clang-format ccache
      g++-aarch64-linux-gnu g++-i686-linux-gnu g++-s390x-linux-gnu
      pocl-opencl-icd ocl-icd-libopencl1
      qemu-user-static mandoc groff-base zsh fish binutils dpkg-dev file less)
processors=(g++-arm-linux-gnueabihf g++-powerpc64le-linux-gnu
            g++-riscv64-linux-gnu)
windows=(g++-mingw-w64-x86-64-posix libz-mingw-w64-dev wine64 bsdextrautils)
wheels=(debootstrap)
web=(emscripten node-acorn nodejs googletest chromium chromium-driver)

only_print=false
if [ "${1:-}" = --missing ]; then
  only_print=true
  shift
fi
case "${1:-build}" in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  processors) wanted=("${build[@]}" "${test[@]}" "${processors[@]}") ;;
  windows) wanted=("${build[@]}" "${test[@]}" "${windows[@]}") ;;
  wheels) wanted=("${build[@]}" "${test[@]}" "${wheels[@]}") ;;
  web) wanted=("${build[@]}" "${web[@]}") ;;
  *) echo "usage: $0 [--missing] build|test|processors|windows|wheels|web" >&2
     exit 1 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
if $only_print; then
  echo "${missing[*]}"
  exit 0
fi
[ ${#missing[@]} -eq 0 ] && exit 0

by_hand="apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "error: this machine has no apt-get; install the like of: ${missing[*]}" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  # It asks for a password, if it must, before the log takes its messages.
  ask=()
  [ -t 0 ] || ask=(-n)
  if ! command -v sudo >/dev/null || ! sudo "${ask[@]}" -v; then
    echo "error: packages are missing, and installing them takes the rights of" \
         "root. Let somebody who has them run:" >&2
    echo "  $by_hand" >&2
    exit 1
  fi
  sudo=(sudo "${ask[@]}")
fi
echo "Installing packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
if ! { "${apt[@]}" update &&
       "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "error: packages could not be installed; is there a network, and space?" \
       "To try it by hand: $by_hand" >&2
  exit 1
fi
