// SPDX-License-Identifier: Apache-2.0
#include "store/model_catalog.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/model_header.h"
#include "model/model_registry.h"
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
    // A hash and a size come from a file in hand: both or none; and then the
    // revision does not move.
    EXPECT_EQ(entry.sha256.empty(), entry.size_bytes == 0) << entry.name;
    if (!entry.sha256.empty()) {
      EXPECT_TRUE(IsSha256Text(std::string(entry.sha256))) << entry.name;
      EXPECT_EQ(entry.revision.size(), 40u) << entry.name;
    }
  }
  EXPECT_NE(FindCatalogName(kDefaultModelName), nullptr);
  EXPECT_EQ(FindCatalogName("nemo"), nullptr);
  EXPECT_EQ(FindCatalogFingerprint({}), nullptr);
}

}  // namespace
}  // namespace llma::store
