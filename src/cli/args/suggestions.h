// SPDX-License-Identifier: Apache-2.0
// What somebody meant who typed a word that does not exist.
#ifndef LLMA_CLI_ARGS_SUGGESTIONS_H_
#define LLMA_CLI_ARGS_SUGGESTIONS_H_

#include <span>
#include <string>
#include <string_view>

#include "cli/args/option_tables.h"
#include "cli/args/options.h"

namespace llma::cli {

// How many letters are missing, too many, wrong or swapped with the next one.
size_t EditDistance(std::string_view a, std::string_view b);

// The nearest of `words`, if it is near enough to be meant; else empty.
std::string_view NearestWord(std::string_view word,
                             std::span<const std::string_view> words);

// The long option that `word`, "--comress=1" or "-best", stands for: "--best".
// Empty if there is none.
std::string MeantOption(std::string_view word, const option* long_options);

// What to type instead, "llma --test", if the first operand is no file but
// near the name of a command. Empty: it is taken as a file.
std::string MeantCommand(const Options& options);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_SUGGESTIONS_H_
