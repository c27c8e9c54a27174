#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GCC 12 leaves out the stores that fill a tile configuration, or the rows that
# a tile is loaded from.
#
# Seen with gcc-12 12.2.0-14+deb12u1 (Debian 12, x86-64), at -O2. The intrinsics
# of AMX are lines of assembly, and these do not tell the compiler what they read:
# _tile_loadconfig() names 8 of the 64 bytes of the configuration as its operand,
# _tile_loadd() names none of the rows and has no "memory" clobber. So where
# nothing later in the function may read that memory (a _tile_stored() has the
# clobber), the stores are dead to the compiler. Of the function below that sets
# eight tiles to n rows of 64 bytes and loads the configuration, the usual way to
# begin, what is left sets the palette and zeroes 16 bytes; row and column counts
# are whatever the stack held. Clang 14 keeps all stores.
#
# No processor with AMX is needed: the output of the compiler is looked at.
# Output seen:
#
#   set_shapes -O0: stores of 64 bytes a row: yes
#   set_shapes -O2: stores of 64 bytes a row: no
#   load_rows  -O0: exclusive or of the rows: yes
#   load_rows  -O2: exclusive or of the rows: no
#
# Needs apt-get, and the libraries of a C compiler. Exits with 1 if the behaviour
# is another one.
set -euo pipefail
version=12.2.0-14+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in gcc-12 cpp-12 libgcc-12-dev; do
  apt-get download -q "$package=$version" >>apt.log 2>&1 ||
    { cat apt.log; exit 1; }
  dpkg -x "$package"_*.deb compiler
done

cat >tiles.c <<'END'
#include <immintrin.h>
#include <stdint.h>

struct shapes {
  uint8_t palette, start_row, unused[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

void set_shapes(uint8_t n) {
  struct shapes shapes = {1};
  for (int i = 0; i < 8; ++i) {
    shapes.row_bytes[i] = 64;
    shapes.rows[i] = n;
  }
  _tile_loadconfig(&shapes);
}

void load_rows(const int8_t *from) {
  int8_t rows[1024];
  for (int i = 0; i < 1024; ++i) rows[i] = from[i] ^ 0x55;
  _tile_loadd(0, rows, 64);
}
END

# body FUNCTION FILE: its instructions
body() { sed -n "/^$1:/,/\tret/p" "$2"; }
says() { if body "$1" "$3" | grep -qE "$2"; then echo yes; else echo no; fi; }
for level in 0 2; do
  compiler/usr/bin/x86_64-linux-gnu-gcc-12 -O$level -mamx-tile -S \
      -fno-asynchronous-unwind-tables -o O$level.s tiles.c
  echo "set_shapes -O$level: stores of 64 bytes a row:" \
       "$(says set_shapes 'mov[a-z]* +\$64,|movw[[:space:]]+\$64|4194368' O$level.s)"
done >out
for level in 0 2; do
  echo "load_rows  -O$level: exclusive or of the rows:" \
       "$(says load_rows '[[:space:]]p?xor[a-z]*[[:space:]].*(\$85|xmm)' O$level.s)"
done >>out
grep -q ldtilecfg O2.s && grep -q tileloadd O2.s
cat out
cmp out - <<'END'
set_shapes -O0: stores of 64 bytes a row: yes
set_shapes -O2: stores of 64 bytes a row: no
load_rows  -O0: exclusive or of the rows: yes
load_rows  -O2: exclusive or of the rows: no
END
