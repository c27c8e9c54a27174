#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clang 14 for WebAssembly: from -O1 on, the shift intrinsics of wasm_simd128.h
# are not the instructions that they are named after.
#
# Seen with clang-14 1:14.0.6-12 (Debian 12, whose emscripten 3.1.6 uses it) and
# wasmtime 50.0.1 (PyPI, x86-64). The WebAssembly core specification (2.0,
# section 4.3.2, ishl and ishr) takes the count of a shift modulo the width of a
# lane. So 32-bit lanes shifted by 33 are shifted by 1, and x >> -n is one half
# of a rotation by n. One expects the same of wasm_i32x4_shl(). But the header
# makes of it a plain shift of C, without a mask, which is undefined from the
# width on. With a constant count the optimiser drops the shift, and 0 comes out.
# With a count known at run time only, it depends on what is around: a shift of a
# vector in memory is right; of one whose lanes are all the same number, or of
# which one lane is taken, it becomes a shift of 32 bits, which takes the count
# modulo 32. At -O0 all are right, and so they are in clang 19 (Debian 12,
# 1:19.1.7), whose header masks the count. For clang 14 a program has to mask it.
#
# Below, the instruction, written in the text format, and the intrinsic. Seen:
#
#                                          instruction  -O0     -O1     -O2
#   i32x4_shl, 1 by 33, constant           0x2          0x2     0x0     0x0
#   u16x8_shr, 0x8000 by -12, constant     0x800        0x800   0x0     0x0
#   i8x16_shl, 1 by 9, one lane            0x2          0x2     0x0     0x0
#   u16x8_shr, 0x8000 by 17, one lane      0x4000       0x4000  0x0     0x0
#   u16x8_shr, 0x8000 by 17, in memory     0x4000       0x4000  0x4000  0x4000
#   i32x4_shl, 1 by 33, masked by program  0x2          0x2     0x2     0x2
#
# Needs apt-get, python3 with venv, and the libraries that LLVM 14 is linked
# with (libedit2, libxml2, libz3-4). Exits with 1 if the behaviour is another one.
set -euo pipefail
version=1:14.0.6-12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in clang-14 lld-14 libclang-common-14-dev libclang-cpp14 libllvm14
do
  apt-get download -q "$package=$version" >>apt.log 2>&1 ||
    { cat apt.log; exit 1; }
  dpkg -x "$package"_*.deb compiler
done
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check wasmtime==50.0.1

cat >shifts.c <<'END'
#include <wasm_simd128.h>

volatile unsigned short lanes[8];

unsigned Constant32(unsigned x, unsigned count) {
  (void)count;
  return wasm_i32x4_extract_lane(wasm_i32x4_shl(wasm_i32x4_splat(x), 33), 0);
}

unsigned Constant16(unsigned x, unsigned count) {
  (void)count;
  return wasm_u16x8_extract_lane(wasm_u16x8_shr(wasm_i16x8_splat(x), -12), 0);
}

unsigned Lane8(unsigned x, unsigned count) {
  return wasm_u8x16_extract_lane(wasm_i8x16_shl(wasm_i8x16_splat(x), count), 0);
}

unsigned Lane16(unsigned x, unsigned count) {
  return wasm_u16x8_extract_lane(wasm_u16x8_shr(wasm_i16x8_splat(x), count), 0);
}

unsigned Memory16(unsigned x, unsigned count) {
  void *all = (void *)lanes;
  lanes[7] = x;
  wasm_v128_store(all, wasm_u16x8_shr(wasm_v128_load(all), count));
  return lanes[7];
}

unsigned Masked32(unsigned x, unsigned count) {
  return wasm_i32x4_extract_lane(
      wasm_i32x4_shl(wasm_i32x4_splat(x), count & 31), 0);
}
END
export LD_LIBRARY_PATH=$work/compiler/usr/lib/x86_64-linux-gnu
for level in 0 1 2; do
  compiler/usr/bin/clang-14 --target=wasm32 -msimd128 -ffreestanding -O$level \
      -c -o shifts.o shifts.c
  compiler/usr/bin/wasm-ld-14 --no-entry --export-all -o O$level.wasm shifts.o
done

cat >run.py <<'END'
import wasmtime

CASES = {
    "i32x4_shl, 1 by 33, constant": ("Constant32", 1, 33),
    "u16x8_shr, 0x8000 by -12, constant": ("Constant16", 0x8000, -12),
    "i8x16_shl, 1 by 9, one lane": ("Lane8", 1, 9),
    "u16x8_shr, 0x8000 by 17, one lane": ("Lane16", 0x8000, 17),
    "u16x8_shr, 0x8000 by 17, in memory": ("Memory16", 0x8000, 17),
    "i32x4_shl, 1 by 33, masked by program": ("Masked32", 1, 33),
}
INSTRUCTIONS = {  # shape, shift, extract_lane
    "Constant32": ("i32x4", "shl", ""), "Constant16": ("i16x8", "shr_u", "_u"),
    "Lane8": ("i8x16", "shl", "_u"), "Lane16": ("i16x8", "shr_u", "_u"),
    "Memory16": ("i16x8", "shr_u", "_u"), "Masked32": ("i32x4", "shl", ""),
}


def by_hand():
    functions = [
        f'(func (export "{name}") (param i32 i32) (result i32)'
        f" ({shape}.extract_lane{how} 0 ({shape}.{shift}"
        f" ({shape}.splat (local.get 0)) (local.get 1))))"
        for name, (shape, shift, how) in INSTRUCTIONS.items()]
    return f"(module {' '.join(functions)})"


engine = wasmtime.Engine()
store = wasmtime.Store(engine)
modules = [wasmtime.Module(engine, by_hand())]
modules += [wasmtime.Module.from_file(engine, f"O{i}.wasm") for i in range(3)]
runs = [wasmtime.Instance(store, module, []).exports(store)
        for module in modules]
print(f"{'':38} instruction  -O0     -O1     -O2")
for title, (name, x, count) in CASES.items():
    seen = [hex(run[name](store, x, count) & 0xffffffff) for run in runs]
    print(f"{title:38} {seen[0]:12} {seen[1]:7} {seen[2]:7} {seen[3]}")
END
venv/bin/python run.py | tee seen
diff seen - <<'END'
                                       instruction  -O0     -O1     -O2
i32x4_shl, 1 by 33, constant           0x2          0x2     0x0     0x0
u16x8_shr, 0x8000 by -12, constant     0x800        0x800   0x0     0x0
i8x16_shl, 1 by 9, one lane            0x2          0x2     0x0     0x0
u16x8_shr, 0x8000 by 17, one lane      0x4000       0x4000  0x0     0x0
u16x8_shr, 0x8000 by 17, in memory     0x4000       0x4000  0x4000  0x4000
i32x4_shl, 1 by 33, masked by program  0x2          0x2     0x2     0x2
END
