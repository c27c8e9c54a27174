// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/device_products.h"

#include <array>
#include <cstddef>

namespace llma::opencl {
namespace {

// What a group of items, or an item that has none, takes of both matrices.
struct ProductShape {
  uint32_t w_rows;
  uint32_t x_rows;
  size_t group_items;  // 0: as the device likes
};

ProductShape ShapeOf(Kernel kernel) {
  switch (kernel) {
    case Kernel::kMultiplyTile:
      return {kTileWeightRows, kTileRows, kTileItems};
    case Kernel::kMultiplySmallTile:
      return {kTileWeightRows, kSmallTileRows, kTileItems};
    case Kernel::kMultiplyPanelOne:
      return {kPanelRows, 1, 0};
    case Kernel::kMultiplyPanel:
      return {kPanelRows, 4, 0};
    case Kernel::kMultiplyOne:
      return {kGroupItems, 1, kGroupItems};
    default:
      return {kGroupItems, 8, kGroupItems};
  }
}

size_t NumParts(uint32_t size, uint32_t part) {
  return (size_t{size} + part - 1) / part;
}

bool HasTiles(const DeviceInfo& info) {
  return info.is_gpu && info.max_group_items >= kTileItems;
}

}  // namespace

std::vector<Kernel> ProductKernels(const DeviceInfo& info) {
  if (!info.is_gpu) return {Kernel::kMultiplyPanelOne, Kernel::kMultiplyPanel};
  std::vector<Kernel> kernels = {Kernel::kMultiplyOne, Kernel::kMultiply};
  if (HasTiles(info)) {
    kernels.push_back(Kernel::kMultiplySmallTile);
    kernels.push_back(Kernel::kMultiplyTile);
  }
  return kernels;
}

Kernel ChooseProductKernel(const DeviceInfo& info, uint32_t num_w_rows,
                           uint32_t num_rows) {
  // Few rows have an item each; else one takes several.
  constexpr uint32_t kFewRows = 2;
  const bool are_few = num_rows <= kFewRows;
  if (!info.is_gpu) {
    return are_few ? Kernel::kMultiplyPanelOne : Kernel::kMultiplyPanel;
  }
  // Many rows fill tiles, large ones if there are enough of them for all units.
  if (num_rows >= kSmallTileRows && HasTiles(info)) {
    const bool are_enough =
        NumParts(num_w_rows, kTileWeightRows) * NumParts(num_rows, kTileRows) >=
        2 * size_t{info.num_units};
    return are_enough ? Kernel::kMultiplyTile : Kernel::kMultiplySmallTile;
  }
  return are_few ? Kernel::kMultiplyOne : Kernel::kMultiply;
}

void StartProduct(Queue& queue, Kernel kernel, const DeviceProduct& product) {
  const auto& [w, num_w_rows, x, x_scales, x_row, num_rows, y, y_stride] =
      product;
  const ProductShape shape = ShapeOf(kernel);
  const size_t items = shape.group_items == 0 ? 1 : shape.group_items;
  const std::array<size_t, 2> group = {shape.group_items,
                                       shape.group_items == 0 ? 0u : 1u};
  queue.Run(kernel,
            {NumParts(num_w_rows, shape.w_rows) * items,
             NumParts(num_rows, shape.x_rows)},
            group, w.values, w.scales, num_w_rows, w.num_groups, x, x_scales,
            x_row, num_rows, y, y_stride);
}

}  // namespace llma::opencl
