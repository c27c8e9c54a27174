// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AVX-512 (F, BW, DQ, VL) and VNNI. Each
// function equals its namesake in numerics/reference_ops.h; comments here only
// say how, never what.
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "kernels/target_region.h"
#include "kernels/tile_rows.h"
#include "numerics/exact_math.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own intrinsics start from a vector that is left undefined on
// purpose, and warn of it wherever they are inlined.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512vnni {
namespace {

inline __m512i BroadcastQuad(const void* four_bytes) {
  int32_t quad;
  std::memcpy(&quad, four_bytes, 4);
  return _mm512_set1_epi32(quad);
}

// exact_math.h: Exp2NonPositive. An argument below -126 gives 0.
inline __m512 Exp2(__m512 t) {
  const __m512 n =
      _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(t, n);
  __m512 p = _mm512_set1_ps(kExp2Coefficients[3]);
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[2]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[1]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[0]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(1.0f));
  const __m512i bits = _mm512_add_epi32(
      _mm512_castps_si512(p), _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23));
  const __mmask16 keep =
      _mm512_cmp_ps_mask(t, _mm512_set1_ps(kExp2Lowest), _CMP_GE_OQ) &
      _mm512_cmpge_epi32_mask(bits, _mm512_set1_epi32(1 << 23));
  return _mm512_castsi512_ps(_mm512_maskz_mov_epi32(keep, bits));
}

// The same for arguments in [-64, 0]; elsewhere anything. Adding 1.5 * 2^23
// rounds to an integer, which then stands in the lowest bits.
inline __m512 Exp2InRange(__m512 t) {
  const __m512 magic = _mm512_set1_ps(0x1.8p+23f);
  const __m512 shifted = _mm512_add_ps(t, magic);
  const __m512 f = _mm512_sub_ps(t, _mm512_sub_ps(shifted, magic));
  __m512 p = _mm512_set1_ps(kExp2Coefficients[3]);
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[2]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[1]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(kExp2Coefficients[0]));
  p = _mm512_add_ps(_mm512_mul_ps(p, f), _mm512_set1_ps(1.0f));
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(p),
                       _mm512_slli_epi32(_mm512_castps_si512(shifted), 23)));
}

inline __m512 Abs(__m512 x) { return _mm512_abs_ps(x); }

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* sums) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    __m512 largest_lanes = _mm512_setzero_ps();
    for (uint32_t i = 0; i < group_size; i += 16) {
      largest_lanes =
          _mm512_max_ps(largest_lanes, Abs(_mm512_loadu_ps(in + i)));
    }
    const float largest = _mm512_reduce_max_ps(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const __m512 inverse = _mm512_set1_ps(is_zero ? 0.0f : 127.0f / largest);
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t i = 0; i < group_size; i += 16) {
      const __m512i q =
          _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(in + i), inverse));
      sum = _mm512_add_epi32(sum, q);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                       _mm512_cvtepi32_epi8(q));
    }
    sums[g] = _mm512_reduce_add_epi32(sum);
  }
}

// Keeps GCC from moving sums between registers inside the loop, which costs it
// a tenth of the speed.
inline void KeepInPlace(__m512i& sum) { __asm__("" : "+v"(sum)); }

constexpr uint32_t kMaxTileRows = 8;

// dots = 2^kShift * dots + the integer dot products of kRows rows of x with
// 16 * kPanels rows of W over `num_quads` groups of four columns; kShift 0:
// dots counts as zero. Weights are made unsigned by adding 128, which the start
// value -128 * sum(x) takes back.
//   x: the rows, x_stride bytes apart, at the first column
//   x_sums: those of the rows, sums_stride apart
//   w: the panels, w_stride bytes apart, at the first column
//   ahead: what the second cache should read meanwhile, 64 bytes for each 64
//     bytes of w, divided by 2^ahead_shift
template <int kRows, int kPanels, int kShift = 0>
[[gnu::always_inline]] inline void DotTile(const int8_t* x, size_t x_stride,
                                           const int32_t* x_sums,
                                           size_t sums_stride, const int8_t* w,
                                           size_t w_stride, const int8_t* ahead,
                                           int ahead_shift, uint32_t num_quads,
                                           __m512i (&dots)[kRows][kPanels]) {
  // Broadcast from memory: from a general register each would need the vector
  // units for two cycles.
  int32_t start[kRows];
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) start[r] = -128 * x_sums[r * sums_stride];
  __asm__("" : "+m"(start));
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512i start_lanes = BroadcastQuad(start + r);
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      if constexpr (kShift == 0) {
        dots[r][p] = start_lanes;
      } else {
        dots[r][p] = _mm512_add_epi32(_mm512_slli_epi32(dots[r][p], kShift),
                                      start_lanes);
      }
    }
  }
  const __m512i flip = _mm512_set1_epi8(-128);
  for (uint32_t k = 0; k < num_quads; ++k) {
    __m512i weights[kPanels];
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm_prefetch(reinterpret_cast<const char*>(
                       ahead + ((k * kPanels + p) * size_t{64} >> ahead_shift)),
                   _MM_HINT_T1);
      weights[p] = _mm512_xor_si512(
          _mm512_loadu_si512(w + p * w_stride + size_t{k} * 64), flip);
    }
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i quad = BroadcastQuad(x + r * x_stride + size_t{k} * 4);
      LLMA_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        dots[r][p] = _mm512_dpbusd_epi32(dots[r][p], weights[p], quad);
        KeepInPlace(dots[r][p]);
      }
    }
  }
}

// On Zen 4 vpdpbusd and vmulps share two pipes and the rest of the loop runs
// beside them. A tile needs 16 vpdpbusd and 2 vmulps for each group and vector
// of sums, so 8/9 of the peak of vpdpbusd are to be had: 208 multiply-adds per
// ns at 3.67 GHz. With the weights in the second cache and 48 rows, tiles of
// 8 x 2 reach 200, of 12 x 1 and 4 x 3 about as much, of 4 x 2 196. Blocks that
// take one group through all rows first, from weights made unsigned once, reach
// only 180: they store and reload every sum.
template <int kRows, int kPanels>
void MatmulTile(const LinearWeights& w, uint32_t panel, const int8_t* ahead,
                int ahead_shift, const QuantizedRows& x, uint32_t row, float* y,
                size_t y_stride) {
  const uint32_t num_groups = w.num_groups();
  const int8_t* x_values = x.values + size_t{row} * x.num_cols;
  const float* x_scales = x.scales + size_t{row} * num_groups;
  const int32_t* x_sums = x.sums + size_t{row} * num_groups;
  const size_t w_stride = size_t{kPanelRows} * w.num_cols;
  const int8_t* w_values = w.values + panel * w_stride;
  const size_t w_scales_stride = size_t{num_groups} * kPanelRows;
  const float* w_scales = w.scales + panel * w_scales_stride;

  __m512 sums[kRows][kPanels];
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) sums[r][p] = _mm512_setzero_ps();
  }
  for (uint32_t g = 0; g < num_groups; ++g) {
    __m512i dots[kRows][kPanels];
    DotTile<kRows, kPanels>(x_values, x.num_cols, x_sums, num_groups, w_values,
                            w_stride, ahead, ahead_shift, kGroupSize / 4, dots);
    ahead += kPanels * kPanelRows * kGroupSize >> ahead_shift;
    __m512 w_scale[kPanels];
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      w_scale[p] = _mm512_loadu_ps(w_scales + p * w_scales_stride);
    }
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 x_scale = _mm512_set1_ps(x_scales[r * num_groups]);
      LLMA_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        const __m512 scaled =
            _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][p]), w_scale[p]);
        sums[r][p] = _mm512_add_ps(sums[r][p], _mm512_mul_ps(scaled, x_scale));
      }
    }
    x_values += kGroupSize;
    ++x_scales;
    ++x_sums;
    w_values += kPanelRows * kGroupSize;
    w_scales += kPanelRows;
  }
  float* out = y + size_t{row} * y_stride + size_t{panel} * kPanelRows;
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm512_storeu_ps(out + r * y_stride + p * kPanelRows, sums[r][p]);
    }
  }
}

// All rows of x with kPanels panels.
template <int kPanels>
void MatmulPanels(const LinearWeights& w, uint32_t panel,
                  const QuantizedRows& x, float* y, size_t y_stride) {
  constexpr decltype(&MatmulTile<1, kPanels>) kTiles[kMaxTileRows] = {
      MatmulTile<1, kPanels>, MatmulTile<2, kPanels>, MatmulTile<3, kPanels>,
      MatmulTile<4, kPanels>, MatmulTile<5, kPanels>, MatmulTile<6, kPanels>,
      MatmulTile<7, kPanels>, MatmulTile<8, kPanels>};
  // The tiles together fetch the panels of the next call, each its part, so
  // that weights are read from memory at an even pace while others are used.
  const size_t size_bytes = size_t{kPanels} * kPanelRows * w.num_cols;
  const int8_t* ahead = w.values + size_t{panel} * kPanelRows * w.num_cols;
  if (panel + 2 * kPanels <= w.num_panels()) ahead += size_bytes;
  const uint32_t num_tiles = (x.num_rows + kMaxTileRows - 1) / kMaxTileRows;
  const int ahead_shift = std::bit_width(num_tiles) - 1;
  for (uint32_t row = 0; row < x.num_rows;) {
    const uint32_t rows = TileRows(x.num_rows - row, kMaxTileRows);
    kTiles[rows - 1](w, panel, ahead, ahead_shift, x, row, y, y_stride);
    row += rows;
    ahead += size_bytes >> ahead_shift;
  }
}

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  uint32_t panel = panel_begin;
  for (; panel + 2 <= panel_end; panel += 2) {
    MatmulPanels<2>(w, panel, x, y, y_stride);
  }
  if (panel < panel_end) {
    MatmulPanels<1>(w, panel, x, y, y_stride);
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  __m512 partial = _mm512_setzero_ps();
  for (uint32_t i = 0; i < dim; i += 16) {
    const __m512 v = _mm512_loadu_ps(x + i);
    partial = _mm512_add_ps(partial, _mm512_mul_ps(v, v));
  }
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(partial),
                                     _mm512_extractf32x8_ps(partial, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                                 _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  const __m128 one = _mm_add_ss(two, _mm_movehdup_ps(two));
  const __m128 mean = _mm_div_ss(one, _mm_set_ss(static_cast<float>(dim)));
  const __m128 root = _mm_sqrt_ss(_mm_add_ss(mean, _mm_set_ss(eps)));
  const __m512 inverse =
      _mm512_broadcastss_ps(_mm_div_ss(_mm_set_ss(1.0f), root));
  for (uint32_t i = 0; i < dim; i += 16) {
    _mm512_storeu_ps(
        y + i, _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse),
                             _mm512_loadu_ps(weight + i)));
  }
}

// gate * sigmoid of what has exp2n(t) = e, times up, clamped.
inline __m512 Gate(__m512 g, __m512 e, __m512 u) {
  const __mmask16 negative =
      _mm512_cmp_ps_mask(g, _mm512_setzero_ps(), _CMP_LT_OQ);
  const __m512 numerator = _mm512_mask_mul_ps(g, negative, g, e);
  const __m512 gated = _mm512_mul_ps(
      _mm512_div_ps(numerator, _mm512_add_ps(_mm512_set1_ps(1.0f), e)), u);
  return _mm512_min_ps(_mm512_max_ps(gated, _mm512_set1_ps(-kLargestGated)),
                       _mm512_set1_ps(kLargestGated));
}

// exponent(g) is what exp2n gets, made positive.
template <class Exponent>
inline void GateAll(const float* gate, const float* up, uint32_t size, float* y,
                    const Exponent& exponent) {
  for (uint32_t i = 0; i < size; i += 16) {
    const uint32_t left = size - i;
    const __mmask16 mask = left >= 16
                               ? __mmask16{0xffff}
                               : static_cast<__mmask16>((1u << left) - 1);
    const __m512 g = _mm512_maskz_loadu_ps(mask, gate + i);
    const __m512 u = _mm512_maskz_loadu_ps(mask, up + i);
    const __m512 e = Exp2(_mm512_xor_ps(exponent(g), _mm512_set1_ps(-0.0f)));
    _mm512_mask_storeu_ps(y + i, mask, Gate(g, e, u));
  }
}

struct SiluExponent {
  __m512 operator()(__m512 g) const {
    return _mm512_mul_ps(Abs(g), _mm512_set1_ps(kLog2E));
  }
};

struct GeluExponent {
  __m512 operator()(__m512 g) const {
    const __m512 a = _mm512_min_ps(Abs(g), _mm512_set1_ps(kLargestGeluInput));
    const __m512 square_part = _mm512_mul_ps(
        _mm512_set1_ps(kGeluCoefficients[1]), _mm512_mul_ps(a, a));
    return _mm512_mul_ps(
        a, _mm512_add_ps(_mm512_set1_ps(kGeluCoefficients[0]), square_part));
  }
};

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, SiluExponent());
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, GeluExponent());
}

// How far ahead keys and values are fetched: they come from memory when many
// lanes are decoded.
constexpr size_t kKeysAhead = 4096;

template <bool kWide, int kRows, int kPanels>
void ScoreTile(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
               uint32_t row, float* scores, size_t stride) {
  const size_t k_stride = size_t{kPanelRows} * keys.head_dim;
  __m512i dots[kRows][kPanels];
  DotTile<kRows, kPanels>(q.values + size_t{row} * q.num_cols, q.num_cols,
                          q.sums + row, 1, keys.values + panel * k_stride,
                          k_stride, keys.values + panel * k_stride + kKeysAhead,
                          0, keys.head_dim / 4, dots);
  if constexpr (kWide) {
    const int8_t* low = keys.low_values + panel * k_stride;
    DotTile<kRows, kPanels, 7>(q.values + size_t{row} * q.num_cols, q.num_cols,
                               q.sums + row, 1, low, k_stride, low + kKeysAhead,
                               0, keys.head_dim / 4, dots);
  }
  const size_t pos = size_t{panel} * kPanelRows;
  __m512 k_scale[kPanels];
  LLMA_UNROLL
  for (int p = 0; p < kPanels; ++p) {
    k_scale[p] = _mm512_loadu_ps(keys.scales + pos + p * kPanelRows);
  }
  const float* q_scales = q.scales + row;
  float* out = scores + row * stride + pos;
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512 q_scale = _mm512_set1_ps(q_scales[r]);
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      const __m512 scaled =
          _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][p]), k_scale[p]);
      _mm512_storeu_ps(out + p * kPanelRows, _mm512_mul_ps(scaled, q_scale));
    }
    out += stride;
  }
}

template <bool kWide, int kPanels>
void ScorePanels(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
                 float* scores, size_t stride) {
  constexpr decltype(&ScoreTile<kWide, 1, kPanels>) kTiles[kMaxTileRows] = {
      ScoreTile<kWide, 1, kPanels>, ScoreTile<kWide, 2, kPanels>,
      ScoreTile<kWide, 3, kPanels>, ScoreTile<kWide, 4, kPanels>,
      ScoreTile<kWide, 5, kPanels>, ScoreTile<kWide, 6, kPanels>,
      ScoreTile<kWide, 7, kPanels>, ScoreTile<kWide, 8, kPanels>};
  for (uint32_t row = 0; row < q.num_rows;) {
    const uint32_t rows = TileRows(q.num_rows - row, kMaxTileRows);
    kTiles[rows - 1](keys, panel, q, row, scores, stride);
    row += rows;
  }
}

template <bool kWide>
void ScoreAll(const KeyPanels& keys, const QuantizedRows& q, float* scores,
              size_t stride) {
  uint32_t panel = 0;
  for (; panel + 2 <= keys.num_panels; panel += 2) {
    ScorePanels<kWide, 2>(keys, panel, q, scores, stride);
  }
  if (panel < keys.num_panels) {
    ScorePanels<kWide, 1>(keys, panel, q, scores, stride);
  }
}

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  const auto score_all =
      keys.low_values != nullptr ? ScoreAll<true> : ScoreAll<false>;
  score_all(keys, q, scores, stride);
}

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  __m512 max_lanes = _mm512_loadu_ps(scores);
  for (uint32_t j = 16; j < num_positions; j += 16) {
    max_lanes = _mm512_max_ps(max_lanes, _mm512_loadu_ps(scores + j));
  }
  const __m512 max_score = _mm512_set1_ps(_mm512_reduce_max_ps(max_lanes));
  __m512i denominators = _mm512_setzero_si512();
  __m512 largest_lanes = _mm512_setzero_ps();
  for (uint32_t j = 0; j < num_positions; j += 16) {
    const __m512 t = _mm512_sub_ps(_mm512_loadu_ps(scores + j), max_score);
    const __mmask16 keep = _mm512_cmp_ps_mask(
        t, _mm512_set1_ps(kLowestAttentionExponent), _CMP_GE_OQ);
    const __m512 p = _mm512_maskz_mul_ps(keep, Exp2InRange(t),
                                         _mm512_set1_ps(kDenominatorScale));
    denominators = _mm512_add_epi32(denominators, _mm512_cvtps_epi32(p));
    const __m512 folded = _mm512_mul_ps(p, _mm512_loadu_ps(v_scales + j));
    largest_lanes = _mm512_max_ps(largest_lanes, folded);
    _mm512_storeu_ps(scores + j, folded);
  }
  const float largest = _mm512_reduce_max_ps(largest_lanes);
  const int32_t denominator = _mm512_reduce_add_epi32(denominators);
  const __m512 factor = _mm512_set1_ps(
      largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  for (uint32_t j = 0; j < num_positions; j += 16) {
    const __m512i w =
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(scores + j), factor));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(weights_hi + j),
                     _mm512_cvtepi32_epi8(_mm512_srli_epi32(w, 7)));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(weights_lo + j),
        _mm512_cvtepi32_epi8(_mm512_and_si512(w, _mm512_set1_epi32(127))));
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

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

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  const __m512 lowest = _mm512_set1_ps(-0x1p+126f);
  __m512 max_lanes = lowest;
  for (uint32_t v = 0; v < num_tokens; v += 16) {
    const uint32_t left = num_tokens - v;
    const __mmask16 mask = left >= 16
                               ? __mmask16{0xffff}
                               : static_cast<__mmask16>((1u << left) - 1);
    max_lanes = _mm512_max_ps(max_lanes,
                              _mm512_mask_loadu_ps(lowest, mask, logits + v));
  }
  const __m512 max_logit = _mm512_set1_ps(_mm512_reduce_max_ps(max_lanes));
  const __m512i low_half = _mm512_set1_epi64(0xffffffff);
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    __m512i sum = _mm512_setzero_si512();  // 8 x uint64
    for (uint32_t v = block; v < block + kTokenBlock && v < num_tokens;
         v += 16) {
      const uint32_t left = num_tokens - v;
      const __mmask16 mask = left >= 16
                                 ? __mmask16{0xffff}
                                 : static_cast<__mmask16>((1u << left) - 1);
      const __m512 logit = _mm512_mask_loadu_ps(lowest, mask, logits + v);
      const __m512 p = Exp2(_mm512_mul_ps(_mm512_sub_ps(logit, max_logit),
                                          _mm512_set1_ps(kLog2E)));
      const __m512i weight =
          _mm512_maskz_add_epi32(mask, _mm512_set1_epi32(1),
                                 _mm512_cvttps_epi32(_mm512_mul_ps(
                                     p, _mm512_set1_ps(kTokenWeightScale))));
      _mm512_mask_storeu_epi32(weights + v, mask, weight);
      sum = _mm512_add_epi64(sum, _mm512_and_si512(weight, low_half));
      sum = _mm512_add_epi64(sum, _mm512_srli_epi64(weight, 32));
    }
    block_sums[block / kTokenBlock] =
        static_cast<uint64_t>(_mm512_reduce_add_epi64(sum));
  }
}

bool IsSupported() {
  return __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

}  // namespace

const KernelTable kTable = {
    .name = "avx512vnni",
    .description = "AVX-512 with VNNI",
    .is_supported = IsSupported,
    .quantize_row = QuantizeRow,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .swiglu = SwiGlu,
    .geglu = GeGlu,
    .attention_scores = AttentionScores,
    .attention_weights = AttentionWeights,
    .weighted_value_sums = WeightedValueSums,
    .token_weights = TokenWeights,
};

}  // namespace llma::kernels::avx512vnni

LLMA_TARGET_END
#endif  // defined(__x86_64__)
