// SPDX-License-Identifier: Apache-2.0
// For tests: the tiny model called another architecture, with the tensors and
// metadata that it has.
#ifndef LLMA_IMPORTER_TESTING_ARCHITECTURE_VARIATIONS_H_
#define LLMA_IMPORTER_TESTING_ARCHITECTURE_VARIATIONS_H_

#include <cmath>
#include <string>
#include <vector>

#include "importer/testing/gguf_editor.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {

inline constexpr uint32_t kVariationLocalPositions = 16;
// Of Granite.
inline constexpr float kVariationEmbeddingScale = 3;
inline constexpr float kVariationAttentionScale = 0.0625f;
inline constexpr float kVariationResidualScale = 0.4f;
inline constexpr float kVariationLogitScale = 1.5f;

class VariationMaker {
 public:
  // `name` is that of GGUF.
  explicit VariationMaker(const std::string& name) {
    const auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.gguf");
    const auto gguf = GgufReader::Parse(*bytes);
    editor = GgufEditor(*gguf);
    const auto values = editor.values;
    for (const auto& [key, value] : values) {
      if (!key.starts_with("llama.")) continue;
      editor.values.erase(key);
      editor.values[name + key.substr(5)] = value;
    }
    editor.SetString("general.architecture", name);
    if (name.starts_with("gemma")) MakeGemma(name);
    if (name == "granite") MakeGranite();
    const auto tensors = editor.tensors;
    for (const auto& [tensor, value] : tensors) {
      if (!tensor.ends_with("attn_norm.weight")) continue;
      AddTensors(name, tensor.substr(0, tensor.find('.', 4) + 1));
    }
  }

  // As many heads of keys and values as of queries: the queries of one are then
  // half a group of columns.
  void WidenKeysAndValues(const std::string& name) {
    editor.SetU32(name + ".attention.head_count_kv", 4);
    for (auto& [tensor, value] : editor.tensors) {
      if (!tensor.ends_with("attn_k.weight") &&
          !tensor.ends_with("attn_v.weight")) {
        continue;
      }
      value.dims[1] *= 2;
      const std::vector<uint8_t> rows = value.data;
      value.data.insert(value.data.end(), rows.begin(), rows.end());
    }
  }

  GgufEditor editor;

 private:
  // Six layers, so that one is not local, and norms that lose nothing when a
  // folder says them less 1.
  void MakeGemma(const std::string& name) {
    editor.SetU32(name + ".block_count", 6);
    editor.SetU32(name + ".attention.sliding_window", kVariationLocalPositions);
    editor.SetF32(name + ".rope.freq_base", 1000000);
    if (name == "gemma2") {
      editor.SetF32(name + ".attn_logit_softcapping", 2);
      editor.SetF32(name + ".final_logit_softcapping", 5);
    }
    const auto tensors = editor.tensors;
    for (const auto& [tensor, value] : tensors) {
      if (!tensor.starts_with("blk.")) continue;
      const int layer = tensor[4] - '0';
      for (int copy : {layer + 2, layer + 4}) {
        editor.tensors["blk." + std::to_string(copy) + tensor.substr(5)] =
            value;
      }
    }
    for (auto& [tensor, value] : editor.tensors) {
      if (tensor.ends_with("norm.weight")) value = Norm(value.dims[0]);
    }
  }

  void MakeGranite() {
    editor.SetF32("granite.embedding_scale", kVariationEmbeddingScale);
    editor.SetF32("granite.attention.scale", kVariationAttentionScale);
    editor.SetF32("granite.residual_scale", kVariationResidualScale);
    editor.SetF32("granite.logit_scale", kVariationLogitScale);
  }

  void AddTensors(const std::string& name, const std::string& layer) {
    if (name == "qwen2") {
      editor.tensors[layer + "attn_q.bias"] = Random(128, 0, 1);
      editor.tensors[layer + "attn_k.bias"] = OutlierBias(64);
      editor.tensors[layer + "attn_v.bias"] = Random(64, 0, 1);
    }
    if (name == "qwen3") {
      editor.tensors[layer + "attn_q_norm.weight"] = Random(32, 1.5f, 0.5f);
      editor.tensors[layer + "attn_k_norm.weight"] = Random(32, 1.5f, 0.5f);
    }
    if (name == "gemma3") {
      editor.tensors[layer + "attn_q_norm.weight"] = Norm(32);
      editor.tensors[layer + "attn_k_norm.weight"] = Norm(32);
    }
    if (name.starts_with("gemma")) {
      editor.tensors[layer + "post_attention_norm.weight"] = Norm(128);
      editor.tensors[layer + "post_ffw_norm.weight"] = Norm(128);
    }
  }

  template <class Value>
  static GgufEditor::Tensor Floats(uint64_t cols, const Value& value) {
    ByteWriter data;
    for (uint64_t i = 0; i < cols; ++i) data.StoreF32(value(i));
    return {{cols}, 0, std::move(data).TakeBytes()};
  }
  GgufEditor::Tensor Random(uint64_t cols, float mean, float spread) {
    return Floats(cols, [&](uint64_t) { return mean + random_.Float(spread); });
  }
  GgufEditor::Tensor Norm(uint64_t cols) {
    return Floats(cols, [&](uint64_t) {
      return std::round((1.5f + random_.Float(0.5f)) * 256) / 256;
    });
  }
  // Biases of keys have an outlier, as Qwen2.5's have.
  GgufEditor::Tensor OutlierBias(uint64_t cols) {
    return Floats(cols, [&](uint64_t i) {
      return i % 16 == 3 ? 40.0f : random_.Float(1.0f);
    });
  }

  TestRandom random_{99};
};

}  // namespace llma

#endif  // LLMA_IMPORTER_TESTING_ARCHITECTURE_VARIATIONS_H_
