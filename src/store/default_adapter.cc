// SPDX-License-Identifier: Apache-2.0
#include "store/default_adapter.h"

#include "model/model_registry.h"

// Sections of data that is read only, and how C's names are written there.
#if defined(__APPLE__)
#define LLMA_DATA_BEGIN ".section __TEXT,__const\n"
#define LLMA_DATA_END ".text\n"
#define LLMA_C_NAME "_"
#elif defined(_WIN32)
#define LLMA_DATA_BEGIN ".section .rdata,\"dr\"\n"
#define LLMA_DATA_END ".text\n"
#define LLMA_C_NAME ""
#else
#define LLMA_DATA_BEGIN ".pushsection .rodata\n"
#define LLMA_DATA_END ".popsection\n"
#define LLMA_C_NAME ""
#endif

// The assembler takes the files in; CMake says where they are.
#define LLMA_INCLUDE_FILE(symbol, path)                            \
  asm(LLMA_DATA_BEGIN ".balign 16\n" LLMA_C_NAME #symbol           \
                      ":\n"                                        \
                      ".incbin \"" path "\"\n" LLMA_C_NAME #symbol \
                      "_end:\n"                                    \
                      ".byte 0\n" LLMA_DATA_END);                  \
  extern "C" const uint8_t symbol[];                               \
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
