// SPDX-License-Identifier: Apache-2.0
#include "model/model_header.h"

#include <gtest/gtest.h>

#include <functional>

#include "platform/descriptors.h"

namespace llma {
namespace {

// A header and the encoding of a changed one.
class ModelHeaderTest : public testing::Test {
 protected:
  void SetUp() override {
    auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(bytes);
    bytes_ = *std::move(bytes);
    auto header = ParseModelHeader(bytes_);
    ASSERT_TRUE(header) << header.error().what;
    header_ = *std::move(header);
  }

  ErrorCode ParseChanged(const std::function<void(ModelHeader&)>& change) {
    ModelHeader changed = header_;
    change(changed);
    const std::vector<uint8_t> encoded = EncodeModelHeader(changed);
    const auto parsed = ParseModelHeader(encoded);
    return parsed ? ErrorCode{} : parsed.error().code;
  }

  std::vector<uint8_t> bytes_;
  ModelHeader header_;
};

TEST_F(ModelHeaderTest, EncodingIsTheInverseOfParsing) {
  const std::vector<uint8_t> encoded = EncodeModelHeader(header_);
  EXPECT_EQ(encoded.size(), header_.header_bytes);
  EXPECT_TRUE(std::equal(encoded.begin(), encoded.end(), bytes_.begin()));
}

TEST_F(ModelHeaderTest, NeedsNothingBehindItself) {
  EXPECT_TRUE(ParseModelHeader(Bytes(bytes_).first(header_.header_bytes)));
  for (size_t size = 0; size < header_.header_bytes; ++size) {
    EXPECT_FALSE(ParseModelHeader(Bytes(bytes_).first(size))) << size;
  }
}

TEST_F(ModelHeaderTest, EveryFlippedBitIsFound) {
  for (size_t i = 0; i < header_.header_bytes; ++i) {
    bytes_[i] ^= static_cast<uint8_t>(1 << i % 8);
    EXPECT_FALSE(ParseModelHeader(bytes_)) << i;
    bytes_[i] ^= static_cast<uint8_t>(1 << i % 8);
  }
}

TEST_F(ModelHeaderTest, RefusesBadStrings) {
  const std::string long_name(kMaxNameBytes + 1, 'a');
  const std::string long_license(kMaxLicenseBytes + 1, 'a');
  for (const std::string& name :
       {std::string(), std::string("A"), std::string("a/b"), std::string("a b"),
        std::string("a\0b", 3), long_name}) {
    EXPECT_EQ(ParseChanged([&](ModelHeader& h) { h.name = name; }),
              ErrorCode::kCorrupt);
  }
  EXPECT_EQ(ParseChanged([&](ModelHeader& h) { h.license = long_license; }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.license = "\x1b[31m"; }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.pre_tokenizer = "\n"; }),
            ErrorCode::kCorrupt);
}

TEST_F(ModelHeaderTest, RefusesBadConfigurations) {
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.config.dim = 96; }),
            ErrorCode::kUnsupported);
  // A good configuration of another shape: sizes do not fit.
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.config.ffn_dim = 128; }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.config.num_layers = 1; }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.config.tied_head = false; }),
            ErrorCode::kCorrupt);
}

// Sections that a variation brings are not there.
TEST_F(ModelHeaderTest, RefusesVariationsWithoutTheirSections) {
  for (const auto flag : {&ModelConfig::has_qkv_bias, &ModelConfig::has_qk_norm,
                          &ModelConfig::has_post_norms}) {
    EXPECT_EQ(ParseChanged([&](ModelHeader& h) { h.config.*flag = true; }),
              ErrorCode::kCorrupt);
  }
  EXPECT_EQ(ParseChanged([](ModelHeader& h) {
              h.config.local_positions = 64;
              h.config.set_local(0);
            }),
            ErrorCode::kCorrupt);
}

TEST_F(ModelHeaderTest, NumbersOfVariationsComeBack) {
  ModelConfig c = header_.config;
  c.embedding_scale = 8;
  c.logit_cap = 30;
  ByteWriter plain, varied;
  StoreModelConfig(header_.config, plain);
  StoreModelConfig(c, varied);
  EXPECT_EQ(varied.size(), plain.size() + 52);
}

TEST_F(ModelHeaderTest, WindowSharesComeBack) {
  const ModelConfig& c = header_.config;
  ModelHeader changed = header_;
  changed.config.window_shares.assign(size_t{c.num_layers} * c.num_kv_heads, 8);
  changed.config.window_shares.back() = 40;
  const std::vector<uint8_t> encoded = EncodeModelHeader(changed);
  const auto parsed = ParseModelHeader(encoded);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->config.window_shares, changed.config.window_shares);
  EXPECT_EQ(ParseChanged([&](ModelHeader& h) {
              h.config = changed.config;
              h.config.window_shares[0] = 0;
            }),
            ErrorCode::kUnsupported);
}

TEST_F(ModelHeaderTest, RefusesBadDirectories) {
  const auto change = [&](size_t i, const std::function<void(Section&)>& f) {
    return ParseChanged([&](ModelHeader& h) { f(h.sections[i]); });
  };
  const size_t last = header_.sections.size() - 1;
  for (const size_t i : {size_t{0}, size_t{6}, last}) {
    EXPECT_EQ(change(i, [](Section& s) { s.kind = SectionKind{26}; }),
              ErrorCode::kCorrupt);
    EXPECT_EQ(change(i, [](Section& s) { s.layer = 1000; }),
              ErrorCode::kCorrupt);
    for (const uint64_t offset : {0ull, 64ull, ~0ull, ~63ull, 1ull << 63}) {
      EXPECT_EQ(change(i, [&](Section& s) { s.offset_bytes = offset; }),
                ErrorCode::kCorrupt);
    }
    EXPECT_EQ(change(i, [](Section& s) { s.offset_bytes += 1; }),
              ErrorCode::kCorrupt);
    for (const uint64_t size : {0ull, ~0ull, 1ull << 62}) {
      EXPECT_EQ(change(i, [&](Section& s) { s.size_bytes = size; }),
                ErrorCode::kCorrupt);
    }
  }
  // Sections whose size is free.
  for (const uint64_t size : {1ull, 1ull << 40, ~7ull}) {
    EXPECT_EQ(change(1, [&](Section& s) { s.size_bytes = size; }),
              ErrorCode::kCorrupt);
    EXPECT_EQ(change(2, [&](Section& s) { s.size_bytes = size; }),
              ErrorCode::kCorrupt);
  }
  // Only the alignment of values is 4,096.
  EXPECT_EQ(change(5, [](Section& s) { s.offset_bytes += 64; }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.sections.pop_back(); }),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ParseChanged([](ModelHeader& h) { h.file_bytes += 1; }),
            ErrorCode::kCorrupt);
}

TEST(ModelHeaderShapesTest, SizesFollowFromTheConfiguration) {
  ModelConfig c;
  c.num_layers = 1;
  c.dim = 128;
  c.num_heads = 4;
  c.num_kv_heads = 2;
  c.head_dim = 32;
  c.ffn_dim = 192;
  c.num_tokens = 500;
  c.num_rows = 502;
  c.tied_head = false;
  const auto sections = ListSections(c, 10, 3);
  uint64_t total = 0;
  for (const Section& s : sections) total += s.size_bytes;
  // 502 and 500 rows are padded to 512.
  EXPECT_EQ(total, 501 * 4 + 10 + 3 * 8 + 16 * 8 + 3 * 128 * 4 +
                       (2 * 512 + 256 + 128 + 384) * (128 + 2 * 4) +
                       128 * (192 + 3 * 4));
  EXPECT_EQ(LinearShape(c, SectionKind::kHeadValues).num_rows, 500u);
  EXPECT_EQ(LinearShape(c, SectionKind::kEmbeddingScales).num_rows, 502u);
  c.tied_head = true;
  EXPECT_EQ(ListSections(c, 10, 3).size() + 2, sections.size());
}

}  // namespace
}  // namespace llma
