// SPDX-License-Identifier: Apache-2.0
// The angles by which rotary position embedding turns each pair of dimensions,
// as integer fractions of a turn.
#ifndef LLMA_IMPORTER_ROPE_STEPS_H_
#define LLMA_IMPORTER_ROPE_STEPS_H_

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace llma {

// log2(x) for a normal x > 0, absolute error below 2^-50 + |log2(x)| * 2^-52.
double ExactLog2(double x);
// 2^x for |x| < 1000, relative error below 2^-50.
double ExactExp2(double x);

// steps[i] = theta^(-2 i / head_dim) / (2 pi) * 2^64, rounded, for
// i < head_dim / 2. Relative error below 1e-13 (plus half a unit). Only
// + - * / of doubles: the same on every machine.
Result<std::vector<uint64_t>> ComputeRopeSteps(float theta, uint32_t head_dim);

}  // namespace llma

#endif  // LLMA_IMPORTER_ROPE_STEPS_H_
