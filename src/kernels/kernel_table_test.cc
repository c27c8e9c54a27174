// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_table.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace llma {
namespace {

TEST(KernelTable, ScalarIsAlwaysThere) {
  ASSERT_TRUE(FindKernels("scalar"));
  EXPECT_STREQ((*FindKernels("scalar"))->name, "scalar");
}

TEST(KernelTable, TheBestIsTheLastSupported) {
  const KernelTable* last = nullptr;
  for (const KernelTable* table : AllKernels()) {
    if (table->is_supported()) last = table;
  }
  EXPECT_EQ(*FindKernels(""), last);
}

TEST(KernelTable, UnknownNamesAreErrors) {
  const auto found = FindKernels("avx1024");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUsage);
  EXPECT_NE(found.error().what.find("scalar"), std::string::npos);
}

TEST(KernelTable, TheEnvironmentForcesOne) {
  ::setenv("LLMA_KERNELS", "scalar", 1);
  EXPECT_STREQ((*KernelsFromEnvironment())->name, "scalar");
  ::setenv("LLMA_KERNELS", "nonsense", 1);
  EXPECT_FALSE(KernelsFromEnvironment());
  ::unsetenv("LLMA_KERNELS");
  EXPECT_TRUE(KernelsFromEnvironment());
}

}  // namespace
}  // namespace llma
