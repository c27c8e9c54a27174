// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "codec/file/whole_file.h"
#include "codec/short/compress_short.h"
#include "codec/short/decompress_short.h"
#include "codec/short/short_format.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

class ShortMessage : public testing::Test {
 protected:
  ShortMessage() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model);
    model_ = *std::move(model);
    options_.num_threads = 1;
  }

  // Tokens of the tiny model.
  static std::string Text(size_t num_words) {
    constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                      " saying",   " return",  " became"};
    TestRandom random(9);
    std::string text;
    for (size_t i = 0; i < num_words; ++i) text += kWords[random.Below(6)];
    return text;
  }

  std::unique_ptr<Model> model_;
  CompressOptions options_;
};

TEST_F(ShortMessage, RoundTrips) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("\0\xff", 2), Text(10),
        Text(100), std::string(3000, 'x')}) {
    const auto file = CompressShort(AsBytes(text), *model_, options_);
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_TRUE(IsShortMessage(*file));
    EXPECT_LE(file->size(), text.size() + kMaxShortOverheadBytes);
    const auto content = DecompressShort(*file, model_.get(), {});
    ASSERT_TRUE(content) << content.error().what;
    EXPECT_EQ(AsStringView(*content), text);
    EXPECT_EQ(*Decompress(*file, model_.get(), {}), *content);
  }
}

TEST_F(ShortMessage, NamesItsModel) {
  const auto file = CompressShort(AsBytes(Text(20)), *model_, options_);
  ASSERT_EQ(ModelOfShortMessage(*file), model_->fingerprint()[0]);
  EXPECT_EQ(DecompressShort(*file, nullptr, {}).error().code,
            ErrorCode::kModelMissing);
  const auto stored = CompressShort(AsBytes("q"), *model_, options_);
  EXPECT_FALSE(ModelOfShortMessage(*stored));
  EXPECT_TRUE(DecompressShort(*stored, nullptr, {}));
}

TEST_F(ShortMessage, NoticesMostDamage) {
  const std::string text = Text(8);
  const auto right = *CompressShort(AsBytes(text), *model_, options_);
  int num_unnoticed = 0;
  for (size_t i = 0; i < 8 * right.size(); ++i) {
    std::vector<uint8_t> file = right;
    file[i / 8] ^= uint8_t(1u << i % 8);
    const auto content = DecompressShort(file, model_.get(), {});
    num_unnoticed += content && AsStringView(*content) != text ? 1 : 0;
  }
  EXPECT_LE(num_unnoticed, 1);
  for (size_t size = 0; size < right.size(); ++size) {
    EXPECT_FALSE(DecompressShort(Bytes(right).first(size), model_.get(), {}));
  }
}

TEST_F(ShortMessage, RefusesLongContent) {
  const std::vector<uint8_t> content(kMaxShortMessageBytes + 1, 'a');
  EXPECT_EQ(CompressShort(content, *model_, options_).error().code,
            ErrorCode::kLimit);
}

TEST_F(ShortMessage, CodesEverySize) {
  for (uint32_t size = 1; size <= kMaxShortMessageBytes; size += 1 + size / 7) {
    BinaryEncoder encoder;
    CodeShortSize(encoder, size);
    const auto code = std::move(encoder).Finish();
    if (size >= 32 && size < 256) {
      EXPECT_LE(code.size(), 2u);
    }
    BinaryDecoder decoder(code);
    EXPECT_EQ(CodeShortSize(decoder, 0), size);
  }
}

TEST_F(ShortMessage, ContentIsLimited) {
  for (const std::string text :
       {"words that the model codes", "\x80\x01\xff"}) {
    const auto file = *CompressShort(AsBytes(text), *model_, options_);
    DecompressOptions options;
    options.max_content_bytes = text.size();
    EXPECT_TRUE(DecompressShort(file, model_.get(), options));
    --options.max_content_bytes;
    const auto refused = DecompressShort(file, model_.get(), options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  }
}

}  // namespace
}  // namespace llma
