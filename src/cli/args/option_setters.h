// SPDX-License-Identifier: Apache-2.0
// What one option with its value means.
#ifndef LLMA_CLI_ARGS_OPTION_SETTERS_H_
#define LLMA_CLI_ARGS_OPTION_SETTERS_H_

#include "cli/args/options.h"

namespace llma::cli {

// `option` is a letter or a LongOption (cli/args/option_tables.h); `value` is
// empty if it has none. kUsage if the value makes no sense.
Status SetOption(int option, const std::string& value, Options& options);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTION_SETTERS_H_
