// SPDX-License-Identifier: Apache-2.0
// The .llmm files in the model folders: $LLMA_MODEL_PATH (folders separated by
// ':'), then $XDG_DATA_HOME/llma, then /usr/share/llma. Reads headers only.
#ifndef LLMA_CLI_INSTALLED_MODELS_H_
#define LLMA_CLI_INSTALLED_MODELS_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"

namespace llma::cli {

struct InstalledModel {
  std::string name;
  std::string path;
  Fingerprint fingerprint;
  uint64_t file_bytes;
};

struct InstalledModels {
  // In the order of the folders, then by file name. Of several with the same
  // name, the first one is meant.
  std::vector<InstalledModel> models;
  std::vector<std::string> problems;  // files that are no models, with why

  const InstalledModel* FindName(const std::string& name) const;
  // By the first 8 bytes of the fingerprint.
  const InstalledModel* FindId(const std::array<uint8_t, 8>& id) const;
};

std::vector<std::string> ModelFolders();

// Folders that do not exist are left out.
InstalledModels ListInstalledModels();

// $XDG_DATA_HOME/llma, where models are imported to; made if necessary.
Result<std::string> MakeUserModelFolder();

}  // namespace llma::cli

#endif  // LLMA_CLI_INSTALLED_MODELS_H_
