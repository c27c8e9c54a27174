// SPDX-License-Identifier: Apache-2.0
// Models: opened, listed, imported, fetched, verified, removed, exported.
#ifndef LLMA_MODELS_HPP_
#define LLMA_MODELS_HPP_

#include <functional>
#include <llma/handles.hpp>
#include <vector>

namespace llma {
inline namespace api_v0 {

class Model {
 public:
  // Empty: the default model.
  static Result<Model> Open(const std::string& name_or_path = {}) {
    llma_model* model = nullptr;
    LLMA_TRY(detail::Call(llma_model_open, name_or_path.c_str(), &model));
    return Model(model);
  }
  // From the bytes of a .llmm file: at a multiple of 64 they are not copied and
  // must outlive the model and all work with it.
  static Result<Model> OpenMemory(std::span<const uint8_t> file) {
    llma_model* model = nullptr;
    LLMA_TRY(
        detail::Call(llma_model_open_memory, file.data(), file.size(), &model));
    return Model(model);
  }
  // By the start of its fingerprint.
  static Result<Model> Find(std::span<const uint8_t> id,
                            uint32_t candidate = 0) {
    llma_model* model = nullptr;
    LLMA_TRY(
        detail::Call(llma_model_find, id.data(), id.size(), candidate, &model));
    return Model(model);
  }
  // Another handle of the same model.
  Result<Model> Share() const {
    llma_model* model = llma_model_share(get());
    if (model == nullptr) return Error{ErrorCode::kMemory, "out of memory"};
    return Model(model);
  }
  // Its pointers are valid as long as the model is.
  llma_model_info info() const {
    return detail::Get<llma_model_info>(llma_model_get_info, get());
  }
  llma_model* get() const { return handle_.get(); }
  llma_model* release() { return handle_.release(); }

 private:
  explicit Model(llma_model* model) : handle_(model) {}
  detail::Owner<llma_model, llma_model_free> handle_;
};

class ModelList {
 public:
  static Result<ModelList> Create() {
    llma_model_list* list = nullptr;
    LLMA_TRY(detail::Call(llma_model_list_create, &list));
    return ModelList(list);
  }
  size_t size() const { return llma_model_list_size(get()); }
  // index < size(). Pointers are valid as long as the list is.
  llma_installed_model operator[](size_t index) const {
    return detail::Get<llma_installed_model>(llma_model_list_get, get(), index);
  }
  // What could not be read, and where models are looked for.
  std::vector<std::string> problems() const {
    return Texts(llma_model_list_problem);
  }
  std::vector<std::string> search_path() const {
    return Texts(llma_model_list_search_path);
  }
  llma_model_list* get() const { return handle_.get(); }

 private:
  explicit ModelList(llma_model_list* list) : handle_(list) {}
  template <class Function>
  std::vector<std::string> Texts(Function function) const {
    std::vector<std::string> texts;
    for (size_t i = 0; const char* text = function(get(), i); ++i) {
      texts.emplace_back(text);
    }
    return texts;
  }
  detail::Owner<llma_model_list, llma_model_list_free> handle_;
};

// A model that was written or read.
struct ModelFile {
  std::string path;
  Fingerprint fingerprint;
  std::string source_path;  // of PullModel(), if it was kept
};

struct ImportOptions {
  std::string path;         // empty: where models are installed
  std::string name;         // empty: by the source
  std::string start_token;  // empty: chosen
  std::string adapter;      // empty: none is merged in
  bool overwrite = false;
  // What was approximated or left out, a line each.
  std::function<void(const std::string&)> note;
};

inline Result<ModelFile> ImportModel(const std::string& source,
                                     const ImportOptions& how = {}) {
  llma_import_options options = LLMA_INIT(llma_import_options);
  options.name = detail::OrNull(how.name);
  options.start_token = detail::OrNull(how.start_token);
  options.adapter = detail::OrNull(how.adapter);
  options.overwrite = how.overwrite ? 1 : 0;
  options.user = const_cast<ImportOptions*>(&how);
  options.note = [](void* user, const char* text) {
    const auto& told = static_cast<const ImportOptions*>(user)->note;
    if (told) told(text);
  };
  ModelFile made;
  char* path = nullptr;
  LLMA_TRY(detail::Call(llma_model_import, source.c_str(),
                        detail::OrNull(how.path), &options, &path,
                        made.fingerprint.data()));
  made.path = detail::ToString(detail::OwnedText(path));
  return made;
}

// What a text costs by a model, and, if `source` can be imported, what that
// loses. `adapter`: merged into such a source; empty: none.
inline Result<llma_model_cost> MeasureModel(const std::string& source,
                                            const std::string& adapter,
                                            std::span<const uint8_t> text,
                                            uint32_t max_tokens,
                                            uint32_t num_threads = 0) {
  llma_model_cost cost = LLMA_INIT(llma_model_cost);
  LLMA_TRY(detail::Call(llma_model_measure, source.c_str(),
                        detail::OrNull(adapter), text.data(), text.size(),
                        max_tokens, num_threads, &cost));
  return cost;
}

// Perhaps empty.
inline std::string ModelNameFromPath(const std::string& source) {
  return detail::ToString(
      detail::OwnedText(llma_model_name_from_path(source.c_str())));
}

struct PullOptions {
  std::string sha256;       // empty: what is known of it
  std::string name;         // empty: by the source
  std::string start_token;  // empty: chosen
  std::string adapter;      // empty: none
  std::string folder;       // empty: where models are installed
  bool keep_source = false;
  bool overwrite = false;
  std::function<bool(const llma_progress&)> progress;  // false cancels
  std::function<void(const std::string&)> note;        // lines for people
};

inline Result<ModelFile> PullModel(const std::string& source,
                                   const PullOptions& how = {}) {
  llma_pull_options options = LLMA_INIT(llma_pull_options);
  options.sha256 = detail::OrNull(how.sha256);
  options.name = detail::OrNull(how.name);
  options.start_token = detail::OrNull(how.start_token);
  options.adapter = detail::OrNull(how.adapter);
  options.folder = detail::OrNull(how.folder);
  options.keep_source = how.keep_source ? 1 : 0;
  options.overwrite = how.overwrite ? 1 : 0;
  options.user = const_cast<PullOptions*>(&how);
  options.progress = [](void* user, const llma_progress* progress) {
    const auto& told = static_cast<const PullOptions*>(user)->progress;
    return detail::ProtectProgress([&] { return !told || told(*progress); });
  };
  options.note = [](void* user, const char* text) {
    const auto& told = static_cast<const PullOptions*>(user)->note;
    detail::ProtectNote([&] {
      if (told) told(text);
    });
  };
  ModelFile pulled;
  char *path = nullptr, *source_path = nullptr;
  LLMA_TRY(detail::Call(llma_model_pull, source.c_str(), &options, &path,
                        &source_path, pulled.fingerprint.data()));
  pulled.path = detail::ToString(detail::OwnedText(path));
  pulled.source_path = detail::ToString(detail::OwnedText(source_path));
  return pulled;
}

inline Result<ModelFile> VerifyModel(const std::string& name_or_path) {
  ModelFile verified;
  char* path = nullptr;
  LLMA_TRY(detail::Call(llma_model_verify, name_or_path.c_str(), &path,
                        verified.fingerprint.data()));
  verified.path = detail::ToString(detail::OwnedText(path));
  return verified;
}

// The path that was removed.
inline Result<std::string> RemoveModel(const std::string& name) {
  char* path = nullptr;
  LLMA_TRY(detail::Call(llma_model_remove, name.c_str(), &path));
  return detail::ToString(detail::OwnedText(path));
}

inline Status ExportModel(const std::string& name_or_path,
                          const std::string& archive_path,
                          bool overwrite = false) {
  return detail::Call(llma_model_export, name_or_path.c_str(),
                      archive_path.c_str(), overwrite ? 1 : 0);
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_MODELS_HPP_
