// SPDX-License-Identifier: Apache-2.0
#include "cli/args/options.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "cli/args/option_checks.h"
#include "cli/args/option_line.h"
#include "cli/args/suggestions.h"
#include "platform/machine/process.h"

namespace llma::cli {
namespace {

// The commands behind `llma model`.
struct ModelVerb {
  const char* name;
  Operation operation;
  size_t min_operands, max_operands;
  const char* operands;  // for people
};
constexpr ModelVerb kModelVerbs[] = {
    {"import", Operation::kModelImport, 1, 1, "one GGUF file or folder"},
    {"list", Operation::kModelList, 0, 0, "no file name"},
    {"info", Operation::kModelInfo, 1, 1, "one NAME or PATH"},
    {"pull", Operation::kModelPull, 1, 1, "one NAME, hf:OWNER/NAME or address"},
    {"verify", Operation::kModelVerify, 1, 1000, "NAMEs or PATHs"},
    {"check", Operation::kModelCheck, 1, 2,
     "NAME, PATH, GGUF file or folder; FILE"},
    {"rm", Operation::kModelRemove, 1, 1000, "NAMEs"},
    {"export", Operation::kModelExport, 2, 2, "a NAME or PATH, and OUT"},
};

Error NoSuchVerb(std::string_view verb) {
  std::array<std::string_view, std::size(kModelVerbs)> names;
  std::ranges::transform(kModelVerbs, names.begin(), &ModelVerb::name);
  const std::string_view meant = NearestWord(verb, names);
  if (!meant.empty()) {
    return Usage("there is no 'model " + std::string(verb) +
                 "'; did you mean 'llma model " + std::string(meant) + "'?");
  }
  return Usage(
      "expected 'model pull', 'import', 'list', 'info', 'verify', 'check', "
      "'rm' or 'export'");
}

Result<Options> ParseModelLine(int argc, char** argv) {
  Options options;
  const std::string_view verb = argc > 2 ? argv[2] : "";
  if (verb == "-h" || verb == "--help" || verb == "help") {
    options.operation = Operation::kHelp;
    options.command = kModelTable.command;
    return options;
  }
  const auto found =
      std::find_if(std::begin(kModelVerbs), std::end(kModelVerbs),
                   [verb](const ModelVerb& v) { return verb == v.name; });
  if (found == std::end(kModelVerbs)) {
    return NoSuchVerb(verb);
  }
  options.operation = found->operation;
  LLMA_ASSIGN(options, ParseLine(argc - 2, argv + 2, kModelTable, options));
  if (options.import_name == kAutoModel) {
    return Usage("--name: 'auto' stands for the model that suits best");
  }
  const size_t num_operands = options.operands.size();
  if (options.operation == found->operation &&
      (num_operands < found->min_operands ||
       num_operands > found->max_operands)) {
    return Usage(std::string("model ") + found->name + ": expected " +
                 found->operands);
  }
  return options;
}

Result<Options> ParseBenchLine(int argc, char** argv) {
  Options options;
  options.operation = Operation::kBench;
  LLMA_ASSIGN(options, ParseLine(argc - 1, argv + 1, kBenchTable, options));
  if (options.operands.size() > 1) return Usage("bench: expected one file");
  LLMA_TRY(CheckOneModel("bench", options));
  return options;
}

Result<Options> ParseInspectLine(int argc, char** argv) {
  Options options;
  options.operation = Operation::kInspect;
  LLMA_ASSIGN(options, ParseLine(argc - 1, argv + 1, kInspectTable, options));
  if (options.operands.size() > 1) return Usage("inspect: expected one file");
  LLMA_TRY(CheckOneModel("inspect", options));
  return options;
}

// What the name of the program and the environment say.
Result<Options> DefaultOptions(std::string_view program) {
  Options options;
  const std::string_view name = program.substr(program.rfind('/') + 1);
  if (name == "unllma") options.operation = Operation::kDecompress;
  if (name == "llmacat") {
    options.operation = Operation::kDecompress;
    options.to_stdout = true;
  }
  std::istringstream words(Environment("LLMA_OPT"));
  std::vector<std::string> line = {"llma"};
  for (std::string word; words >> word;) line.push_back(word);
  std::vector<char*> argv;
  for (std::string& word : line) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto parsed = ParseLine(static_cast<int>(line.size()), argv.data(),
                          kCodingTable, std::move(options));
  if (!parsed) return Usage("LLMA_OPT: " + parsed.error().what);
  if (!parsed->operands.empty()) {
    return Usage("LLMA_OPT: '" + parsed->operands[0] + "' is not an option");
  }
  return parsed;
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "bench") {
    return ParseBenchLine(argc, argv);
  }
  if (argc > 1 && std::string_view(argv[1]) == "inspect") {
    return ParseInspectLine(argc, argv);
  }
  if (argc > 1 && std::string_view(argv[1]) == "model") {
    return ParseModelLine(argc, argv);
  }
  LLMA_ASSIGN(const Options defaults, DefaultOptions(argc > 0 ? argv[0] : ""));
  LLMA_ASSIGN(Options options, ParseLine(argc, argv, kCodingTable, defaults));
  if (options.operation <= Operation::kList) {
    DecideOutput(options);
    DropUnfitting(defaults, options);
    LLMA_TRY(CheckCodingOptions(options));
  }
  return options;
}

}  // namespace llma::cli
