#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# std::filesystem::directory_iterator cannot report that memory ran out.
#
# Seen with libstdc++6 12.2.0-14+deb12u1 (Debian 12, x86-64). The standard lets
# directory_iterator(path, error_code&) and increment(error_code&) throw
# std::bad_alloc; neither is noexcept. The first allocations of the constructor
# do that, and a caller can catch it. The one that puts the name of an entry
# behind the path of the folder does not: it is made inside an internal function
# that is noexcept, so std::terminate() is called and no catch is reached. A
# program that must go on when memory runs out cannot list folders with it.
#
# Below, operator new fails from the Nth call on while a folder with one entry
# is listed. Output seen:
#
#   0 caught
#   1 caught
#   2 caught
#   3 terminate
#   4 terminate
#   5 terminate
#   (...)
#   30 all listed
#
# Needs g++ and apt-get. Exits with 1 if the behaviour is another one.
set -euo pipefail
version=12.2.0-14+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "libstdc++6=$version" >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x libstdc++6_*.deb library
mkdir folder && touch folder/an_entry_with_a_name

cat >list.cc <<'END'
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>

static long left = -1;  // allocations that succeed; negative: all

void* operator new(std::size_t size) {
  if (left == 0) throw std::bad_alloc();
  if (left > 0) --left;
  return std::malloc(size);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

int main(int, char** argv) {
  std::set_terminate([] {
    std::puts("terminate");
    std::fflush(stdout);
    std::_Exit(0);
  });
  const std::filesystem::path folder(argv[1]);
  left = std::atol(argv[2]);
  try {
    std::error_code error;
    const std::filesystem::directory_iterator end;
    for (std::filesystem::directory_iterator i(folder, error); i != end;
         i.increment(error)) {
    }
    left = -1;
    std::puts("all listed");
  } catch (const std::bad_alloc&) {
    left = -1;
    std::puts("caught");
  }
}
END
g++ -std=c++20 -O1 list.cc -o list
for n in 0 1 2 3 4 5 30; do
  echo "$n $(LD_LIBRARY_PATH=library/usr/lib/x86_64-linux-gnu ./list "$PWD/folder" $n)"
done >seen
cat seen
if ! grep -q '^0 caught' seen || ! grep -q '^3 terminate' seen ||
    ! grep -q '^30 all listed' seen; then
  echo "the behaviour has changed" >&2
  exit 1
fi
