#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Under qemu's user emulation /proc/self/pagemap is that of the emulator.
#
# Seen with qemu-user-static 1:7.2+dfsg-7+deb12u18+b3 (Debian 12, x86-64). qemu
# translates /proc/self/maps for the program that it runs, so its addresses are
# the program's own. /proc/self/pagemap is passed through: it is indexed by the
# addresses of the emulator, of which the program knows nothing. A program that
# asks which of its pages were touched (to clear or to save only these) gets an
# answer about other pages, without an error, and takes written pages for empty
# ones. It holds wherever the emulator puts the program's memory elsewhere: for
# programs of 32 bits by default, for those of 64 bits with -B, or where their
# addresses are taken.
#
# Below, a program writes to pages 1, 3 and 4 of 8 new ones and prints what
# pagemap says of each, 1 for "in memory or swapped out". Seen:
#
#   on the processor   01011000
#   in the emulator    00101100  (it changes, but is not the right one)
#   in both, /proc/self/maps has the pages at the address that the program knows
#
# Needs gcc, apt-get and a kernel that runs programs of 32 bits. Exits with 1 if
# the behaviour is another one.
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

cat >pages.c <<'END'
/* Without a library, so that gcc needs nothing more for 32 bits. */
static long Call(long number, long a, long b, long c, long d, long e) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                   : "memory");
  return result;
}

enum { kExit = 1, kRead = 3, kWrite = 4, kOpen = 5, kMap = 90, kReadAt = 180 };
enum { kPages = 8, kPageBytes = 4096 };
static char maps[1 << 16];

static int HasMapping(unsigned long address) {
  static const char digits[] = "0123456789abcdef";
  char wanted[8];
  long fd = Call(kOpen, (long)"/proc/self/maps", 0, 0, 0, 0), size = 0, got;
  int i, k;
  for (i = 7; i >= 0; --i, address >>= 4) wanted[i] = digits[address & 15];
  while ((got = Call(kRead, fd, (long)maps + size, sizeof maps - size, 0, 0)) >
         0) {
    size += got;
  }
  for (i = 0; i + 8 < size; ++i) {
    for (k = 0; k < 8 && maps[i + k] == wanted[k]; ++k) {
    }
    if (k == 8) return 1;
  }
  return 0;
}

void _start(void) {
  long how[6] = {0, kPages * kPageBytes, 3, 0x22, -1, 0};
  volatile char *pages = (char *)Call(kMap, (long)how, 0, 0, 0, 0);
  unsigned long long entries[kPages];
  const unsigned long long place =
      (unsigned long long)((unsigned long)pages / kPageBytes) * 8;
  char out[kPages + 3] = "???????? ?\n";
  long fd;
  int i;
  pages[1 * kPageBytes] = pages[3 * kPageBytes] = pages[4 * kPageBytes] = 1;
  fd = Call(kOpen, (long)"/proc/self/pagemap", 0, 0, 0, 0);
  if (Call(kReadAt, fd, (long)entries, sizeof entries, (long)place,
           (long)(place >> 32)) == sizeof entries) {
    for (i = 0; i < kPages; ++i) out[i] = entries[i] >> 62 ? '1' : '0';
  }
  out[kPages + 1] = HasMapping((unsigned long)pages + kPages * kPageBytes) ||
                            HasMapping((unsigned long)pages)
                        ? '1'
                        : '0';
  Call(kWrite, 1, (long)out, sizeof out, 0, 0);
  Call(kExit, 0, 0, 0, 0, 0);
}
END
gcc -m32 -O1 -fno-stack-protector -fno-pie -no-pie -nostdlib -static \
    -mpreferred-stack-boundary=2 pages.c -o pages
native=$(./pages)
emulated=$(emulator/usr/bin/qemu-i386-static ./pages)
echo "on the processor   ${native% *}, in its maps file: ${native#* }"
echo "in the emulator    ${emulated% *}, in its maps file: ${emulated#* }"
[ "$native" = "01011000 1" ]
case $emulated in
  "01011000 "*) exit 1 ;;
  *"?"*) exit 1 ;;
  *" 1") exit 0 ;;
  *) exit 1 ;;
esac
