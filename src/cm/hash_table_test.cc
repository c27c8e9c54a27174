// SPDX-License-Identifier: Apache-2.0
#include "cm/hash_table.h"

#include <gtest/gtest.h>

namespace llma::cm {
namespace {

TEST(HashTable, FindsAgain) {
  HashTable table(1000, PageSize::kSmall);
  for (uint32_t i = 1; i < 500; ++i) {
    HashSlot* slot = table.Find(i * 0x9e3779b1u);
    ASSERT_EQ(slot->node[0], 0) << i;
    slot->node[0] = 9;
    slot->last_byte = static_cast<uint8_t>(i);
  }
  for (uint32_t i = 1; i < 500; ++i) {
    EXPECT_EQ(table.Find(i * 0x9e3779b1u)->last_byte, i & 255) << i;
  }
}

TEST(HashTable, GivesUpTheSlotThatHasSeenLeast) {
  HashTable table(1000, PageSize::kSmall);
  const uint8_t seen[] = {7, 3, 9};
  for (uint32_t i = 0; i < 3; ++i) table.Find(i + 1)->node[0] = seen[i];
  EXPECT_EQ(table.Find(4)->node[0], 0);  // replaces the second
  EXPECT_EQ(table.Find(1)->node[0], 7);
  EXPECT_EQ(table.Find(3)->node[0], 9);
  EXPECT_EQ(table.Find(2)->node[0], 0);
}

}  // namespace
}  // namespace llma::cm
