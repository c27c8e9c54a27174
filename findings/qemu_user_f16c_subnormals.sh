#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In qemu's x86-64, a program that flushes subnormal numbers to zero loses those
# of half precision, too, which no processor does.
#
# Seen with qemu-user-static 1:7.2+dfsg-7+deb12u18+b3 and gcc 12.2.0 (Debian 12,
# x86-64). A program may ask for zeros instead of subnormal numbers, by the bits
# DAZ and FTZ of MXCSR; what gcc links with -ffast-math does so before main().
# The conversions of F16C are an exception, since subnormal numbers of half
# precision are normal ones of single precision. Intel's manual says of
# VCVTPH2PS that DAZ is ignored, and of VCVTPS2PH that FTZ is. qemu, which has
# F16C since 7.2 (-cpu max), obeys DAZ and FTZ in both: halves below 2^-14
# become 0, read or written, without an error. So a program that keeps weights
# or scales in half precision computes something else in the emulator, only if
# built with -ffast-math or its like, and only where numbers are small. Without
# -mf16c, gcc converts with integer instructions, and these are right. Else a
# program has to set MXCSR to 0x1f80 around its conversions.
#
# Below, by the bits, what the half 0x0200, 2^-15, is read as, and what 2^-15 is
# written as. The first row is a program with -ffast-math, as it starts. Seen:
#
#                on the processor    in the emulator
#   -ffast-math  0x1p-15  0x0200     0x0p+0   0x0000
#   neither      0x1p-15  0x0200     0x1p-15  0x0200
#   FTZ          0x1p-15  0x0200     0x1p-15  0x0000
#   DAZ          0x1p-15  0x0200     0x0p+0   0x0200
#   FTZ and DAZ  0x1p-15  0x0200     0x0p+0   0x0000
#
# Needs gcc with a static C library, apt-get and a processor with F16C. Exits
# with 1 if the behaviour is another one.
set -euo pipefail
version=1:7.2+dfsg-7+deb12u18+b3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "qemu-user-static=$version" >apt.log 2>&1 || {
  cat apt.log
  exit 1
}
dpkg -x qemu-user-static_*.deb emulator

cat >halves.c <<'END'
#include <immintrin.h>
#include <stdio.h>

enum { kPlain = 0x1f80, kDaz = 0x0040, kFtz = 0x8000 };

static void Show(unsigned mode) {
  volatile unsigned short half = 0x0200;
  volatile float number = 0x1p-15f;
  float read;
  unsigned written;
  _mm_setcsr(mode);
  read = _cvtsh_ss(half);
  written = _cvtss_sh(number, _MM_FROUND_CUR_DIRECTION);
  _mm_setcsr(kPlain);
  printf("%-7a  0x%04x\n", read, written);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    Show(_mm_getcsr());
  } else {
    Show(kPlain);
    Show(kPlain | kFtz);
    Show(kPlain | kDaz);
    Show(kPlain | kFtz | kDaz);
  }
  return 0;
}
END
gcc -O1 -mf16c -static halves.c -o halves
gcc -O1 -mf16c -static -ffast-math halves.c -o fast_halves

# both COMMAND...: the five rows
both() {
  "$@" ./fast_halves as-started
  "$@" ./halves
}
both env >processor
both emulator/usr/bin/qemu-x86_64-static -cpu max >emulated
printf '%s\n' -ffast-math neither FTZ DAZ 'FTZ and DAZ' >names
{
  echo "             on the processor    in the emulator"
  paste -d '|' names processor emulated |
    while IFS='|' read -r name on in; do
      printf '%-11s  %s     %s\n' "$name" "$on" "$in"
    done
} | tee seen
diff seen - <<'END'
             on the processor    in the emulator
-ffast-math  0x1p-15  0x0200     0x0p+0   0x0000
neither      0x1p-15  0x0200     0x1p-15  0x0200
FTZ          0x1p-15  0x0200     0x1p-15  0x0000
DAZ          0x1p-15  0x0200     0x0p+0   0x0200
FTZ and DAZ  0x1p-15  0x0200     0x0p+0   0x0000
END
