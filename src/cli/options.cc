// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <getopt.h>

#include <charconv>
#include <string_view>

#include "container/frame_header.h"

namespace llma::cli {
namespace {

// Values of long options without a letter.
enum LongOption {
  kStdout = 256,
  kModel,
  kLanes,
  kWindow,
  kMemory,
  kName,
  kStartToken,
  kLevels,
};

constexpr option kCodingOptions[] = {
    {"compress", no_argument, nullptr, 'c'},
    {"decompress", no_argument, nullptr, 'd'},
    {"test", no_argument, nullptr, 't'},
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"stdout", no_argument, nullptr, kStdout},
    {"threads", required_argument, nullptr, 'T'},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"lanes", required_argument, nullptr, kLanes},
    {"window", required_argument, nullptr, kWindow},
    {"memory", required_argument, nullptr, kMemory},
    {"model", required_argument, nullptr, kModel},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kCodingLetters[] = ":123456789czdto:fT:vqhV";

constexpr option kModelOptions[] = {
    {"name", required_argument, nullptr, kName},
    {"start-token", required_argument, nullptr, kStartToken},
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kModelLetters[] = ":o:fvqh";

constexpr option kBenchOptions[] = {
    {"levels", required_argument, nullptr, kLevels},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"threads", required_argument, nullptr, 'T'},
    {"lanes", required_argument, nullptr, kLanes},
    {"window", required_argument, nullptr, kWindow},
    {"model", required_argument, nullptr, kModel},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kBenchLetters[] = ":123456789T:h";

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

// A decimal number in [min, max].
Result<uint64_t> ParseNumber(std::string_view option, std::string_view text,
                             uint64_t min, uint64_t max) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= min && value <= max) {
    return value;
  }
  return Usage(std::string(option) + ": '" + std::string(text) +
               "' is not a number from " + std::to_string(min) + " to " +
               std::to_string(max));
}

Status SetWindow(std::string_view text, Options& options) {
  LLMA_ASSIGN(
      const uint64_t window,
      ParseNumber("--window", text, kWindowGranularity, kMaxWindowPositions));
  if (window % kWindowGranularity != 0) {
    return Usage("--window: " + std::string(text) + " is not a multiple of " +
                 std::to_string(kWindowGranularity));
  }
  options.window_positions = static_cast<uint32_t>(window);
  return OkStatus();
}

// "3-6", or "6" alone.
Status SetLevels(const std::string& text, Options& options) {
  const size_t dash = text.find('-');
  const std::string first = text.substr(0, dash);
  const std::string last =
      dash == std::string::npos ? first : text.substr(dash + 1);
  LLMA_ASSIGN(const uint64_t from,
              ParseNumber("--levels", first, kFastestLevel, kBestLevel));
  LLMA_ASSIGN(const uint64_t to,
              ParseNumber("--levels", last, kFastestLevel, kBestLevel));
  if (from > to) return Usage("--levels: " + text + " is empty");
  options.first_level = static_cast<int>(from);
  options.last_level = static_cast<int>(to);
  return OkStatus();
}

Status SetOption(int option, Options& options) {
  const std::string value = optarg == nullptr ? "" : optarg;
  if (option >= '1' && option <= '9') {
    options.level = option - '0';
    options.first_level = options.last_level = options.level;
    return OkStatus();
  }
  switch (option) {
    case 'c':
    case 'z':
      options.operation = Operation::kCompress;
      break;
    case 'd':
      options.operation = Operation::kDecompress;
      break;
    case 't':
      options.operation = Operation::kTest;
      break;
    case 'o':
      if (value.empty()) return Usage("-o: the name is empty");
      options.output = value;
      break;
    case 'f':
      options.force = true;
      break;
    case 'v':
      ++options.verbosity;
      break;
    case 'q':
      --options.verbosity;
      break;
    case 'T': {
      LLMA_ASSIGN(const uint64_t n, ParseNumber("-T", value, 0, 1024));
      options.num_threads = static_cast<int>(n);
      break;
    }
    case kLevels:
      return SetLevels(value, options);
    case kStdout:
      options.to_stdout = true;
      break;
    case kLanes: {
      LLMA_ASSIGN(const uint64_t n,
                  ParseNumber("--lanes", value, 1, kMaxLanes));
      options.num_lanes = static_cast<uint32_t>(n);
      break;
    }
    case kWindow:
      return SetWindow(value, options);
    case kMemory: {
      LLMA_ASSIGN(options.max_memory_bytes, ParseSize(value));
      break;
    }
    case kModel:
      if (value.empty()) return Usage("--model: the name is empty");
      options.model = value;
      break;
    case kName:
      if (value.empty()) return Usage("--name: the name is empty");
      options.import_name = value;
      break;
    case kStartToken:
      options.start_token = value;
      break;
    default:
      return Usage("unknown option");
  }
  return OkStatus();
}

// What getopt_long() did not like, in the user's words.
Error OptionError(int result, char** argv) {
  const std::string shown =
      optopt > 0 && optopt < 256 &&
              std::string_view(argv[optind - 1]).substr(0, 2) != "--"
          ? std::string("-") + static_cast<char>(optopt)
          : std::string(argv[optind - 1]);
  if (result == ':') return Usage("option '" + shown + "' needs a value");
  return Usage("unknown option '" + shown + "'");
}

// argv[0] is skipped, as in main().
Result<Options> ParseLine(int argc, char** argv, const char* letters,
                          const option* long_options, Options options) {
  opterr = 0;
  optind = 0;  // glibc: start anew
  bool wants_help = false;
  bool wants_version = false;
  for (;;) {
    const int result = getopt_long(argc, argv, letters, long_options, nullptr);
    if (result == -1) break;
    if (result == '?' || result == ':') return OptionError(result, argv);
    if (result == 'h') {
      wants_help = true;
    } else if (result == 'V') {
      wants_version = true;
    } else {
      LLMA_TRY(SetOption(result, options));
    }
  }
  options.operands.assign(argv + optind, argv + argc);
  if (wants_version) options.operation = Operation::kVersion;
  if (wants_help) options.operation = Operation::kHelp;
  return options;
}

Status CheckCodingOperands(const Options& options) {
  for (const std::string& operand : options.operands) {
    if (operand.empty()) return Usage("a file name is empty");
  }
  const bool is_test = options.operation == Operation::kTest;
  const bool has_output = !options.output.empty() || options.to_stdout;
  if (!options.output.empty() && options.to_stdout) {
    return Usage("-o and --stdout exclude each other");
  }
  if (is_test) {
    if (has_output) return Usage("-t writes no output");
    return OkStatus();
  }
  if (options.operands.size() > 2) {
    return Usage("too many file names: expected IN and OUT");
  }
  if (options.operands.size() == 2 && has_output) {
    return Usage("the output is given twice");
  }
  return OkStatus();
}

Result<Options> ParseModelLine(int argc, char** argv) {
  Options options;
  const std::string_view verb = argc > 2 ? argv[2] : "";
  if (verb == "import") {
    options.operation = Operation::kModelImport;
  } else if (verb == "list") {
    options.operation = Operation::kModelList;
  } else if (verb == "info") {
    options.operation = Operation::kModelInfo;
  } else if (verb == "-h" || verb == "--help") {
    options.operation = Operation::kHelp;
    return options;
  } else {
    return Usage("expected 'model import', 'model list' or 'model info'");
  }
  LLMA_ASSIGN(options, ParseLine(argc - 2, argv + 2, kModelLetters,
                                 kModelOptions, options));
  const size_t num_operands = options.operands.size();
  if (options.operation == Operation::kModelImport && num_operands != 1) {
    return Usage("model import: expected one GGUF file");
  }
  if (options.operation == Operation::kModelInfo && num_operands != 1) {
    return Usage("model info: expected one NAME or PATH");
  }
  if (options.operation == Operation::kModelList && num_operands != 0) {
    return Usage("model list: expected no file name");
  }
  return options;
}

Result<Options> ParseBenchLine(int argc, char** argv) {
  Options options;
  options.operation = Operation::kBench;
  LLMA_ASSIGN(options, ParseLine(argc - 1, argv + 1, kBenchLetters,
                                 kBenchOptions, options));
  if (options.operands.size() > 1) return Usage("bench: expected one file");
  return options;
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "bench") {
    return ParseBenchLine(argc, argv);
  }
  if (argc > 1 && std::string_view(argv[1]) == "model") {
    return ParseModelLine(argc, argv);
  }
  LLMA_ASSIGN(Options options,
              ParseLine(argc, argv, kCodingLetters, kCodingOptions, Options{}));
  if (options.operation != Operation::kHelp &&
      options.operation != Operation::kVersion) {
    LLMA_TRY(CheckCodingOperands(options));
  }
  return options;
}

Result<uint64_t> ParseSize(const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  std::string_view suffix(stop, static_cast<size_t>(end - stop));
  int shift = -1;
  if (suffix.empty()) shift = 0;
  for (const std::string_view tail : {"", "B", "iB"}) {
    if (suffix.empty() || suffix.substr(1) != tail) continue;
    const size_t power = std::string_view("KMGT").find(suffix[0]);
    if (power != std::string_view::npos)
      shift = 10 * static_cast<int>(power + 1);
  }
  if (error != std::errc() || value == 0 || shift < 0 ||
      value > (~uint64_t{0} >> shift)) {
    return Usage("'" + text + "' is not a size such as 512M or 4G");
  }
  return value << shift;
}

}  // namespace llma::cli
