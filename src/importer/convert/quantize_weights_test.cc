// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/quantize_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <new>
#include <vector>

#include "numerics/test_random.h"

namespace llma {
namespace {

TEST(QuantizeGroupTest, TheLargestBecomes127) {
  TestRandom random(1);
  for (int round = 0; round < 1000; ++round) {
    std::vector<float> weights(kGroupSize);
    std::vector<int8_t> values(kGroupSize);
    const float limit = std::ldexp(1.0f, round % 100 - 60);
    float max = 0;
    for (float& w : weights) {
      w = random.Float(limit);
      max = std::max(max, std::fabs(w));
    }
    const float scale = QuantizeGroup(weights, values);
    EXPECT_EQ(scale, max / 127.0f);
    int largest = 0;
    for (size_t i = 0; i < kGroupSize; ++i) {
      // Exact in double; the division in float may cross a tie.
      const double quotient = double{weights[i]} / scale;
      EXPECT_LE(std::fabs(values[i] - quotient), 0.5 + 1e-5);
      largest = std::max(largest, std::abs(int{values[i]}));
    }
    EXPECT_EQ(largest, 127);
  }
}

TEST(QuantizeGroupTest, TiesGoToTheEven) {
  std::vector<float> weights(kGroupSize);
  std::vector<int8_t> values(kGroupSize);
  weights[0] = 127;  // a scale of 1
  const float ties[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -126.5f};
  const int expected[] = {0, 2, 2, 0, -2, -2, 126, -126};
  for (size_t i = 0; i < std::size(ties); ++i) weights[i + 1] = ties[i];
  EXPECT_EQ(QuantizeGroup(weights, values), 1.0f);
  for (size_t i = 0; i < std::size(ties); ++i) {
    EXPECT_EQ(values[i + 1], expected[i]) << ties[i];
  }
}

TEST(QuantizeGroupTest, NothingAndAlmostNothing) {
  std::vector<float> weights(kGroupSize);
  std::vector<int8_t> values(kGroupSize, 1);
  EXPECT_EQ(QuantizeGroup(weights, values), 0.0f);
  for (const int8_t v : values) EXPECT_EQ(v, 0);
  weights[3] = -0.0f;
  EXPECT_EQ(QuantizeGroup(weights, values), 0.0f);
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  // 63/127 of the smallest number rounds to 0, 64/127 to 1, 190/127 to 1.
  for (const int units : {63, 64, 190}) {
    weights[3] = -kTiny * static_cast<float>(units);
    const float scale = QuantizeGroup(weights, values);
    EXPECT_EQ(scale, units == 63 ? 0.0f : kTiny);
    EXPECT_EQ(values[3], units == 63 ? 0 : -std::min(units, 127));
  }
}

TEST(QuantizeGroupTest, NotANumber) {
  std::vector<int8_t> values(kGroupSize);
  for (const float bad : {std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> weights(kGroupSize, 1.0f);
    weights[63] = bad;
    EXPECT_TRUE(std::isnan(QuantizeGroup(weights, values)));
  }
}

TEST(PackedMatrixTest, EveryIndexOnce) {
  PackedMatrix matrix(40, 192);
  const LinearWeights& view = matrix.view();
  std::vector<float> row(192);
  for (uint32_t r = 0; r < 40; ++r) {
    for (uint32_t c = 0; c < 192; ++c) {
      row[c] = static_cast<float>((r * 31 + c * 7) % 255) - 127;
    }
    for (uint32_t g = 0; g < 3; ++g) row[g * 64] = 127.0f;
    ASSERT_TRUE(matrix.SetRow(r, row));
  }
  for (uint32_t r = 0; r < 48; ++r) {
    for (uint32_t c = 0; c < 192; ++c) {
      const int expected = r >= 40       ? 0
                           : c % 64 == 0 ? 127
                                         : int((r * 31 + c * 7) % 255) - 127;
      EXPECT_EQ(view.values[view.value_idx(r, c)], expected);
      EXPECT_EQ(view.scales[view.scale_idx(r, c / 64)], r >= 40 ? 0.0f : 1.0f);
    }
  }
}

// The count of its values, by 32 bits, is 1,024.
TEST(PackedMatrixTest, MoreThanAddresses) {
  EXPECT_THROW(PackedMatrix(0xfffffff0, 0xffffffc0), std::bad_alloc);
}

TEST(PackedMatrixTest, RefusesWhatTheModelFileWould) {
  PackedMatrix matrix(16, 64);
  std::vector<float> row(64);
  row[1] = 127 * 32.0f;
  EXPECT_TRUE(matrix.SetRow(0, row));
  row[1] = 127 * 32.01f;
  EXPECT_EQ(matrix.SetRow(0, row).error().code, ErrorCode::kUnsupported);
  row[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(matrix.SetRow(0, row).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace llma
