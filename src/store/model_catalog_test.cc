// SPDX-License-Identifier: Apache-2.0
#include "store/model_catalog.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "base/hex.h"
#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"
#include "store/check_model.h"
#include "store/default_adapter.h"
#include "store/download.h"

namespace llma::store {
namespace {

TEST(ModelCatalogTest, EntriesAreSound) {
  std::set<std::string_view> names;
  for (const CatalogEntry& entry : Catalog()) {
    EXPECT_TRUE(IsValidModelName(entry.name)) << entry.name;
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_NE(entry.repository.find('/'), std::string_view::npos);
    EXPECT_FALSE(entry.license.empty());
    // Hashes and a size come from a file in hand: all or none; and then the
    // revision does not move.
    const bool has_file = entry.verified == Verified::kFile;
    EXPECT_EQ(entry.sha256.empty(), !has_file) << entry.name;
    EXPECT_EQ(entry.size_bytes == 0, !has_file) << entry.name;
    EXPECT_EQ(entry.fingerprint.size(), has_file ? 64u : 0u) << entry.name;
    EXPECT_TRUE(entry.file.empty() || entry.file.ends_with(".gguf"));
    if (has_file) {
      EXPECT_TRUE(IsSha256Text(std::string(entry.sha256))) << entry.name;
      EXPECT_EQ(entry.revision.size(), 40u) << entry.name;
    }
  }
  EXPECT_NE(FindCatalogName(kDefaultModelName), nullptr);
  EXPECT_EQ(FindCatalogName("default"), FindCatalogName(kDefaultModelName));
  EXPECT_EQ(FindCatalogName("nemo"), nullptr);
  EXPECT_EQ(FindCatalogFingerprint({}), nullptr);
}

// What is compiled in is the folder's, so `pull` and tools/get_default_model.sh
// give the same model.
TEST(ModelCatalogTest, TheDefaultAdapter) {
  const auto compiled_in = Adapter::Read(DefaultAdapter());
  ASSERT_TRUE(compiled_in) << compiled_in.error().what;
  const auto of_folder = Adapter::Open(LLMA_TEST_DATA_DIR "/../../models/" +
                                       std::string(kDefaultModelName));
  ASSERT_TRUE(of_folder) << of_folder.error().what;
  EXPECT_EQ(compiled_in->sha256(), of_folder->sha256());
}

// Where a path to its GGUF file is given.
TEST(ModelCatalogTest, TheDefaultModel) {
  const char* path = std::getenv("LLMA_MODEL_GGUF");
  if (path == nullptr) GTEST_SKIP() << "LLMA_MODEL_GGUF is not set";
  const CatalogEntry& entry = *FindCatalogName("default");
  std::string folder = testing::TempDir() + "llma_catalog_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ImportOptions how;
  how.name = entry.name;
  how.adapter = &entry.adapter();
  const auto made = ImportModel(path, folder + "/m.llmm", how);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(ToHex(*made), entry.fingerprint);
}

TEST(ModelCatalogTest, AFileWhoseModelIsMissingSaysHowToGetIt) {
  ::setenv("HOME", "/nonexistent", 1);
  ::unsetenv("XDG_DATA_HOME");
  ::unsetenv("LLMA_MODEL_PATH");
  const std::string_view hex =
      FindCatalogName("qwen2.5-coder-0.5b-instruct")->fingerprint;
  std::array<uint8_t, kModelIdBytes> id;
  for (size_t i = 0; i < id.size(); ++i) {
    id[i] = static_cast<uint8_t>(
        std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  const auto found = FindModelOfFile(id);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kModelMissing);
  EXPECT_EQ(found.error().what,
            "needs the model qwen2.5-coder-0.5b-instruct, fingerprint "
            "1e60a74844f83978...: run `llma model pull "
            "qwen2.5-coder-0.5b-instruct`");
  id[7] ^= 1;
  EXPECT_NE(FindModelOfFile(id).error().what.find("model import"),
            std::string::npos);
}

}  // namespace
}  // namespace llma::store
