// SPDX-License-Identifier: Apache-2.0
// What the tests of damaged files share.
#ifndef LLMA_TESTS_MUTATION_FIXTURE_H_
#define LLMA_TESTS_MUTATION_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codec/file/whole_file.h"

namespace llma {

// mt19937 is the same everywhere, the distributions of the library are not.
class Random {
 public:
  // In [0, bound).
  size_t Below(size_t bound) { return bound == 0 ? 0 : engine_() % bound; }

 private:
  std::mt19937 engine_{1};
};

// Mostly words that the tiny model has tokens for, so that it is coded, not
// stored: its weights are noise, and it predicts nothing.
inline std::string SampleText(Random& random, size_t num_words) {
  constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                    " saying",   " return",  " became",
                                    " small",    "\xc3\xa4"};
  std::string text;
  for (size_t i = 0; i < num_words; ++i) text += kWords[random.Below(8)];
  return text;
}

class MutationFixture : public testing::Test {
 protected:
  MutationFixture() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model);
    model_ = *std::move(model);
    decompress_.num_threads = 1;
    decompress_.max_memory_bytes = 256 << 20;
    decompress_.progress = [this](const CodecProgress& progress) {
      max_done_bytes_ = std::max(max_done_bytes_, progress.done_bytes);
      return true;
    };
  }

  // One frame, unless frame_bytes is less than the content.
  std::vector<uint8_t> MakeFile(std::string_view content, uint32_t num_lanes,
                                uint64_t frame_bytes = 0) {
    CompressOptions options;
    options.num_threads = 1;
    options.num_lanes = num_lanes;
    options.window_positions = 32;
    options.frame_bytes = frame_bytes;
    auto file = Compress(AsBytes(content), model_.get(), options);
    EXPECT_TRUE(file);
    return *std::move(file);
  }

  // Decompresses, and notes the bytes that were claimed to be done.
  Result<std::vector<uint8_t>> Read(Bytes file) {
    return Decompress(file, model_.get(), decompress_);
  }

  std::unique_ptr<Model> model_;
  DecompressOptions decompress_;
  uint64_t max_done_bytes_ = 0;
  Random random_;
};

}  // namespace llma

#endif  // LLMA_TESTS_MUTATION_FIXTURE_H_
