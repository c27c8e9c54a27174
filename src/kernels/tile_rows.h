// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_KERNELS_TILE_ROWS_H_
#define LLMA_KERNELS_TILE_ROWS_H_

#include <cstdint>

namespace llma::kernels {

// Rows of the next tile when `rows_left` (at least 1) are left: as few tiles of
// at most `max_rows` as can be, of about the same height.
constexpr uint32_t TileRows(uint32_t rows_left, uint32_t max_rows) {
  const uint32_t num_tiles = (rows_left + max_rows - 1) / max_rows;
  return (rows_left + num_tiles - 1) / num_tiles;
}

}  // namespace llma::kernels

#endif  // LLMA_KERNELS_TILE_ROWS_H_
