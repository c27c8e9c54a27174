// SPDX-License-Identifier: Apache-2.0
// Reads a line of options with getopt_long(3).
#ifndef LLMA_CLI_ARGS_OPTION_LINE_H_
#define LLMA_CLI_ARGS_OPTION_LINE_H_

#include "cli/args/option_tables.h"
#include "cli/args/options.h"

namespace llma::cli {

// `options` with what the line says. argv[0] is skipped, as in main().
Result<Options> ParseLine(int argc, char** argv, const OptionTable& table,
                          Options options);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTION_LINE_H_
