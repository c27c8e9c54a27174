// SPDX-License-Identifier: Apache-2.0
// The intrinsics for files of AVX-512 kernels, without GCC's false warnings.
#ifndef LLMA_KERNELS_AVX512_INTRINSICS_H_
#define LLMA_KERNELS_AVX512_INTRINSICS_H_

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own intrinsics start from a vector that is left undefined on
// purpose, and warn of it wherever they are inlined.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX512_INTRINSICS_H_
