// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AVX2, without VNNI and without fused
// multiply-add. Each function equals its namesake in numerics/reference_ops.h;
// comments here only say how, never what.
#include "kernels/avx2_shared.h"
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "kernels/target_region.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {
namespace {

constexpr int kGroupQuads = kGroupSize / 4;

// Adds to `dots` the integer dot products of kRows rows of x with the 16 rows
// of a panel over `num_quads` groups of four columns, straight from int8: |x|
// is unsigned and the weights take the sign of x. No pair of products leaves
// int16: 2 * 127 * 127 = 32258 < 2^15. The second cache reads w_ahead bytes
// ahead.
template <int kRows>
[[gnu::always_inline]] inline void AddDots(const int8_t* const (&x)[kRows],
                                           const int8_t* w, size_t w_ahead,
                                           uint32_t num_quads,
                                           __m256i (&dots)[kRows][kHalves]) {
  const __m256i ones = _mm256_set1_epi16(1);
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

template <int kRows>
[[gnu::always_inline]] inline void DotNarrow(const int8_t* const (&x)[kRows],
                                             const int8_t* w, size_t w_ahead,
                                             uint32_t num_quads,
                                             __m256i (&dots)[kRows][kHalves]) {
  for (int r = 0; r < kRows; ++r) {
    for (int h = 0; h < kHalves; ++h) dots[r][h] = _mm256_setzero_si256();
  }
  AddDots<kRows>(x, w, w_ahead, num_quads, dots);
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
// columns 0 and 2 and, 16 elements on, a pair of columns 1 and 3.
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
  if (keys.low_values != nullptr) {
    for (int r = 0; r < kRows; ++r) {
      for (int h = 0; h < kHalves; ++h) {
        dots[r][h] = _mm256_slli_epi32(dots[r][h], 7);
      }
    }
    AddDots<kRows>(q_rows, keys.low_values + pos * keys.head_dim, 0,
                   keys.head_dim / 4, dots);
  }
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

bool IsSupported() { return __builtin_cpu_supports("avx2"); }

}  // namespace

const KernelTable kTable = {
    .name = "avx2",
    .description = "AVX2",
    .is_supported = IsSupported,
    .extra_row_cost = 0.25f,
    .quantize_row = QuantizeRow,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .swiglu = SwiGlu,
    .geglu = GeGlu,
    .attention_scores = AttentionScores,
    .attention_weights = AttentionWeights,
    .weighted_value_sums = WeightedValueSums,
    .join_value_sums = JoinValueSums,
    .token_weights = TokenWeights,
    .learning = &kLearning,
    .mixer_dot = MixerDot,
    .mixer_train = MixerTrain,
    .wide_mixer_dot = WideMixerDot,
    .wide_mixer_train = WideMixerTrain,
    .light_mixer_dot = LightMixerDot,
    .light_mixer_train = LightMixerTrain,
};

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
