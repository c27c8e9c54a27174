// SPDX-License-Identifier: Apache-2.0
#include "codec/levels.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

TEST(LanesForContent, OneForEach4096PiecesThenFor8192) {
  EXPECT_EQ(LanesForContent(0, 16), 1u);
  EXPECT_EQ(LanesForContent(8191, 16), 1u);
  EXPECT_EQ(LanesForContent(8192, 16), 2u);
  EXPECT_EQ(LanesForContent(32768, 16), 8u);
  EXPECT_EQ(LanesForContent(73727, 16), 8u);
  EXPECT_EQ(LanesForContent(73728, 16), 9u);
  EXPECT_EQ(LanesForContent(size_t{1} << 40, 16), 16u);
}

TEST(LanesForContent, NoMoreThanTheLevels) {
  EXPECT_EQ(LanesForContent(32768, 4), 4u);
  EXPECT_EQ(LanesForContent(size_t{1} << 40, 1), 1u);
}

}  // namespace
}  // namespace llma
