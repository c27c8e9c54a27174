// SPDX-License-Identifier: Apache-2.0
// A text to measure with where no file is given.
#ifndef LLMA_CLI_COMMANDS_BENCH_TEXT_H_
#define LLMA_CLI_COMMANDS_BENCH_TEXT_H_

#include <string_view>

namespace llma::cli {

// About 3 KB of English.
std::string_view BenchText();

}  // namespace llma::cli

#endif  // LLMA_CLI_COMMANDS_BENCH_TEXT_H_
