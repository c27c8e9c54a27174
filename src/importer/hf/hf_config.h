// SPDX-License-Identifier: Apache-2.0
// config.json of a Hugging Face folder: what its transformer computes.
#ifndef LLMA_IMPORTER_HF_HF_CONFIG_H_
#define LLMA_IMPORTER_HF_HF_CONFIG_H_

#include "base/status.h"
#include "importer/hf/json_value.h"
#include "importer/source_model.h"

namespace llma {

// Fills in source.config, rope_base, and the vocabulary's begin_id and end_id.
// Reads LlamaForCausalLM; kUnsupported names the field that says otherwise.
// Fields that this architecture does not define mean nothing and are ignored.
Status ReadHfConfig(const JsonValue& json, SourceModel& source);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_HF_CONFIG_H_
