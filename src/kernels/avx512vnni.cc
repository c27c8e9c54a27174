// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AVX-512 (F, BW, DQ, VL) and VNNI. Each
// function equals its namesake in numerics/reference_ops.h; comments here only
// say how, never what.
#include "kernels/avx512_shared.h"
#include "kernels/avx512vnni_tile.h"
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include "kernels/avx512_intrinsics.h"
#include "kernels/target_region.h"
#include "kernels/tile_rows.h"

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512vnni {
namespace {

// How far ahead keys and values are fetched: they come from memory when many
// lanes are decoded.
constexpr size_t kKeysAhead = 4096;

// Addresses of a tile are constants where the head's size is one.
template <bool kWide, uint32_t kHeadDim, int kRows, int kPanels>
[[gnu::always_inline]] inline void ScoreTile(const KeyPanels& keys,
                                             uint32_t panel,
                                             const QuantizedRows& q,
                                             uint32_t row, float* scores,
                                             size_t stride) {
  const uint32_t head_dim = kHeadDim != 0 ? kHeadDim : keys.head_dim;
  const size_t k_stride = size_t{kPanelRows} * head_dim;
  const int8_t* values = keys.values + panel * k_stride;
  const int8_t* q_values = q.values + size_t{row} * head_dim;
  __m512i dots[kRows][kPanels];
  DotTile<kRows, kPanels>(q_values, head_dim, q.starts + row, 1, values,
                          k_stride, values + kKeysAhead, 0, head_dim / 4, dots);
  if constexpr (kWide) {
    const int8_t* low = keys.low_values + panel * k_stride;
    DotTile<kRows, kPanels, 7>(q_values, head_dim, q.starts + row, 1, low,
                               k_stride, low + kKeysAhead, 0, head_dim / 4,
                               dots);
  }
  const size_t pos = size_t{panel} * kPanelRows;
  __m512 k_scale[kPanels];
  LLMA_UNROLL
  for (int p = 0; p < kPanels; ++p) {
    k_scale[p] = _mm512_loadu_ps(keys.scales + pos + p * kPanelRows);
  }
  float* out = scores + row * stride + pos;
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 q_scale = _mm512_set1_ps(q.scales[row + r]);
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      const __m512 scaled =
          _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][p]), k_scale[p]);
      _mm512_storeu_ps(out + p * kPanelRows, _mm512_mul_ps(scaled, q_scale));
    }
    out += stride;
  }
}

template <bool kWide, uint32_t kHeadDim, int kRows>
void ScoreRows(const KeyPanels& keys, const QuantizedRows& q, uint32_t row,
               float* scores, size_t stride) {
  uint32_t panel = 0;
  for (; panel + 2 <= keys.num_panels; panel += 2) {
    ScoreTile<kWide, kHeadDim, kRows, 2>(keys, panel, q, row, scores, stride);
  }
  if (panel < keys.num_panels) {
    ScoreTile<kWide, kHeadDim, kRows, 1>(keys, panel, q, row, scores, stride);
  }
}

template <bool kWide, uint32_t kHeadDim>
void ScoreAll(const KeyPanels& keys, const QuantizedRows& q, float* scores,
              size_t stride) {
  constexpr decltype(&ScoreRows<kWide, kHeadDim, 1>) kRowTiles[kMaxTileRows] = {
      ScoreRows<kWide, kHeadDim, 1>, ScoreRows<kWide, kHeadDim, 2>,
      ScoreRows<kWide, kHeadDim, 3>, ScoreRows<kWide, kHeadDim, 4>,
      ScoreRows<kWide, kHeadDim, 5>, ScoreRows<kWide, kHeadDim, 6>,
      ScoreRows<kWide, kHeadDim, 7>, ScoreRows<kWide, kHeadDim, 8>};
  for (uint32_t row = 0; row < q.num_rows;) {
    const uint32_t rows = TileRows(q.num_rows - row, kMaxTileRows);
    kRowTiles[rows - 1](keys, q, row, scores, stride);
    row += rows;
  }
}

}  // namespace

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  const bool is_wide = keys.low_values != nullptr;
  auto score_all = is_wide ? ScoreAll<true, 0> : ScoreAll<false, 0>;
  if (!is_wide && keys.head_dim == 64) score_all = ScoreAll<false, 64>;
  score_all(keys, q, scores, stride);
}

namespace {

// kQueries queries, 16 * kPanels dims starting at dim; weights and sums of the
// first query.
template <int kQueries, int kPanels>
void ValueTile(const ValuePanels& v, uint32_t dim, const uint8_t* weights_hi,
               const uint8_t* weights_lo, size_t weights_stride,
               int32_t* sums_hi, int32_t* sums_lo) {
  __m512i hi[kQueries][kPanels], lo[kQueries][kPanels];
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    const size_t idx = size_t{v.head_dim} * i + dim;
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      hi[i][p] = _mm512_loadu_si512(sums_hi + idx + 16 * p);
      lo[i][p] = _mm512_loadu_si512(sums_lo + idx + 16 * p);
    }
  }
  const size_t v_stride = size_t{v.head_dim} * 4;
  const int8_t* quad = v.values + size_t{dim} * 4;
  for (uint32_t pos = 0; pos < v.num_positions; pos += 4) {
    __m512i values[kPanels];
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm_prefetch(reinterpret_cast<const char*>(quad + 64 * p + kKeysAhead),
                   _MM_HINT_T0);
      values[p] = _mm512_loadu_si512(quad + 64 * p);
    }
    LLMA_UNROLL
    for (int i = 0; i < kQueries; ++i) {
      const __m512i w_hi = BroadcastQuad(weights_hi + i * weights_stride);
      const __m512i w_lo = BroadcastQuad(weights_lo + i * weights_stride);
      LLMA_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        hi[i][p] = _mm512_dpbusd_epi32(hi[i][p], w_hi, values[p]);
        lo[i][p] = _mm512_dpbusd_epi32(lo[i][p], w_lo, values[p]);
        KeepInPlace(hi[i][p]);
        KeepInPlace(lo[i][p]);
      }
    }
    quad += v_stride;
    weights_hi += 4;
    weights_lo += 4;
  }
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    const size_t idx = size_t{v.head_dim} * i + dim;
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm512_storeu_si512(sums_hi + idx + 16 * p, hi[i][p]);
      _mm512_storeu_si512(sums_lo + idx + 16 * p, lo[i][p]);
    }
  }
}

template <int kPanels>
void ValueColumns(const ValuePanels& v, uint32_t dim, const uint8_t* weights_hi,
                  const uint8_t* weights_lo, size_t weights_stride,
                  uint32_t num_queries, int32_t* sums_hi, int32_t* sums_lo) {
  for (uint32_t query = 0; query < num_queries;) {
    const bool is_whole = query + 3 <= num_queries;
    const auto tile = is_whole ? ValueTile<3, kPanels> : ValueTile<1, kPanels>;
    const size_t idx = size_t{query} * v.head_dim;
    tile(v, dim, weights_hi + query * weights_stride,
         weights_lo + query * weights_stride, weights_stride, sums_hi + idx,
         sums_lo + idx);
    query += is_whole ? 3 : 1;
  }
}

}  // namespace

void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  uint32_t dim = 0;
  for (; dim + 64 <= v.head_dim; dim += 64) {
    ValueColumns<4>(v, dim, weights_hi, weights_lo, weights_stride, num_queries,
                    sums_hi, sums_lo);
  }
  for (; dim < v.head_dim; dim += 16) {
    ValueColumns<1>(v, dim, weights_hi, weights_lo, weights_stride, num_queries,
                    sums_hi, sums_lo);
  }
}

namespace {

bool IsSupported() {
  return __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

}  // namespace

constinit const KernelTable kTable =
    avx512::MakeTable("avx512vnni", "AVX-512 with VNNI", IsSupported, 0.05f,
                      Matmul, AttentionScores, WeightedValueSums);

}  // namespace llma::kernels::avx512vnni

LLMA_TARGET_END
#endif  // defined(__x86_64__)
