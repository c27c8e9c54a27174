// SPDX-License-Identifier: Apache-2.0
// Options together: what they mean, and which exclude each other.
#ifndef LLMA_CLI_ARGS_OPTION_CHECKS_H_
#define LLMA_CLI_ARGS_OPTION_CHECKS_H_

#include "cli/args/options.h"

namespace llma::cli {

// What two operands mean, and -c: `-c IN OUT` and `-d IN OUT` name an output,
// as the predecessor did; otherwise each operand is an input, and -c asks for
// standard output, as in gzip. `-c *.txt >OUT` means that too if there are two:
// so two that exist are inputs if standard output is no terminal.
void DecideOutput(Options& options);

// What LLMA_OPT says holds where it makes sense.
void DropUnfitting(const Options& defaults, Options& options);

// kUsage if options exclude each other.
Status CheckCodingOptions(const Options& options);

// Of a command that looks at one model.
Status CheckOneModel(const char* command, const Options& options);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTION_CHECKS_H_
