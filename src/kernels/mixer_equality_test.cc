// SPDX-License-Identifier: Apache-2.0
// The mixers of context models: every table equals the definition, bit for bit,
// on random and extreme values and all numbers of inputs and rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

TEST(MixerWeightIndex, IsAPermutationOfBlocks) {
  std::vector<bool> used(64);
  for (int i = 0; i < 64; ++i) {
    const int index = MixerWeightIndex(i);
    EXPECT_EQ(index / kMixerBlock, i / kMixerBlock);
    EXPECT_FALSE(used[static_cast<size_t>(index)]);
    used[static_cast<size_t>(index)] = true;
  }
}

class MixerEquality : public testing::TestWithParam<const KernelTable*> {
 protected:
  void SetUp() override {
    if (!GetParam()->is_supported()) {
      GTEST_SKIP() << "not covered here: " << GetParam()->name;
    }
  }
  const KernelTable& kernels() { return *GetParam(); }

  // Anywhere in [-max, max], often at its ends.
  int64_t Any(int64_t max) {
    const uint32_t kind = random_.Below(8);
    if (kind < 2) return kind == 0 ? max : -max;
    return static_cast<int64_t>(random_.Next() %
                                static_cast<uint64_t>(2 * max + 1)) -
           max;
  }
  template <class T>
  void Fill(std::vector<T>& values, int64_t max) {
    for (T& value : values) value = static_cast<T>(Any(max));
  }

  TestRandom random_{1};
};

TEST_P(MixerEquality, MixerDotAndTrain) {
  for (int n = 16; n <= kMaxMixerInputs; n += 16) {
    const auto size = static_cast<size_t>(n);
    const auto num_rows = static_cast<size_t>(n / 16 % 9 + 1);
    std::vector<int16_t> x(size);
    Fill(x, 3072);
    std::vector<int32_t> w(size * num_rows);
    Fill(w, kMaxMixerWeight);
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
      const int count = static_cast<int>(num_rows);
      kernels().mixer_dot(x.data(), n, rows.data(), count, sums.data());
      reference::MixerDot(x.data(), n, rows2.data(), count, sums2.data());
      ASSERT_EQ(sums, sums2) << n;
      std::vector<int32_t> errors;
      for (size_t i = 0; i < num_rows; ++i) {
        errors.push_back(some_errors[(round + i) % std::size(some_errors)]);
      }
      kernels().mixer_train(x.data(), n, rows.data(), count, errors.data());
      reference::MixerTrain(x.data(), n, rows2.data(), count, errors.data());
      ASSERT_EQ(w, w2) << n << " " << round;
    }
  }
}

TEST_P(MixerEquality, WideMixerDotAndTrain) {
  for (size_t n = kWideMixerBlock; n <= 128; n += kWideMixerBlock) {
    std::vector<int32_t> x(n), w(n);
    for (int round = 0; round < 200; ++round) {
      Fill(x, (1 << 21) - 1);
      Fill(w, kMaxWideMixerWeight);
      ASSERT_EQ(kernels().wide_mixer_dot(x.data(), w.data(), n),
                reference::WideMixerDot(x.data(), w.data(), n));
      const int64_t factor =
          Any(int64_t{1} << (round % 2 == 0 ? 40 : round % 40));
      std::vector<int32_t> w2 = w;
      kernels().wide_mixer_train(x.data(), factor, w.data(), n);
      reference::WideMixerTrain(x.data(), factor, w2.data(), n);
      ASSERT_EQ(w, w2) << n << " " << factor;
    }
  }
}

TEST_P(MixerEquality, LightMixerDotAndTrain) {
  for (int round = 0; round < 300; ++round) {
    alignas(64) int16_t x[kLightMixerInputs];
    alignas(64) int32_t weights[2][kLightMixerRows][kLightMixerInputs];
    int32_t* rows[2][kLightMixerRows];
    for (int i = 0; i < kLightMixerInputs; ++i) {
      x[i] = static_cast<int16_t>(Any(4096));
      for (int row = 0; row < kLightMixerRows; ++row) {
        weights[0][row][i] = weights[1][row][i] =
            static_cast<int32_t>(Any(kMaxLightMixerWeight));
        rows[0][row] = weights[0][row];
        rows[1][row] = weights[1][row];
      }
    }
    ASSERT_EQ(kernels().light_mixer_dot(x, rows[0]),
              reference::LightMixerDot(x, rows[1]));
    const auto error = static_cast<int32_t>(Any(32767));
    kernels().light_mixer_train(x, error, rows[0]);
    reference::LightMixerTrain(x, error, rows[1]);
    for (int row = 0; row < kLightMixerRows; ++row) {
      ASSERT_TRUE(std::equal(rows[0][row], rows[0][row] + kLightMixerInputs,
                             rows[1][row]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MixerEquality,
                         testing::ValuesIn(AllKernels().begin(),
                                           AllKernels().end()),
                         [](const auto& param_info) {
                           return std::string(param_info.param->name);
                         });

}  // namespace
}  // namespace llma
