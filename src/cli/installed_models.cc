// SPDX-License-Identifier: Apache-2.0
#include "cli/installed_models.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/file_io.h"
#include "cli/messages.h"
#include "model/model_header.h"

namespace llma::cli {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// $XDG_DATA_HOME/llma; empty if there is no home. The XDG rules: a relative
// path is invalid and ignored.
std::string UserModelFolder() {
  const std::string data_home = Environment("XDG_DATA_HOME");
  if (data_home.starts_with('/')) return data_home + "/llma";
  const std::string home = Environment("HOME");
  return home.empty() ? "" : home + "/.local/share/llma";
}

Result<InstalledModel> ReadModelHeader(const std::string& path) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(path));
  LLMA_ASSIGN(const ModelHeader header, ParseModelHeader(file.bytes()));
  InstalledModel model;
  model.name = header.name;
  model.path = path;
  model.fingerprint = header.fingerprint;
  model.file_bytes = file.bytes().size();
  return model;
}

// The .llmm files of a folder, sorted.
std::vector<std::string> ListFolder(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end;
       i.increment(error)) {
    if (i->path().extension() == ".llmm") paths.push_back(i->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

const InstalledModel* InstalledModels::FindName(const std::string& name) const {
  const auto found =
      std::find_if(models.begin(), models.end(),
                   [&](const InstalledModel& m) { return m.name == name; });
  return found == models.end() ? nullptr : &*found;
}

const InstalledModel* InstalledModels::FindId(
    const std::array<uint8_t, 8>& id) const {
  const auto found =
      std::find_if(models.begin(), models.end(), [&](const InstalledModel& m) {
        return std::equal(id.begin(), id.end(), m.fingerprint.begin());
      });
  return found == models.end() ? nullptr : &*found;
}

std::vector<std::string> ModelFolders() {
  std::vector<std::string> folders;
  std::istringstream listed(Environment("LLMA_MODEL_PATH"));
  for (std::string folder; std::getline(listed, folder, ':');) {
    if (!folder.empty()) folders.push_back(folder);
  }
  const std::string user = UserModelFolder();
  if (!user.empty()) folders.push_back(user);
  folders.push_back("/usr/share/llma");
  return folders;
}

InstalledModels ListInstalledModels() {
  InstalledModels installed;
  for (const std::string& folder : ModelFolders()) {
    for (const std::string& path : ListFolder(folder)) {
      auto model = ReadModelHeader(path);
      if (model) {
        installed.models.push_back(*std::move(model));
      } else {
        installed.problems.push_back(FormatError(path, model.error()));
      }
    }
  }
  return installed;
}

Result<std::string> MakeUserModelFolder() {
  const std::string folder = UserModelFolder();
  if (folder.empty()) {
    return Error{ErrorCode::kUsage,
                 "neither HOME nor XDG_DATA_HOME is set; use -o"};
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{ErrorCode::kIo, folder + ": " + error.message()};
  return folder;
}

}  // namespace llma::cli
