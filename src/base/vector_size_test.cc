// SPDX-License-Identifier: Apache-2.0
#include "base/vector_size.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

TEST(VectorSize, IsOfThisMachine) {
  EXPECT_EQ(VectorSize<float>(0), 0u);
  EXPECT_EQ(VectorSize<float>(12345), 12345u);
  constexpr uint64_t kMostBytes = PTRDIFF_MAX;
  EXPECT_EQ(VectorSize<char>(kMostBytes), kMostBytes);
  EXPECT_EQ(VectorSize<float>(kMostBytes / 4), kMostBytes / 4);
  EXPECT_THROW(VectorSize<char>(kMostBytes + 1), std::bad_alloc);
  EXPECT_THROW(VectorSize<float>(kMostBytes / 4 + 1), std::bad_alloc);
  EXPECT_THROW(VectorSize<float>(UINT64_MAX), std::bad_alloc);
}

}  // namespace
}  // namespace llma
