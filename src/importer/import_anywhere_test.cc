// SPDX-License-Identifier: Apache-2.0
// An import gives the same file on every machine: runs on all that the core can
// be built for, and the numbers are the same.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/hex.h"
#include "importer/gguf/import_gguf.h"
#include "importer/testing/architecture_variations.h"
#include "model/model.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

class Importer {
 public:
  Importer()
      : path_(testing::TempDir() + "llma_anywhere_" +
              std::to_string(::getpid())) {}
  ~Importer() { std::filesystem::remove(path_); }
  std::string Fingerprint(const std::vector<uint8_t>& gguf) const {
    const auto fingerprint = ImportGgufBytes(gguf, path_, {"tiny", "", true});
    return fingerprint ? ToHex(*fingerprint) : fingerprint.error().what;
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

TEST(ImportAnywhereTest, TheCommittedModel) {
  const Importer importer;
  const auto gguf = ReadFile(LLMA_TEST_DATA_DIR "/tiny.gguf");
  const auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(gguf && model);
  EXPECT_EQ(importer.Fingerprint(*gguf), ToHex((*model)->fingerprint()));
  EXPECT_TRUE(*ReadFile(importer.path()) ==
              *ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm"));
}

TEST(ImportAnywhereTest, EveryArchitecture) {
  const Importer importer;
  const std::pair<const char*, const char*> kFingerprints[] = {
      {"llama",
       "3e8412f9d29d3decc7ef51998e0208de3efb2179fe023edb7fc4f71023092f9e"},
      {"qwen2",
       "7b21ef5c0f910f1afe452ab1d7244c17c4963f860ec45ac10674c97d9313732c"},
      {"qwen3",
       "1326aee590a97a18b97c241699ce2d4e3cef2a4077c67a15841cf5249c54bc65"},
      {"granite",
       "13db9de25987b792ea3d60177aeff0c18fc1afec434d88644457fda289c9e3f4"},
      {"gemma2",
       "0fbb7c44a4e683817e7752e292b97972df384f712c4eb8830f02f56693854775"},
      {"gemma3",
       "fc9ec3de46ab747d5c2b39ca98b06cfccdb253a54a1c0cb97aa994692a29b53e"},
  };
  for (const auto& [name, fingerprint] : kFingerprints) {
    EXPECT_EQ(importer.Fingerprint(VariationMaker(name).editor.Encode()),
              fingerprint)
        << name;
  }
}

// What scaled RoPE is made of: logarithms and powers.
TEST(ImportAnywhereTest, ScaledRope) {
  const Importer importer;
  VariationMaker maker("llama");
  maker.editor.SetString("llama.rope.scaling.type", "yarn");
  maker.editor.SetF32("llama.rope.scaling.factor", 4);
  maker.editor.SetU32("llama.rope.scaling.original_context_length", 512);
  EXPECT_EQ(importer.Fingerprint(maker.editor.Encode()),
            "c2cf9d6d8ab445e0b2170c4db09c40269be0dc61e41add0b41c385bc9c85e497");
}

}  // namespace
}  // namespace llma
