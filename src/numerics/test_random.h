// SPDX-License-Identifier: Apache-2.0
// A small generator for tests: the same numbers with every standard library
// (std::uniform_int_distribution is not).
#ifndef LLMA_NUMERICS_TEST_RANDOM_H_
#define LLMA_NUMERICS_TEST_RANDOM_H_

#include <cstdint>

namespace llma {

class TestRandom {
 public:
  explicit TestRandom(uint64_t seed) : state_(seed) {}
  // SplitMix64 (Steele, Lea and Flood 2014).
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound).
  uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>((Next() >> 32) * bound >> 32);
  }
  // Uniform in [-limit, limit).
  float Float(float limit) {
    return limit *
           (static_cast<float>(static_cast<int32_t>(Next() >> 40) - (1 << 23)) *
            0x1p-23f);
  }
  // Uniform in [-127, 127].
  int8_t Int8() {
    return static_cast<int8_t>(static_cast<int>(Below(255)) - 127);
  }

 private:
  uint64_t state_;
};

}  // namespace llma

#endif  // LLMA_NUMERICS_TEST_RANDOM_H_
