// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/tensor_names.h"

namespace llma {

TensorNames GgufTensorNames() {
  return {
      .embedding = "token_embd.weight",
      .output_norm = "output_norm.weight",
      .head = "output.weight",
      .layer_prefix = "blk.",
      .attn_norm = "attn_norm.weight",
      .attn_q = "attn_q.weight",
      .attn_k = "attn_k.weight",
      .attn_v = "attn_v.weight",
      .attn_out = "attn_output.weight",
      .ffn_norm = "ffn_norm.weight",
      .ffn_gate = "ffn_gate.weight",
      .ffn_up = "ffn_up.weight",
      .ffn_down = "ffn_down.weight",
      .q_bias = "attn_q.bias",
      .k_bias = "attn_k.bias",
      .v_bias = "attn_v.bias",
      .q_norm = "attn_q_norm.weight",
      .k_norm = "attn_k_norm.weight",
      .post_attn_norm = "post_attention_norm.weight",
      .post_ffn_norm = "post_ffw_norm.weight",
      .rope_divisors = "rope_freqs.weight",
  };
}

TensorNames FolderTensorNames(const ModelConfig& config) {
  TensorNames names = {
      .embedding = "model.embed_tokens.weight",
      .output_norm = "model.norm.weight",
      .head = "lm_head.weight",
      .layer_prefix = "model.layers.",
      .attn_norm = "input_layernorm.weight",
      .attn_q = "self_attn.q_proj.weight",
      .attn_k = "self_attn.k_proj.weight",
      .attn_v = "self_attn.v_proj.weight",
      .attn_out = "self_attn.o_proj.weight",
      .ffn_norm = "post_attention_layernorm.weight",
      .ffn_gate = "mlp.gate_proj.weight",
      .ffn_up = "mlp.up_proj.weight",
      .ffn_down = "mlp.down_proj.weight",
      .q_bias = "self_attn.q_proj.bias",
      .k_bias = "self_attn.k_proj.bias",
      .v_bias = "self_attn.v_proj.bias",
      .q_norm = "self_attn.q_norm.weight",
      .k_norm = "self_attn.k_norm.weight",
      .post_attn_norm = nullptr,
      .post_ffn_norm = nullptr,
      .rope_divisors = nullptr,
  };
  if (config.has_post_norms) {
    // Gemma's: what a sublayer adds is normed, too.
    names.post_attn_norm = "post_attention_layernorm.weight";
    names.ffn_norm = "pre_feedforward_layernorm.weight";
    names.post_ffn_norm = "post_feedforward_layernorm.weight";
  }
  return names;
}

}  // namespace llma
