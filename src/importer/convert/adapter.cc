// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/adapter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "base/sha256.h"
#include "base/vector_size.h"
#include "importer/convert/architecture.h"
#include "importer/convert/tensor_names.h"
#include "importer/convert/unsupported.h"
#include "importer/formats/dequantize.h"
#include "importer/gguf/gguf_reader.h"
#include "importer/hf/json_value.h"
#include "importer/hf/peft_config.h"
#include "importer/hf/safetensors_reader.h"
#include "importer/source_file.h"
#include "platform/file_info.h"
#include "platform/folder_list.h"

namespace llma {
namespace {

constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr const char* kPickleFile = "adapter_model.bin";
constexpr uint64_t kMaxConfigBytes = 1 << 24;
constexpr uint64_t kMaxRank = 1 << 14;
constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kWeight = ".weight";
// Appended to the name of a tensor of integers: the tensor of their scales.
constexpr std::string_view kScale = "_scale";

// A tensor, and if it has integers, what they are multiplied by: a number for
// each row, or one for all.
struct ScaledTensor {
  const SourceTensor* tensor = nullptr;
  const SourceTensor* scales = nullptr;

  uint64_t num_rows() const { return tensor->num_rows; }
};

Result<std::vector<float>> ReadTensor(const std::string& name,
                                      const ScaledTensor& scaled);

Result<std::vector<float>> ReadIntegers(const std::string& name,
                                        const ScaledTensor& scaled) {
  const SourceTensor& tensor = *scaled.tensor;
  if (scaled.scales == nullptr || scaled.scales->type == kIntegerTensor) {
    return Unsupported("of the integers of " + name +
                       " the scales are missing");
  }
  LLMA_ASSIGN(const std::vector<float> scales,
              ReadTensor(name + std::string(kScale), {scaled.scales}));
  if (scales.size() != 1 && scales.size() != tensor.num_rows) {
    return Unsupported("the scales of " + name + " do not fit its rows");
  }
  std::vector<float> values(
      VectorSize<float>(tensor.num_rows * tensor.num_cols));
  for (size_t i = 0; i < values.size(); ++i) {
    const float scale = scales[scales.size() == 1 ? 0 : i / tensor.num_cols];
    values[i] = static_cast<float>(static_cast<int8_t>(tensor.data[i])) * scale;
  }
  return values;
}

// The numbers of a tensor, all finite.
Result<std::vector<float>> ReadTensor(const std::string& name,
                                      const ScaledTensor& scaled) {
  const SourceTensor& tensor = *scaled.tensor;
  if (tensor.type == kIntegerTensor) return ReadIntegers(name, scaled);
  if (tensor.data.empty() && tensor.num_rows * tensor.num_cols != 0) {
    return Unsupported("tensor " + name + " has type " +
                       TensorTypeName(tensor.type) + " (" +
                       ReadableTypeNames() + " can be read)");
  }
  std::vector<float> values(
      VectorSize<float>(tensor.num_rows * tensor.num_cols));
  DequantizeRow(static_cast<TensorType>(tensor.type), tensor.data, values);
  for (const float value : values) {
    if (!std::isfinite(value)) {
      return Unsupported("tensor " + name + " has a value that is not finite");
    }
  }
  return values;
}

// The two halves of each update, by module.
struct Halves {
  ScaledTensor a, b;
};

// `alpha` is divided by the rank, or by its root.
Result<LowRankUpdate> JoinHalves(const std::string& name, const Halves& halves,
                                 double alpha, bool by_root) {
  if (halves.a.tensor == nullptr || halves.b.tensor == nullptr) {
    return Unsupported("of the adapter of " + name + " one half is missing");
  }
  const uint64_t rank = halves.a.num_rows();
  if (rank == 0 || rank > kMaxRank || halves.b.tensor->num_cols != rank) {
    return Unsupported("the two halves of the adapter of " + name +
                       " do not fit each other");
  }
  LowRankUpdate update;
  update.rank = static_cast<uint32_t>(rank);
  const auto size = static_cast<double>(rank);
  update.scale = static_cast<float>(alpha / (by_root ? std::sqrt(size) : size));
  if (!std::isfinite(update.scale)) {
    return Unsupported("the scale of the adapter of " + name +
                       " is not finite");
  }
  LLMA_ASSIGN(update.a, ReadTensor(name, halves.a));
  LLMA_ASSIGN(update.b, ReadTensor(name, halves.b));
  return update;
}

// Takes `part` out of a name, with the dot before it.
void RemovePart(std::string& name, std::string_view part) {
  const size_t at = name.find(part);
  if (at != std::string::npos) name.erase(at, part.size());
}

// --- Tensors of the source --------------------------------------------------

// A tensor that adapters may change, under the adapter's name and the source's.
struct TensorPair {
  std::string in_adapter, in_source;
};

constexpr const char* TensorNames::*kLayerMatrices[] = {
    &TensorNames::attn_q,   &TensorNames::attn_k,   &TensorNames::attn_v,
    &TensorNames::attn_out, &TensorNames::ffn_gate, &TensorNames::ffn_up,
    &TensorNames::ffn_down,
};
constexpr const char* TensorNames::*kLayerNorms[] = {
    &TensorNames::attn_norm,      &TensorNames::ffn_norm,
    &TensorNames::post_attn_norm, &TensorNames::post_ffn_norm,
    &TensorNames::q_norm,         &TensorNames::k_norm,
};
constexpr const char* TensorNames::*kLayerBiases[] = {
    &TensorNames::q_bias,
    &TensorNames::k_bias,
    &TensorNames::v_bias,
};

// The inverse of AdjacentPairRow().
uint32_t SplitPairRow(uint32_t i, uint32_t head_dim) {
  const uint32_t dim = i % head_dim;
  return i - dim + dim / 2 + dim % 2 * (head_dim / 2);
}

}  // namespace

Result<Bytes> Adapter::Map(const std::string& path) {
  LLMA_ASSIGN(MappedFile file, OpenSourceFile(path));
  const Bytes bytes = file.bytes();
  files_.push_back(std::move(file));
  return bytes;
}

Result<Adapter> Adapter::Open(const std::string& path) {
  Adapter adapter;
  adapter.path_ = path;
  if (IsDirectory(path)) {
    LLMA_TRY(adapter.ReadFolder());
    return adapter;
  }
  const Status read = adapter.ReadGguf();
  if (!read && read.error().code != ErrorCode::kIo) {
    return Error{read.error().code, path + ": " + read.error().what,
                 read.error().offset};
  }
  if (!read) return read.error();
  return adapter;
}

Result<Adapter> Adapter::Read(const PeftFiles& files) {
  Adapter adapter;
  adapter.path_ = files.name;
  LLMA_TRY(adapter.ReadPeft(files.config, files.weights));
  return adapter;
}

Status Adapter::ReadFolder() {
  const std::string config_path = PathIn(path_, kConfigFile);
  const std::string weights_path = PathIn(path_, kWeightsFile);
  for (const std::string& needed : {config_path, weights_path}) {
    if (!IsMissing(needed)) continue;
    const bool has_pickle = !IsMissing(PathIn(path_, kPickleFile));
    return Error{ErrorCode::kIo,
                 needed + " is missing" +
                     (has_pickle ? ": " + std::string(kPickleFile) +
                                       " is not read; save the adapter with "
                                       "safe_serialization=True"
                                 : "")};
  }
  LLMA_ASSIGN(const Bytes config_text, Map(config_path));
  LLMA_ASSIGN(const Bytes weights, Map(weights_path));
  return ReadPeft(config_text, weights);
}

Status Adapter::ReadPeft(Bytes config_text, Bytes weights) {
  const std::string config_path = PathIn(path_, kConfigFile);
  const std::string weights_path = PathIn(path_, kWeightsFile);
  Sha256 all;
  for (const auto& [name, bytes] :
       {std::pair(kConfigFile, config_text), {kWeightsFile, weights}}) {
    Sha256 one;
    one.Update(bytes);
    const auto digest = one.Digest();
    all.Update(AsBytes(ToHex(digest) + "  " + name + "\n"));
  }
  sha256_ = all.Digest();

  const auto in_file = [](const std::string& path, const Error& fault) {
    return Error{fault.code, path + ": " + fault.what};
  };
  if (config_text.size() > kMaxConfigBytes) {
    return Error{ErrorCode::kLimit, config_path + " is too large"};
  }
  const auto json = JsonValue::Parse(config_text);
  if (!json) return in_file(config_path, json.error());
  const auto config = ReadPeftConfig(*json);
  if (!config) return in_file(config_path, config.error());
  const auto tensors = ParseSafetensors(weights, IntegerTensors::kTaken);
  if (!tensors) return in_file(weights_path, tensors.error());

  std::map<std::string, Halves> modules;
  const auto with_scales = [&](const std::string& key,
                               const SourceTensor& tensor) {
    const auto scales = tensors->find(key + std::string(kScale));
    return ScaledTensor{&tensor,
                        scales == tensors->end() ? nullptr : &scales->second};
  };
  for (const auto& [key, tensor] : *tensors) {
    if (key.ends_with(kScale)) {
      const auto scaled =
          tensors->find(key.substr(0, key.size() - kScale.size()));
      if (scaled != tensors->end() && scaled->second.type == kIntegerTensor) {
        continue;
      }
    }
    std::string name = key;
    if (!name.starts_with(kPrefix)) {
      return in_file(weights_path, Unsupported("tensor " + key +
                                               " is not one of an adapter"));
    }
    name.erase(0, kPrefix.size());
    constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";
    if (name.ends_with(kA)) {
      modules[name.substr(0, name.size() - kA.size())].a =
          with_scales(key, tensor);
      continue;
    }
    if (name.ends_with(kB)) {
      modules[name.substr(0, name.size() - kB.size())].b =
          with_scales(key, tensor);
      continue;
    }
    if (name.find(".lora_") != std::string::npos) {
      return in_file(
          weights_path,
          Unsupported("tensor " + key + " is not supported" + kHowToMerge));
    }
    RemovePart(name, ".modules_to_save");
    RemovePart(name, ".base_layer");
    auto values = ReadTensor(key, with_scales(key, tensor));
    if (!values) return in_file(weights_path, values.error());
    if (tensor.num_rows != 1) {
      return in_file(weights_path,
                     Unsupported("tensor " + key +
                                 " replaces a matrix, which is not supported" +
                                 kHowToMerge));
    }
    replacements_[name] = *std::move(values);
  }
  for (const auto& [module, halves] : modules) {
    const double rank = FindInPattern(config->ranks, module, config->rank);
    if (halves.a.tensor != nullptr &&
        static_cast<double>(halves.a.num_rows()) != rank) {
      return in_file(weights_path, Unsupported("the adapter of " + module +
                                               " does not have the rank that " +
                                               kConfigFile + " says"));
    }
    auto update = JoinHalves(
        module, halves, FindInPattern(config->alphas, module, config->alpha),
        config->divides_by_root);
    if (!update) return in_file(weights_path, update.error());
    updates_[module + std::string(kWeight)] = *std::move(update);
  }
  return OkStatus();
}

Status Adapter::ReadGguf() {
  is_gguf_ = true;
  LLMA_ASSIGN(const Bytes bytes, Map(path_));
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(bytes));
  const auto type = gguf.GetString("general.type");
  if (!type || *type != "adapter") {
    return Unsupported("is not an adapter: general.type does not say so");
  }
  LLMA_ASSIGN(const std::string_view kind, gguf.GetString("adapter.type"));
  if (kind != "lora") {
    return Unsupported("adapter.type is " + std::string(kind) + ", not lora");
  }
  LLMA_ASSIGN(const std::string_view architecture,
              gguf.GetString("general.architecture"));
  architecture_ = architecture;
  float alpha = 0;  // the scale is then 1
  if (gguf.Has("adapter.lora.alpha")) {
    LLMA_ASSIGN(alpha, gguf.GetF32("adapter.lora.alpha"));
  }
  std::map<std::string, Halves> matrices;
  for (const auto& [key, tensor] : gguf.tensors()) {
    constexpr std::string_view kA = ".lora_a", kB = ".lora_b";
    const std::string name = key.substr(0, key.size() - kA.size());
    if (key.ends_with(kA)) {
      matrices[name].a.tensor = &tensor;
    } else if (key.ends_with(kB)) {
      matrices[name].b.tensor = &tensor;
    } else {
      return Unsupported("tensor " + key + " is not one of a LoRA adapter");
    }
  }
  for (const auto& [name, halves] : matrices) {
    const double rank = halves.a.tensor == nullptr
                            ? 1
                            : static_cast<double>(halves.a.num_rows());
    LLMA_ASSIGN(updates_[name],
                JoinHalves(name, halves, alpha == 0 ? rank : alpha, false));
  }
  Sha256 hash;
  hash.Update(bytes);
  sha256_ = hash.Digest();
  return OkStatus();
}

Status Adapter::AttachTo(SourceModel& source) {
  const Architecture& architecture = *source.architecture;
  const auto named = [this](const std::string& what) {
    return Unsupported(path_ + ": " + what);
  };
  if (is_gguf_ && architecture_ != architecture.gguf_name) {
    return named("is an adapter of the architecture " + architecture_ +
                 ", the model is of " + architecture.gguf_name);
  }
  const TensorNames names =
      is_gguf_ ? GgufTensorNames() : FolderTensorNames(source.config);
  std::set<std::string> used;
  const auto pair_of = [&](const char* TensorNames::*field, uint32_t layer) {
    const std::string number = std::to_string(layer) + ".";
    return TensorPair{names.layer_prefix + number + names.*field,
                      source.names.layer_prefix + number + source.names.*field};
  };

  // The order of the rows of queries and keys.
  const bool is_adjacent = is_gguf_ && architecture.has_adjacent_pairs_in_gguf;
  const auto reorder = [&](LowRankUpdate& update) {
    if (is_adjacent == source.has_adjacent_rope_pairs) return;
    const std::vector<float> b = update.b;
    const auto num_rows = static_cast<uint32_t>(b.size() / update.rank);
    for (uint32_t i = 0; i < num_rows; ++i) {
      const uint32_t from = is_adjacent
                                ? AdjacentPairRow(i, source.config.head_dim)
                                : SplitPairRow(i, source.config.head_dim);
      std::copy_n(b.data() + size_t{from} * update.rank, update.rank,
                  update.b.data() + size_t{i} * update.rank);
    }
  };
  const auto update_matrix = [&](const TensorPair& pair,
                                 bool has_pairs) -> Status {
    const auto it = updates_.find(pair.in_adapter);
    if (it == updates_.end()) return OkStatus();
    used.insert(pair.in_adapter);
    LowRankUpdate& update = it->second;
    const auto tensor = source.tensors.find(pair.in_source);
    if (tensor == source.tensors.end() ||
        tensor->second.num_cols * update.rank != update.a.size() ||
        tensor->second.num_rows * update.rank != update.b.size()) {
      return named("the adapter of " + pair.in_adapter +
                   " does not have the shape of the model's matrix");
    }
    if (has_pairs) reorder(update);
    tensor->second.update = &update;
    return OkStatus();
  };
  // `offset`: what the source's numbers are larger by than the adapter's.
  const auto replace = [&](const TensorPair& pair, float offset) -> Status {
    const auto it = replacements_.find(pair.in_adapter);
    if (it == replacements_.end()) return OkStatus();
    used.insert(pair.in_adapter);
    const auto tensor = source.tensors.find(pair.in_source);
    if (tensor == source.tensors.end() ||
        tensor->second.num_cols != it->second.size()) {
      return named("the adapter's " + pair.in_adapter +
                   " does not have the shape of the model's");
    }
    if (offset != 0) {
      for (float& value : it->second) value += offset;
    }
    tensor->second.replacement = &it->second;
    return OkStatus();
  };

  const float folder_offset = architecture.norms_lack_one_in_folders ? 1 : 0;
  const float norm_offset = (is_gguf_ ? 0 : folder_offset) - source.norm_offset;
  for (uint32_t layer = 0; layer < source.config.num_layers; ++layer) {
    for (const auto field : kLayerMatrices) {
      const bool has_pairs =
          field == &TensorNames::attn_q || field == &TensorNames::attn_k;
      LLMA_TRY(update_matrix(pair_of(field, layer), has_pairs));
    }
    for (const auto field : kLayerNorms) {
      if (names.*field == nullptr || source.names.*field == nullptr) continue;
      LLMA_TRY(replace(pair_of(field, layer), norm_offset));
    }
    for (const auto field : kLayerBiases) {
      LLMA_TRY(replace(pair_of(field, layer), 0));
    }
  }
  LLMA_TRY(replace({names.output_norm, source.names.output_norm}, norm_offset));

  for (const auto& [name, update] : updates_) {
    if (!used.contains(name)) {
      return named("changes " + name +
                   ", which is not a matrix of the model's layers");
    }
  }
  for (const auto& [name, values] : replacements_) {
    if (!used.contains(name)) {
      return named("replaces " + name +
                   ", which is not a norm or bias of the "
                   "model's layers");
    }
  }
  return OkStatus();
}

}  // namespace llma
