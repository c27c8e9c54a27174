// SPDX-License-Identifier: Apache-2.0
// Installed models, and importing them.
#include <cstdlib>

#include "api/api_error.h"
#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"
#include "platform/file_system.h"

struct llma_model_list {
  std::vector<std::string> search_path, problems;
  std::vector<llma::InstalledModel> models;
  size_t default_idx = ~size_t{0};
};

using namespace llma::api;

namespace {

llma::Result<std::string> DefaultPath(const std::string& name) {
  if (!llma::IsNewModelName(name)) {
    return Usage(name.empty() ? "the source gives no model name"
                              : "this is no model name");
  }
  const std::string folder = llma::UserModelFolder();
  if (folder.empty()) return Usage(llma::kNoDataFolder);
  LLMA_TRY(llma::MakeFolders(folder));
  return folder + "/" + name + ".llmm";
}

}  // namespace

extern "C" {

llma_status llma_model_list_create(llma_model_list** list, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(list);
    auto made = std::make_unique<llma_model_list>();
    made->search_path = llma::ModelSearchPath();
    llma::InstalledModels installed =
        llma::ListInstalledModels(made->search_path);
    const llma::InstalledModel* usual = installed.FindDefault();
    if (usual != nullptr) {
      made->default_idx = static_cast<size_t>(usual - &installed.models[0]);
    }
    made->models = std::move(installed.models);
    for (const llma::ModelProblem& found : installed.problems) {
      const llma::Error& problem = found.error;
      made->problems.push_back(problem.offset == llma::Error::kNoOffset
                                   ? problem.what
                                   : problem.what + " (at byte " +
                                         std::to_string(problem.offset) + ")");
    }
    *list = made.release();
    return llma::OkStatus();
  });
}

void llma_model_list_free(llma_model_list* list) { delete list; }

size_t llma_model_list_size(const llma_model_list* list) {
  return list == nullptr ? 0 : list->models.size();
}

llma_status llma_model_list_get(const llma_model_list* list, size_t index,
                                llma_installed_model* installed,
                                llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(list);
    if (index >= list->models.size()) return Usage("no such model");
    const llma::InstalledModel& model = list->models[index];
    return Fill(installed, {0, model.name.c_str(), model.path.c_str(),
                            model.fingerprint.data(), model.file_bytes,
                            index == list->default_idx ? 1 : 0});
  });
}

const char* llma_model_list_problem(const llma_model_list* list, size_t index) {
  if (list == nullptr || index >= list->problems.size()) {
    return nullptr;
  }
  return list->problems[index].c_str();
}

const char* llma_model_list_search_path(const llma_model_list* list,
                                        size_t index) {
  if (list == nullptr || index >= list->search_path.size()) return nullptr;
  return list->search_path[index].c_str();
}

llma_status llma_model_import(const char* source, const char* path,
                              const llma_import_options* options,
                              char** written_path, uint8_t* fingerprint,
                              llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(source);
    llma::ImportOptions how;
    if (options != nullptr) {
      LLMA_ASSIGN(const llma_import_options given, Load(options));
      if (given.name != nullptr) how.name = given.name;
      if (given.start_token != nullptr) how.start_token = given.start_token;
      if (given.adapter != nullptr) how.adapter_path = given.adapter;
      how.overwrite = given.overwrite != 0;
      if (given.note != nullptr) {
        how.note = [given](const std::string& text) {
          given.note(given.user, text.c_str());
        };
      }
    }
    std::string target = path == nullptr ? "" : path;
    if (target.empty()) {
      if (how.name.empty()) how.name = llma::ModelNameFromPath(source);
      LLMA_ASSIGN(target, DefaultPath(how.name));
    }
    LLMA_ASSIGN(const llma::Fingerprint made,
                llma::ImportModel(source, target, how));
    OwnedString(target).ReleaseTo(written_path);
    if (fingerprint != nullptr) {
      std::copy(made.begin(), made.end(), fingerprint);
    }
    return llma::OkStatus();
  });
}

char* llma_model_name_from_path(const char* source) {
  if (source == nullptr) return nullptr;
  try {
    char* name = nullptr;
    OwnedString(llma::ModelNameFromPath(source)).ReleaseTo(&name);
    return name;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

int llma_is_model_name(const char* name) {
  return name != nullptr && llma::IsNewModelName(name) ? 1 : 0;
}

}  // extern "C"
