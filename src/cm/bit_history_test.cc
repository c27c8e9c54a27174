// SPDX-License-Identifier: Apache-2.0
#include "cm/bit_history.h"

#include <gtest/gtest.h>

namespace llma::cm {
namespace {

TEST(BitHistory, FitsAByteAndIsClosed) {
  const BitHistoryTable& table = GetBitHistoryTable();
  EXPECT_GT(table.num_states, 200);
  EXPECT_LE(table.num_states, 256);
  for (int i = 0; i < table.num_states; ++i) {
    for (const int bit : {0, 1}) {
      EXPECT_LT(table.state[i].next[bit], table.num_states);
      EXPECT_NE(table.state[i].next[bit], 0);  // nothing is forgotten entirely
    }
  }
}

TEST(BitHistory, IsOrderedByBitsRemembered) {
  const BitHistoryTable& table = GetBitHistoryTable();
  for (int i = 1; i < table.num_states; ++i) {
    EXPECT_GE(table.state[i].n0 + table.state[i].n1,
              table.state[i - 1].n0 + table.state[i - 1].n1);
  }
}

TEST(BitHistory, CountsTheBitJustSeen) {
  const BitHistoryTable& table = GetBitHistoryTable();
  for (int i = 0; i < table.num_states; ++i) {
    const BitHistory& history = table.state[i];
    EXPECT_GT(table.state[history.next[0]].n0, 0);
    EXPECT_GT(table.state[history.next[1]].n1, 0);
    EXPECT_LE(table.state[history.next[0]].n1, history.n1);
    EXPECT_LE(table.state[history.next[1]].n0, history.n0);
  }
}

TEST(BitHistory, KeepsShortHistoriesExactly) {
  const BitHistoryTable& table = GetBitHistoryTable();
  const auto walk = [&](int bits, int n) {
    uint8_t state = 0;
    while (n-- > 0) state = table.state[state].next[bits >> n & 1];
    return state;
  };
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < a; ++b) EXPECT_NE(walk(a, 3), walk(b, 3));
  }
}

TEST(BitHistory, InitialProbabilitiesFollowTheCounts) {
  const BitHistoryTable& table = GetBitHistoryTable();
  for (int i = 0; i < table.num_states; ++i) {
    const BitHistory& history = table.state[i];
    const uint32_t p = InitialProbability22(history);
    EXPECT_GT(p, 0u);
    EXPECT_LT(p, 1u << 22);
    EXPECT_EQ(p > 1u << 21, history.n1 > history.n0);
  }
}

}  // namespace
}  // namespace llma::cm
