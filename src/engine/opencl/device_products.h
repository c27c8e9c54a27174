// SPDX-License-Identifier: Apache-2.0
// Products of matrices on a device of OpenCL: which kernel suits a shape, and
// how each is started.
#ifndef LLMA_ENGINE_OPENCL_DEVICE_PRODUCTS_H_
#define LLMA_ENGINE_OPENCL_DEVICE_PRODUCTS_H_

#include <cstdint>
#include <vector>

#include "engine/opencl/device_weights.h"
#include "engine/opencl/opencl_device.h"

namespace llma::opencl {

// y = W x for some rows of x, quantised as reference::Matmul takes them.
struct DeviceProduct {
  const DeviceWeights::Matrix& w;
  uint32_t num_w_rows;  // of W that are wanted
  const Buffer& x;      // [row, w.num_groups * kGroupSize] int8
  const Buffer& x_scales;
  uint32_t x_row;  // the first
  uint32_t num_rows;
  const Buffer& y;  // [num_rows, y_stride]
  uint32_t y_stride;
};

// The kernels that StartProduct may take on a device, whatever the shape.
std::vector<Kernel> ProductKernels(const DeviceInfo& info);
// The fastest of them for a shape.
Kernel ChooseProductKernel(const DeviceInfo& info, uint32_t num_w_rows,
                           uint32_t num_rows);
// `kernel`: any of ProductKernels().
void StartProduct(Queue& queue, Kernel kernel, const DeviceProduct& product);

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_DEVICE_PRODUCTS_H_
