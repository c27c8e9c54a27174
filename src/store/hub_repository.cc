// SPDX-License-Identifier: Apache-2.0
#include "store/hub_repository.h"

#include <algorithm>
#include <set>

#include "importer/hf/json_value.h"
#include "store/git_blob.h"
#include "store/page.h"

namespace llma::store {
namespace {

constexpr std::string_view kPrefix = "hf:";
constexpr std::string_view kWeightsSuffix = ".safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kOneFile = "model.safetensors";
constexpr size_t kMaxPartBytes = 96;
constexpr size_t kMaxRevisionBytes = 250;
constexpr size_t kMaxAnswerBytes = size_t{1} << 24;
constexpr size_t kMaxLicenseBytes = 64;
constexpr uint64_t kMaxWeightsBytes = uint64_t{1} << 36;
constexpr uint64_t kMaxOtherBytes = uint64_t{1} << 27;
constexpr size_t kMaxWeightsFiles = 1000;
constexpr int kMaxTries = 5;

// What else may be of use; weights are known by their ending.
constexpr std::string_view kKnownFiles[] = {
    "config.json",
    "tokenizer.json",
    kIndexFile,
    "tokenizer_config.json",
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "LICENSE",
    "README.md",
};

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// A part of a path that names no other folder and hides nothing.
bool IsPlainName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPartBytes && text[0] != '.' &&
         text[0] != '-' && std::ranges::all_of(text, IsWordCharacter);
}

bool IsRepositoryPath(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos &&
         IsPlainName(text.substr(0, slash)) &&
         IsPlainName(text.substr(slash + 1));
}

// As git allows them, or less: "main", "v1.0", "refs/pr/1", a commit.
bool IsRevision(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRevisionBytes && text[0] != '-' &&
         text[0] != '/' && !text.ends_with('/') &&
         text.find("..") == std::string_view::npos &&
         text.find("//") == std::string_view::npos &&
         std::ranges::all_of(
             text, [](char c) { return IsWordCharacter(c) || c == '/'; });
}

// A revision is one part of the path that it stands in.
std::string WithoutSlashes(std::string_view revision) {
  std::string text;
  for (const char c : revision) {
    if (c == '/') {
      text += "%2F";
    } else {
      text += c;
    }
  }
  return text;
}

bool IsWeights(std::string_view name) {
  return name.size() > kWeightsSuffix.size() && name.ends_with(kWeightsSuffix);
}

Error Odd(const std::string& what) {
  return Error{ErrorCode::kCorrupt, "the hub's answer " + what};
}

const std::string* FindText(const JsonValue& object, std::string_view key) {
  const JsonValue* const value = object.Find(key);
  return value == nullptr ? nullptr : value->AsString();
}

Result<RepositoryFile> ParseFile(const std::string& name,
                                 const JsonValue& entry) {
  RepositoryFile file;
  const JsonValue* lfs = entry.Find("lfs");
  if (lfs != nullptr && lfs->AsObject() == nullptr) lfs = nullptr;
  const JsonValue* const size = (lfs == nullptr ? entry : *lfs).Find("size");
  const auto bytes = size == nullptr ? std::nullopt : size->AsCount();
  if (!bytes) return Odd("does not say how large " + name + " is");
  file.size_bytes = *bytes;
  if (*bytes > (IsWeights(name) ? kMaxWeightsBytes : kMaxOtherBytes)) {
    return Error{ErrorCode::kLimit,
                 name + " is too large: " + std::to_string(*bytes) + " bytes"};
  }
  const std::string* sum =
      lfs == nullptr ? FindText(entry, "blobId") : FindText(*lfs, "sha256");
  if (sum == nullptr && lfs != nullptr) sum = FindText(*lfs, "oid");
  if (sum == nullptr) return file;
  if (lfs != nullptr && IsSha256Text(*sum)) {
    file.sha256 = *sum;
  } else if (lfs == nullptr && IsGitId(*sum)) {
    file.blob_id = *sum;
  } else {
    return Odd("has no usable checksum of " + name);
  }
  return file;
}

std::string LicenseOf(const JsonValue& answer) {
  const JsonValue* const card = answer.Find("cardData");
  const std::string* const text =
      card == nullptr ? nullptr : FindText(*card, "license");
  if (text == nullptr || text->size() > kMaxLicenseBytes ||
      !std::ranges::all_of(*text,
                           [](char c) { return c >= ' ' && c <= '~'; })) {
    return "";
  }
  return *text;
}

}  // namespace

bool LooksLikeRepository(std::string_view text) {
  return text.starts_with(kPrefix);
}

Result<RepositoryName> ParseRepositoryName(std::string_view text) {
  std::string_view rest = text.substr(kPrefix.size());
  RepositoryName name;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    name.revision = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  name.path = rest;
  if (!IsRepositoryPath(rest) || !IsRevision(name.revision)) {
    return Error{ErrorCode::kUsage,
                 std::string(text) +
                     ": expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION"};
  }
  return name;
}

std::optional<RepositoryName> RepositoryOfPage(std::string_view url,
                                               const std::string& endpoint) {
  if (!url.starts_with(endpoint + "/")) return {};
  std::string_view path = url.substr(endpoint.size() + 1);
  if (path.ends_with('/')) path.remove_suffix(1);
  RepositoryName name;
  constexpr std::string_view kTree = "/tree/";
  if (const size_t at = path.find(kTree); at != std::string_view::npos) {
    name.revision = path.substr(at + kTree.size());
    path = path.substr(0, at);
  }
  name.path = path;
  if (!IsRepositoryPath(path) || path.ends_with(".gguf") ||
      !IsRevision(name.revision)) {
    return {};
  }
  return name;
}

Result<Repository> ParseRepository(Bytes answer) {
  const auto json = JsonValue::Parse(answer);
  if (!json) return Odd("is no JSON: " + json.error().what);
  Repository repository;
  const std::string* const commit = FindText(*json, "sha");
  if (commit == nullptr || !IsGitId(*commit)) return Odd("names no commit");
  repository.commit = *commit;
  repository.license = LicenseOf(*json);
  const JsonValue* const gated = json->Find("gated");
  repository.is_gated =
      gated != nullptr && (gated->AsString() != nullptr ||
                           (gated->AsBool() != nullptr && *gated->AsBool()));
  const JsonValue* const siblings = json->Find("siblings");
  if (siblings == nullptr || siblings->AsArray() == nullptr) {
    return Odd("lists no files");
  }
  for (const JsonValue& entry : *siblings->AsArray()) {
    const std::string* const name = FindText(entry, "rfilename");
    if (name == nullptr) return Odd("has a file without a name");
    if (!IsPlainName(*name)) continue;
    if (name->ends_with(".gguf")) repository.gguf_files.push_back(*name);
    if (!IsWeights(*name) &&
        std::ranges::find(kKnownFiles, *name) == std::end(kKnownFiles)) {
      continue;
    }
    LLMA_ASSIGN(RepositoryFile file, ParseFile(*name, entry));
    if (!repository.files.emplace(*name, std::move(file)).second) {
      return Odd("names " + *name + " twice");
    }
  }
  return repository;
}

Result<std::vector<std::string>> ChooseWeights(const Repository& repository,
                                               Bytes index) {
  std::set<std::string> names;
  const bool has_index = repository.files.contains(kIndexFile);
  if (has_index) {
    const auto json = JsonValue::Parse(index);
    const JsonValue* const map = json ? json->Find("weight_map") : nullptr;
    if (map == nullptr || map->AsObject() == nullptr) {
      return Error{ErrorCode::kCorrupt,
                   std::string(kIndexFile) + ": has no usable weight_map"};
    }
    for (const auto& [tensor, file] : *map->AsObject()) {
      const std::string* const name = file.AsString();
      if (name == nullptr || !IsPlainName(*name) || !IsWeights(*name)) {
        return Error{ErrorCode::kCorrupt,
                     std::string(kIndexFile) + ": weight_map." + tensor +
                         " is no name of a .safetensors file"};
      }
      if (!repository.files.contains(*name)) {
        return Error{ErrorCode::kCorrupt, std::string(kIndexFile) + ": " +
                                              *name +
                                              " is not in the repository"};
      }
      names.insert(*name);
    }
  }
  if (repository.files.contains(kOneFile) && !names.contains(kOneFile)) {
    // As transformers has it, and the import of a folder.
    names = {kOneFile};
  } else if (!has_index) {
    for (const auto& [name, file] : repository.files) {
      if (IsWeights(name)) names.insert(name);
    }
  }
  if (names.size() > kMaxWeightsFiles) {
    return Error{ErrorCode::kLimit, "there are too many files of weights"};
  }
  return std::vector<std::string>(names.begin(), names.end());
}

std::string PageOfRepository(const HubAccess& hub, const RepositoryName& name) {
  return hub.endpoint + "/" + name.path;
}

Result<Repository> FindRepository(const HubAccess& hub,
                                  const RepositoryName& name,
                                  const RetryCallbacks& callbacks) {
  const DownloadSource source =
      hub.SourceOf(hub.endpoint + "/api/models/" + name.path + "/revision/" +
                       WithoutSlashes(name.revision) + "?blobs=true",
                   PageOfRepository(hub, name));
  HttpRequest request;
  request.url = source.url;
  request.token = source.token;
  request.token_type = source.token_type;
  request.token_origin = source.token_origin;
  request.accept = "application/json";
  LLMA_ASSIGN(const Page page,
              FetchPage(request, {kMaxAnswerBytes, kMaxTries, callbacks}));
  if (page.response.status == 404 && page.response.error_code.empty()) {
    return Error{ErrorCode::kIo, source.url +
                                     ": the host says 404, there is no such "
                                     "repository or revision"};
  }
  if (page.response.status != 200) return Refusal(source, page.response);
  auto repository = ParseRepository(page.bytes);
  if (!repository) {
    return Error{repository.error().code,
                 source.url + ": " + repository.error().what};
  }
  if (IsGitId(name.revision) && repository->commit != name.revision) {
    return Error{ErrorCode::kChecksum, source.url + ": the hub answers of " +
                                           repository->commit + " instead"};
  }
  return repository;
}

}  // namespace llma::store
