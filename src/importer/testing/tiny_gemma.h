// SPDX-License-Identifier: Apache-2.0
// For tests that import thousands of times: a Gemma 3 of two layers, one of
// them local, with a SentencePiece vocabulary.
#ifndef LLMA_IMPORTER_TESTING_TINY_GEMMA_H_
#define LLMA_IMPORTER_TESTING_TINY_GEMMA_H_

#include <string>
#include <vector>

#include "importer/testing/gguf_editor.h"
#include "numerics/test_random.h"

namespace llma {

inline GgufEditor TinyGemma() {
  GgufEditor e;
  std::vector<std::string> tokens = {
      "<pad>", "<eos>", "<bos>",   "<unk>", "a",    "b",  "n",  "\u2581",
      "an",    "ba",    "\u2581b", "ana",   "bana", "na", "  ", "\u4e2d"};
  std::vector<uint32_t> types = {3, 3, 3, 2, 1, 1, 1, 1,
                                 1, 1, 1, 1, 1, 1, 4, 1};
  for (const char* byte : {"<0x0A>", "<0x63>", "<0xE4>", "<0xFF>"}) {
    tokens.emplace_back(byte);
    types.push_back(6);
  }
  std::vector<float> scores;
  for (size_t id = 0; id < tokens.size(); ++id) {
    scores.push_back(-static_cast<float>(id % 13));
  }
  e.SetString("general.architecture", "gemma3");
  e.SetString("general.license", "none");
  e.SetString("tokenizer.ggml.model", "llama");
  e.SetStrings("tokenizer.ggml.tokens", tokens);
  e.SetU32s("tokenizer.ggml.token_type", types);
  e.SetF32s("tokenizer.ggml.scores", scores);
  e.SetU32("tokenizer.ggml.bos_token_id", 2);
  e.SetU32("tokenizer.ggml.eos_token_id", 1);
  e.SetU32("gemma3.block_count", 2);
  e.SetU32("gemma3.embedding_length", 64);
  e.SetU32("gemma3.feed_forward_length", 64);
  e.SetU32("gemma3.context_length", 128);
  e.SetU32("gemma3.attention.head_count", 2);
  e.SetU32("gemma3.attention.head_count_kv", 1);
  e.SetU32("gemma3.attention.key_length", 32);
  e.SetU32("gemma3.attention.value_length", 32);
  e.SetU32("gemma3.attention.sliding_window", 16);
  e.SetF32("gemma3.attention.layer_norm_rms_epsilon", 1e-6f);
  e.SetF32("gemma3.rope.freq_base", 1000000.0f);
  TestRandom random(17);
  const auto add = [&](const std::string& name, std::vector<uint64_t> dims,
                       float mean, float spread) {
    ByteWriter data;
    const uint64_t num_rows = dims.size() > 1 ? dims[1] : 1;
    for (uint64_t i = 0; i < dims[0] * num_rows; ++i) {
      data.StoreF32(mean + random.Float(spread));
    }
    e.tensors[name + ".weight"] = {std::move(dims), 0,
                                   std::move(data).TakeBytes()};
  };
  add("token_embd", {64, tokens.size()}, 0, 1);
  add("output_norm", {64}, 1, 0.5f);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    for (const char* norm :
         {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"}) {
      add(layer + norm, {64}, 1, 0.5f);
    }
    add(layer + "attn_q_norm", {32}, 1, 0.5f);
    add(layer + "attn_k_norm", {32}, 1, 0.5f);
    add(layer + "attn_q", {64, 64}, 0, 0.2f);
    add(layer + "attn_k", {64, 32}, 0, 0.2f);
    add(layer + "attn_v", {64, 32}, 0, 0.2f);
    add(layer + "attn_output", {64, 64}, 0, 0.2f);
    add(layer + "ffn_gate", {64, 64}, 0, 0.2f);
    add(layer + "ffn_up", {64, 64}, 0, 0.2f);
    add(layer + "ffn_down", {64, 64}, 0, 0.2f);
  }
  return e;
}

}  // namespace llma

#endif  // LLMA_IMPORTER_TESTING_TINY_GEMMA_H_
