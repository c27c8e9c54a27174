// SPDX-License-Identifier: Apache-2.0
// Files of a language model that learns while it reads.
#include <gtest/gtest.h>

#include <string>

#include "codec/compress.h"
#include "codec/compress_context.h"
#include "codec/decompress.h"
#include "codec/file/whole_file.h"
#include "codec/frame/frame_context.h"
#include "codec/testing/file_test.h"
#include "container/frame_map.h"
#include "kernels/kernel_table.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

class LearningTest : public FileTest {
 protected:
  LearningTest() : content_(Text(1, 500)) {
    how_.learns = true;
    how_.level = 9;
    how_.context_models = ContextModels::kNone;
    how_.num_lanes = 1;
  }

  std::string content_;
};

TEST_F(LearningTest, LearnsAndIsRestored) {
  how_.learns = false;
  const size_t without = Make(content_).size();
  how_.learns = true;
  const auto file = Make(content_);
  EXPECT_EQ(Restore(file), content_);
  // It has learnt which words there are.
  EXPECT_LT(file.size(), without);
}

// A frame with no more pieces than one step reads has nothing to learn, so it
// is that of the other predictor.
TEST_F(LearningTest, FewPiecesAreNotLearntFrom) {
  CompressContext context;
  const auto tokenizer = context.TokenizerOf(*model_);
  ASSERT_TRUE(tokenizer);
  for (const uint32_t lanes : {1, 4}) {
    how_.num_lanes = lanes;
    for (const size_t num_words : {100, 200, 220, 240, 260, 280, 300, 400}) {
      const std::string content = Text(1, num_words);
      const auto file = Make(content);
      EXPECT_EQ(Restore(file), content);
      const auto header = ReadFrameHeader(InMemory(file), 0);
      ASSERT_TRUE(header);
      EXPECT_EQ(header->predictor_id,
                (*tokenizer)->Encode(AsBytes(content)).size() > 256
                    ? kLearningPredictorId
                    : kPredictorId);
    }
  }
}

TEST_F(LearningTest, AnyLanesWindowsAndSets) {
  for (const uint32_t lanes : {1, 2, 3, 12, 64}) {
    for (const auto models :
         {ContextModels::kNone, ContextModels::kLight, ContextModels::kFull}) {
      how_.num_lanes = lanes;
      how_.context_models = models;
      how_.window_positions = lanes == 1 ? 16 : 64;
      EXPECT_EQ(Restore(Make(content_)), content_) << lanes;
    }
  }
}

TEST_F(LearningTest, SameBytesForAnyThreadsAndKernels) {
  for (const uint32_t lanes : {1, 3}) {
    how_.num_lanes = lanes;
    how_.num_threads = 1;
    how_.kernels = "scalar";
    const auto file = Make(content_);
    for (const KernelTable* kernels : AllKernels()) {
      if (!kernels->is_supported()) continue;
      how_.kernels = restoring_.kernels = kernels->name;
      for (const int threads : {1, 2, 7}) {
        how_.num_threads = restoring_.num_threads = threads;
        EXPECT_EQ(Make(content_), file) << kernels->name;
        EXPECT_EQ(Restore(file), content_) << kernels->name;
      }
    }
  }
}

// Steps fall on pieces of every kind: the text is moved by a byte at a time.
TEST_F(LearningTest, StepsBetweenAnyPieces) {
  for (size_t i = 0; i < 12; ++i) {
    for (const uint32_t lanes : {1, 2}) {
      how_.num_lanes = lanes;
      const std::string content =
          std::string(i, '\xfe') + Text(static_cast<uint32_t>(i), 420);
      EXPECT_EQ(Restore(Make(content)), content) << i;
    }
  }
}

TEST_F(LearningTest, DamageIsAnErrorOrHarmless) {
  const auto file = Make(content_);
  TestRandom random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<uint8_t> damaged = file;
    if (i % 4 == 0) {
      damaged.resize(random.Below(static_cast<uint32_t>(damaged.size())));
    } else {
      damaged[random.Below(static_cast<uint32_t>(damaged.size()))] ^=
          static_cast<uint8_t>(1 + random.Below(255));
    }
    const auto content = Decompress(damaged, model_.get(), restoring_);
    if (content) {
      EXPECT_EQ(AsStringView(*content), content_);
    }
  }
}

}  // namespace
}  // namespace llma
