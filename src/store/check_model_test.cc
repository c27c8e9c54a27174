// SPDX-License-Identifier: Apache-2.0
#include "store/check_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/hex.h"
#include "model/model_header.h"
#include "platform/descriptors.h"

namespace llma::store {
namespace {

const std::string kTinyPath = LLMA_TEST_DATA_DIR "/tiny.llmm";

TEST(CheckModelTest, AModelIsWhatItSays) {
  const auto model = VerifyModel(kTinyPath);
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_EQ((*model)->name(), "tiny");
}

TEST(CheckModelTest, AWrongFingerprintIsNoticed) {
  auto bytes = ReadFile(kTinyPath);
  ASSERT_TRUE(bytes);
  ModelHeader header = *ParseModelHeader(*bytes);
  const std::string right = ToHex(header.fingerprint);
  header.fingerprint[31] ^= 1;
  std::ranges::copy(EncodeModelHeader(header), bytes->begin());
  const std::string path = testing::TempDir() + "llma_wrong_fingerprint.llmm";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes->data()),
             static_cast<std::streamsize>(bytes->size()));
  // Opening believes it; verifying does not.
  EXPECT_TRUE(Model::Open(path));
  const auto model = VerifyModel(path);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(model.error().what, path + ": its fingerprint is " + right +
                                    ", and it says " +
                                    ToHex(header.fingerprint));
  std::remove(path.c_str());
}

TEST(CheckModelTest, OnlyNamesAreRemoved) {
  EXPECT_EQ(RemoveModel(kTinyPath).error().code, ErrorCode::kUsage);
  EXPECT_EQ(RemoveModel("").error().code, ErrorCode::kUsage);
  EXPECT_TRUE(Model::Open(kTinyPath));
}

}  // namespace
}  // namespace llma::store
