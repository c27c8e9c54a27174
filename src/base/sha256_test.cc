// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace llma {
namespace {

std::string HashOf(std::string_view text, size_t piece_bytes,
                   const Sha256Code& code) {
  Sha256 hash(code);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    hash.Update(AsBytes(piece));
    text.remove_prefix(piece.size());
  }
  return ToHex(hash.Digest());
}

class Sha256Test : public testing::TestWithParam<Sha256Code> {
 protected:
  void SetUp() override {
    if (!GetParam().is_supported()) GTEST_SKIP() << "not on this processor";
  }
};
INSTANTIATE_TEST_SUITE_P(All, Sha256Test, testing::ValuesIn(AllSha256Code()),
                         [](const auto& code) {
                           return std::string(code.param.name);
                         });

// The examples for FIPS 180-4, in pieces of several sizes.
TEST_P(Sha256Test, Examples) {
  const std::string million(1000000, 'a');
  for (const size_t piece : {1u, 3u, 55u, 64u, 65u, 1000u, 1000000u}) {
    EXPECT_EQ(
        HashOf("", piece, GetParam()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(
        HashOf("abc", piece, GetParam()),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(
        HashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               piece, GetParam()),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(
        HashOf("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               piece, GetParam()),
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    EXPECT_EQ(
        HashOf(million, piece, GetParam()),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

// Every size of a last block, and several blocks at once.
TEST_P(Sha256Test, IsTheSameWithAllCode) {
  std::string text;
  for (uint32_t i = 0; i < 300; ++i) {
    EXPECT_EQ(HashOf(text, 1000, GetParam()),
              HashOf(text, 7, AllSha256Code()[0]))
        << text.size();
    text += static_cast<char>(i * i >> 3);
  }
}

}  // namespace
}  // namespace llma
