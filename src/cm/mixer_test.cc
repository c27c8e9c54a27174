// SPDX-License-Identifier: Apache-2.0
#include "cm/mixer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "cm/mixer_kernels.h"

namespace llma::cm {
namespace {

uint32_t NextRandom(uint32_t& state) {
  return state = state * 1664525 + 1013904223;
}

TEST(MixerKernels, WeightPlaceIsAPermutationOfBlocks) {
  std::vector<bool> used(64);
  for (int i = 0; i < 64; ++i) {
    const int place = WeightPlace(i);
    EXPECT_EQ(place / kMixerBlock, i / kMixerBlock);
    EXPECT_FALSE(used[static_cast<size_t>(place)]);
    used[static_cast<size_t>(place)] = true;
  }
}

TEST(MixerKernels, Avx2EqualsTheDefinition) {
  const MixerKernels* avx2 = Avx2MixerKernels();
  if (avx2 == nullptr) GTEST_SKIP() << "not covered here: no AVX2";
  uint32_t random = 1;
  for (int n = 16; n <= kMaxMixerInputs; n += 16) {
    const auto size = static_cast<size_t>(n);
    const auto num_rows = static_cast<size_t>(n / 16 % 9 + 1);
    std::vector<int16_t> x(size);
    for (auto& v : x) {
      v = static_cast<int16_t>(
          static_cast<int>(NextRandom(random) >> 16) % 6145 - 3072);
    }
    // Weights anywhere in their range, often at its ends.
    std::vector<int32_t> w(size * num_rows);
    for (auto& v : w) {
      const auto any = static_cast<int32_t>(NextRandom(random));
      v = (any & 3) == 0 ? kMaxWeight
                         : std::clamp(any, -kMaxWeight, kMaxWeight);
    }
    std::vector<int32_t> w2 = w;
    std::vector<int32_t*> rows;
    std::vector<int32_t*> rows2;
    for (size_t i = 0; i < num_rows; ++i) {
      rows.push_back(&w[i * size]);
      rows2.push_back(&w2[i * size]);
    }
    const int32_t some_errors[] = {0, 1, -1, 1234, -777, 32767, -32767};
    for (size_t round = 0; round < std::size(some_errors); ++round) {
      // One more than is written: it must stay.
      std::vector<int32_t> sums(num_rows + 1, 99);
      std::vector<int32_t> sums2(num_rows + 1, 99);
      avx2->dot(x.data(), n, rows.data(), static_cast<int>(num_rows),
                sums.data());
      kScalarMixerKernels.dot(x.data(), n, rows2.data(),
                              static_cast<int>(num_rows), sums2.data());
      ASSERT_EQ(sums, sums2) << n;
      std::vector<int32_t> errors;
      for (size_t i = 0; i < num_rows; ++i) {
        errors.push_back(some_errors[(round + i) % std::size(some_errors)]);
      }
      avx2->train(x.data(), n, rows.data(), static_cast<int>(num_rows),
                  errors.data());
      kScalarMixerKernels.train(x.data(), n, rows2.data(),
                                static_cast<int>(num_rows), errors.data());
      ASSERT_EQ(w, w2) << n << " " << round;
    }
  }
}

TEST(MixerLayer, LearnsWhichInputToTrust) {
  const uint32_t sizes[] = {2, 1};
  MixerLayer mixer(2, sizes, 0, {1300, 130}, kScalarMixerKernels,
                   PageSize::kSmall);
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
