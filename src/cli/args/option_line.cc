// SPDX-License-Identifier: Apache-2.0
#include "cli/args/option_line.h"

#include <optional>
#include <string_view>
#include <vector>

#include "cli/args/option_setters.h"
#include "cli/args/suggestions.h"

namespace llma::cli {
namespace {

// The options that start like "--re=1", as an abbreviation may.
std::vector<const option*> Completions(std::string_view word,
                                       const option* long_options) {
  std::vector<const option*> found;
  if (!word.starts_with("--")) return found;
  const std::string_view start = word.substr(2, word.find('=') - 2);
  for (; long_options->name != nullptr; ++long_options) {
    const std::string_view name = long_options->name;
    if (name == start) return {long_options};
    if (name.starts_with(start)) found.push_back(long_options);
  }
  return found;
}

// "; did you mean '--window'?", or where else there is such an option.
std::string Hint(std::string_view word, const OptionTable& table) {
  if ((word == "--level" || word.starts_with("--level=")) &&
      &table == &kCodingTable) {
    return "; levels are -1 to -9";
  }
  const std::string meant = MeantOption(word, table.long_options);
  if (!meant.empty()) return "; did you mean '" + meant + "'?";
  for (const OptionTable* other :
       {&kCodingTable, &kModelTable, &kBenchTable, &kInspectTable}) {
    if (Completions(word, other->long_options).size() == 1) {
      return std::string("; it goes with '") + other->command + "'";
    }
  }
  return {};
}

Error LongOptionError(int result, const std::string& word,
                      const OptionTable& table) {
  if (result == ':') return Usage("option '" + word + "' needs a value");
  const auto found = Completions(word, table.long_options);
  if (found.empty()) {
    return Usage("unknown option '" + word + "'" + Hint(word, table));
  }
  if (found.size() == 1) {
    return Usage("option '" + word.substr(0, word.find('=')) +
                 "' takes no value");
  }
  std::string names;
  for (const option* each : found) {
    names.append(names.empty() ? "--" : ", --").append(each->name);
  }
  return Usage("option '" + word + "' is the start of " + names);
}

// What getopt_long() did not like, in the user's words. It has moved on after
// a long option, and after the last letter of a word.
Error OptionError(int result, int argc, char** argv, const OptionTable& table) {
  const std::string last = argv[optind - 1];
  const auto found = Completions(last, table.long_options);
  const bool has_bad_value = last.find('=') != std::string::npos &&
                             !found.empty() && found[0]->has_arg == no_argument;
  if (last.starts_with("--") &&
      (result == ':' || optopt == 0 || has_bad_value)) {
    // The BSDs' getopt_long() and Windows' answer ':' to this, too.
    return LongOptionError(has_bad_value ? '?' : result, last, table);
  }
  const auto letter = static_cast<char>(optopt);
  const std::string shown = std::string("-") + letter;
  if (result == ':') return Usage("option '" + shown + "' needs a value");
  const bool is_last = last.starts_with('-') && last.ends_with(letter);
  const std::string word = is_last || optind >= argc ? last : argv[optind];
  if (letter == '0') return Usage("unknown option '-0'; levels are -1 to -9");
  return Usage("unknown option '" + shown + "'" + Hint(word, table));
}

}  // namespace

Result<Options> ParseLine(int argc, char** argv, const OptionTable& table,
                          Options options) {
  opterr = 0;
  optind = 0;  // glibc: start anew
  std::optional<Operation> help;
  bool wants_version = false, wants_memory = false;
  for (;;) {
    const int result =
        getopt_long(argc, argv, table.letters, table.long_options, nullptr);
    if (result == -1) break;
    if (result == '?' || result == ':') {
      return OptionError(result, argc, argv, table);
    }
    if (result == 'h' || result == kHelp) {
      const bool is_long =
          optarg != nullptr && std::string_view(optarg) == "long";
      if (optarg != nullptr && !is_long)
        return Usage("--help: expected 'long'");
      help = is_long ? Operation::kLongHelp : Operation::kHelp;
    } else if (result == 'V') {
      wants_version = true;
    } else if (result == kMemoryTable) {
      wants_memory = true;
    } else {
      LLMA_TRY(SetOption(result, optarg == nullptr ? "" : optarg, options));
    }
  }
  options.operands.assign(argv + optind, argv + argc);
  if (wants_memory) {
    options.operation = Operation::kInfoMemory;
    if (!options.operands.empty() && !help && !wants_version) {
      return Usage("--info-memory: expected no file name");
    }
  }
  if (wants_version) options.operation = Operation::kVersion;
  if (help) options.operation = *help;
  options.command = table.command;
  return options;
}

}  // namespace llma::cli
