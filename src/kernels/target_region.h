// SPDX-License-Identifier: Apache-2.0
// LLMA_TARGET_BEGIN("avx2") ... LLMA_TARGET_END: functions between them may use
// these instructions. Regions open after all includes, so that no shared inline
// function is ever compiled for a processor that may lack them.
#ifndef LLMA_KERNELS_TARGET_REGION_H_
#define LLMA_KERNELS_TARGET_REGION_H_

#define LLMA_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define LLMA_TARGET_BEGIN(features)                                   \
  LLMA_PRAGMA(clang attribute push(__attribute__((target(features))), \
                                   apply_to = function))
#define LLMA_TARGET_END LLMA_PRAGMA(clang attribute pop)
#else
#define LLMA_TARGET_BEGIN(features) \
  LLMA_PRAGMA(GCC push_options)     \
  LLMA_PRAGMA(GCC target(features))
#define LLMA_TARGET_END LLMA_PRAGMA(GCC pop_options)
#endif

// Before a loop of constant length over an array of vectors: the array can only
// live in registers if the loop is unrolled, and GCC by itself stops early.
#define LLMA_UNROLL _Pragma("GCC unroll 16")

#endif  // LLMA_KERNELS_TARGET_REGION_H_
