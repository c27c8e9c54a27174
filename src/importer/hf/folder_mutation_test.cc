// SPDX-License-Identifier: Apache-2.0
// Damaged Hugging Face folders: an error, or a model file that can be opened;
// never a crash, a hang or a large allocation.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "importer/hf/import_folder.h"
#include "importer/testing/hf_folder_editor.h"
#include "importer/testing/tiny_gemma.h"
#include "model/model.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kWeights = "model.safetensors";
constexpr int kRounds = 500;  // for each kind of damage and file

struct Case {
  const char* model;
  const char* file;  // that is damaged
};

class FolderMutationTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto file = MappedFile::Open(LLMA_TEST_DATA_DIR "/tiny.gguf");
    ASSERT_TRUE(file);
    const std::vector<uint8_t> gemma = TinyGemma().Encode();
    const bool is_gemma = GetParam().model == std::string_view("gemma3");
    const auto gguf = GgufReader::Parse(is_gemma ? gemma : file->bytes());
    ASSERT_TRUE(gguf);
    HfFolderEditor editor(*gguf, TensorType::kBf16);
    header_ = editor.weights[kWeights].header;
    for (const auto& entry : header_.items()) {
      editor.index["weight_map"][entry.key()] = kWeights;
    }
    // Thousands of small files: in memory if possible.
    const std::string folder =
        fs::is_directory("/dev/shm") ? "/dev/shm/" : testing::TempDir();
    folder_ = folder + "llma_folder_mutation_" + std::to_string(::getpid());
    editor.Write(folder_);
    auto bytes = ReadFile(folder_ + "/" + GetParam().file);
    ASSERT_TRUE(bytes);
    bytes_ = *std::move(bytes);
    // Of weights only the header has a structure.
    structure_size_ =
        static_cast<uint32_t>(GetParam().file == std::string_view(kWeights)
                                  ? 8 + header_.dump().size()
                                  : bytes_.size());
    ASSERT_TRUE(Import(bytes_));
  }
  void TearDown() override { fs::remove_all(folder_); }

  bool Import(Bytes damaged) {
    {
      std::ofstream out(folder_ + "/" + GetParam().file, std::ios::binary);
      out.write(reinterpret_cast<const char*>(damaged.data()),
                static_cast<std::streamsize>(damaged.size()));
    }
    const std::string target = folder_ + "/out.llmm";
    const auto imported = ImportFolder(folder_, target, {"x", "", true});
    if (!imported) return false;
    const auto model = Model::Open(target);
    EXPECT_TRUE(model) << model.error().what;
    return true;
  }

  uint32_t Offset() { return random_.Below(structure_size_); }

  Json header_;
  std::vector<uint8_t> bytes_;
  uint32_t structure_size_ = 0;
  std::string folder_;
  TestRandom random_{11};
};

TEST_P(FolderMutationTest, Truncations) {
  for (int i = 0; i < kRounds; ++i) {
    const uint32_t size = Offset();
    EXPECT_FALSE(Import(Bytes(bytes_).first(size))) << size;
  }
}

TEST_P(FolderMutationTest, Flips) {
  for (int i = 0; i < kRounds; ++i) {
    std::vector<uint8_t> flipped = bytes_;
    for (uint32_t n = 1 + random_.Below(3); n > 0; --n) {
      flipped[Offset()] ^= static_cast<uint8_t>(1 << random_.Below(8));
    }
    Import(flipped);
  }
}

TEST_P(FolderMutationTest, Splices) {
  for (int i = 0; i < kRounds; ++i) {
    std::vector<uint8_t> spliced = bytes_;
    const uint32_t length = 1 + random_.Below(64);
    const uint32_t from = std::min(Offset(), structure_size_ - length);
    const uint32_t to = std::min(Offset(), structure_size_ - length);
    std::copy_n(bytes_.begin() + from, length, spliced.begin() + to);
    Import(spliced);
  }
}

// Well-formed JSON with one value that is something else.
TEST_P(FolderMutationTest, OtherValues) {
  const bool is_weights = GetParam().file == std::string_view(kWeights);
  const Json good = is_weights ? header_ : Json::parse(bytes_);
  std::vector<std::string> pointers;
  const Json leaves = good.flatten();
  for (const auto& leaf : leaves.items()) {
    pointers.push_back(leaf.key());
  }
  const Json values[] = {0,
                         1,
                         -1,
                         3,
                         1u << 31,
                         ~0u,
                         1ull << 63,
                         ~0ull,
                         0.5,
                         1e308,
                         -1e-320,
                         "",
                         "a b",
                         std::string(100000, 'x'),
                         std::string(1, '\0'),
                         true,
                         false,
                         nullptr,
                         Json::array(),
                         Json::array({1, 2, 3}),
                         Json::object(),
                         {{"type", "Sequence"}, {"pretokenizers", {nullptr}}}};
  for (int i = 0; i < 2 * kRounds; ++i) {
    Json changed = good;
    Json::json_pointer pointer(
        pointers[random_.Below(static_cast<uint32_t>(pointers.size()))]);
    // Sometimes what is around it.
    while (!pointer.empty() && random_.Below(3) == 0) pointer.pop_back();
    changed[pointer] = values[random_.Below(std::size(values))];
    const std::string text = changed.dump();
    if (is_weights) {
      Import(SafetensorsEditor::Encode(text,
                                       Bytes(bytes_).subspan(structure_size_)));
    } else {
      Import(AsBytes(text));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, FolderMutationTest,
                         testing::Values(Case{"llama", "config.json"},
                                         Case{"llama", "tokenizer.json"},
                                         Case{"llama", kIndex},
                                         Case{"llama", kWeights},
                                         Case{"gemma3", "config.json"},
                                         Case{"gemma3", "tokenizer.json"}));

}  // namespace
}  // namespace llma
