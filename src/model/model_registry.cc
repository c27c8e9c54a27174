// SPDX-License-Identifier: Apache-2.0
#include "model/model_registry.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/hex.h"
#include "model/model_header.h"
#include "platform/folder_list.h"
#include "platform/mapped_file.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

constexpr char kSuffix[] = ".llmm";
constexpr char kHowToImport[] = ": run `llma model import FILE.gguf`";
constexpr char kHowToGetDefault[] =
    ": run `llma model pull default`, or `llma model import FILE.gguf` on a "
    "model of your own";

// "tiny, other"
std::string NamesOf(const InstalledModels& installed) {
  std::string names;
  for (const InstalledModel& model : installed.models) {
    names += (names.empty() ? "" : ", ") + model.name;
  }
  return names;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<InstalledModel> ReadInstalledModel(const std::string& path) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(path));
  const auto header = ParseModelHeader(file.bytes());
  if (!header) {
    return Error{header.error().code, path + ": " + header.error().what,
                 header.error().offset};
  }
  return InstalledModel{std::string(header->name), path, header->fingerprint,
                        file.bytes().size()};
}

// The model files of a place, sorted.
std::vector<std::string> ListPlace(const std::string& place) {
  std::error_code error;
  // Only regular files: to open a pipe would wait for its writer.
  if (fs::is_regular_file(place, error)) return {place};
  std::vector<std::string> paths;
  const auto entries = ListFolder(place);
  if (!entries) return paths;
  for (const FolderEntry& entry : *entries) {
    std::string path = PathIn(place, entry.name);
    const bool may_be_file =
        entry.kind == EntryKind::kRegular ||
        (entry.kind == EntryKind::kLink && fs::is_regular_file(path, error));
    if (may_be_file && entry.name.size() > std::strlen(kSuffix) &&
        entry.name.ends_with(kSuffix)) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

}  // namespace

const InstalledModel* InstalledModels::FindName(std::string_view name) const {
  const auto found =
      std::find_if(models.begin(), models.end(),
                   [&](const InstalledModel& m) { return m.name == name; });
  return found == models.end() ? nullptr : &*found;
}

const InstalledModel* InstalledModels::FindId(Bytes id) const {
  const auto found =
      std::find_if(models.begin(), models.end(), [&](const InstalledModel& m) {
        return id.size() <= m.fingerprint.size() &&
               std::equal(id.begin(), id.end(), m.fingerprint.begin());
      });
  return found == models.end() ? nullptr : &*found;
}

std::string UserModelFolder() {
  // The XDG rules: a relative path is invalid and ignored.
  const std::string data_home = Environment("XDG_DATA_HOME");
  if (data_home.starts_with('/')) return data_home + "/llma";
  const std::string home = Environment("HOME");
  return home.empty() ? "" : home + "/.local/share/llma";
}

std::vector<std::string> ModelPlaces() {
  std::vector<std::string> places;
  const std::string listed = Environment("LLMA_MODEL_PATH");
  for (size_t begin = 0; begin <= listed.size();) {
    const size_t end = std::min(listed.find(':', begin), listed.size());
    if (end > begin) places.push_back(listed.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string user = UserModelFolder();
  if (!user.empty()) places.push_back(user);
  places.push_back("/usr/share/llma");
  return places;
}

InstalledModels ListInstalledModels(const std::vector<std::string>& places) {
  InstalledModels installed;
  for (const std::string& place : places) {
    for (const std::string& path : ListPlace(place)) {
      auto model = ReadInstalledModel(path);
      if (model) {
        installed.models.push_back(*std::move(model));
      } else {
        installed.problems.push_back(model.error());
      }
    }
  }
  return installed;
}

std::vector<InstalledModel> ModelsToTry(const InstalledModels& installed,
                                        uint64_t max_bytes) {
  std::vector<InstalledModel> models = installed.models;
  const auto is_default = [](const InstalledModel& model) {
    return model.name == kDefaultModelName;
  };
  std::stable_sort(models.begin(), models.end(),
                   [&](const InstalledModel& a, const InstalledModel& b) {
                     if (is_default(a) != is_default(b)) return is_default(a);
                     return a.file_bytes < b.file_bytes;
                   });
  std::vector<InstalledModel> tried;
  for (const InstalledModel& model : models) {
    const bool is_known = std::ranges::any_of(tried, [&](const auto& other) {
      return other.fingerprint == model.fingerprint;
    });
    if (is_known) continue;
    if (!tried.empty() &&
        (tried.size() == kMaxModelsToTry || model.file_bytes > max_bytes)) {
      continue;
    }
    max_bytes -= std::min(max_bytes, model.file_bytes);
    tried.push_back(model);
  }
  return tried;
}

bool IsModelPath(std::string_view name_or_path) {
  return name_or_path.find('/') != std::string_view::npos ||
         name_or_path.ends_with(kSuffix);
}

Result<InstalledModel> FindModelByName(std::string_view name) {
  const InstalledModels installed = ListInstalledModels(ModelPlaces());
  const InstalledModel* found =
      installed.FindName(name.empty() ? kDefaultModelName : name);
  if (found != nullptr) return *found;
  if (!name.empty()) {
    return Error{ErrorCode::kModelMissing,
                 "no model is called " + std::string(name) +
                     (installed.models.empty()
                          ? std::string(": none is installed")
                          : ": installed are " + NamesOf(installed))};
  }
  if (installed.models.size() == 1) return installed.models.front();
  return Error{ErrorCode::kModelMissing,
               installed.models.empty()
                   ? std::string("no model is installed") + kHowToGetDefault
                   : "the default model " + std::string(kDefaultModelName) +
                         " is not installed, and there is more than one other "
                         "(" +
                         NamesOf(installed) +
                         "): choose one with --model, or run `llma model pull "
                         "default`"};
}

Result<InstalledModel> FindModelById(Bytes id) {
  const InstalledModels installed = ListInstalledModels(ModelPlaces());
  const InstalledModel* found = installed.FindId(id);
  if (found != nullptr) return *found;
  return Error{ErrorCode::kModelMissing, "needs the model with fingerprint " +
                                             ToHex(id) + "..." + kHowToImport};
}

}  // namespace llma
