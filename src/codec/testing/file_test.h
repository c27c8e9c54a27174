// SPDX-License-Identifier: Apache-2.0
// For tests: files that the tiny model makes in memory and that are restored.
#ifndef LLMA_CODEC_TESTING_FILE_TEST_H_
#define LLMA_CODEC_TESTING_FILE_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "codec/file/whole_file.h"
#include "codec/testing/second_tiny_model.h"
#include "numerics/test_random.h"

namespace llma {

// Words, some of which no token spells.
inline std::string Text(uint32_t seed, size_t num_words) {
  constexpr const char* kWords[] = {" everyone", " working", " belonged\n",
                                    " saying",   " return",  " became",
                                    " \xff\x01", " 1234"};
  TestRandom random(seed);
  std::string text;
  for (size_t i = 0; i < num_words; ++i) text += kWords[random.Below(8)];
  return text;
}

class FileTest : public testing::Test {
 protected:
  FileTest() : model_(OpenTinyModel()) { how_.num_threads = 1; }

  std::vector<uint8_t> Make(const std::string& content) {
    auto file = Compress(AsBytes(content), model_.get(), how_);
    EXPECT_TRUE(file) << file.error().what;
    return file ? *std::move(file) : std::vector<uint8_t>();
  }
  // The content, or the error.
  std::string Restore(Bytes file) {
    const auto content = Decompress(file, model_.get(), restoring_);
    return content ? std::string(AsStringView(*content))
                   : "error: " + content.error().what;
  }

  std::unique_ptr<Model> model_;
  CompressOptions how_;
  DecompressOptions restoring_;
};

}  // namespace llma

#endif  // LLMA_CODEC_TESTING_FILE_TEST_H_
