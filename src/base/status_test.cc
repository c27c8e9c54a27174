// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

Result<int> Half(int x) {
  if (x % 2 != 0) return Error{ErrorCode::kUsage, "odd", 7};
  return x / 2;
}

Result<int> Quarter(int x) {
  LLMA_ASSIGN(const int half, Half(x));
  LLMA_TRY(Half(half));
  return half / 2;
}

TEST(Status, ForwardsValuesAndErrors) {
  EXPECT_EQ(*Quarter(12), 3);
  const auto failed = Quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUsage);
  EXPECT_EQ(failed.error().what, "odd");
  EXPECT_EQ(failed.error().offset, 7u);
  EXPECT_TRUE(OkStatus());
}

}  // namespace
}  // namespace llma
