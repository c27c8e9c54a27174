// SPDX-License-Identifier: Apache-2.0
// For tests: the tiny model of another architecture, imported.
#ifndef LLMA_IMPORTER_TESTING_IMPORT_VARIATION_H_
#define LLMA_IMPORTER_TESTING_IMPORT_VARIATION_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "importer/gguf/import_gguf.h"
#include "importer/testing/architecture_variations.h"
#include "model/model.h"

namespace llma {

// `name` is that of GGUF.
inline std::unique_ptr<Model> ImportVariation(const std::string& name) {
  const std::string path = testing::TempDir() + "llma_variation_" + name +
                           std::to_string(::getpid());
  const auto imported = ImportGgufBytes(VariationMaker(name).editor.Encode(),
                                        path, {"tiny", "", true});
  EXPECT_TRUE(imported) << imported.error().what;
  auto model = Model::Open(path);
  EXPECT_TRUE(model) << model.error().what;
  std::filesystem::remove(path);
  return *std::move(model);
}

}  // namespace llma

#endif  // LLMA_IMPORTER_TESTING_IMPORT_VARIATION_H_
