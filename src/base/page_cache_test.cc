// SPDX-License-Identifier: Apache-2.0
#include "base/page_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/zeroed_pages.h"

namespace llma {
namespace {

constexpr size_t kSize = 1 << 20;

bool IsZero(const ZeroedPages& pages, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(pages.data());
  return std::all_of(bytes, bytes + size, [](uint8_t b) { return b == 0; });
}

TEST(PageCache, WhatIsUsedAgainIsZero) {
  PageCache cache;
  const void* first;
  {
    const ZeroedPages pages(kSize, {PageSize::kSmall, &cache});
    first = pages.data();
    auto* bytes = static_cast<uint8_t*>(pages.data());
    for (size_t i = 0; i < kSize; i += 9001) bytes[i] = 7;
    bytes[kSize - 1] = 7;
    EXPECT_EQ(cache.kept_bytes(), 0u);
  }
  EXPECT_EQ(cache.kept_bytes(), kSize);
  // Also for a little less.
  const ZeroedPages again(kSize - 5000, {PageSize::kSmall, &cache});
  EXPECT_TRUE(IsZero(again, kSize - 5000));
  // Where the system does not tell what was touched, it is new memory.
  EXPECT_TRUE(again.data() != first || cache.kept_bytes() == 0);
}

TEST(PageCache, KeepsWhatFits) {
  PageCache cache;
  { const ZeroedPages pages(kSize, {PageSize::kSmall, &cache}); }
  // Too small, or less than half as large.
  { const ZeroedPages pages(2 * kSize, {PageSize::kSmall, &cache}); }
  EXPECT_EQ(cache.kept_bytes(), 3 * kSize);
  { const ZeroedPages pages(kSize / 4, {PageSize::kSmall, &cache}); }
  EXPECT_EQ(cache.kept_bytes(), 3 * kSize + kSize / 4);
  // Large pages are not kept.
  { const ZeroedPages pages(8 * kSize, {PageSize::kLarge, &cache}); }
  EXPECT_EQ(cache.kept_bytes(), 3 * kSize + kSize / 4);
  {
    const ZeroedPages pages(PageCache::kMaxKeptBytes,
                            {PageSize::kSmall, &cache});
  }
  EXPECT_LE(cache.kept_bytes(), PageCache::kMaxKeptBytes);
  cache.Clear();
  EXPECT_EQ(cache.kept_bytes(), 0u);
}

TEST(PageCache, MovedPagesComeBackOnce) {
  PageCache cache;
  {
    ZeroedPages pages(kSize, {PageSize::kSmall, &cache});
    const ZeroedPages moved = std::move(pages);
    EXPECT_TRUE(IsZero(moved, kSize));
  }
  EXPECT_EQ(cache.kept_bytes(), kSize);
}

}  // namespace
}  // namespace llma
