// SPDX-License-Identifier: Apache-2.0
// The angles by which rotary position embedding turns each pair of dimensions,
// as integer fractions of a turn.
#ifndef LLMA_IMPORTER_CONVERT_ROPE_STEPS_H_
#define LLMA_IMPORTER_CONVERT_ROPE_STEPS_H_

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace llma {

// log2(x) for a normal x > 0, absolute error below 2^-50 + |log2(x)| * 2^-52.
double ExactLog2(double x);
// 2^x for |x| < 1000, relative error below 2^-50.
double ExactExp2(double x);

// Ways to stretch the positions that a model was first trained on.
enum class RopeScaling : uint8_t {
  kNone,
  kLinear,  // all angles by 1 / factor
  kLlama3,  // long waves so, short ones not, some in between
  kYarn,    // the same with other bounds; scores grow, too
};

struct RopeSpec {
  float base = 10000;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1;              // positions with stretching by those without
  float original_positions = 0;  // before; of kLlama3 and kYarn
  // Waves that fit this often into the original positions are stretched or
  // left alone.
  float low_frequency = 1, high_frequency = 4;  // of kLlama3
  float slow_beta = 1, fast_beta = 32;          // of kYarn
  // Queries and keys are multiplied by it.
  float attention_factor = 1;
  // By pair: what divides its angle; empty: 1.
  std::vector<float> pair_divisors{};
};

// steps[i] = base^(-2 i / head_dim) / (2 pi) * 2^64, scaled, rounded, for
// i < head_dim / 2. Relative error below 1e-13 (plus half a unit) if nothing is
// scaled. Only + - * / of doubles: the same on every machine.
Result<std::vector<uint64_t>> ComputeRopeSteps(const RopeSpec& rope,
                                               uint32_t head_dim);

// What queries and keys are multiplied by: attention_factor, times
// 1 + ln(factor) / 10 for kYarn.
double RopeMagnitude(const RopeSpec& rope);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_ROPE_STEPS_H_
