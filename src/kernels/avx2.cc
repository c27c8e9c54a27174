// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AVX2, without VNNI and without fused
// multiply-add. Each function equals its namesake in numerics/reference_ops.h;
// comments here only say how, never what.
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "kernels/target_region.h"
#include "numerics/exact_math.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {
namespace {

inline __m256i Load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

inline void Store(void* p, __m256i v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}

// Always inline: GCC drops calls of a function that does nothing but this.
[[gnu::always_inline]] inline void Prefetch(const int8_t* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}

inline __m256i BroadcastQuad(const void* four_bytes) {
  int32_t quad;
  std::memcpy(&quad, four_bytes, 4);
  return _mm256_set1_epi32(quad);
}

inline float MaxLane(__m256 v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

inline int32_t AddLanes(__m256i v) {
  __m128i s =
      _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

inline __m256 Abs(__m256 x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

// The low bytes of 8 int32 in [-128, 127] or [0, 127].
inline void StoreBytes(void* p, __m256i v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v),
                                        _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}

// exact_math.h: Exp2NonPositive. An argument below -126 gives 0.
inline __m256 Exp2(__m256 t) {
  const __m256 n =
      _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256 f = _mm256_sub_ps(t, n);
  __m256 p = _mm256_set1_ps(kExp2Coefficients[3]);
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[2]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[1]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[0]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(1.0f));
  const __m256i bits = _mm256_add_epi32(
      _mm256_castps_si256(p), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23));
  const __m256i keep = _mm256_and_si256(
      _mm256_castps_si256(
          _mm256_cmp_ps(t, _mm256_set1_ps(kExp2Lowest), _CMP_GE_OQ)),
      _mm256_cmpgt_epi32(bits, _mm256_set1_epi32((1 << 23) - 1)));
  return _mm256_castsi256_ps(_mm256_and_si256(bits, keep));
}

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* sums) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    __m256 largest_lanes = _mm256_setzero_ps();
    for (uint32_t i = 0; i < group_size; i += 8) {
      largest_lanes =
          _mm256_max_ps(largest_lanes, Abs(_mm256_loadu_ps(in + i)));
    }
    const float largest = MaxLane(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const __m256 inverse = _mm256_set1_ps(is_zero ? 0.0f : 127.0f / largest);
    __m256i sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < group_size; i += 8) {
      const __m256i q =
          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(in + i), inverse));
      sum = _mm256_add_epi32(sum, q);
      StoreBytes(out + i, q);
    }
    sums[g] = AddLanes(sum);
  }
}

// A panel has 16 rows, two vectors of 8 int32 sums.
constexpr int kHalves = 2;
constexpr int kGroupQuads = kGroupSize / 4;

// Integer dot products of kRows rows of x with the 16 rows of a panel over
// `num_quads` groups of four columns, straight from int8: |x| is unsigned and
// the weights take the sign of x. No pair of products leaves int16:
// 2 * 127 * 127 = 32258 < 2^15. The second cache reads w_ahead bytes ahead.
template <int kRows>
[[gnu::always_inline]] inline void DotNarrow(const int8_t* const (&x)[kRows],
                                             const int8_t* w, size_t w_ahead,
                                             uint32_t num_quads,
                                             __m256i (&dots)[kRows][kHalves]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int r = 0; r < kRows; ++r) {
    for (int h = 0; h < kHalves; ++h) dots[r][h] = _mm256_setzero_si256();
  }
  for (uint32_t k = 0; k < num_quads; ++k) {
    const int8_t* from = w + size_t{k} * 64;
    Prefetch(from + w_ahead);
    const __m256i weights[kHalves] = {Load(from), Load(from + 32)};
    for (int r = 0; r < kRows; ++r) {
      const __m256i quad = BroadcastQuad(x[r] + size_t{k} * 4);
      const __m256i magnitude = _mm256_abs_epi8(quad);
      for (int h = 0; h < kHalves; ++h) {
        const __m256i pairs =
            _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(weights[h], quad));
        dots[r][h] =
            _mm256_add_epi32(dots[r][h], _mm256_madd_epi16(pairs, ones));
      }
    }
  }
}

// sums[8] += (dots * w_scales[8]) * x_scale
inline void AddScaled(__m256i dots, const float* w_scales, float x_scale,
                      float* sums) {
  const __m256 scaled =
      _mm256_mul_ps(_mm256_cvtepi32_ps(dots), _mm256_loadu_ps(w_scales));
  _mm256_storeu_ps(
      sums, _mm256_add_ps(_mm256_loadu_ps(sums),
                          _mm256_mul_ps(scaled, _mm256_set1_ps(x_scale))));
}

template <int kRows>
void NarrowTile(const LinearWeights& w, uint32_t panel, size_t w_ahead,
                const QuantizedRows& x, uint32_t row, float* y,
                size_t y_stride) {
  const uint32_t num_groups = w.num_groups();
  alignas(32) float sums[kRows][kPanelRows] = {};
  for (uint32_t g = 0; g < num_groups; ++g) {
    const int8_t* x_group[kRows];
    for (int r = 0; r < kRows; ++r) {
      x_group[r] = x.values + size_t{row + r} * x.num_cols + g * kGroupSize;
    }
    __m256i dots[kRows][kHalves];
    DotNarrow<kRows>(x_group,
                     w.values + size_t{panel} * kPanelRows * w.num_cols +
                         size_t{g} * kPanelRows * kGroupSize,
                     w_ahead, kGroupQuads, dots);
    const float* w_scales =
        w.scales + (size_t{panel} * num_groups + g) * kPanelRows;
    for (int r = 0; r < kRows; ++r) {
      const float x_scale = x.scales[size_t{row + r} * num_groups + g];
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

void MatmulNarrow(const LinearWeights& w, uint32_t panel_begin,
                  uint32_t panel_end, const QuantizedRows& x, float* y,
                  size_t y_stride) {
  for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
    // Few rows leave the processor waiting for memory, so the first tile
    // fetches the next panel; with four that made it slower.
    size_t w_ahead = x.num_rows < 4 && panel + 1 < panel_end
                         ? size_t{kPanelRows} * w.num_cols
                         : 0;
    for (uint32_t row = 0; row < x.num_rows;) {
      const uint32_t left = x.num_rows - row;
      const uint32_t rows = left >= 4 ? 4 : left >= 2 ? 2 : 1;
      const auto tile = rows == 4   ? NarrowTile<4>
                        : rows == 2 ? NarrowTile<2>
                                    : NarrowTile<1>;
      tile(w, panel, w_ahead, x, row, y, y_stride);
      row += rows;
      w_ahead = 0;
    }
  }
}

// With more rows it pays to widen to int16 once per group: vpmaddwd does half
// the products of vpmaddubsw, but needs neither the signs nor the second
// reduction. On Zen 4 it does 77 instead of 62 multiply-adds per ns with 48
// rows, and as many with 8.
constexpr uint32_t kWideRows = 8;     // rows from which it pays
constexpr uint32_t kBlockRows = 48;   // their sums stay in the first cache,
constexpr uint32_t kBlockPanels = 4;  // beside the weights of one group

// A group of one row, or of half a panel: each quad of columns gives a pair of
// columns 0 and 2 and, 16 places on, a pair of columns 1 and 3.
constexpr int kGroupPairs = 2 * kGroupQuads;
struct WideRow {
  alignas(32) int32_t pairs[kGroupPairs];
};
struct WidePanel {
  alignas(32) int32_t pairs[kGroupPairs][kPanelRows];
};

inline void WidenQuads(const int8_t* quads, int32_t* even, int32_t* odd) {
  const __m256i v = Load(quads);
  Store(even, _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8));
  Store(odd, _mm256_srai_epi16(v, 8));
}

inline void WidenRow(const int8_t* x, WideRow& wide) {
  for (int k = 0; k < kGroupQuads; k += 8) {
    WidenQuads(x + 4 * k, wide.pairs + k, wide.pairs + kGroupQuads + k);
  }
}

inline void WidenPanel(const int8_t* w, size_t w_ahead, WidePanel& wide) {
  for (int k = 0; k < kGroupQuads; ++k) {
    Prefetch(w + w_ahead + 64 * k);
    for (int h = 0; h < kHalves; ++h) {
      WidenQuads(w + 64 * k + 32 * h, wide.pairs[k] + 8 * h,
                 wide.pairs[kGroupQuads + k] + 8 * h);
    }
  }
}

// Keeps GCC from regrouping the additions of a sum, which costs it registers.
inline void KeepOrder(__m256i& sum) { __asm__("" : "+x"(sum)); }

template <int kRows>
[[gnu::always_inline]] inline void DotWide(const WideRow (&x)[kRows],
                                           const WidePanel& w,
                                           __m256i (&dots)[kRows][kHalves]) {
  for (int r = 0; r < kRows; ++r) {
    for (int h = 0; h < kHalves; ++h) dots[r][h] = _mm256_setzero_si256();
  }
  for (int k = 0; k < kGroupPairs; ++k) {
    const __m256i weights[kHalves] = {Load(w.pairs[k]), Load(w.pairs[k] + 8)};
    for (int r = 0; r < kRows; ++r) {
      const __m256i pair = BroadcastQuad(x[r].pairs + k);
      for (int h = 0; h < kHalves; ++h) {
        dots[r][h] =
            _mm256_add_epi32(dots[r][h], _mm256_madd_epi16(weights[h], pair));
        KeepOrder(dots[r][h]);
      }
    }
  }
}

// Adds group g of kRows rows times `num_panels` panels to `sums`.
template <int kRows>
void WideTile(const LinearWeights& w, uint32_t panel, uint32_t num_panels,
              const WidePanel* wide, const QuantizedRows& x, uint32_t row,
              uint32_t g, float (*sums)[kBlockPanels * kPanelRows]) {
  const uint32_t num_groups = w.num_groups();
  WideRow x_wide[kRows];
  for (int r = 0; r < kRows; ++r) {
    WidenRow(x.values + size_t{row + r} * x.num_cols + g * kGroupSize,
             x_wide[r]);
  }
  for (uint32_t p = 0; p < num_panels; ++p) {
    __m256i dots[kRows][kHalves];
    DotWide<kRows>(x_wide, wide[p], dots);
    const float* w_scales =
        w.scales + (size_t{panel + p} * num_groups + g) * kPanelRows;
    for (int r = 0; r < kRows; ++r) {
      const float x_scale = x.scales[size_t{row + r} * num_groups + g];
      for (int h = 0; h < kHalves; ++h) {
        AddScaled(dots[r][h], w_scales + 8 * h, x_scale,
                  sums[r] + p * kPanelRows + 8 * h);
      }
    }
  }
}

void WideBlock(const LinearWeights& w, uint32_t panel, uint32_t num_panels,
               size_t w_ahead, const QuantizedRows& x, uint32_t row_begin,
               uint32_t row_end, float* y, size_t y_stride) {
  alignas(32) float sums[kBlockRows][kBlockPanels * kPanelRows] = {};
  WidePanel wide[kBlockPanels];
  for (uint32_t g = 0; g < w.num_groups(); ++g) {
    for (uint32_t p = 0; p < num_panels; ++p) {
      WidenPanel(w.values + size_t{panel + p} * kPanelRows * w.num_cols +
                     size_t{g} * kPanelRows * kGroupSize,
                 w_ahead, wide[p]);
    }
    uint32_t row = row_begin;
    for (; row + 4 <= row_end; row += 4) {
      WideTile<4>(w, panel, num_panels, wide, x, row, g,
                  sums + (row - row_begin));
    }
    if (row + 2 <= row_end) {
      WideTile<2>(w, panel, num_panels, wide, x, row, g,
                  sums + (row - row_begin));
      row += 2;
    }
    if (row < row_end) {
      WideTile<1>(w, panel, num_panels, wide, x, row, g,
                  sums + (row - row_begin));
    }
  }
  for (uint32_t row = row_begin; row < row_end; ++row) {
    std::memcpy(y + size_t{row} * y_stride + size_t{panel} * kPanelRows,
                sums[row - row_begin], num_panels * kPanelRows * sizeof(float));
  }
}

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  if (x.num_rows < kWideRows) {
    MatmulNarrow(w, panel_begin, panel_end, x, y, y_stride);
    return;
  }
  for (uint32_t panel = panel_begin; panel < panel_end; panel += kBlockPanels) {
    const uint32_t left = panel_end - panel;
    const uint32_t num_panels = left < kBlockPanels ? left : kBlockPanels;
    // The first block of rows fetches the next panels.
    size_t w_ahead = left >= 2 * kBlockPanels
                         ? size_t{kBlockPanels} * kPanelRows * w.num_cols
                         : 0;
    for (uint32_t row = 0; row < x.num_rows; row += kBlockRows) {
      const uint32_t rows_left = x.num_rows - row;
      const uint32_t num_rows = rows_left < kBlockRows ? rows_left : kBlockRows;
      WideBlock(w, panel, num_panels, w_ahead, x, row, row + num_rows, y,
                y_stride);
      w_ahead = 0;
    }
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  for (uint32_t i = 0; i < dim; i += 16) {
    const __m256 v_low = _mm256_loadu_ps(x + i);
    const __m256 v_high = _mm256_loadu_ps(x + i + 8);
    low = _mm256_add_ps(low, _mm256_mul_ps(v_low, v_low));
    high = _mm256_add_ps(high, _mm256_mul_ps(v_high, v_high));
  }
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                                 _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  const __m128 one = _mm_add_ss(two, _mm_movehdup_ps(two));
  const __m128 mean = _mm_div_ss(one, _mm_set_ss(static_cast<float>(dim)));
  const __m128 root = _mm_sqrt_ss(_mm_add_ss(mean, _mm_set_ss(eps)));
  const __m256 inverse =
      _mm256_broadcastss_ps(_mm_div_ss(_mm_set_ss(1.0f), root));
  for (uint32_t i = 0; i < dim; i += 8) {
    _mm256_storeu_ps(
        y + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), inverse),
                             _mm256_loadu_ps(weight + i)));
  }
}

// All ones in the first `size` (at most 8) of 8 lanes.
inline __m256i FirstLanes(uint32_t size) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(size)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline __m256 SwiGluLanes(__m256 g, __m256 u) {
  const __m256 t = _mm256_mul_ps(Abs(g), _mm256_set1_ps(kLog2E));
  const __m256 e = Exp2(_mm256_xor_ps(t, _mm256_set1_ps(-0.0f)));
  const __m256 numerator =
      _mm256_blendv_ps(g, _mm256_mul_ps(g, e),
                       _mm256_cmp_ps(g, _mm256_setzero_ps(), _CMP_LT_OQ));
  const __m256 gated = _mm256_mul_ps(
      _mm256_div_ps(numerator, _mm256_add_ps(_mm256_set1_ps(1.0f), e)), u);
  return _mm256_min_ps(_mm256_max_ps(gated, _mm256_set1_ps(-kLargestGated)),
                       _mm256_set1_ps(kLargestGated));
}

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    _mm256_storeu_ps(
        y + i, SwiGluLanes(_mm256_loadu_ps(gate + i), _mm256_loadu_ps(up + i)));
  }
  if (i < size) {
    const __m256i mask = FirstLanes(size - i);
    _mm256_maskstore_ps(y + i, mask,
                        SwiGluLanes(_mm256_maskload_ps(gate + i, mask),
                                    _mm256_maskload_ps(up + i, mask)));
  }
}

template <int kRows>
void ScoreTile(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
               uint32_t row, float* scores, size_t stride) {
  const int8_t* q_rows[kRows];
  for (int r = 0; r < kRows; ++r) {
    q_rows[r] = q.values + size_t{row + r} * q.num_cols;
  }
  const size_t pos = size_t{panel} * kPanelRows;
  __m256i dots[kRows][kHalves];
  DotNarrow<kRows>(q_rows, keys.values + pos * keys.head_dim, 0,
                   keys.head_dim / 4, dots);
  for (int r = 0; r < kRows; ++r) {
    const __m256 q_scale = _mm256_set1_ps(q.scales[row + r]);
    for (int h = 0; h < kHalves; ++h) {
      const __m256 k_scale = _mm256_loadu_ps(keys.scales + pos + 8 * h);
      _mm256_storeu_ps(
          scores + (row + r) * stride + pos + 8 * h,
          _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dots[r][h]), k_scale),
                        q_scale));
    }
  }
}

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  for (uint32_t panel = 0; panel < keys.num_panels; ++panel) {
    uint32_t row = 0;
    for (; row + 3 <= q.num_rows; row += 3) {
      ScoreTile<3>(keys, panel, q, row, scores, stride);
    }
    for (; row < q.num_rows; ++row) {
      ScoreTile<1>(keys, panel, q, row, scores, stride);
    }
  }
}

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  __m256 max_lanes = _mm256_loadu_ps(scores);
  for (uint32_t j = 8; j < num_positions; j += 8) {
    max_lanes = _mm256_max_ps(max_lanes, _mm256_loadu_ps(scores + j));
  }
  const __m256 max_score = _mm256_set1_ps(MaxLane(max_lanes));
  __m256i denominators = _mm256_setzero_si256();
  __m256 largest_lanes = _mm256_setzero_ps();
  for (uint32_t j = 0; j < num_positions; j += 8) {
    const __m256 t = _mm256_sub_ps(_mm256_loadu_ps(scores + j), max_score);
    const __m256 keep =
        _mm256_cmp_ps(t, _mm256_set1_ps(kLowestAttentionExponent), _CMP_GE_OQ);
    const __m256 p = _mm256_and_ps(
        keep, _mm256_mul_ps(Exp2(t), _mm256_set1_ps(kDenominatorScale)));
    denominators = _mm256_add_epi32(denominators, _mm256_cvtps_epi32(p));
    const __m256 folded = _mm256_mul_ps(p, _mm256_loadu_ps(v_scales + j));
    largest_lanes = _mm256_max_ps(largest_lanes, folded);
    _mm256_storeu_ps(scores + j, folded);
  }
  const float largest = MaxLane(largest_lanes);
  const int32_t denominator = AddLanes(denominators);
  const __m256 factor = _mm256_set1_ps(
      largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  for (uint32_t j = 0; j < num_positions; j += 8) {
    const __m256i w =
        _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(scores + j), factor));
    StoreBytes(weights_hi + j, _mm256_srli_epi32(w, 7));
    StoreBytes(weights_lo + j, _mm256_and_si256(w, _mm256_set1_epi32(127)));
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

// kQueries queries, 16 dims starting at dim. The halves of the weights are at
// most 127, so no pair of products leaves int16, as in DotNarrow.
template <int kQueries>
void ValueTile(const ValuePanels& v, const uint8_t* weights_hi,
               const uint8_t* weights_lo, size_t weights_stride, uint32_t query,
               uint32_t dim, int32_t* sums_hi, int32_t* sums_lo) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i hi[kQueries][kHalves], lo[kQueries][kHalves];
  for (int i = 0; i < kQueries; ++i) {
    for (int h = 0; h < kHalves; ++h) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 8 * h;
      hi[i][h] = Load(sums_hi + idx);
      lo[i][h] = Load(sums_lo + idx);
    }
  }
  for (uint32_t pos = 0; pos < v.num_positions; pos += 4) {
    const int8_t* quad = v.values + size_t{pos} * v.head_dim + size_t{dim} * 4;
    const __m256i values[kHalves] = {Load(quad), Load(quad + 32)};
    for (int i = 0; i < kQueries; ++i) {
      const size_t idx = size_t{query + i} * weights_stride + pos;
      const __m256i w_hi = BroadcastQuad(weights_hi + idx);
      const __m256i w_lo = BroadcastQuad(weights_lo + idx);
      for (int h = 0; h < kHalves; ++h) {
        hi[i][h] = _mm256_add_epi32(
            hi[i][h],
            _mm256_madd_epi16(_mm256_maddubs_epi16(w_hi, values[h]), ones));
        lo[i][h] = _mm256_add_epi32(
            lo[i][h],
            _mm256_madd_epi16(_mm256_maddubs_epi16(w_lo, values[h]), ones));
      }
    }
  }
  for (int i = 0; i < kQueries; ++i) {
    for (int h = 0; h < kHalves; ++h) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 8 * h;
      Store(sums_hi + idx, hi[i][h]);
      Store(sums_lo + idx, lo[i][h]);
    }
  }
}

void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  for (uint32_t dim = 0; dim < v.head_dim; dim += 16) {
    uint32_t query = 0;
    for (; query + 2 <= num_queries; query += 2) {
      ValueTile<2>(v, weights_hi, weights_lo, weights_stride, query, dim,
                   sums_hi, sums_lo);
    }
    if (query < num_queries) {
      ValueTile<1>(v, weights_hi, weights_lo, weights_stride, query, dim,
                   sums_hi, sums_lo);
    }
  }
}

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  const __m256 lowest = _mm256_set1_ps(-0x1p+126f);
  const uint32_t num_whole = num_tokens / 8 * 8;
  const __m256i tail = FirstLanes(num_tokens - num_whole);
  // Lanes behind the end are as small as can be.
  const __m256 tail_logits =
      _mm256_blendv_ps(lowest, _mm256_maskload_ps(logits + num_whole, tail),
                       _mm256_castsi256_ps(tail));
  __m256 max_lanes = tail_logits;
  for (uint32_t v = 0; v < num_whole; v += 8) {
    max_lanes = _mm256_max_ps(max_lanes, _mm256_loadu_ps(logits + v));
  }
  const __m256 max_logit = _mm256_set1_ps(MaxLane(max_lanes));
  const __m256i low_half = _mm256_set1_epi64x(0xffffffff);
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    __m256i sum = _mm256_setzero_si256();  // 4 x uint64
    for (uint32_t v = block; v < block + kTokenBlock && v < num_tokens;
         v += 8) {
      const bool is_whole = v < num_whole;
      const __m256 logit = is_whole ? _mm256_loadu_ps(logits + v) : tail_logits;
      const __m256 p = Exp2(_mm256_mul_ps(_mm256_sub_ps(logit, max_logit),
                                          _mm256_set1_ps(kLog2E)));
      __m256i weight = _mm256_add_epi32(
          _mm256_set1_epi32(1), _mm256_cvttps_epi32(_mm256_mul_ps(
                                    p, _mm256_set1_ps(kTokenWeightScale))));
      if (is_whole) {
        Store(weights + v, weight);
      } else {
        weight = _mm256_and_si256(weight, tail);
        _mm256_maskstore_epi32(reinterpret_cast<int*>(weights + v), tail,
                               weight);
      }
      sum = _mm256_add_epi64(sum, _mm256_and_si256(weight, low_half));
      sum = _mm256_add_epi64(sum, _mm256_srli_epi64(weight, 32));
    }
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sum),
                                      _mm256_extracti128_si256(sum, 1));
    block_sums[block / kTokenBlock] = static_cast<uint64_t>(
        _mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))));
  }
}

bool IsSupported() { return __builtin_cpu_supports("avx2"); }

}  // namespace

const KernelTable kTable = {
    .name = "avx2",
    .description = "AVX2",
    .is_supported = IsSupported,
    .quantize_row = QuantizeRow,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .swiglu = SwiGlu,
    .attention_scores = AttentionScores,
    .attention_weights = AttentionWeights,
    .weighted_value_sums = WeightedValueSums,
    .token_weights = TokenWeights,
};

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
