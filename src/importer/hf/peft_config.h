// SPDX-License-Identifier: Apache-2.0
// adapter_config.json, which Hugging Face's PEFT saves beside an adapter.
#ifndef LLMA_IMPORTER_HF_PEFT_CONFIG_H_
#define LLMA_IMPORTER_HF_PEFT_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "importer/hf/json_value.h"

namespace llma {

// For messages of what is not read.
inline constexpr const char* kHowToMerge =
    "; PEFT's merge_and_unload makes a folder that can be imported";

struct PeftConfig {
  uint32_t rank = 0;
  double alpha = 0;
  bool divides_by_root = false;
  // By the end of a module's name. Where several fit, they say the same.
  std::vector<std::pair<std::string, double>> ranks, alphas;
};

// A field that would change the model and is not understood is kUnsupported.
Result<PeftConfig> ReadPeftConfig(const JsonValue& json);

// The value of an entry whose name `module` ends with.
double FindInPattern(const std::vector<std::pair<std::string, double>>& pattern,
                     std::string_view module, double otherwise);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_PEFT_CONFIG_H_
