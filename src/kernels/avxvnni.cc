// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AVX2 and AVX-VNNI, which have vpdpbusd for
// 32 bytes but no AVX-512. Each function equals its namesake in
// numerics/reference_ops.h; comments here only say how, never what.
//
// A second table is the same code with AVX-512's encoding of the one
// instruction that differs, so that processors without AVX-VNNI can test it.
#include "kernels/avx2_shared.h"
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#include <cstring>

#include "kernels/target_region.h"
#include "kernels/tile_rows.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avxvnni {
namespace {

using avx2::AddScaled;
using avx2::BroadcastQuad;
using avx2::kHalves;
using avx2::Load;
using avx2::Prefetch;
using avx2::Store;

// sum[i] += the dot product of quad i of `bytes`, unsigned, and of `values`,
// signed. Assembly, for the compilers' intrinsics need a target region each.
struct Vex {
  static __m256i Dot(__m256i sum, __m256i bytes, __m256i values) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0"
            : "+x"(sum)
            : "x"(bytes), "x"(values));
    return sum;
  }
};
struct Evex {
  static __m256i Dot(__m256i sum, __m256i bytes, __m256i values) {
    __asm__("%{evex%} vpdpbusd %2, %1, %0"
            : "+x"(sum)
            : "x"(bytes), "x"(values));
    return sum;
  }
};

// Six rows take 12 of 16 registers for sums; on Zen 4 that gives 87 % of the
// peak of vpdpbusd with 64 rows, four give 80 %.
constexpr uint32_t kMaxTileRows = 6;

// dots = 2^kShift * dots + the integer dot products of kRows rows of x with the
// 16 rows of a panel over `num_quads` groups of four columns; kShift 0: dots
// counts as zero. Weights are made unsigned by adding 128, which the start
// value -128 * sum(x) takes back.
//   x: the rows, x_stride bytes apart, at the first column
//   x_starts: those of the rows, starts_stride apart
//   w: the panel at the first column
//   w_ahead: how far ahead of w the second cache should read
template <class Vnni, int kRows, int kShift = 0>
[[gnu::always_inline]] inline void DotTile(const int8_t* x, size_t x_stride,
                                           const int32_t* x_starts,
                                           size_t starts_stride,
                                           const int8_t* w, size_t w_ahead,
                                           uint32_t num_quads,
                                           __m256i (&dots)[kRows][kHalves]) {
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256i start = _mm256_set1_epi32(x_starts[r * starts_stride]);
    LLMA_UNROLL
    for (int h = 0; h < kHalves; ++h) {
      if constexpr (kShift == 0) {
        dots[r][h] = start;
      } else {
        dots[r][h] =
            _mm256_add_epi32(_mm256_slli_epi32(dots[r][h], kShift), start);
      }
    }
  }
  const __m256i flip = _mm256_set1_epi8(-128);
  for (uint32_t k = 0; k < num_quads; ++k) {
    const int8_t* from = w + size_t{k} * 64;
    Prefetch(from + w_ahead);
    const __m256i weights[kHalves] = {_mm256_xor_si256(Load(from), flip),
                                      _mm256_xor_si256(Load(from + 32), flip)};
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256i quad = BroadcastQuad(x + r * x_stride + size_t{k} * 4);
      LLMA_UNROLL
      for (int h = 0; h < kHalves; ++h) {
        dots[r][h] = Vnni::Dot(dots[r][h], weights[h], quad);
      }
    }
  }
}

template <class Vnni, int kRows>
void MatmulTile(const LinearWeights& w, uint32_t panel, size_t w_ahead,
                const QuantizedRows& x, uint32_t row, float* y,
                size_t y_stride) {
  const uint32_t num_groups = w.num_groups();
  // In the first cache: with the dots there would be too few registers.
  alignas(32) float sums[kRows][kPanelRows] = {};
  for (uint32_t g = 0; g < num_groups; ++g) {
    const size_t x_group = size_t{row} * num_groups + g;
    __m256i dots[kRows][kHalves];
    DotTile<Vnni, kRows>(x.values + x_group * kGroupSize, x.num_cols,
                         x.starts + x_group, num_groups,
                         w.values + size_t{panel} * kPanelRows * w.num_cols +
                             size_t{g} * kPanelRows * kGroupSize,
                         w_ahead, kGroupSize / 4, dots);
    const float* w_scales =
        w.scales + (size_t{panel} * num_groups + g) * kPanelRows;
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float x_scale = x.scales[x_group + size_t{num_groups} * r];
      LLMA_UNROLL
      for (int h = 0; h < kHalves; ++h) {
        AddScaled(dots[r][h], w_scales + 8 * h, x_scale, sums[r] + 8 * h);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    std::memcpy(y + size_t{row + r} * y_stride + size_t{panel} * kPanelRows,
                sums[r], sizeof(sums[r]));
  }
}

template <class Vnni>
void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  constexpr decltype(&MatmulTile<Vnni, 1>) kTiles[kMaxTileRows] = {
      MatmulTile<Vnni, 1>, MatmulTile<Vnni, 2>, MatmulTile<Vnni, 3>,
      MatmulTile<Vnni, 4>, MatmulTile<Vnni, 5>, MatmulTile<Vnni, 6>};
  for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
    // The first tile fetches the next panel.
    size_t w_ahead =
        panel + 1 < panel_end ? size_t{kPanelRows} * w.num_cols : 0;
    for (uint32_t row = 0; row < x.num_rows;) {
      const uint32_t rows = TileRows(x.num_rows - row, kMaxTileRows);
      kTiles[rows - 1](w, panel, w_ahead, x, row, y, y_stride);
      row += rows;
      w_ahead = 0;
    }
  }
}

template <class Vnni, int kRows>
void ScoreTile(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
               uint32_t row, float* scores, size_t stride) {
  const size_t pos = size_t{panel} * kPanelRows;
  __m256i dots[kRows][kHalves];
  DotTile<Vnni, kRows>(q.values + size_t{row} * q.num_cols, q.num_cols,
                       q.starts + row, 1, keys.values + pos * keys.head_dim, 0,
                       keys.head_dim / 4, dots);
  if (keys.low_values != nullptr) {
    DotTile<Vnni, kRows, 7>(
        q.values + size_t{row} * q.num_cols, q.num_cols, q.starts + row, 1,
        keys.low_values + pos * keys.head_dim, 0, keys.head_dim / 4, dots);
  }
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256 q_scale = _mm256_set1_ps(q.scales[row + r]);
    LLMA_UNROLL
    for (int h = 0; h < kHalves; ++h) {
      const __m256 k_scale = _mm256_loadu_ps(keys.scales + pos + 8 * h);
      _mm256_storeu_ps(
          scores + (row + r) * stride + pos + 8 * h,
          _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dots[r][h]), k_scale),
                        q_scale));
    }
  }
}

template <class Vnni>
void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  constexpr decltype(&ScoreTile<Vnni, 1>) kTiles[kMaxTileRows] = {
      ScoreTile<Vnni, 1>, ScoreTile<Vnni, 2>, ScoreTile<Vnni, 3>,
      ScoreTile<Vnni, 4>, ScoreTile<Vnni, 5>, ScoreTile<Vnni, 6>};
  for (uint32_t panel = 0; panel < keys.num_panels; ++panel) {
    for (uint32_t row = 0; row < q.num_rows;) {
      const uint32_t rows = TileRows(q.num_rows - row, kMaxTileRows);
      kTiles[rows - 1](keys, panel, q, row, scores, stride);
      row += rows;
    }
  }
}

// kQueries queries, 16 dims starting at dim.
template <class Vnni, int kQueries>
void ValueTile(const ValuePanels& v, const uint8_t* weights_hi,
               const uint8_t* weights_lo, size_t weights_stride, uint32_t query,
               uint32_t dim, int32_t* sums_hi, int32_t* sums_lo) {
  __m256i hi[kQueries][kHalves], lo[kQueries][kHalves];
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    LLMA_UNROLL
    for (int h = 0; h < kHalves; ++h) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 8 * h;
      hi[i][h] = Load(sums_hi + idx);
      lo[i][h] = Load(sums_lo + idx);
    }
  }
  for (uint32_t pos = 0; pos < v.num_positions; pos += 4) {
    const int8_t* quad = v.values + size_t{pos} * v.head_dim + size_t{dim} * 4;
    const __m256i values[kHalves] = {Load(quad), Load(quad + 32)};
    LLMA_UNROLL
    for (int i = 0; i < kQueries; ++i) {
      const size_t idx = size_t{query + i} * weights_stride + pos;
      const __m256i w_hi = BroadcastQuad(weights_hi + idx);
      LLMA_UNROLL
      for (int h = 0; h < kHalves; ++h) {
        hi[i][h] = Vnni::Dot(hi[i][h], w_hi, values[h]);
      }
      const __m256i w_lo = BroadcastQuad(weights_lo + idx);
      LLMA_UNROLL
      for (int h = 0; h < kHalves; ++h) {
        lo[i][h] = Vnni::Dot(lo[i][h], w_lo, values[h]);
      }
    }
  }
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    LLMA_UNROLL
    for (int h = 0; h < kHalves; ++h) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 8 * h;
      Store(sums_hi + idx, hi[i][h]);
      Store(sums_lo + idx, lo[i][h]);
    }
  }
}

template <class Vnni>
void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  for (uint32_t dim = 0; dim < v.head_dim; dim += 16) {
    for (uint32_t query = 0; query < num_queries;) {
      const bool is_whole = query + 3 <= num_queries;
      const auto tile = is_whole ? ValueTile<Vnni, 3> : ValueTile<Vnni, 1>;
      tile(v, weights_hi, weights_lo, weights_stride, query, dim, sums_hi,
           sums_lo);
      query += is_whole ? 3 : 1;
    }
  }
}

bool HasAvxVnni() {
  uint32_t eax, ebx, ecx, edx;
  return __builtin_cpu_supports("avx2") &&
         __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && eax >= 1 &&
         __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1) != 0;
}

bool HasAvx512Vnni() {
  return __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

template <class Vnni>
constexpr KernelTable MakeTable(const char* name, const char* description,
                                bool (*is_supported)()) {
  return {
      .name = name,
      .description = description,
      .is_supported = is_supported,
      .extra_row_cost = 0.08f,
      .quantize_row = avx2::QuantizeRow,
      .matmul = Matmul<Vnni>,
      .rms_norm = avx2::RmsNorm,
      .swiglu = avx2::SwiGlu,
      .geglu = avx2::GeGlu,
      .attention_scores = AttentionScores<Vnni>,
      .attention_weights = avx2::AttentionWeights,
      .weighted_value_sums = WeightedValueSums<Vnni>,
      .join_value_sums = avx2::JoinValueSums,
      .token_weights = avx2::TokenWeights,
      .learning = &avx2::kLearning,
      .mixer_dot = avx2::MixerDot,
      .mixer_train = avx2::MixerTrain,
      .wide_mixer_dot = avx2::WideMixerDot,
      .wide_mixer_train = avx2::WideMixerTrain,
      .light_mixer_dot = avx2::LightMixerDot,
      .light_mixer_train = avx2::LightMixerTrain,
  };
}

}  // namespace

constinit const KernelTable kTable =
    MakeTable<Vex>("avxvnni", "AVX2 with AVX-VNNI", HasAvxVnni);
constinit const KernelTable kEvexTable = MakeTable<Evex>(
    "avx512vnni256", "avxvnni in AVX-512's encoding, for tests", HasAvx512Vnni);

}  // namespace llma::kernels::avxvnni

LLMA_TARGET_END
#endif  // defined(__x86_64__)
