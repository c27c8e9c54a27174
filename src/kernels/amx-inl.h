// SPDX-License-Identifier: Apache-2.0
// Products of int8 matrices by tiles, as AMX has them: 8 registers of up to 16
// rows of 64 bytes. Each function equals its namesake in
// numerics/reference_ops.h; comments here only say how, never what.
//
// `Tiles` is the processor's, or a model of it in software. For tiles C, A, B:
//   Configure(shapes): sets their shapes and zeroes them; Release(): of none
//   Zero<C>(), Load<A>(from, row_bytes), Store<C>(to, row_bytes)
//   AddProducts<C, A, B>(): C[i, j] += sum over k of A[i, k] * B[k, j], where a
//     row of B has 4 values of k for each j, one after the other, as panels do
#ifndef LLMA_KERNELS_AMX_INL_H_
#define LLMA_KERNELS_AMX_INL_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/avx512_intrinsics.h"
#include "kernels/avx512vnni_tile.h"
#include "kernels/target_region.h"
#include "kernels/tile_rows.h"
#include "numerics/reference_ops.h"

#define LLMA_AMX_TARGET \
  "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8,prfchw"
LLMA_TARGET_BEGIN(LLMA_AMX_TARGET)

namespace llma::kernels::amx {

inline constexpr uint32_t kTileRows = 16;
inline constexpr size_t kTileRowBytes = 64;

// What ldtilecfg reads.
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void Set(int tile, uint32_t num_rows, size_t bytes = kTileRowBytes) {
    rows[tile] = static_cast<uint8_t>(num_rows);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
};
static_assert(sizeof(TileShapes) == 64);

// With fewer rows of activations, or queries, the kernels of AVX-512 VNNI are
// used: a tile of weights takes as long to load for one row as for 16.
inline constexpr uint32_t kMinRows = 4;
inline constexpr uint32_t kMinQueries = 8;

// W's panels with all rows of x, kRows at a time; the last rows are those that
// end with x, so that some may be computed twice.
//
// A tile of sums goes to memory before vectors can take it. So three products
// are under way: one is multiplied, one is stored when it is surely done (a
// store right behind its product waits for it, and everything else behind the
// store), one is scaled.
template <class Tiles, int kRows>
class PanelProducts {
 public:
  PanelProducts(const LinearWeights& w, uint32_t panel_begin,
                uint32_t panel_end, const QuantizedRows& x, float* y,
                size_t y_stride)
      : x_(x),
        num_groups_(w.num_groups()),
        last_row_(x.num_rows - kRows),
        panel_bytes_(size_t{kPanelRows} * w.num_cols),
        y_stride_(y_stride) {
    const uint32_t num_blocks = (x.num_rows + kRows - 1) / kRows;
    num_products_ = size_t{panel_end - panel_begin} * num_blocks * num_groups_;
    started_.values = w.values + panel_begin * panel_bytes_;
    started_.scales = w.scales + size_t{panel_begin} * kPanelRows * num_groups_;
    started_.y = y + size_t{panel_begin} * kPanelRows;
    added_ = started_;
    last_values_ = w.values + (w.num_panels() - 1) * panel_bytes_;
    const int shift = std::bit_width(num_blocks) - 1;
    pairs_ahead_ = shift < 3 ? 8u >> shift : 1u;
    rows_ahead_ = (kRows + num_groups_ - 1) / num_groups_;
  }

  void Run() {
    // Not members, since what tiles read and write is not kept in registers.
    alignas(64) int32_t products[2][kRows * 16];
    __m512 sums[kRows];
    Clear(sums);
    for (size_t i = 0; i < num_products_ + kScaleAfter; i += 4) {
      Step<0>(i, products, sums);
      Step<1>(i + 1, products, sums);
      Step<2>(i + 2, products, sums);
      Step<3>(i + 3, products, sums);
    }
  }

 private:
  static constexpr size_t kPairBytes = 128;
  static constexpr size_t kStoreAfter = 2;
  static constexpr size_t kScaleAfter = 3;

  // Of a panel, a block of rows of x, and a group of columns.
  struct ProductIndex {
    const int8_t* values;  // of the panel
    const float* scales;
    float* y;  // of the panel and row 0
    uint32_t row = 0;
    uint32_t group = 0;
  };

  [[gnu::always_inline]] static void Clear(__m512 (&sums)[kRows]) {
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r] = _mm512_setzero_ps();
  }

  // One product after the other, each in a tile of its own.
  template <int kTile>
  [[gnu::always_inline]] void Step(size_t i, int32_t (&products)[2][kRows * 16],
                                   __m512 (&sums)[kRows]) {
    if (i < num_products_) Start<kTile>();
    // Before the first there is none: the difference is huge.
    if (i - kStoreAfter < num_products_) {
      Tiles::template Store<(kTile + 4 - kStoreAfter) % 4>(
          products[(kTile + kStoreAfter) % 2], kTileRowBytes);
    }
    if (i - kScaleAfter < num_products_) {
      Add(products[(kTile + kScaleAfter) % 2], sums);
    }
  }

  // Tiles 0 to 3 are products, 4 and 6 rows of x, 5 and 7 weights.
  template <int kTile>
  [[gnu::always_inline]] void Start() {
    constexpr int kX = kTile % 2 == 0 ? 4 : 6;
    const size_t column = size_t{started_.group} * kGroupSize;
    Tiles::template Zero<kTile>();
    Tiles::template Load<kX>(
        x_.values + size_t{started_.row} * x_.num_cols + column, x_.num_cols);
    Tiles::template Load<kX + 1>(started_.values + column * kPanelRows,
                                 kTileRowBytes);
    Tiles::template AddProducts<kTile, kX, kX + 1>();
    FetchAhead();
    Advance(started_);
  }

  // A part of the next panel, whose lines arrive in pairs; the blocks of rows
  // together fetch all of it. And lines of y, which are far from each other,
  // before sums are stored there.
  [[gnu::always_inline]] void FetchAhead() {
    if ((started_.row | started_.group) == 0) {
      const bool is_last = started_.values == last_values_;
      ahead_ = started_.values + (is_last ? 0 : panel_bytes_);
      ahead_end_ = ahead_ + panel_bytes_;
      scales_ahead_ =
          started_.scales + (is_last ? 0 : size_t{kPanelRows} * num_groups_);
    }
    if (ahead_ != ahead_end_) {
      const int8_t* const ahead = ahead_;
      for (uint32_t pair = 0; pair < pairs_ahead_; ++pair) {
        _mm_prefetch(reinterpret_cast<const char*>(ahead) + pair * kPairBytes,
                     _MM_HINT_T1);
      }
      ahead_ = ahead + pairs_ahead_ * kPairBytes;
    }
    _mm_prefetch(reinterpret_cast<const char*>(scales_ahead_ +
                                               started_.group * kPanelRows),
                 _MM_HINT_T1);
    const uint32_t begin = started_.group * rows_ahead_;
    const uint32_t end = std::min<uint32_t>(begin + rows_ahead_, kRows);
    for (uint32_t r = begin; r < end; ++r) {
      __builtin_prefetch(started_.y + (started_.row + r) * y_stride_, 1);
    }
  }

  // To the next group, and after the last one to the next rows or panel.
  [[gnu::always_inline]] void Advance(ProductIndex& product) const {
    if (++product.group < num_groups_) return;
    product.group = 0;
    if (product.row != last_row_) {
      product.row = std::min(product.row + kRows, last_row_);
      return;
    }
    product.row = 0;
    product.values += panel_bytes_;
    product.scales += size_t{kPanelRows} * num_groups_;
    product.y += kPanelRows;
  }

  [[gnu::always_inline]] void Add(const int32_t* products,
                                  __m512 (&sums)[kRows]) {
    const __m512 w_scale =
        _mm512_loadu_ps(added_.scales + size_t{added_.group} * kPanelRows);
    const float* x_scales =
        x_.scales + size_t{added_.row} * num_groups_ + added_.group;
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 dots =
          _mm512_cvtepi32_ps(_mm512_load_si512(products + r * 16));
      const __m512 scaled = _mm512_mul_ps(dots, w_scale);
      const __m512 x_scale = _mm512_set1_ps(x_scales[r * size_t{num_groups_}]);
      sums[r] = _mm512_add_ps(sums[r], _mm512_mul_ps(scaled, x_scale));
    }
    if (added_.group + 1 == num_groups_) {
      float* const out = added_.y + added_.row * y_stride_;
      LLMA_UNROLL
      for (int r = 0; r < kRows; ++r) {
        _mm512_storeu_ps(out + r * y_stride_, sums[r]);
      }
      Clear(sums);
    }
    Advance(added_);
  }

  const QuantizedRows x_;
  const uint32_t num_groups_;
  const uint32_t last_row_;
  const size_t panel_bytes_;
  const size_t y_stride_;
  size_t num_products_;
  ProductIndex started_, added_;
  uint32_t pairs_ahead_, rows_ahead_;  // to fetch for each product
  const int8_t* last_values_;          // of W's last panel
  const int8_t* ahead_;
  const int8_t* ahead_end_;
  const float* scales_ahead_;
};

template <class Tiles, int kRows>
void MatmulRows(const LinearWeights& w, uint32_t panel_begin,
                uint32_t panel_end, const QuantizedRows& x, float* y,
                size_t y_stride) {
  TileShapes shapes;
  for (int tile = 0; tile < 8; ++tile) {
    shapes.Set(tile, tile == 5 || tile == 7 ? kTileRows : kRows);
  }
  Tiles::Configure(shapes);
  PanelProducts<Tiles, kRows>(w, panel_begin, panel_end, x, y, y_stride).Run();
  Tiles::Release();
}

template <class Tiles>
void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  if (x.num_rows < kMinRows) {
    avx512vnni::Matmul(w, panel_begin, panel_end, x, y, y_stride);
    return;
  }
  constexpr decltype(&MatmulRows<Tiles, kMinRows>) kByRows[] = {
      MatmulRows<Tiles, 4>,  MatmulRows<Tiles, 5>,  MatmulRows<Tiles, 6>,
      MatmulRows<Tiles, 7>,  MatmulRows<Tiles, 8>,  MatmulRows<Tiles, 9>,
      MatmulRows<Tiles, 10>, MatmulRows<Tiles, 11>, MatmulRows<Tiles, 12>,
      MatmulRows<Tiles, 13>, MatmulRows<Tiles, 14>, MatmulRows<Tiles, 15>,
      MatmulRows<Tiles, 16>};
  kByRows[TileRows(x.num_rows, kTileRows) - kMinRows](w, panel_begin, panel_end,
                                                      x, y, y_stride);
}

// Scores of `rows` queries from `row` on. Tiles 0 and 1 are products, 2 and 3
// keys, 4 to 7 queries, 64 dimensions each.
template <class Tiles>
class QueryScores {
 public:
  static constexpr uint32_t kMaxHeadDim = 4 * kTileRowBytes;

  QueryScores(const KeyPanels& keys, const QuantizedRows& q, uint32_t row,
              uint32_t rows, float* scores, size_t stride)
      : keys_(keys),
        q_scales_(q.scales + row),
        rows_(rows),
        scores_(scores + row * stride),
        stride_(stride),
        num_parts_(keys.head_dim / 64) {
    const int8_t* values = q.values + size_t{row} * keys.head_dim;
    Tiles::template Load<4>(values, keys.head_dim);
    if (num_parts_ > 1) Tiles::template Load<5>(values + 64, keys.head_dim);
    if (num_parts_ > 2) Tiles::template Load<6>(values + 128, keys.head_dim);
    if (num_parts_ > 3) Tiles::template Load<7>(values + 192, keys.head_dim);
  }

  void Run() {
    alignas(64) int32_t products[2][kTileRows * 16];
    for (uint32_t panel = 0; panel < keys_.num_panels + 2; panel += 2) {
      Step<0>(panel, products);
      Step<1>(panel + 1, products);
    }
  }

 private:
  // One panel is multiplied, the one before stored, the one before that scaled,
  // as in PanelProducts.
  template <int kTile>
  [[gnu::always_inline]] void Step(uint32_t panel,
                                   int32_t (&products)[2][kTileRows * 16]) {
    if (panel < keys_.num_panels) Start<kTile>(panel);
    // Before the first there is none: the difference is huge.
    if (panel - 1 < keys_.num_panels) {
      Tiles::template Store<1 - kTile>(products[1 - kTile], kTileRowBytes);
    }
    if (panel - 2 < keys_.num_panels) Scale(panel - 2, products[kTile]);
  }

  template <int kTile>
  [[gnu::always_inline]] void Start(uint32_t panel) {
    const int8_t* values =
        keys_.values + size_t{panel} * kPanelRows * keys_.head_dim;
    Tiles::template Zero<kTile>();
    AddPart<kTile, 0>(values);
    if (num_parts_ > 1) AddPart<kTile, 1>(values);
    if (num_parts_ > 2) AddPart<kTile, 2>(values);
    if (num_parts_ > 3) AddPart<kTile, 3>(values);
  }

  template <int kTile, int kPart>
  [[gnu::always_inline]] static void AddPart(const int8_t* values) {
    constexpr int kKeys = 2 + (kTile + kPart) % 2;
    Tiles::template Load<kKeys>(values + kPart * kTileRows * kTileRowBytes,
                                kTileRowBytes);
    Tiles::template AddProducts<kTile, 4 + kPart, kKeys>();
  }

  [[gnu::always_inline]] void Scale(uint32_t panel,
                                    const int32_t* products) const {
    const size_t position = size_t{panel} * kPanelRows;
    const __m512 k_scale = _mm512_loadu_ps(keys_.scales + position);
    for (uint32_t r = 0; r < rows_; ++r) {
      const __m512 dots =
          _mm512_cvtepi32_ps(_mm512_load_si512(products + r * 16));
      const __m512 scaled = _mm512_mul_ps(dots, k_scale);
      _mm512_storeu_ps(scores_ + r * stride_ + position,
                       _mm512_mul_ps(scaled, _mm512_set1_ps(q_scales_[r])));
    }
  }

  const KeyPanels keys_;
  const float* const q_scales_;
  const uint32_t rows_;
  float* const scores_;
  const size_t stride_;
  const uint32_t num_parts_;
};

template <class Tiles>
void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  if (q.num_rows < kMinQueries || keys.low_values != nullptr ||
      keys.head_dim % 64 != 0 ||
      keys.head_dim > QueryScores<Tiles>::kMaxHeadDim) {
    avx512vnni::AttentionScores(keys, q, scores, stride);
    return;
  }
  const uint32_t rows = TileRows(q.num_rows, kTileRows);
  TileShapes shapes;
  for (int tile = 0; tile < 8; ++tile) {
    shapes.Set(tile, tile == 2 || tile == 3 ? kTileRows : rows);
  }
  Tiles::Configure(shapes);
  for (uint32_t row = 0; row < q.num_rows; row += rows) {
    QueryScores<Tiles>(keys, q, std::min(row, q.num_rows - rows), rows, scores,
                       stride)
        .Run();
  }
  Tiles::Release();
}

// `num_positions` (a multiple of 64) for some queries, 16 * kParts dimensions.
// Tiles 0 to 3 are sums, of high weights and low ones; 4 and 5 these weights; 6
// and 7 values.
template <class Tiles, int kParts>
void AddValues(const int8_t* values, uint32_t num_positions, uint32_t head_dim,
               const uint8_t* weights_hi, const uint8_t* weights_lo,
               size_t weights_stride, int32_t* sums_hi, int32_t* sums_lo) {
  const size_t row_bytes = size_t{head_dim} * sizeof(int32_t);
  Tiles::template Load<0>(sums_hi, row_bytes);
  Tiles::template Load<1>(sums_lo, row_bytes);
  if constexpr (kParts == 2) {
    Tiles::template Load<2>(sums_hi + 16, row_bytes);
    Tiles::template Load<3>(sums_lo + 16, row_bytes);
  }
  for (uint32_t pos = 0; pos < num_positions; pos += 64) {
    Tiles::template Load<4>(weights_hi + pos, weights_stride);
    Tiles::template Load<5>(weights_lo + pos, weights_stride);
    // A row has four positions of each dimension.
    const int8_t* rows = values + size_t{pos} * head_dim;
    Tiles::template Load<6>(rows, row_bytes);
    Tiles::template AddProducts<0, 4, 6>();
    Tiles::template AddProducts<1, 5, 6>();
    if constexpr (kParts == 2) {
      Tiles::template Load<7>(rows + 64, row_bytes);
      Tiles::template AddProducts<2, 4, 7>();
      Tiles::template AddProducts<3, 5, 7>();
    }
  }
  Tiles::template Store<0>(sums_hi, row_bytes);
  Tiles::template Store<1>(sums_lo, row_bytes);
  if constexpr (kParts == 2) {
    Tiles::template Store<2>(sums_hi + 16, row_bytes);
    Tiles::template Store<3>(sums_lo + 16, row_bytes);
  }
}

template <class Tiles>
void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  const uint32_t whole =
      num_queries < kMinQueries ? 0 : v.num_positions / 64 * 64;
  uint32_t rows = 0;
  for (uint32_t query = 0; whole > 0 && query < num_queries; query += rows) {
    const uint32_t next = TileRows(num_queries - query, kTileRows);
    if (next != rows) {
      rows = next;
      TileShapes shapes;
      for (int tile = 0; tile < 6; ++tile) shapes.Set(tile, rows);
      shapes.Set(6, kTileRows);
      shapes.Set(7, kTileRows);
      Tiles::Configure(shapes);
    }
    const uint8_t* hi = weights_hi + query * weights_stride;
    const uint8_t* lo = weights_lo + query * weights_stride;
    uint32_t dim = 0;
    for (; dim + 32 <= v.head_dim; dim += 32) {
      const size_t idx = size_t{query} * v.head_dim + dim;
      AddValues<Tiles, 2>(v.values + size_t{dim} * 4, whole, v.head_dim, hi, lo,
                          weights_stride, sums_hi + idx, sums_lo + idx);
    }
    if (dim < v.head_dim) {
      const size_t idx = size_t{query} * v.head_dim + dim;
      AddValues<Tiles, 1>(v.values + size_t{dim} * 4, whole, v.head_dim, hi, lo,
                          weights_stride, sums_hi + idx, sums_lo + idx);
    }
  }
  if (whole > 0) Tiles::Release();
  if (whole < v.num_positions) {
    const ValuePanels rest = {v.values + size_t{whole} * v.head_dim,
                              v.num_positions - whole, v.head_dim};
    avx512vnni::WeightedValueSums(rest, weights_hi + whole, weights_lo + whole,
                                  weights_stride, num_queries, sums_hi,
                                  sums_lo);
  }
}

}  // namespace llma::kernels::amx

LLMA_TARGET_END
#endif  // LLMA_KERNELS_AMX_INL_H_
