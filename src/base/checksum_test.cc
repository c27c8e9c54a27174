// SPDX-License-Identifier: Apache-2.0
#include "base/checksum.h"

#include <gtest/gtest.h>

#include <string>

namespace llma {
namespace {

TEST(Checksum, KnownValues) {
  // XXH3 of the empty string, as its specification gives it.
  EXPECT_EQ(Xxh3({}), 0x2d06800538d394c2u);
}

TEST(Checksum, PiecesGiveTheSame) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * i % 251);
  const uint64_t whole = Xxh3(AsBytes(text));
  for (const size_t piece : {1u, 7u, 255u, 256u, 4096u}) {
    Xxh3Stream stream;
    for (size_t i = 0; i < text.size(); i += piece) {
      stream.Update(AsBytes(std::string_view(text).substr(i, piece)));
    }
    EXPECT_EQ(stream.Digest(), whole);
  }
}

}  // namespace
}  // namespace llma
