// SPDX-License-Identifier: Apache-2.0
#include "importer/model_import.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "importer/convert/adapter.h"
#include "importer/gguf/import_gguf.h"
#include "importer/hf/import_folder.h"
#include "importer/source_file.h"
#include "model/model_header.h"
#include "platform/file_info.h"
#include "platform/folder_list.h"
#include "platform/mapped_file.h"

namespace llma {
namespace {

// What names of files say of their weights: "q4_k_m", "iq4_nl", "bf16".
bool IsElementFormat(std::string_view text) {
  if (text == "f16" || text == "f32" || text == "bf16" || text == "mxfp4") {
    return true;
  }
  if (text.starts_with('i')) text.remove_prefix(1);
  return text.size() >= 2 && text[0] == 'q' && text[1] >= '0' && text[1] <= '9';
}

}  // namespace

std::string ModelNameFromPath(const std::string& source_path) {
  std::string name = source_path;
  while (!name.empty() && name.back() == '/') name.pop_back();
  name.erase(0, name.find_last_of('/') + 1);
  if (name == "." || name == "..") return "";
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto cut_at = [&name](size_t pos) {
    if (pos != std::string::npos) name.resize(pos);
  };
  if (name.size() > 5 && name.compare(name.size() - 5, 5, ".gguf") == 0) {
    cut_at(name.size() - 5);
  }
  const size_t separator = name.find_last_of(".-");
  if (separator != std::string::npos &&
      IsElementFormat(std::string_view(name).substr(separator + 1))) {
    cut_at(separator);
  }
  for (char& c : name) {
    if (!IsValidModelName(std::string_view(&c, 1))) c = '-';
  }
  cut_at(kMaxNameBytes < name.size() ? kMaxNameBytes : std::string::npos);
  // Of signs alone, as of other alphabets' letters, it would name nothing.
  if (name.find_first_not_of("._-") == std::string::npos) name.clear();
  return name;
}

namespace {

// Whether a file of this name is read of a folder with a model or an adapter.
bool IsOfSource(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".safetensors");
}

// An error if the model would replace what it is made of.
Status CheckNotReplaced(const std::string& llmm_path,
                        const std::string& source_path) {
  const auto target = InfoOf(llmm_path);
  if (!target || source_path.empty()) return OkStatus();
  const auto is_target = [&target](const std::string& path) {
    const auto info = InfoOf(path);
    return info && IsSameFile(*info, *target);
  };
  bool is_source = is_target(source_path);
  if (IsDirectory(source_path)) {
    LLMA_ASSIGN(const auto entries, ListFolder(source_path));
    is_source |= std::ranges::any_of(entries, [&](const FolderEntry& entry) {
      return IsOfSource(entry.name) &&
             is_target(PathIn(source_path, entry.name));
    });
  }
  if (!is_source) return OkStatus();
  return Error{ErrorCode::kUsage,
               llmm_path + ": the model would overwrite what it is made of"};
}

Status ReadPlainSource(const std::string& source_path, const SourceUser& use) {
  if (IsDirectory(source_path)) {
    return ReadFolder(source_path, use);
  }
  LLMA_ASSIGN(const MappedFile file, OpenSourceFile(source_path));
  if (AsStringView(file.bytes()).starts_with(kModelMagic)) {
    return Error{ErrorCode::kUsage,
                 source_path +
                     ": a .llmm file needs no import: --model takes "
                     "its path"};
  }
  const Status read = ReadGguf(file.bytes(), use);
  if (!read) {
    return Error{read.error().code, source_path + ": " + read.error().what,
                 read.error().offset};
  }
  return OkStatus();
}

// The last part of a path, in printable ASCII.
std::string AdapterName(const std::string& path) {
  std::string name = std::filesystem::path(path).lexically_normal().string();
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  name.erase(0, name.find_last_of('/') + 1);
  if (name.size() > kMaxAdapterNameBytes) name.resize(kMaxAdapterNameBytes);
  for (char& c : name) {
    if (!IsPlainText(std::string_view(&c, 1), 1)) c = '?';
  }
  return name.empty() ? "adapter" : name;
}

Status ReadAdapted(const std::string& source_path, Adapter& adapter,
                   const std::string& adapter_path, const SourceUser& use) {
  return ReadPlainSource(source_path, [&](const SourceModel& source) -> Status {
    SourceModel adapted = source;
    LLMA_TRY(adapter.AttachTo(adapted));
    adapted.adapter = AdapterName(adapter_path);
    adapted.adapter_sha256 = adapter.sha256();
    return use(adapted);
  });
}

}  // namespace

Status ReadSource(const std::string& source_path,
                  const std::string& adapter_path, const SourceUser& use) {
  if (adapter_path.empty()) return ReadPlainSource(source_path, use);
  LLMA_ASSIGN(Adapter adapter, Adapter::Open(adapter_path));
  return ReadAdapted(source_path, adapter, adapter_path, use);
}

Result<Fingerprint> ImportModel(const std::string& source_path,
                                const std::string& llmm_path,
                                const ImportOptions& options) {
  LLMA_TRY(CheckNotReplaced(llmm_path, source_path));
  LLMA_TRY(CheckNotReplaced(llmm_path, options.adapter_path));
  ImportOptions named = options;
  if (named.name.empty()) named.name = ModelNameFromPath(source_path);
  const auto read = [&](const SourceUser& use) -> Status {
    if (options.adapter == nullptr) {
      return ReadSource(source_path, options.adapter_path, use);
    }
    LLMA_ASSIGN(Adapter adapter, Adapter::Read(*options.adapter));
    return ReadAdapted(source_path, adapter, std::string(options.adapter->name),
                       use);
  };
  return ConvertSource(read, llmm_path, named);
}

}  // namespace llma
