// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/copy_weights.h"

#include <algorithm>
#include <string>
#include <vector>

#include "importer/convert/tensor_names.h"
#include "importer/convert/unsupported.h"
#include "model/layer_parts.h"

namespace llma {
namespace {

// One matrix after the other, from the source to the sink.
class ModelCopier {
 public:
  ModelCopier(const SourceModel& source, const ModelConfig& config,
              const Vocabulary& vocabulary, TensorReader& in, WeightSink& out)
      : source_(source),
        names_(source.names),
        config_(config),
        vocabulary_(vocabulary),
        in_(in),
        out_(out) {}

  Status CopyAll() {
    LLMA_TRY(CopyNorm(names_.output_norm, source_.logit_divisor));
    LLMA_TRY(CopyByToken(names_.embedding, config_.num_rows));
    if (!config_.tied_head) {
      LLMA_TRY(CopyByToken(names_.head, config_.num_tokens));
    }
    for (uint32_t i = 0; i < config_.num_layers; ++i) {
      const std::string layer = names_.layer_prefix + std::to_string(i) + ".";
      for (const LayerPart& part : kLayerParts) {
        if (part.IsIn(config_)) LLMA_TRY(CopyPart(layer, part.kind));
      }
    }
    return OkStatus();
  }

 private:
  Status CopyPart(const std::string& layer, SectionKind kind) {
    const uint32_t dim = config_.dim, ffn_dim = config_.ffn_dim;
    switch (kind) {
      case SectionKind::kAttnNorm:
        return CopyNorm(layer + names_.attn_norm);
      case SectionKind::kQkvValues:
        return CopyQkv(layer);
      case SectionKind::kQkvBias:
        return CopyBiases(layer);
      case SectionKind::kQueryNorm:
        return CopyHeadNorm(layer + names_.q_norm);
      case SectionKind::kKeyNorm:
        return CopyHeadNorm(layer + names_.k_norm);
      case SectionKind::kAttnOutValues:
        return CopyStacked({layer + names_.attn_out}, dim, config_.q_dim(),
                           source_.residual_factor);
      case SectionKind::kPostAttnNorm:
        return CopyNorm(layer + names_.post_attn_norm);
      case SectionKind::kFfnNorm:
        return CopyNorm(layer + names_.ffn_norm);
      case SectionKind::kGateUpValues:
        return CopyStacked({layer + names_.ffn_gate, layer + names_.ffn_up},
                           ffn_dim, dim);
      case SectionKind::kFfnDownValues:
        return CopyStacked({layer + names_.ffn_down}, dim, ffn_dim,
                           source_.residual_factor);
      case SectionKind::kPostFfnNorm:
        return CopyNorm(layer + names_.post_ffn_norm);
      default:
        return Error{ErrorCode::kInternal, "a part of a layer is not known"};
    }
  }

  Status CopyNorm(const std::string& name, float divisor = 1) {
    LLMA_ASSIGN(const auto weights,
                in_.ReadNorm(name, config_.dim, source_.norm_offset, divisor));
    return out_.AddFloats(weights);
  }

  Status CopyHeadNorm(const std::string& name) {
    LLMA_ASSIGN(const auto weights,
                in_.ReadNorm(name, config_.head_dim, source_.norm_offset, 1));
    return out_.AddFloats(PairedValues(weights));
  }

  // In the order of the rows of queries, keys and values.
  Status CopyBiases(const std::string& layer) {
    LLMA_ASSIGN(auto all, in_.ReadBias(layer + names_.q_bias, config_.q_dim()));
    LLMA_ASSIGN(const auto k,
                in_.ReadBias(layer + names_.k_bias, config_.kv_dim()));
    LLMA_ASSIGN(const auto v,
                in_.ReadBias(layer + names_.v_bias, config_.kv_dim()));
    all.insert(all.end(), k.begin(), k.end());
    all = PairedValues(all);
    all.insert(all.end(), v.begin(), v.end());
    return out_.AddFloats(all);
  }

  // Which row of the source becomes row i of queries or keys.
  uint32_t PairedRow(uint32_t i) const {
    return source_.has_adjacent_rope_pairs
               ? AdjacentPairRow(i, config_.head_dim)
               : i;
  }

  std::vector<float> PairedValues(const std::vector<float>& values) const {
    std::vector<float> out(values.size());
    for (uint32_t i = 0; i < out.size(); ++i) out[i] = values[PairedRow(i)];
    return out;
  }

  // A row a token, in the order of our rows.
  Status CopyByToken(const std::string& name, uint32_t num_rows) {
    LLMA_ASSIGN(const SourceTensor* tensor, in_.Find(name, 0, config_.dim));
    const auto& ids = vocabulary_.ids;
    if (*std::max_element(ids.begin(), ids.end()) >= tensor->num_rows) {
      return Unsupported("tensor " + name + " has fewer rows than tokens");
    }
    LLMA_TRY(out_.BeginMatrix(num_rows, config_.dim));
    LLMA_TRY(in_.ReadRows(
        name, *tensor, num_rows, [&](uint32_t i) { return ids[i]; }, 1, 0,
        out_));
    return out_.EndMatrix();
  }

  // Tensors of num_rows rows each, one below the other, times `factor`.
  Status CopyStacked(const std::vector<std::string>& names, uint32_t num_rows,
                     uint32_t num_cols, float factor = 1) {
    std::vector<const SourceTensor*> tensors;
    for (const std::string& name : names) {
      LLMA_ASSIGN(const SourceTensor* tensor,
                  in_.Find(name, num_rows, num_cols));
      tensors.push_back(tensor);
    }
    // Only now, when the source is known to be as large.
    const auto num_tensors = static_cast<uint32_t>(tensors.size());
    LLMA_TRY(out_.BeginMatrix(num_tensors * num_rows, num_cols));
    const auto same = [](uint32_t i) { return i; };
    for (uint32_t i = 0; i < num_tensors; ++i) {
      LLMA_TRY(in_.ReadRows(names[i], *tensors[i], num_rows, same, factor,
                            i * num_rows, out_));
    }
    return out_.EndMatrix();
  }

  Status CopyQkv(const std::string& layer) {
    const auto same = [](uint32_t i) { return i; };
    const auto paired = [this](uint32_t i) { return PairedRow(i); };
    const std::string q = layer + names_.attn_q;
    const std::string k = layer + names_.attn_k;
    const std::string v = layer + names_.attn_v;
    const uint32_t q_dim = config_.q_dim();
    const uint32_t kv_dim = config_.kv_dim();
    LLMA_ASSIGN(const auto* q_tensor, in_.Find(q, q_dim, config_.dim));
    LLMA_ASSIGN(const auto* k_tensor, in_.Find(k, kv_dim, config_.dim));
    LLMA_ASSIGN(const auto* v_tensor, in_.Find(v, kv_dim, config_.dim));
    LLMA_TRY(out_.BeginMatrix(config_.qkv_dim(), config_.dim));
    LLMA_TRY(in_.ReadRows(q, *q_tensor, q_dim, paired, 1, 0, out_));
    LLMA_TRY(in_.ReadRows(k, *k_tensor, kv_dim, paired, 1, q_dim, out_));
    LLMA_TRY(in_.ReadRows(v, *v_tensor, kv_dim, same, 1, q_dim + kv_dim, out_));
    return out_.EndMatrix();
  }

  const SourceModel& source_;
  const TensorNames& names_;
  const ModelConfig& config_;
  const Vocabulary& vocabulary_;
  TensorReader& in_;
  WeightSink& out_;
};

}  // namespace

Status CopyWeights(const SourceModel& source, const ModelConfig& config,
                   const Vocabulary& vocabulary, TensorReader& in,
                   WeightSink& out) {
  LLMA_TRY(ModelCopier(source, config, vocabulary, in, out).CopyAll());
  return in.CheckAllFound();
}

}  // namespace llma
