// SPDX-License-Identifier: Apache-2.0
// The most int8 multiply-adds that this core can do, by loops that touch
// nothing but registers: what a matrix product is measured against.
#ifndef LLMA_KERNELS_INT8_PEAK_H_
#define LLMA_KERNELS_INT8_PEAK_H_

#include <cstdint>
#include <string_view>

namespace llma {

// Runs the instructions of the kernel table called `kernels` and returns how
// many multiply-adds that was; 0 if there is no such loop.
uint64_t RunInt8PeakLoop(std::string_view kernels);

}  // namespace llma

#endif  // LLMA_KERNELS_INT8_PEAK_H_
