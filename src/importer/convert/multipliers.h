// SPDX-License-Identifier: Apache-2.0
// The four numbers by which Granite differs from Llama. The forward pass knows
// nothing of them: two are fields that a model has anyway, and two go into
// weights before these are quantised.
#ifndef LLMA_IMPORTER_CONVERT_MULTIPLIERS_H_
#define LLMA_IMPORTER_CONVERT_MULTIPLIERS_H_

#include <string>

#include "importer/source_model.h"

namespace llma {

inline constexpr float kMinMultiplier = 0x1p-10f;

struct Multiplier {
  const char* gguf_name;  // after the name of the architecture and a dot
  const char* field;      // of config.json, where silence is 1
  float max;
  // In GGUF silence and 0 are none: what Llama does.
  bool may_be_silent_in_gguf;
  void (*apply)(float value, SourceModel& source);

  // Written so that NaN fails.
  bool IsWithin(float value) const {
    return value >= kMinMultiplier && value <= max;
  }
  std::string RangeError() const {
    return std::string("is not from 2^-10 to ") + (max == 1 ? "1" : "2^10");
  }
};

inline constexpr Multiplier kMultipliers[] = {
    // Of the embedding's rows when they are fed.
    {"embedding_scale", "embedding_multiplier", 0x1p+10f, true,
     [](float value, SourceModel& source) {
       source.config.embedding_scale = value;
     }},
    // Of q . k, in place of the division by the root of head_dim.
    {"attention.scale", "attention_multiplier", 1, true,
     [](float value, SourceModel& source) {
       source.config.score_divisor = 1 / value;
     }},
    // Of what attention and the feed-forward part add.
    {"residual_scale", "residual_multiplier", 0x1p+10f, true,
     [](float value, SourceModel& source) { source.residual_factor = value; }},
    // Divides logits.
    {"logit_scale", "logits_scaling", 0x1p+10f, false,
     [](float value, SourceModel& source) { source.logit_divisor = value; }},
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_MULTIPLIERS_H_
