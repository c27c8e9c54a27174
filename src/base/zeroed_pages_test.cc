// SPDX-License-Identifier: Apache-2.0
#include "base/zeroed_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace llma {
namespace {

TEST(ZeroedPages, AreZeroAndWritableToTheEnd) {
  for (const size_t size :
       {size_t{1}, size_t{5000}, size_t{2} << 20, (size_t{5} << 20) + 3}) {
    ZeroedPages pages(size,
                      size % 2 != 0 ? PageSize::kLarge : PageSize::kSmall);
    auto* bytes = static_cast<uint8_t*>(pages.data());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 4096, 0u);
    EXPECT_TRUE(std::all_of(bytes, bytes + size,
                            [](uint8_t byte) { return byte == 0; }));
    std::fill_n(bytes, size, uint8_t{7});
    const ZeroedPages moved = std::move(pages);
    EXPECT_EQ(moved.data(), bytes);
    EXPECT_EQ(bytes[size - 1], 7);
  }
}

TEST(ZeroedPages, NoneAndTooMany) {
  for (const PageSize page_size : {PageSize::kSmall, PageSize::kLarge}) {
    EXPECT_EQ(ZeroedPages(0, page_size).data(), nullptr);
    EXPECT_THROW(ZeroedPages(SIZE_MAX, page_size), std::bad_alloc);
    // More than there are addresses, also of 32 bits.
    EXPECT_THROW(ZeroedPages(SIZE_MAX - SIZE_MAX / 16, page_size),
                 std::bad_alloc);
  }
}

}  // namespace
}  // namespace llma
