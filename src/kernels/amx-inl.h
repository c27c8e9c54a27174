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
  "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8"
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

// With fewer rows of activations the kernels of AVX-512 VNNI are used: a tile
// of weights takes as long to load for one row as for 16.
inline constexpr uint32_t kMinRows = 8;

// Products that are under way while those before them are scaled: a tile goes
// to memory before vectors can take its sums.
inline constexpr int kInFlight = 4;

// A block of rows of x, and a group of columns.
struct TileIndex {
  uint32_t row = 0;
  uint32_t group = 0;
};

// Tiles 0 to 3 are products, 4 and 6 rows of x, 5 and 7 weights.
template <class Tiles, int kSlot>
[[gnu::always_inline]] inline void StartProducts(const int8_t* x,
                                                 size_t x_stride,
                                                 const int8_t* w,
                                                 int32_t* products) {
  constexpr int kX = kSlot % 2 == 0 ? 4 : 6;
  Tiles::template Zero<kSlot>();
  Tiles::template Load<kX>(x, x_stride);
  Tiles::template Load<kX + 1>(w, kTileRowBytes);
  Tiles::template AddProducts<kSlot, kX, kX + 1>();
  Tiles::template Store<kSlot>(products, kTileRowBytes);
}

// One panel of W with all rows of x, kRows at a time; the last rows are those
// that end with x, so that some may be computed twice.
template <class Tiles, int kRows>
class PanelProduct {
 public:
  PanelProduct(const LinearWeights& w, uint32_t panel, const QuantizedRows& x,
               float* y, size_t y_stride)
      : x_(x),
        values_(w.values + size_t{panel} * kPanelRows * w.num_cols),
        scales_(w.scales + size_t{panel} * kPanelRows * w.num_groups()),
        num_groups_(w.num_groups()),
        y_(y + size_t{panel} * kPanelRows),
        y_stride_(y_stride) {
    const uint32_t num_blocks = (x.num_rows + kRows - 1) / kRows;
    num_products_ = num_blocks * num_groups_;
    const bool is_last = panel + 1 >= w.num_panels();
    ahead_ = is_last ? values_ : values_ + size_t{kPanelRows} * w.num_cols;
    scales_ahead_ = is_last ? scales_ : scales_ + kPanelRows * num_groups_;
    const int shift = std::bit_width(num_blocks) - 1;
    lines_ahead_ = shift < 4 ? 16u >> shift : 1u;
  }

  void Run() {
    // Not members, since what tiles read and write is not kept in registers.
    alignas(64) int32_t products[kInFlight][kRows * 16];
    __m512 sums[kRows];
    Clear(sums);
    Start<0>(products);
    Start<1>(products);
    Start<2>(products);
    for (uint32_t i = 0; i < num_products_; i += kInFlight) {
      Start<3>(products);
      Add(products[0], sums);
      if (i + 1 >= num_products_) break;
      Start<0>(products);
      Add(products[1], sums);
      if (i + 2 >= num_products_) break;
      Start<1>(products);
      Add(products[2], sums);
      if (i + 3 >= num_products_) break;
      Start<2>(products);
      Add(products[3], sums);
    }
  }

 private:
  [[gnu::always_inline]] static void Clear(__m512 (&sums)[kRows]) {
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r] = _mm512_setzero_ps();
  }

  // Returns whether the group was the last one.
  [[gnu::always_inline]] bool Advance(TileIndex& tile) const {
    if (++tile.group < num_groups_) return false;
    tile.group = 0;
    tile.row = std::min(tile.row + kRows, x_.num_rows - kRows);
    return true;
  }

  // Nothing, once all are started.
  template <int kSlot>
  [[gnu::always_inline]] void Start(
      int32_t (&products)[kInFlight][kRows * 16]) {
    if (num_started_ == num_products_) return;
    ++num_started_;
    const size_t column = size_t{started_.group} * kGroupSize;
    StartProducts<Tiles, kSlot>(
        x_.values + size_t{started_.row} * x_.num_cols + column, x_.num_cols,
        values_ + column * kPanelRows, products[kSlot]);
    // The blocks of rows together fetch the next panel.
    const int8_t* const ahead = ahead_;
    for (uint32_t line = 0; line < lines_ahead_; ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead) + line * 64,
                   _MM_HINT_T1);
    }
    ahead_ = ahead + lines_ahead_ * size_t{64};
    _mm_prefetch(reinterpret_cast<const char*>(scales_ahead_ +
                                               started_.group * kPanelRows),
                 _MM_HINT_T1);
    Advance(started_);
  }

  [[gnu::always_inline]] void Add(const int32_t* products,
                                  __m512 (&sums)[kRows]) {
    const __m512 w_scale =
        _mm512_loadu_ps(scales_ + size_t{added_.group} * kPanelRows);
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
    float* out = y_ + added_.row * y_stride_;
    if (!Advance(added_)) return;
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      _mm512_storeu_ps(out + r * y_stride_, sums[r]);
    }
    Clear(sums);
  }

  const QuantizedRows x_;
  const int8_t* const values_;
  const float* const scales_;
  const uint32_t num_groups_;
  float* const y_;
  const size_t y_stride_;
  uint32_t num_products_;
  uint32_t num_started_ = 0;
  TileIndex started_, added_;
  const int8_t* ahead_;
  const float* scales_ahead_;
  uint32_t lines_ahead_;
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
  for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
    PanelProduct<Tiles, kRows>(w, panel, x, y, y_stride).Run();
  }
  Tiles::Release();
}

template <class Tiles>
void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  if (x.num_rows < kMinRows) {
    avx512vnni::Matmul(w, panel_begin, panel_end, x, y, y_stride);
    return;
  }
  constexpr decltype(&MatmulRows<Tiles, 8>) kByRows[] = {
      MatmulRows<Tiles, 8>,  MatmulRows<Tiles, 9>,  MatmulRows<Tiles, 10>,
      MatmulRows<Tiles, 11>, MatmulRows<Tiles, 12>, MatmulRows<Tiles, 13>,
      MatmulRows<Tiles, 14>, MatmulRows<Tiles, 15>, MatmulRows<Tiles, 16>};
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
    Start<0>(0);
    Start<1>(1);
    for (uint32_t panel = 0; panel < keys_.num_panels; panel += 2) {
      Start<0>(panel + 2);
      Scale(panel);
      Start<1>(panel + 3);
      Scale(panel + 1);
    }
  }

 private:
  // Nothing after the last panel.
  template <int kTile>
  [[gnu::always_inline]] void Start(uint32_t panel) {
    if (panel >= keys_.num_panels) return;
    const int8_t* values =
        keys_.values + size_t{panel} * kPanelRows * keys_.head_dim;
    Tiles::template Zero<kTile>();
    AddPart<kTile, 0>(values);
    if (num_parts_ > 1) AddPart<kTile, 1>(values);
    if (num_parts_ > 2) AddPart<kTile, 2>(values);
    if (num_parts_ > 3) AddPart<kTile, 3>(values);
    Tiles::template Store<kTile>(products_[panel % kInFlight], kTileRowBytes);
  }

  template <int kTile, int kPart>
  [[gnu::always_inline]] static void AddPart(const int8_t* values) {
    constexpr int kKeys = 2 + (kTile + kPart) % 2;
    Tiles::template Load<kKeys>(values + kPart * kTileRows * kTileRowBytes,
                                kTileRowBytes);
    Tiles::template AddProducts<kTile, 4 + kPart, kKeys>();
  }

  [[gnu::always_inline]] void Scale(uint32_t panel) const {
    if (panel >= keys_.num_panels) return;
    const int32_t* products = products_[panel % kInFlight];
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

  alignas(64) int32_t products_[kInFlight][kTileRows * 16];
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
  if (q.num_rows < kMinRows || keys.low_values != nullptr ||
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
  const uint32_t whole = num_queries < kMinRows ? 0 : v.num_positions / 64 * 64;
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
