// SPDX-License-Identifier: Apache-2.0
#include "store/fetch_repository.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "importer/hf/import_folder.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/folder_list.h"
#include "platform/mapped_file.h"
#include "store/download.h"

namespace llma::store {
namespace {

constexpr const char* kConfigFile = "config.json";
constexpr const char* kTokenizerFile = "tokenizer.json";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr std::string_view kWeightsSuffix = ".safetensors";

// A folder for this process alone; made if it is not there.
Result<Descriptor> TakeFolder(const std::string& path) {
  LLMA_ASSIGN(std::optional<Descriptor> folder, HoldFolder(path));
  if (folder) return *std::move(folder);
  return Error{ErrorCode::kUsage, path + ": another process is fetching it"};
}

// Whether the file at `path` is that of the hub. Nothing if it is not there or
// has another size.
bool IsWhole(const std::string& path, const RepositoryFile& file) {
  const auto info = InfoOf(path);
  if (!info || !info->is_regular() || info->size_bytes != file.size_bytes) {
    return false;
  }
  const std::string& expected =
      file.sha256.empty() ? file.blob_id : file.sha256;
  if (expected.empty()) return false;
  const auto sum = SumOfFile(path, expected);
  return sum && *sum == expected;
}

bool IsWeights(std::string_view name) { return name.ends_with(kWeightsSuffix); }

class Fetcher {
 public:
  Fetcher(const HubAccess& hub, const RepositoryFetch& what,
          const PullCallbacks& callbacks)
      : hub_(hub),
        what_(what),
        callbacks_(callbacks),
        page_(PageOfRepository(hub, what.repository)) {}

  Status Fetch(const std::function<Status(const std::string&)>& use) {
    LLMA_ASSIGN(repository_, FindRepository(hub_, what_.repository, Retry()));
    callbacks_.Note("from " + page_ + ", commit " + repository_.commit);
    if (!repository_.license.empty()) {
      callbacks_.Note("license: " + repository_.license);
    }
    if (repository_.is_gated) {
      callbacks_.Note("its terms must have been accepted at " + page_);
    }
    LLMA_TRY(CheckKinds());
    if (IsDirectory(what_.kept_folder) && HasAll(what_.kept_folder)) {
      callbacks_.Note(what_.kept_folder + ": has the files already");
      return use(what_.kept_folder);
    }
    if (what_.keeps && !IsMissing(what_.kept_folder)) {
      return Error{ErrorCode::kUsage,
                   what_.kept_folder +
                       " exists already, and has other files: choose another "
                       "name with --name"};
    }
    LLMA_ASSIGN(const Descriptor folder, TakeFolder(what_.part_folder));
    const Status fetched = FetchAll();
    if (!fetched) {
      (void)RemoveEmptyFolder(what_.part_folder);  // if there is nothing in it
      return fetched;
    }
    if (const Status used = use(what_.part_folder); !used) {
      return Error{used.error().code,
                   used.error().what + ": " + what_.part_folder + " is kept",
                   used.error().offset};
    }
    if (what_.keeps) return Keep();
    // The model is there, whatever becomes of the rest.
    if (const Status removed = RemoveOthers({}); !removed) {
      callbacks_.Note(removed.error().what);
    } else if (!RemoveEmptyFolder(what_.part_folder)) {
      callbacks_.Note(SystemError("cannot remove " + what_.part_folder).what);
    }
    return OkStatus();
  }

 private:
  RetryCallbacks Retry() const {
    return {[this] { return Tell(0); },
            [this](const std::string& text) { callbacks_.Note(text); }};
  }

  bool Tell(uint64_t done_bytes) const {
    return !callbacks_.progress || callbacks_.progress(done_bytes, total_);
  }

  bool Has(std::string_view name) const {
    return repository_.files.find(name) != repository_.files.end();
  }

  // Before anything is fetched: whether it is a model that can be imported.
  Status CheckKinds() const {
    const auto lacks = [this](const std::string& what) {
      std::string text = page_ + ": has no " + what;
      if (!repository_.gguf_files.empty()) {
        text += ": pull one of its GGUF files, " + page_ + "/resolve/" +
                repository_.commit + "/" + repository_.gguf_files.front();
      }
      return Error{ErrorCode::kUnsupported, text};
    };
    const bool has_weights = std::ranges::any_of(
        repository_.files,
        [](const auto& entry) { return IsWeights(entry.first); });
    if (!has_weights) return lacks(".safetensors files");
    for (const char* needed : {kConfigFile, kTokenizerFile}) {
      if (!Has(needed)) return lacks(needed);
    }
    return OkStatus();
  }

  std::string PartPath(const std::string& name) const {
    return PathIn(what_.part_folder, name);
  }

  // All files that are needed, by the index in `folder`; config.json and the
  // index come first, then what else says what the model is.
  Result<std::vector<std::string>> ChooseFiles(
      const std::string& folder) const {
    std::vector<std::string> names = {kConfigFile};
    std::vector<uint8_t> index;
    if (Has(kIndexFile)) {
      LLMA_ASSIGN(
          index,
          ReadFile(PathIn(folder, kIndexFile),
                   repository_.files.find(kIndexFile)->second.size_bytes));
      names.emplace_back(kIndexFile);
    }
    names.emplace_back(kTokenizerFile);
    LLMA_ASSIGN(const auto weights, ChooseWeights(repository_, index));
    if (what_.keeps) {
      for (const auto& [name, file] : repository_.files) {
        if (!IsWeights(name) && std::ranges::find(names, name) == names.end()) {
          names.push_back(name);
        }
      }
    }
    names.insert(names.end(), weights.begin(), weights.end());
    return names;
  }

  bool HasAll(const std::string& folder) const {
    const auto names = ChooseFiles(folder);
    return names && std::ranges::all_of(*names, [&](const std::string& name) {
             return IsWhole(PathIn(folder, name), File(name));
           });
  }

  const RepositoryFile& File(const std::string& name) const {
    return repository_.files.find(name)->second;
  }

  Status FetchAll() {
    LLMA_TRY(FetchOne(kConfigFile, 0));
    if (Has(kIndexFile)) LLMA_TRY(FetchOne(kIndexFile, 0));
    LLMA_ASSIGN(const auto names, ChooseFiles(what_.part_folder));
    LLMA_TRY(RemoveOthers(names));
    uint64_t weights_bytes = 0, left_bytes = 0;
    for (const std::string& name : names) {
      const uint64_t size_bytes = File(name).size_bytes;
      total_ += size_bytes;
      if (IsWeights(name)) weights_bytes += size_bytes;
      left_bytes += size_bytes - std::min(size_bytes, BytesThere(name));
    }
    // An import has 8 bits for each weight, which has at least 16 there.
    LLMA_TRY(CheckRoom(what_.part_folder, left_bytes, weights_bytes));
    callbacks_.Note(std::to_string(names.size()) + " files, " +
                    std::to_string(total_) +
                    " bytes, with the checksums that the hub says");
    uint64_t done_bytes = 0;
    bool is_checked = false;
    for (const std::string& name : names) {
      if (IsWeights(name) && !is_checked) {
        // Before the large files come.
        LLMA_TRY(CheckFolder(what_.part_folder));
        is_checked = true;
      }
      LLMA_TRY(FetchOne(name, done_bytes));
      done_bytes += File(name).size_bytes;
    }
    return OkStatus();
  }

  // Of a file that is there, whole or in part.
  uint64_t BytesThere(const std::string& name) const {
    for (const char* ending : {"", ".part"}) {
      if (const auto info = InfoOf(PartPath(name) + ending)) {
        return info->size_bytes;
      }
    }
    return 0;
  }

  Status FetchOne(const std::string& name, uint64_t done_before) const {
    const RepositoryFile& file = File(name);
    const std::string path = PartPath(name);
    if (IsWhole(path, file)) {
      return Tell(done_before + file.size_bytes)
                 ? OkStatus()
                 : Error{ErrorCode::kCancelled, "cancelled"};
    }
    DownloadSource source = hub_.SourceOf(
        page_ + "/resolve/" + repository_.commit + "/" + name, page_);
    source.size_bytes = file.size_bytes;
    source.sha256 = file.sha256;
    source.blob_id = file.blob_id;
    // That of weights is said at the latest with the file.
    source.may_lack_sum = file.sha256.empty() && !IsWeights(name);
    DownloadOptions options;
    options.progress = [&](uint64_t done, uint64_t) {
      return Tell(done_before + done);
    };
    options.note = callbacks_.note;
    options.keep_as = path;
    LLMA_TRY(Download(source, path, options));
    return OkStatus();
  }

  // Of another commit, for example: files that import would take for its own.
  Status RemoveOthers(const std::vector<std::string>& names) const {
    LLMA_ASSIGN(const auto entries, ListFolder(what_.part_folder));
    for (const FolderEntry& entry : entries) {
      std::string_view name = entry.name;
      for (const std::string_view ending : {".from", ".part"}) {
        if (name.ends_with(ending)) name.remove_suffix(ending.size());
      }
      if (std::ranges::find(names, name) == names.end() &&
          !RemoveFile(PartPath(entry.name))) {
        return SystemError("cannot remove " + PartPath(entry.name));
      }
    }
    return OkStatus();
  }

  Status Keep() const {
    if (!IsMissing(what_.kept_folder) ||
        !RenameFolder(what_.part_folder, what_.kept_folder)) {
      return SystemError("cannot rename " + what_.part_folder + " to " +
                         what_.kept_folder);
    }
    return OkStatus();
  }

  const HubAccess& hub_;
  const RepositoryFetch& what_;
  const PullCallbacks& callbacks_;
  const std::string page_;
  Repository repository_;
  uint64_t total_ = 0;  // bytes of all files; 0: not known yet
};

}  // namespace

Status FetchRepository(
    const HubAccess& hub, const RepositoryFetch& what,
    const PullCallbacks& callbacks,
    const std::function<Status(const std::string& folder)>& use) {
  return Fetcher(hub, what, callbacks).Fetch(use);
}

}  // namespace llma::store
