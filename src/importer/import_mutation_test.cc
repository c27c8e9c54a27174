// SPDX-License-Identifier: Apache-2.0
// Damaged GGUF files: an error, or a model file that can be opened; never a
// crash, a hang or a large allocation.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "importer/gguf/import_gguf.h"
#include "importer/testing/tiny_gemma.h"
#include "model/model.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

class ImportMutationTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string_view("gemma3")) {
      bytes_ = TinyGemma().Encode();
    } else {
      auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.gguf");
      ASSERT_TRUE(bytes);
      bytes_ = *std::move(bytes);
    }
    // Weights start after the names of the tensors.
    for (const std::string_view name :
         {"output_norm.weight", "token_embd.weight"}) {
      const auto end =
          std::search(bytes_.begin(), bytes_.end(), name.begin(), name.end());
      structure_size_ = std::max(
          structure_size_, static_cast<uint32_t>(end - bytes_.begin()) + 64);
    }
    ASSERT_LT(structure_size_, bytes_.size() / 4);
    // Thousands of small files, flushed one by one: in memory if possible.
    const std::string folder =
        fs::is_directory("/dev/shm") ? "/dev/shm/" : testing::TempDir();
    path_ = folder + "llma_mutation_" + std::to_string(::getpid());
  }
  void TearDown() override { fs::remove(path_); }

  // An offset: nearly always in the structure, where it matters.
  uint32_t Offset() {
    return random_.Below(random_.Below(16) == 0
                             ? static_cast<uint32_t>(bytes_.size())
                             : structure_size_);
  }

  bool Import(Bytes bytes) {
    const auto imported = ImportGgufBytes(bytes, path_, {"x", "", true});
    if (!imported) return false;
    const auto model = Model::Open(path_);
    EXPECT_TRUE(model) << model.error().what;
    return true;
  }

  std::vector<uint8_t> bytes_;
  uint32_t structure_size_ = 0;
  std::string path_;
  TestRandom random_{4};
};

TEST_P(ImportMutationTest, Truncations) {
  for (int i = 0; i < 1000; ++i) {
    const uint32_t size = Offset();
    EXPECT_FALSE(Import(Bytes(bytes_).first(size))) << size;
  }
}

TEST_P(ImportMutationTest, Flips) {
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> flipped = bytes_;
    for (uint32_t n = 1 + random_.Below(3); n > 0; --n) {
      flipped[Offset()] ^= static_cast<uint8_t>(1 << random_.Below(8));
    }
    Import(flipped);
  }
}

TEST_P(ImportMutationTest, Splices) {
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> spliced = bytes_;
    const uint32_t length = 1 + random_.Below(64);
    const uint32_t from = std::min(Offset(), structure_size_ - length);
    const uint32_t to = std::min(Offset(), structure_size_ - length);
    std::copy_n(bytes_.begin() + from, length, spliced.begin() + to);
    Import(spliced);
  }
}

TEST_P(ImportMutationTest, ExtremeNumbers) {
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> changed = bytes_;
    const uint32_t ofs = random_.Below(structure_size_);
    const uint64_t numbers[] = {~0ull, 0, 1ull << 63, 1ull << 32, 0x7fffffff};
    const uint64_t number = numbers[random_.Below(5)];
    for (uint32_t k = 0; k < (i % 2 == 0 ? 4 : 8); ++k) {
      changed[ofs + k] = static_cast<uint8_t>(number >> (8 * k));
    }
    Import(changed);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ImportMutationTest,
                         testing::Values("llama", "gemma3"));

}  // namespace
}  // namespace llma
