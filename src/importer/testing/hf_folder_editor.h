// SPDX-License-Identifier: Apache-2.0
// For tests: makes .safetensors files, and the Hugging Face folder of a model
// that is there as GGUF.
#ifndef LLMA_IMPORTER_TESTING_HF_FOLDER_EDITOR_H_
#define LLMA_IMPORTER_TESTING_HF_FOLDER_EDITOR_H_

#include <bit>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "importer/convert/score_merges.h"
#include "importer/formats/dequantize.h"
#include "importer/gguf/gguf_reader.h"
#include "importer/gguf/gguf_tokens.h"
#include "platform/output_file.h"

namespace llma {

// Numbers of one tensor as little-endian elements; halves are cut, not rounded.
inline std::vector<uint8_t> EncodeElements(const std::vector<float>& values,
                                           TensorType type) {
  ByteWriter out;
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t exponent = bits >> 23 & 255;
    if (type == TensorType::kF32) {
      out.StoreU32(bits);
    } else if (type == TensorType::kBf16) {
      out.StoreU16(static_cast<uint16_t>(bits >> 16));
    } else if (exponent <= 112) {  // no normal half
      out.StoreU16(0);
    } else {
      out.StoreU16(static_cast<uint16_t>(
          bits >> 31 << 15 | (exponent - 112) << 10 | (bits >> 13 & 1023)));
    }
  }
  return std::move(out).TakeBytes();
}

// All numbers of a tensor.
inline std::vector<float> DequantizeTensor(const SourceTensor& tensor) {
  std::vector<float> values(tensor.num_rows * tensor.num_cols);
  DequantizeRow(static_cast<TensorType>(tensor.type), tensor.data, values);
  return values;
}

struct SafetensorsEditor {
  nlohmann::json header = nlohmann::json::object();
  std::vector<uint8_t> data;

  // After all others.
  void Add(const std::string& name, const char* dtype,
           const std::vector<uint64_t>& shape,
           const std::vector<uint8_t>& elements) {
    const size_t begin = data.size();
    data.insert(data.end(), elements.begin(), elements.end());
    header[name] = {{"dtype", dtype},
                    {"shape", shape},
                    {"data_offsets", {begin, data.size()}}};
  }

  std::vector<uint8_t> Encode() const { return Encode(header.dump(), data); }
  static std::vector<uint8_t> Encode(const std::string& header_text,
                                     Bytes data) {
    ByteWriter out;
    out.StoreU64(header_text.size());
    out.StoreBytes(AsBytes(header_text));
    out.StoreBytes(data);
    return std::move(out).TakeBytes();
  }
};

struct HfFolderEditor {
  nlohmann::json config, tokenizer;
  nlohmann::json index;                              // null: none is written
  std::map<std::string, SafetensorsEditor> weights;  // by file name

  // The model of a GGUF file with the pre-tokenizer smollm, or with
  // SentencePiece's; all tensors go to model.safetensors.
  HfFolderEditor(const GgufReader& gguf, TensorType type)
      : arch_(*gguf.GetString("general.architecture")) {
    SetConfig(gguf);
    SetTokenizer(gguf);
    const uint32_t dim = config["hidden_size"];
    const uint32_t head_dim = dim / uint32_t{config["num_attention_heads"]};
    if (config["model_type"] == "qwen3") config["head_dim"] = head_dim;
    for (const auto& [name, tensor] : gguf.tensors()) {
      std::vector<float> values = DequantizeTensor(tensor);
      if (HasAdjacentPairs() && (name.find("attn_q.") != std::string::npos ||
                                 name.find("attn_k.") != std::string::npos)) {
        values = WithHalvesOfHeads(values, head_dim, dim);
      }
      std::vector<uint64_t> shape = {tensor.num_rows, tensor.num_cols};
      const bool is_norm = name.find("norm") != std::string::npos;
      if (is_norm || name.ends_with(".bias")) shape = {tensor.num_cols};
      if (is_norm && IsGemma()) {
        for (float& value : values) value -= 1;
      }
      const char* dtype = type == TensorType::kF32   ? "F32"
                          : type == TensorType::kF16 ? "F16"
                                                     : "BF16";
      weights["model.safetensors"].Add(HfTensorName(name), dtype, shape,
                                       EncodeElements(values, type));
    }
  }

  void Write(const std::string& folder) const {
    const auto write = [&folder](const std::string& name, Bytes bytes) {
      auto file = OutputFile::Create(folder + "/" + name, {.overwrite = true});
      if (!file || !file->Write(bytes) || !file->Commit()) std::abort();
    };
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    write("config.json", AsBytes(config.dump()));
    write("tokenizer.json", AsBytes(tokenizer.dump()));
    if (!index.is_null()) {
      write("model.safetensors.index.json", AsBytes(index.dump()));
    }
    for (const auto& [name, file] : weights) write(name, file.Encode());
  }

 private:
  bool HasAdjacentPairs() const {
    return arch_ == "llama" || arch_ == "granite";
  }
  bool IsGemma() const { return arch_.starts_with("gemma"); }

  std::string HfTensorName(const std::string& name) const {
    static const std::map<std::string, std::string> kGemmaNames = {
        {"post_attention_norm", "post_attention_layernorm"},
        {"ffn_norm", "pre_feedforward_layernorm"},
        {"post_ffw_norm", "post_feedforward_layernorm"},
    };
    static const std::map<std::string, std::string> kNames = {
        {"token_embd", "model.embed_tokens"},
        {"output_norm", "model.norm"},
        {"output", "lm_head"},
        {"attn_norm", "input_layernorm"},
        {"attn_q", "self_attn.q_proj"},
        {"attn_k", "self_attn.k_proj"},
        {"attn_v", "self_attn.v_proj"},
        {"attn_output", "self_attn.o_proj"},
        {"attn_q_norm", "self_attn.q_norm"},
        {"attn_k_norm", "self_attn.k_norm"},
        {"ffn_norm", "post_attention_layernorm"},
        {"ffn_gate", "mlp.gate_proj"},
        {"ffn_up", "mlp.up_proj"},
        {"ffn_down", "mlp.down_proj"},
    };
    const size_t end = name.rfind('.');  // of ".weight" or ".bias"
    const std::string stem = name.substr(0, end), kind = name.substr(end);
    if (!stem.starts_with("blk.")) return kNames.at(stem) + kind;
    const size_t dot = stem.find('.', 4);
    const std::string part = stem.substr(dot + 1);
    const bool is_other = IsGemma() && kGemmaNames.count(part) != 0;
    return "model.layers." + stem.substr(4, dot - 4) + "." +
           (is_other ? kGemmaNames : kNames).at(part) + kind;
  }

  // Row 2 p + s of each head goes to p + s head_dim / 2.
  static std::vector<float> WithHalvesOfHeads(const std::vector<float>& values,
                                              uint32_t head_dim,
                                              uint32_t num_cols) {
    std::vector<float> moved(values.size());
    for (size_t row = 0; row < values.size() / num_cols; ++row) {
      const size_t dim = row % head_dim;
      const size_t target = row - dim + dim / 2 + dim % 2 * (head_dim / 2);
      std::copy_n(values.begin() + row * num_cols, num_cols,
                  moved.begin() + target * num_cols);
    }
    return moved;
  }

  void SetConfig(const GgufReader& gguf) {
    const auto number = [&](const char* key) {
      return *gguf.GetU32(arch_ + "." + key);
    };
    config = {
        {"architectures", {"LlamaForCausalLM"}},
        {"model_type", arch_},
        {"hidden_act", "silu"},
        {"hidden_size", number("embedding_length")},
        {"intermediate_size", number("feed_forward_length")},
        {"num_hidden_layers", number("block_count")},
        {"num_attention_heads", number("attention.head_count")},
        {"num_key_value_heads", number("attention.head_count_kv")},
        {"max_position_embeddings", number("context_length")},
        {"rms_norm_eps", 1e-05},
        {"rope_theta", *gguf.GetF32(arch_ + ".rope.freq_base")},
        {"rope_scaling", nullptr},
        {"tie_word_embeddings", true},
        {"bos_token_id", *gguf.GetU32("tokenizer.ggml.bos_token_id")},
        {"eos_token_id", *gguf.GetU32("tokenizer.ggml.eos_token_id")},
        {"initializer_range", 0.02},
    };
    if (arch_ == "llama") return;
    config["architectures"] = {
        std::string(1, static_cast<char>(arch_[0] - 'a' + 'A')) +
        arch_.substr(1) + "ForCausalLM"};
    if (arch_ == "granite") {
      for (const auto& [key, field] :
           {std::pair("embedding_scale", "embedding_multiplier"),
            {"attention.scale", "attention_multiplier"},
            {"residual_scale", "residual_multiplier"},
            {"logit_scale", "logits_scaling"}}) {
        config[field] = *gguf.GetF32(arch_ + "." + key);
      }
    }
    if (!IsGemma()) return;
    if (arch_ == "gemma3") config["model_type"] = "gemma3_text";
    config.erase("hidden_act");
    config["hidden_activation"] = "gelu_pytorch_tanh";
    config["head_dim"] = config["query_pre_attn_scalar"] = 32;
    config["sliding_window"] = number("attention.sliding_window");
    if (arch_ == "gemma3") return;
    config["attn_logit_softcapping"] =
        *gguf.GetF32(arch_ + ".attn_logit_softcapping");
    config["final_logit_softcapping"] =
        *gguf.GetF32(arch_ + ".final_logit_softcapping");
  }

  void SetTokenizer(const GgufReader& gguf) {
    const auto tokens = *gguf.GetStrings("tokenizer.ggml.tokens");
    const auto types = *gguf.GetU32s("tokenizer.ggml.token_type");
    nlohmann::json vocab = nlohmann::json::object();
    nlohmann::json added = nlohmann::json::array();
    const bool has_characters =
        *gguf.GetString("tokenizer.ggml.model") == "llama";
    for (uint32_t id = 0; id < tokens.size(); ++id) {
      vocab[std::string(tokens[id])] = id;
      if (types[id] == 1 || types[id] == 6) continue;
      added.push_back({{"id", id},
                       {"content", tokens[id]},
                       {"special", !has_characters || types[id] != 4}});
    }
    tokenizer = {
        {"version", "1.0"},
        {"added_tokens", added},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "Sequence"},
          {"pretokenizers",
           {{{"type", "Digits"}, {"individual_digits", true}},
            {{"type", "ByteLevel"},
             {"add_prefix_space", false},
             {"use_regex", true}}}}}},
        {"model",
         {{"type", "BPE"},
          {"unk_token", nullptr},
          {"byte_fallback", has_characters},
          {"vocab", vocab},
          {"merges", nlohmann::json::array()}}},
    };
    if (has_characters) {
      SetSentencePiece(gguf);
    } else {
      tokenizer["model"]["merges"] = *gguf.GetStrings("tokenizer.ggml.merges");
    }
  }

  // Merges for scores, and how blanks are written.
  void SetSentencePiece(const GgufReader& gguf) {
    std::vector<std::string> notes;
    auto vocabulary = ReadGgufTokens(gguf, notes);
    const auto merges = MakeMergesFromScores(*vocabulary);
    for (const auto& [left, right, result] : *merges) {
      tokenizer["model"]["merges"].push_back(
          {vocabulary->tokens[left], vocabulary->tokens[right]});
    }
    tokenizer["pre_tokenizer"] = nullptr;
    tokenizer["normalizer"] = {{"type", "Replace"},
                               {"pattern", {{"String", " "}}},
                               {"content", "\u2581"}};
  }

  std::string arch_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_TESTING_HF_FOLDER_EDITOR_H_