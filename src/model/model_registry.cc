// SPDX-License-Identifier: Apache-2.0
#include "model/model_registry.h"

#include <algorithm>
#include <cstring>

#include "base/hex.h"
#include "model/model_header.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/folder_list.h"
#include "platform/machine/process.h"
#include "platform/mapped_file.h"

namespace llma {
namespace {

constexpr char kSuffix[] = ".llmm";
constexpr char kHowToGetDefault[] =
    ": run `llma model pull default`, or `llma model import FILE.gguf` on a "
    "model of your own";

constexpr char kHowToRead[] =
    ": make it readable, or name the file of a model with --model";

// "tiny, other"
std::string NamesOf(const InstalledModels& installed) {
  std::string names;
  for (const InstalledModel& model : installed.models) {
    names += (names.empty() ? "" : ", ") + model.name;
  }
  return names;
}

// Whether it is the file that a model of this name is installed as.
bool IsNamed(const ModelProblem& problem, std::string_view name) {
  const std::string_view path = problem.path;
  return problem.is_file && !name.empty() &&
         path.substr(path.rfind('/') + 1) == std::string(name) + kSuffix;
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

// Whether a link leads to a regular file, nowhere, or where nothing may be
// looked at: opening it says which.
bool MayLeadToFile(const std::string& link) {
  const auto info = InfoOf(link);
  return !info || info->is_regular();
}

// Adds what is read of one file, unless it is gone meanwhile.
void AddFile(const std::string& path, InstalledModels& installed) {
  auto model = ReadInstalledModel(path);
  if (model) {
    installed.models.push_back(*std::move(model));
  } else if (!IsMissing(path)) {
    installed.problems.push_back({path, true, model.error()});
  }
}

// Adds the model files of a folder, sorted, or one file.
void AddModelsAt(const std::string& path, InstalledModels& installed) {
  if (IsMissing(path)) return;
  // Only regular files: to open a pipe would wait for its writer.
  if (IsRegularFile(path)) return AddFile(path, installed);
  const auto entries = ListFolder(path);
  if (!entries) {
    installed.problems.push_back({path, false, entries.error()});
    return;
  }
  for (const FolderEntry& entry : *entries) {
    if (entry.name.size() <= std::strlen(kSuffix) ||
        !entry.name.ends_with(kSuffix)) {
      continue;
    }
    const std::string file_path = PathIn(path, entry.name);
    if (entry.kind == FileKind::kRegular ||
        (entry.kind == FileKind::kLink && MayLeadToFile(file_path))) {
      AddFile(file_path, installed);
    }
  }
}

// Why some could not be read. First what is about `name`, if any, then what may
// hide a model.
std::string DescribeProblems(const std::vector<ModelProblem>& problems,
                             std::string_view name) {
  const ModelProblem* first = nullptr;
  for (const ModelProblem& problem : problems) {
    if (IsNamed(problem, name)) {
      first = &problem;
      break;
    }
    if (first == nullptr ||
        (problem.may_hide_model() && !first->may_hide_model())) {
      first = &problem;
    }
  }
  std::string text = first->error.what;
  if (problems.size() > 1) {
    text += ", and " + std::to_string(problems.size() - 1) +
            " more: `llma model list` names them";
  }
  return text;
}

// `missing` says that a model called `name` is not there, `what_to_do` how to
// get it. Neither is known where something cannot be read.
Error NotFound(const InstalledModels& installed, std::string_view name,
               const std::string& missing, const std::string& what_to_do) {
  const auto& problems = installed.problems;
  if (problems.empty()) {
    return Error{ErrorCode::kModelMissing, missing + what_to_do};
  }
  const std::string why = DescribeProblems(problems, name);
  if (std::ranges::any_of(problems, &ModelProblem::may_hide_model)) {
    return Error{ErrorCode::kIo,
                 missing + ", but not all can be read: " + why + kHowToRead};
  }
  return Error{ErrorCode::kModelMissing,
               missing + what_to_do + " (not read: " + why + ")"};
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

const InstalledModel* InstalledModels::FindDefault() const {
  const InstalledModel* found = FindName(kDefaultModelName);
  if (found != nullptr || models.empty()) return found;
  const InstalledModel& first = models.front();
  const bool is_only = std::ranges::all_of(models, [&](const auto& model) {
    return model.fingerprint == first.fingerprint;
  });
  return is_only ? &first : nullptr;
}

std::string UserModelFolder() {
  const std::string folder = UserDataFolder();
  return folder.empty() ? "" : folder + "/llma";
}

std::vector<std::string> ModelSearchPath() {
  std::vector<std::string> search_path =
      SplitPathList(Environment("LLMA_MODEL_PATH"));
  const std::string user = UserModelFolder();
  if (!user.empty()) search_path.push_back(user);
  for (const std::string& folder : SystemDataFolders()) {
    search_path.push_back(folder + "/llma");
  }
  return search_path;
}

InstalledModels ListInstalledModels(
    const std::vector<std::string>& search_path) {
  InstalledModels installed;
  for (const std::string& path : search_path) AddModelsAt(path, installed);
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
  const InstalledModels installed = ListInstalledModels(ModelSearchPath());
  if (name == kDefaultAlias && installed.FindName(name) == nullptr) name = {};
  const std::string wanted(name.empty() ? kDefaultModelName : name);
  const InstalledModel* found = installed.FindName(wanted);
  if (found != nullptr) return *found;
  for (const ModelProblem& problem : installed.problems) {
    if (!IsNamed(problem, wanted) || problem.may_hide_model()) continue;
    return Error{problem.error.code,
                 "the model " + wanted + " is damaged: " + problem.error.what +
                     ": install it again, with -f",
                 problem.error.offset};
  }
  const std::string names = NamesOf(installed);
  if (!name.empty()) {
    return NotFound(
        installed, wanted, "no model is called " + wanted,
        names.empty() ? ": none is installed" : ": installed are " + names);
  }
  const bool may_be_hidden =
      std::ranges::any_of(installed.problems, [](const ModelProblem& problem) {
        return problem.is_file && problem.may_hide_model();
      });
  const InstalledModel* usual = installed.FindDefault();
  if (usual != nullptr && !may_be_hidden) return *usual;
  if (installed.models.empty()) {
    return NotFound(installed, wanted, "no model is installed",
                    kHowToGetDefault);
  }
  return NotFound(installed, wanted,
                  "the default model " + wanted + " is not installed",
                  ", and there is more than one other (" + names +
                      "): choose one with --model, or run `llma model pull "
                      "default`");
}

Result<std::string> FindModelFile(std::string_view name) {
  for (const ModelProblem& problem :
       ListInstalledModels(ModelSearchPath()).problems) {
    if (IsNamed(problem, name)) return problem.path;
  }
  LLMA_ASSIGN(const InstalledModel found, FindModelByName(name));
  return found.path;
}

Result<InstalledModel> FindModelById(Bytes id, std::string_view known_name) {
  const InstalledModels installed = ListInstalledModels(ModelSearchPath());
  const InstalledModel* found = installed.FindId(id);
  if (found != nullptr) return *found;
  const std::string name(known_name);
  const std::string fingerprint = "fingerprint " + ToHex(id) + "...";
  if (name.empty()) {
    return NotFound(installed, name, "needs the model with " + fingerprint,
                    ": run `llma model import FILE.gguf`");
  }
  return NotFound(installed, name,
                  "needs the model " + name + ", " + fingerprint,
                  ": run `llma model pull " + name + "`");
}

}  // namespace llma
