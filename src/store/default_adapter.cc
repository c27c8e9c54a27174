// SPDX-License-Identifier: Apache-2.0
#include "store/default_adapter.h"

#include "model/model_registry.h"

// The assembler takes the files in; CMake says where they are.
#define LLMA_INCLUDE_FILE(symbol, path) \
  asm(".pushsection .rodata\n"          \
      ".balign 16\n" #symbol            \
      ":\n"                             \
      ".incbin \"" path "\"\n" #symbol  \
      "_end:\n"                         \
      ".byte 0\n"                       \
      ".popsection\n");                 \
  extern "C" const uint8_t symbol[];    \
  extern "C" const uint8_t symbol##_end[]

LLMA_INCLUDE_FILE(llma_adapter_config,
                  LLMA_DEFAULT_ADAPTER_DIR "/adapter_config.json");
LLMA_INCLUDE_FILE(llma_adapter_weights,
                  LLMA_DEFAULT_ADAPTER_DIR "/adapter_model.safetensors");

namespace llma::store {

const PeftFiles& DefaultAdapter() {
  static const PeftFiles kFiles = {
      kDefaultModelName, Bytes(llma_adapter_config, llma_adapter_config_end),
      Bytes(llma_adapter_weights, llma_adapter_weights_end)};
  return kFiles;
}

}  // namespace llma::store
