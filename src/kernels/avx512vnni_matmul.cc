// SPDX-License-Identifier: Apache-2.0
// Matrix products for AVX-512 VNNI. Matmul equals its namesake in
// numerics/reference_ops.h; comments here only say how, never what.
#include "kernels/avx512vnni_tile.h"

#if defined(__x86_64__)
#include <algorithm>
#include <bit>

#include "kernels/avx512_intrinsics.h"
#include "kernels/target_region.h"
#include "kernels/tile_rows.h"

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512vnni {
namespace {

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
  const int32_t* x_starts = x.starts + size_t{row} * num_groups;
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
    DotTile<kRows, kPanels>(x_values, x.num_cols, x_starts, num_groups,
                            w_values, w_stride, ahead, ahead_shift,
                            kGroupSize / 4, dots);
    ahead += kPanels * kPanelRows * kGroupSize >> ahead_shift;
    __m512 w_scale[kPanels];
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm_prefetch(reinterpret_cast<const char*>(
                       w_scales + (kPanels + p) * w_scales_stride),
                   _MM_HINT_T1);
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
    ++x_starts;
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

// Weights of two panels, made unsigned once for many rows:
// [group, quad of columns, panel, 16 rows, 4 columns]. This many groups at a
// time stay in the first cache, beside the rows of a tile.
constexpr uint32_t kBlockGroups = 12;
struct PanelPair {
  alignas(
      64) uint8_t values[size_t{kBlockGroups} * 2 * kPanelRows * kGroupSize];
  const int8_t* source;  // of the first panel
  size_t source_stride;
  const float* scales;  // of the first panel
  size_t scales_stride;
  uint32_t num_groups;
};

// Adds to kRows rows of y, or sets them. `x`, `y`: at the first row, group and
// column that are meant; `next_x`: rows to bring into the first cache
// meanwhile; `ahead`: what the second cache should read, 512 >> ahead_shift
// bytes for each group. The first tile makes the weights unsigned for all.
template <int kRows, bool kIsFirstTile>
void PairTile(PanelPair& pair, const QuantizedRows& x, const int8_t* next_x,
              const int8_t* ahead, int ahead_shift, bool is_first, float* y,
              size_t y_stride) {
  const size_t x_stride = x.num_cols, groups_stride = x.num_groups;
  const int8_t* x_values = x.values;
  const float* x_scales = x.scales;
  const int32_t* x_starts = x.starts;
  uint8_t* w_values = pair.values;
  const int8_t* source = pair.source;
  const float* w_scales = pair.scales;
  const __m512i flip = _mm512_set1_epi8(-128);
  __m512 sums[kRows][2];
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    LLMA_UNROLL
    for (int p = 0; p < 2; ++p) {
      float* from = y + r * y_stride + p * kPanelRows;
      _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0);
      sums[r][p] = is_first ? _mm512_setzero_ps() : _mm512_loadu_ps(from);
    }
  }
  for (uint32_t g = 0; g < pair.num_groups; ++g) {
    __m512i dots[kRows][2];
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      _mm_prefetch(reinterpret_cast<const char*>(next_x + r * x_stride),
                   _MM_HINT_T0);
      _mm_prefetch(
          reinterpret_cast<const char*>(ahead + (r * 64 >> ahead_shift)),
          _MM_HINT_T1);
      dots[r][0] = dots[r][1] = BroadcastQuad(x_starts + r * groups_stride);
    }
#pragma GCC unroll 2
    for (uint32_t k = 0; k < kGroupSize / 4; ++k) {
      __m512i w0, w1;
      if constexpr (kIsFirstTile) {
        const int8_t* from = source + k * 64;
        w0 = _mm512_xor_si512(_mm512_loadu_si512(from), flip);
        w1 = _mm512_xor_si512(_mm512_loadu_si512(from + pair.source_stride),
                              flip);
        _mm512_store_si512(w_values + k * 128, w0);
        _mm512_store_si512(w_values + k * 128 + 64, w1);
      } else {
        w0 = _mm512_load_si512(w_values + k * 128);
        w1 = _mm512_load_si512(w_values + k * 128 + 64);
      }
      LLMA_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const __m512i quad = BroadcastQuad(x_values + r * x_stride + k * 4);
        dots[r][0] = _mm512_dpbusd_epi32(dots[r][0], w0, quad);
        KeepInPlace(dots[r][0]);
        dots[r][1] = _mm512_dpbusd_epi32(dots[r][1], w1, quad);
        KeepInPlace(dots[r][1]);
      }
    }
    if constexpr (kIsFirstTile) {
      for (const size_t next : {2, 3}) {
        _mm_prefetch(
            reinterpret_cast<const char*>(w_scales + next * pair.scales_stride),
            _MM_HINT_T1);
      }
    }
    const __m512 w_scale[2] = {_mm512_loadu_ps(w_scales),
                               _mm512_loadu_ps(w_scales + pair.scales_stride)};
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 x_scale = _mm512_set1_ps(x_scales[r * groups_stride]);
      LLMA_UNROLL
      for (int p = 0; p < 2; ++p) {
        const __m512 scaled =
            _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][p]), w_scale[p]);
        sums[r][p] = _mm512_add_ps(sums[r][p], _mm512_mul_ps(scaled, x_scale));
      }
    }
    w_values += 2 * kPanelRows * kGroupSize;
    source += kPanelRows * kGroupSize;
    w_scales += kPanelRows;
    x_values += kGroupSize;
    next_x += kGroupSize;
    ahead += 512 >> ahead_shift;
    ++x_scales;
    ++x_starts;
  }
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    LLMA_UNROLL
    for (int p = 0; p < 2; ++p) {
      _mm512_storeu_ps(y + r * y_stride + p * kPanelRows, sums[r][p]);
    }
  }
}

// From this many rows on it pays to make weights unsigned once; below, to read
// them in place. Golden Cove has two ports for all vector operations of 64
// bytes, so each xor costs half a vpdpbusd, and each group and vector of sums
// four operations: 8/10 of the peak are to be had, and 64 rows reach them.
constexpr uint32_t kManyRows = 32;

void MatmulPair(const LinearWeights& w, uint32_t panel, const QuantizedRows& x,
                float* y, size_t y_stride) {
  using Tile = decltype(&PairTile<1, true>);
  constexpr Tile kFirstTiles[kMaxTileRows] = {
      PairTile<1, true>, PairTile<2, true>, PairTile<3, true>,
      PairTile<4, true>, PairTile<5, true>, PairTile<6, true>,
      PairTile<7, true>, PairTile<8, true>};
  constexpr Tile kTiles[kMaxTileRows] = {
      PairTile<1, false>, PairTile<2, false>, PairTile<3, false>,
      PairTile<4, false>, PairTile<5, false>, PairTile<6, false>,
      PairTile<7, false>, PairTile<8, false>};
  PanelPair pair;
  pair.source_stride = size_t{kPanelRows} * w.num_cols;
  pair.scales_stride = size_t{w.num_groups()} * kPanelRows;
  const uint32_t num_blocks =
      (w.num_groups() + kBlockGroups - 1) / kBlockGroups;
  const uint32_t block_groups = (w.num_groups() + num_blocks - 1) / num_blocks;
  const uint32_t num_tiles = (x.num_rows + kMaxTileRows - 1) / kMaxTileRows;
  const int ahead_shift = std::bit_width(num_tiles / 4 + 1) - 1;
  // The tiles together fetch the next pair.
  const size_t pair_bytes = size_t{2} * kPanelRows * w.num_cols;
  const int8_t* ahead = w.values + panel / 2 * pair_bytes;
  if (panel + 4 <= w.num_panels()) ahead += pair_bytes;
  for (uint32_t group = 0; group < w.num_groups(); group += block_groups) {
    pair.source = w.values + panel * pair.source_stride +
                  size_t{group} * kPanelRows * kGroupSize;
    pair.scales = w.scales + panel * pair.scales_stride + group * kPanelRows;
    pair.num_groups = std::min(block_groups, w.num_groups() - group);
    for (uint32_t row = 0; row < x.num_rows;) {
      const uint32_t rows = TileRows(x.num_rows - row, kMaxTileRows);
      const size_t x_group = size_t{row} * x.num_groups + group;
      const QuantizedRows tile = {x.values + x_group * kGroupSize,
                                  x.scales + x_group,
                                  x.starts + x_group,
                                  rows,
                                  x.num_cols,
                                  x.num_groups};
      const bool is_last = row + rows == x.num_rows;
      const int8_t* next_x = is_last ? x.values + size_t{group} * kGroupSize
                                     : tile.values + size_t{rows} * x.num_cols;
      const auto& tiles = row == 0 ? kFirstTiles : kTiles;
      tiles[rows - 1](pair, tile, next_x, ahead, ahead_shift, group == 0,
                      y + row * y_stride + size_t{panel} * kPanelRows,
                      y_stride);
      ahead += size_t{512} * pair.num_groups >> ahead_shift;
      row += rows;
    }
  }
}

}  // namespace

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  uint32_t panel = panel_begin;
  for (; panel + 2 <= panel_end; panel += 2) {
    if (x.num_rows >= kManyRows) {
      MatmulPair(w, panel, x, y, y_stride);
    } else {
      MatmulPanels<2>(w, panel, x, y, y_stride);
    }
  }
  if (panel < panel_end) {
    MatmulPanels<1>(w, panel, x, y, y_stride);
  }
}

}  // namespace llma::kernels::avx512vnni

LLMA_TARGET_END
#endif  // defined(__x86_64__)
