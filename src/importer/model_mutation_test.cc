// SPDX-License-Identifier: Apache-2.0
// Damaged model files of Gemma's architecture, whose checksums are right: an
// error, or a model that can be used; never a crash.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "importer/gguf/import_gguf.h"
#include "importer/measure/text_bits.h"
#include "importer/testing/tiny_gemma.h"
#include "model/testing/model_editor.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

constexpr int kRounds = 1000;

class ModelMutationTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = testing::TempDir() + "llma_model_mutation_" +
                             std::to_string(::getpid());
    ASSERT_TRUE(ImportGgufBytes(TinyGemma().Encode(), path, {"x", "", true}));
    auto bytes = ReadFile(path);
    std::filesystem::remove(path);
    ASSERT_TRUE(bytes);
    bytes_ = *std::move(bytes);
    num_used_ = 0;
  }

  // Whether it opens; and uses it then.
  void Use(const ModelEditor& editor) {
    const AlignedBuffer<uint8_t> file = editor.AlignedFile();
    const auto model = Model::FromBytes({file.data(), file.size()});
    if (!model) {
      EXPECT_NE(model.error().code, ErrorCode::kInternal);
      return;
    }
    const auto rows =
        RowsOfText(**model, AsBytes("a banana \xe4\xb8\xad\n"), 24);
    if (!rows) {
      EXPECT_NE(rows.error().code, ErrorCode::kInternal);
      return;
    }
    EXPECT_GE(ExactBits(**model, **FindKernels(""), pool_, rows->rows), 0);
    ++num_used_;
  }

  // Any part, as often a small one as a large one.
  size_t RandomPart(const ModelEditor& editor) {
    return random_.Below(static_cast<uint32_t>(editor.num_parts()));
  }

  // Flips a bit of a part; false: it has none.
  bool FlipBit(ModelEditor& editor, size_t index) {
    const std::span<uint8_t> part = editor.part(index);
    if (part.empty()) return false;
    part[random_.Below(static_cast<uint32_t>(part.size()))] ^=
        static_cast<uint8_t>(1 << random_.Below(8));
    return true;
  }

  std::vector<uint8_t> bytes_;
  ThreadPool pool_{1};
  TestRandom random_{21};
  int num_used_ = 0;
};

TEST_F(ModelMutationTest, Flips) {
  const ModelEditor good(bytes_);
  for (int i = 0; i < kRounds; ++i) {
    ModelEditor editor = good;
    for (uint32_t n = 1 + random_.Below(3); n > 0; --n) {
      const size_t index = RandomPart(editor);
      if (FlipBit(editor, index) && index > 0) editor.FixChecksum(index);
    }
    editor.FixChecksum(0);
    Use(editor);
  }
  EXPECT_GT(num_used_, kRounds / 10);
}

TEST_F(ModelMutationTest, ExtremeNumbers) {
  const ModelEditor good(bytes_);
  for (int i = 0; i < kRounds; ++i) {
    ModelEditor editor = good;
    const size_t index = RandomPart(editor);
    const uint64_t numbers[] = {~0ull,      0,          1,
                                1ull << 31, 0x7fffffff, 0x7f7fffff,
                                1 << 16,    0x7fc00000, 0xff800000};
    ByteWriter number;
    const uint64_t value = numbers[random_.Below(9)];
    if (random_.Below(2) == 0) {
      number.StoreU64(value);
    } else {
      number.StoreU32(static_cast<uint32_t>(value));
    }
    editor.Overwrite(index, 4 * size_t{random_.Below(1 << 12)}, number.bytes());
    if (index > 0) editor.FixChecksum(index);
    editor.FixChecksum(0);
    Use(editor);
  }
  EXPECT_GT(num_used_, kRounds / 10);
}

// Where checksums are not made right, nothing opens.
TEST_F(ModelMutationTest, ChecksumsHold) {
  const ModelEditor good(bytes_);
  for (int i = 0; i < kRounds; ++i) {
    ModelEditor editor = good;
    if (FlipBit(editor, RandomPart(editor))) Use(editor);
  }
  EXPECT_EQ(num_used_, 0);
}

}  // namespace
}  // namespace llma
