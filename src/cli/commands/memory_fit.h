// SPDX-License-Identifier: Apache-2.0
// Settings that a limit of memory allows, as xz lowers them.
#ifndef LLMA_CLI_COMMANDS_MEMORY_FIT_H_
#define LLMA_CLI_COMMANDS_MEMORY_FIT_H_

#include <cstdint>
#include <llma/llma.hpp>
#include <string>

namespace llma::cli {

// Stops learning, then lowers lanes that were asked for, the size of frames,
// and the window, until compressing takes no more memory than the options
// allow, and says what became of them. Nothing is changed, and the text is
// empty, if it takes no more anyway, or more in any case. content_bytes: 0 if
// not known.
Result<std::string> FitToMemory(llma::Options& options, uint64_t content_bytes);

}  // namespace llma::cli

#endif  // LLMA_CLI_COMMANDS_MEMORY_FIT_H_
