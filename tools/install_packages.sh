#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages that are missing; does nothing where all are there.
#   tools/install_packages.sh build   what building and running needs
#   tools/install_packages.sh test    what ./test.sh needs as well
set -euo pipefail

build=(g++ cmake ninja-build pkg-config make
       libpcre2-dev libxxhash-dev libssl-dev libcurl4-openssl-dev nlohmann-json3-dev
       python3 python3-dev python3-pip python3-venv ca-certificates xz-utils
       zstd unzip)
test=(libgtest-dev googletest libbenchmark-dev clang clang-format ccache
      g++-aarch64-linux-gnu qemu-user-static mandoc groff-base zsh fish
      binutils dpkg-dev file)

case "${1:-build}" in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  *) echo "usage: $0 build|test" >&2; exit 1 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing packages: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "error: this machine has no apt-get; install the like of: ${missing[*]}" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: run as root, or install sudo; missing: ${missing[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get update -q &&
       "${sudo[@]}" apt-get install -q -y --no-install-recommends \
           "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "error: packages could not be installed; is there a network, and space?" >&2
  exit 1
fi
