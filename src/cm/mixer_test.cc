// SPDX-License-Identifier: Apache-2.0
#include "cm/mixer.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "kernels/kernel_table.h"

namespace llma::cm {
namespace {

uint32_t NextRandom(uint32_t& state) {
  return state = state * 1664525 + 1013904223;
}

TEST(MixerLayer, LearnsWhichInputToTrust) {
  const uint32_t sizes[] = {2, 1};
  MixerLayer mixer(2, sizes, 0, {1300, 130}, BestKernels(), PageSize::kSmall);
  uint32_t random = 7;
  for (int i = 0; i < 5000; ++i) {
    const int bit = static_cast<int>(NextRandom(random) >> 31);
    mixer.inputs()[0] = bit != 0 ? 512 : -512;
    mixer.inputs()[1] = (NextRandom(random) >> 31) != 0 ? 512 : -512;
    mixer.Select(0, static_cast<uint32_t>(i & 1));
    for (const int x : mixer.Mix()) {
      if (i > 4000) {
        EXPECT_GT(bit != 0 ? x : -x, 4096 * 2);
      }
    }
    mixer.Update(bit);
  }
}

}  // namespace
}  // namespace llma::cm
