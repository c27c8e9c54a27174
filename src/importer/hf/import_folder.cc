// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/import_folder.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "importer/convert/tensor_names.h"
#include "importer/hf/hf_config.h"
#include "importer/hf/hf_tokenizer.h"
#include "importer/hf/json_fields.h"
#include "importer/hf/json_value.h"
#include "importer/hf/safetensors_reader.h"
#include "importer/source_file.h"
#include "platform/file_info.h"
#include "platform/folder_list.h"
#include "platform/mapped_file.h"

namespace llma {
namespace {

constexpr const char* kConfigFile = "config.json";
constexpr const char* kTokenizerFile = "tokenizer.json";
constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr std::string_view kWeightsSuffix = ".safetensors";
constexpr uint64_t kMaxJsonBytes = 1 << 27;
constexpr size_t kMaxWeightsFiles = 1000;

// An offset counts from the start of that file, so it stands after its name.
Error InFile(const std::string& path, const Error& error) {
  const std::string offset_text =
      error.offset == Error::kNoOffset
          ? ""
          : "at byte " + std::to_string(error.offset) + ": ";
  return Error{error.code, path + ": " + offset_text + error.what};
}

// Opens the files of a folder and hashes them on the way.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  std::string PathOf(std::string_view name) const {
    return PathIn(path_, std::string(name));
  }

  Result<Bytes> Open(const std::string& name) {
    if (IsMissing(PathOf(name))) {
      return Error{ErrorCode::kIo,
                   path_ + ": there is no " + name + "; needed are " +
                       kConfigFile + ", " + kTokenizerFile +
                       " and .safetensors files, or the path of a GGUF file"};
    }
    LLMA_ASSIGN(MappedFile file, OpenSourceFile(PathOf(name)));
    const Bytes bytes = file.bytes();
    files_.push_back(std::move(file));
    return bytes;
  }

  Result<JsonValue> ReadJson(const std::string& name, Bytes text) const {
    if (text.size() > kMaxJsonBytes) {
      return Error{ErrorCode::kLimit, PathOf(name) + " is too large"};
    }
    auto json = JsonValue::Parse(text);
    if (!json) return InFile(PathOf(name), json.error());
    return json;
  }

  // As a line of sha256sum.
  Status AddToHash(const std::string& name, Bytes bytes) {
    Sha256 file_hash;
    file_hash.Update(bytes);
    const auto digest = file_hash.Digest();
    std::string line;
    for (const uint8_t byte : digest) {
      line += "0123456789abcdef"[byte >> 4];
      line += "0123456789abcdef"[byte & 15];
    }
    line += "  " + name + "\n";
    hash_.Update(AsBytes(line));
    return OkStatus();
  }

  std::array<uint8_t, 32> Digest() { return hash_.Digest(); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  std::vector<MappedFile> files_;  // stay mapped
  Sha256 hash_;
};

// Which file each tensor is in, if there is an index.
using WeightMap = std::map<std::string, std::string, std::less<>>;

bool IsWeightsName(std::string_view name) {
  return name.size() > kWeightsSuffix.size() &&
         name.ends_with(kWeightsSuffix) &&
         name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

Result<WeightMap> ReadIndex(Folder& folder) {
  LLMA_ASSIGN(const Bytes text, folder.Open(kIndexFile));
  LLMA_ASSIGN(const JsonValue json, folder.ReadJson(kIndexFile, text));
  const JsonFields fields(json);
  const auto map = fields.GetObject("weight_map");
  if (!map) return InFile(folder.PathOf(kIndexFile), map.error());
  WeightMap weight_map;
  for (const auto& [tensor, file] : *(*map)->AsObject()) {
    if (file.AsString() == nullptr || !IsWeightsName(*file.AsString())) {
      return InFile(folder.PathOf(kIndexFile),
                    JsonFields(**map, "weight_map")
                        .FieldError(tensor,
                                    "is no name of a .safetensors file "
                                    "in the folder"));
    }
    weight_map.emplace(tensor, *file.AsString());
  }
  return weight_map;
}

Result<std::set<std::string>> ListWeights(const std::string& folder) {
  std::set<std::string> names;
  LLMA_ASSIGN(const auto entries, ListFolder(folder));
  for (const FolderEntry& entry : entries) {
    if (IsWeightsName(entry.name)) names.insert(entry.name);
  }
  return names;
}

// The tensors of one file, which an index, if any, must agree with.
Status AddTensors(Folder& folder, const std::string& name,
                  const WeightMap* index, TensorMap& tensors) {
  LLMA_ASSIGN(const Bytes bytes, folder.Open(name));
  LLMA_TRY(folder.AddToHash(name, bytes));
  auto found = ParseSafetensors(bytes);
  if (!found) return InFile(folder.PathOf(name), found.error());
  for (auto& [tensor_name, tensor] : *found) {
    const auto fault = [&, &bad_name = tensor_name](const char* what) {
      return Error{ErrorCode::kCorrupt,
                   folder.PathOf(name) + ": tensor " + bad_name + what};
    };
    if (index != nullptr) {
      const auto it = index->find(tensor_name);
      if (it == index->end()) return fault(" is not in the index");
      if (it->second != name) return fault(" is in another file by the index");
    }
    if (!tensors.emplace(tensor_name, tensor).second) {
      return fault(" is in another file, too");
    }
  }
  return OkStatus();
}

// As transformers has it: one file with everything comes before those that an
// index names, and before others that stand beside it.
Status ReadWeights(Folder& folder, TensorMap& tensors,
                   std::vector<std::string>& notes) {
  WeightMap index;
  std::set<std::string> names;
  const bool has_one = !IsMissing(folder.PathOf(kWeightsFile));
  bool has_index = !IsMissing(folder.PathOf(kIndexFile));
  if (has_index) {
    LLMA_ASSIGN(index, ReadIndex(folder));
    for (const auto& [tensor, file] : index) names.insert(file);
    if (has_one && !names.contains(kWeightsFile)) {
      notes.push_back(std::string(kWeightsFile) +
                      " is taken, and not the files that " + kIndexFile +
                      " names");
      has_index = false;
      index.clear();
    }
  }
  if (!has_index && has_one) {
    names = {kWeightsFile};
  } else if (!has_index) {
    LLMA_ASSIGN(names, ListWeights(folder.path()));
  }
  if (names.empty()) {
    return Error{ErrorCode::kUnsupported,
                 folder.path() + ": there are no .safetensors files"};
  }
  if (names.size() > kMaxWeightsFiles) {
    return Error{ErrorCode::kLimit, folder.path() + ": too many files"};
  }
  for (const std::string& name : names) {
    LLMA_TRY(AddTensors(folder, name, has_index ? &index : nullptr, tensors));
  }
  for (const auto& [tensor, file] : index) {
    if (tensors.find(tensor) == tensors.end()) {
      return Error{ErrorCode::kCorrupt,
                   folder.PathOf(file) + ": tensor " + tensor + " is missing"};
    }
  }
  return OkStatus();
}

// Of models that see pictures only what reads text is taken, under the names
// that models of text have.
void TakeLanguageModel(const TensorNames& names, TensorMap& tensors) {
  constexpr std::string_view kParts[][2] = {
      {"language_model.model.", "model."},
      {"model.language_model.", "model."},
      {"language_model.lm_head.", "lm_head."},
  };
  TensorMap taken;
  for (const auto& [name, tensor] : tensors) {
    for (const auto& [from, to] : kParts) {
      if (!name.starts_with(from)) continue;
      taken.emplace(std::string(to) + name.substr(from.size()), tensor);
    }
  }
  if (taken.empty()) return;
  const auto lm_head = tensors.find(names.head);
  if (lm_head != tensors.end()) taken.insert(*lm_head);
  tensors = std::move(taken);
}

// What the files have decides whether the head is the embedding, whatever the
// configuration says: programs that merge weights do not remove it.
void FindHead(SourceModel& source) {
  bool& is_tied = source.config.tied_head;
  const auto head = source.tensors.find(source.names.head);
  if (head == source.tensors.end()) {
    if (!is_tied) {
      source.notes.push_back("there is no " + std::string(source.names.head) +
                             ", though tie_word_embeddings is false: the "
                             "embedding is taken");
    }
    is_tied = true;
    return;
  }
  if (!is_tied) return;
  const auto embedding = source.tensors.find(source.names.embedding);
  const SourceTensor& a = head->second;
  if (embedding != source.tensors.end() && a.type == embedding->second.type &&
      std::ranges::equal(a.data, embedding->second.data)) {
    source.tensors.erase(head);
    return;
  }
  source.notes.push_back("tensor " + std::string(source.names.head) +
                         " is not the embedding, though tie_word_embeddings "
                         "says so: it is taken");
  is_tied = false;
}

// Takes out the angles of RoPE, which old programs stored with the weights.
void DropRedundantTensors(const TensorNames& names, TensorMap& tensors) {
  std::erase_if(tensors, [&names](const auto& entry) {
    return entry.first.starts_with(names.layer_prefix) &&
           entry.first.ends_with(".self_attn.rotary_emb.inv_freq");
  });
}

// What a model is, but for its weights; `source` has parts of the texts.
struct Description {
  JsonValue config, tokenizer;
};

Status ReadDescription(Folder& folder, Description& description,
                       SourceModel& source) {
  LLMA_ASSIGN(const Bytes config_text, folder.Open(kConfigFile));
  LLMA_TRY(folder.AddToHash(kConfigFile, config_text));
  LLMA_ASSIGN(description.config, folder.ReadJson(kConfigFile, config_text));
  if (const Status read = ReadHfConfig(description.config, source); !read) {
    return InFile(folder.PathOf(kConfigFile), read.error());
  }
  LLMA_ASSIGN(const Bytes tokenizer_text, folder.Open(kTokenizerFile));
  LLMA_TRY(folder.AddToHash(kTokenizerFile, tokenizer_text));
  LLMA_ASSIGN(description.tokenizer,
              folder.ReadJson(kTokenizerFile, tokenizer_text));
  if (const Status read = ReadHfTokenizer(description.tokenizer,
                                          source.vocabulary, source.notes);
      !read) {
    return InFile(folder.PathOf(kTokenizerFile), read.error());
  }
  return OkStatus();
}

}  // namespace

Status CheckFolder(const std::string& folder_path) {
  Folder folder(folder_path);
  Description description;
  SourceModel source;
  return ReadDescription(folder, description, source);
}

Status ReadFolder(const std::string& folder_path, const SourceUser& use) {
  Folder folder(folder_path);
  Description description;
  SourceModel source;
  LLMA_TRY(ReadDescription(folder, description, source));
  LLMA_TRY(ReadWeights(folder, source.tensors, source.notes));
  source.names = FolderTensorNames(source.config);
  if (description.config.Find("text_config") != nullptr) {
    TakeLanguageModel(source.names, source.tensors);
  }
  FindHead(source);
  DropRedundantTensors(source.names, source.tensors);
  source.sha256 = folder.Digest();
  const Status used = use(source);
  if (!used) return InFile(folder_path, used.error());
  return OkStatus();
}

Result<Fingerprint> ImportFolder(const std::string& folder_path,
                                 const std::string& llmm_path,
                                 const ImportOptions& options) {
  return ConvertSource(
      [&](const SourceUser& use) { return ReadFolder(folder_path, use); },
      llmm_path, options);
}

}  // namespace llma
