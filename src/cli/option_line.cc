// SPDX-License-Identifier: Apache-2.0
#include "cli/option_line.h"

#include <optional>
#include <string_view>

#include "cli/option_setters.h"

namespace llma::cli {
namespace {

// "--re" of --recursive and --resume.
bool IsAmbiguous(std::string_view word, const option* long_options) {
  if (!word.starts_with("--")) return false;
  const std::string_view start = word.substr(2, word.find('=') - 2);
  int num_fitting = 0;
  for (; long_options->name != nullptr; ++long_options) {
    if (std::string_view(long_options->name).starts_with(start)) ++num_fitting;
  }
  return num_fitting > 1;
}

// What getopt_long() did not like, in the user's words.
Error OptionError(int result, char** argv, const option* long_options) {
  const std::string shown =
      optopt > 0 && optopt < 256 &&
              std::string_view(argv[optind - 1]).substr(0, 2) != "--"
          ? std::string("-") + static_cast<char>(optopt)
          : std::string(argv[optind - 1]);
  if (result == ':') return Usage("option '" + shown + "' needs a value");
  if (IsAmbiguous(shown, long_options)) {
    return Usage("option '" + shown + "' is the start of several");
  }
  return Usage("unknown option '" + shown + "'");
}

}  // namespace

Result<Options> ParseLine(int argc, char** argv, const OptionTable& table,
                          Options options) {
  opterr = 0;
  optind = 0;  // glibc: start anew
  std::optional<Operation> help;
  bool wants_version = false;
  for (;;) {
    const int result =
        getopt_long(argc, argv, table.letters, table.long_options, nullptr);
    if (result == -1) break;
    if (result == '?' || result == ':') {
      return OptionError(result, argv, table.long_options);
    }
    if (result == 'h' || result == kHelp) {
      const bool is_long =
          optarg != nullptr && std::string_view(optarg) == "long";
      if (optarg != nullptr && !is_long)
        return Usage("--help: expected 'long'");
      help = is_long ? Operation::kLongHelp : Operation::kHelp;
    } else if (result == 'V') {
      wants_version = true;
    } else {
      LLMA_TRY(SetOption(result, optarg == nullptr ? "" : optarg, options));
    }
  }
  options.operands.assign(argv + optind, argv + argc);
  if (wants_version) options.operation = Operation::kVersion;
  if (help) options.operation = *help;
  return options;
}

}  // namespace llma::cli
