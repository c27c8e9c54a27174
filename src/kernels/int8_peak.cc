// SPDX-License-Identifier: Apache-2.0
#include "kernels/int8_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/target_region.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// As in avx512vnni.cc.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace llma {
namespace {

[[maybe_unused]] constexpr int kSteps = 5000;
// More than latency times throughput: 10 on Golden Cove, where 12 chains reach
// only 95 % of what 14 do. 14 and both factors fill the registers of AVX2.
[[maybe_unused]] constexpr int kChains = 14;

}  // namespace

#if defined(__x86_64__)

LLMA_TARGET_BEGIN("avx512f,avx512vnni")
namespace {
uint64_t RunVpdpbusd() {
  __m512i sums[kChains];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
  for (int step = 0; step < kSteps; ++step) {
    __asm__ volatile("" : "+v"(a), "+v"(b));
    LLMA_UNROLL
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, b);
  }
  for (__m512i& sum : sums) __asm__ volatile("" : "+v"(sum));
  return uint64_t{kSteps} * kChains * 64;
}
}  // namespace
LLMA_TARGET_END

LLMA_TARGET_BEGIN("amx-tile,amx-int8")
namespace {
// Four products that do not wait for each other, of 16 x 16 x 64.
uint64_t RunTdpbssd() {
  struct alignas(64) {
    uint8_t palette = 1, unused[15] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16};
  } shapes;
  __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
  for (int step = 0; step < kSteps; ++step) {
    __asm__ volatile(
        "tdpbssd %%tmm5, %%tmm4, %%tmm0\n\ttdpbssd %%tmm5, %%tmm4, %%tmm1\n\t"
        "tdpbssd %%tmm5, %%tmm4, %%tmm2\n\ttdpbssd %%tmm5, %%tmm4, %%tmm3" ::);
  }
  __asm__ volatile("tilerelease" ::);
  return uint64_t{kSteps} * 4 * 16 * 16 * 64;
}
}  // namespace
LLMA_TARGET_END

// 32 bytes at a time; as text, in both encodings.
LLMA_TARGET_BEGIN("avx2")
namespace {
template <bool kIsVex>
uint64_t RunVpdpbusd256() {
  __m256i sums[kChains];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  const __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5);
  for (int step = 0; step < kSteps; ++step) {
    for (__m256i& sum : sums) {
      if constexpr (kIsVex) {
        __asm__ volatile("%{vex%} vpdpbusd %1, %2, %0"
                         : "+x"(sum)
                         : "x"(a), "x"(b));
      } else {
        __asm__ volatile("%{evex%} vpdpbusd %1, %2, %0"
                         : "+x"(sum)
                         : "x"(a), "x"(b));
      }
    }
  }
  for (__m256i& sum : sums) __asm__ volatile("" : "+x"(sum));
  return uint64_t{kSteps} * kChains * 32;
}
}  // namespace
LLMA_TARGET_END

// Without vpdpbusd an int8 product sum that cannot saturate costs a vpmaddwd
// and a vpaddd for 16 multiply-adds, or vpsignb, vpmaddubsw, vpmaddwd and
// vpaddd for 32.
LLMA_TARGET_BEGIN("avx2")
namespace {
uint64_t RunVpmaddwd() {
  __m256i sums[kChains];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  const __m256i a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(5);
  for (int step = 0; step < kSteps; ++step) {
    for (__m256i& sum : sums) {
      // As text, or the compilers compute one product for all sums.
      __m256i products;
      __asm__ volatile("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0"
                       : "+x"(sum), "=&x"(products)
                       : "x"(a), "x"(b));
    }
  }
  for (__m256i& sum : sums) __asm__ volatile("" : "+x"(sum));
  return uint64_t{kSteps} * kChains * 16;
}
}  // namespace
LLMA_TARGET_END

uint64_t RunInt8PeakLoop(std::string_view kernels) {
  if (kernels == "amx") return RunTdpbssd();
  if (kernels == "avx512vnni") return RunVpdpbusd();
  if (kernels == "avxvnni") return RunVpdpbusd256<true>();
  if (kernels == "avx512vnni256") return RunVpdpbusd256<false>();
  if (kernels == "avx2") return RunVpmaddwd();
  return 0;
}

#elif defined(__aarch64__)

#if defined(__clang__)
LLMA_TARGET_BEGIN("dotprod,i8mm")
#else
LLMA_TARGET_BEGIN("arch=armv8.2-a+dotprod+i8mm")
#endif
namespace {
uint64_t RunSdot() {
  int32x4_t sums[kChains];
  for (int32x4_t& sum : sums) sum = vdupq_n_s32(0);
  const int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
  for (int step = 0; step < kSteps; ++step) {
    for (int32x4_t& sum : sums) {
      // Clang 14 declares the intrinsics only where -march has them.
      __asm__ volatile("sdot %0.4s, %1.16b, %2.16b"
                       : "+w"(sum)
                       : "w"(a), "w"(b));
    }
  }
  return uint64_t{kSteps} * kChains * 16;
}

uint64_t RunSmmla() {
  int32x4_t sums[kChains];
  for (int32x4_t& sum : sums) sum = vdupq_n_s32(0);
  const int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
  for (int step = 0; step < kSteps; ++step) {
    for (int32x4_t& sum : sums) {
      __asm__ volatile("smmla %0.4s, %1.16b, %2.16b"
                       : "+w"(sum)
                       : "w"(a), "w"(b));
    }
  }
  return uint64_t{kSteps} * kChains * 32;
}
}  // namespace
LLMA_TARGET_END

uint64_t RunInt8PeakLoop(std::string_view kernels) {
  if (kernels == "neon_i8mm") return RunSmmla();
  return kernels == "neon" ? RunSdot() : 0;
}

#else

uint64_t RunInt8PeakLoop(std::string_view) { return 0; }

#endif

}  // namespace llma
