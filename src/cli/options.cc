// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace llma::cli {
namespace {

// Values of long options without a letter.
enum LongOption {
  kStdout = 256,
  kModel,
  kLanes,
  kWindow,
  kName,
  kStartToken,
  kSha256,
  kKeepSource,
  kLevels,
  kRemove,
  kVerify,
  kFiles0,
  kNoCheck,
  kFrameSize,
  kResume,
  kSalvage,
  kRange,
  kShort,
  kFlush,
  kEmbedModel,
  kRobot,
  kJson,
  kHelp,
};

constexpr option kCodingOptions[] = {
    {"compress", no_argument, nullptr, 'z'},
    {"decompress", no_argument, nullptr, 'd'},
    {"uncompress", no_argument, nullptr, 'd'},
    {"test", no_argument, nullptr, 't'},
    {"list", no_argument, nullptr, 'l'},
    {"stdout", no_argument, nullptr, kStdout},
    {"to-stdout", no_argument, nullptr, kStdout},
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"keep", no_argument, nullptr, 'k'},
    {"rm", no_argument, nullptr, kRemove},
    {"recursive", no_argument, nullptr, 'r'},
    {"files0", optional_argument, nullptr, kFiles0},
    {"suffix", required_argument, nullptr, 'S'},
    {"name", no_argument, nullptr, 'N'},
    {"verify", no_argument, nullptr, kVerify},
    {"no-check", no_argument, nullptr, kNoCheck},
    {"resume", no_argument, nullptr, kResume},
    {"salvage", no_argument, nullptr, kSalvage},
    {"range", required_argument, nullptr, kRange},
    {"short", no_argument, nullptr, kShort},
    {"flush", no_argument, nullptr, kFlush},
    {"embed-model", no_argument, nullptr, kEmbedModel},
    {"threads", required_argument, nullptr, 'T'},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"lanes", required_argument, nullptr, kLanes},
    {"window", required_argument, nullptr, kWindow},
    {"frame-size", required_argument, nullptr, kFrameSize},
    {"memlimit", required_argument, nullptr, 'M'},
    {"model", required_argument, nullptr, kModel},
    {"robot", no_argument, nullptr, kRobot},
    {"json", no_argument, nullptr, kJson},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", optional_argument, nullptr, kHelp},
    {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kCodingLetters[] = ":123456789czdtlo:fkrS:NT:M:vqhV";

constexpr option kModelOptions[] = {
    {"name", required_argument, nullptr, kName},
    {"start-token", required_argument, nullptr, kStartToken},
    {"sha256", required_argument, nullptr, kSha256},
    {"keep-source", no_argument, nullptr, kKeepSource},
    {"robot", no_argument, nullptr, kRobot},
    {"json", no_argument, nullptr, kJson},
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

constexpr option kInspectOptions[] = {
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"json", no_argument, nullptr, kJson},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"threads", required_argument, nullptr, 'T'},
    {"lanes", required_argument, nullptr, kLanes},
    {"window", required_argument, nullptr, kWindow},
    {"model", required_argument, nullptr, kModel},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kInspectLetters[] = ":123456789o:fT:vqh";

constexpr uint64_t kMinFrameBytes = 4096;
constexpr uint64_t kMaxFrameBytes = uint64_t{1} << 30;

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

Status SetWindow(std::string_view text, Options& options) {
  LLMA_ASSIGN(
      const uint64_t window,
      ParseNumber("--window", text, LLMA_WINDOW_GRANULARITY, LLMA_MAX_WINDOW));
  if (window % LLMA_WINDOW_GRANULARITY != 0) {
    return Usage("--window: " + std::string(text) + " is not a multiple of " +
                 std::to_string(LLMA_WINDOW_GRANULARITY));
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
  LLMA_ASSIGN(
      const uint64_t from,
      ParseNumber("--levels", first, LLMA_LEVEL_FASTEST, LLMA_LEVEL_BEST));
  LLMA_ASSIGN(
      const uint64_t to,
      ParseNumber("--levels", last, LLMA_LEVEL_FASTEST, LLMA_LEVEL_BEST));
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
      options.is_c = true;
      break;
    case 'z':
      options.operation = Operation::kCompress;
      break;
    case 'd':
      options.operation = Operation::kDecompress;
      break;
    case 't':
      options.operation = Operation::kTest;
      break;
    case 'l':
      options.operation = Operation::kList;
      break;
    case 'k':
      options.remove_source = false;
      break;
    case kRemove:
      options.remove_source = true;
      break;
    case 'r':
      options.recursive = true;
      break;
    case kFiles0:
      options.names_file = value.empty() ? "-" : value;
      break;
    case 'S':
      if (value.empty() || value.find('/') != std::string::npos) {
        return Usage("-S: '" + value + "' is not a suffix");
      }
      options.suffix = value;
      break;
    case 'N':
      options.keeps_name = true;
      break;
    case kVerify:
      options.verify = true;
      break;
    case kNoCheck:
      options.has_checksums = false;
      break;
    case kResume:
      options.resume = true;
      break;
    case kSalvage:
      options.salvage = true;
      break;
    case kShort:
      options.is_short = true;
      break;
    case kFlush:
      options.flush = true;
      break;
    case kEmbedModel:
      options.embeds_models = true;
      break;
    case kRange: {
      LLMA_ASSIGN(options.range, ParseRange("--range", value));
      break;
    }
    case kFrameSize: {
      LLMA_ASSIGN(options.frame_bytes, ParseSize("--frame-size", value));
      if (options.frame_bytes < kMinFrameBytes ||
          options.frame_bytes > kMaxFrameBytes) {
        return Usage("--frame-size: " + value + " is not from 4K to 1G");
      }
      break;
    }
    case kRobot:
      options.list_format = ListFormat::kRobot;
      break;
    case kJson:
      options.list_format = ListFormat::kJson;
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
                  ParseNumber("--lanes", value, 1, LLMA_MAX_LANES));
      options.num_lanes = static_cast<uint32_t>(n);
      break;
    }
    case kWindow:
      return SetWindow(value, options);
    case 'M': {
      options.max_memory_bytes = 0;  // what the machine has
      if (value != "0") {
        LLMA_ASSIGN(options.max_memory_bytes, ParseSize("-M", value));
      }
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
    case kSha256:
      options.sha256 = value;
      break;
    case kKeepSource:
      options.keeps_source = true;
      break;
    default:
      return Usage("unknown option");
  }
  return OkStatus();
}

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

// argv[0] is skipped, as in main().
Result<Options> ParseLine(int argc, char** argv, const char* letters,
                          const option* long_options, Options options) {
  opterr = 0;
  optind = 0;  // glibc: start anew
  std::optional<Operation> help;
  bool wants_version = false;
  for (;;) {
    const int result = getopt_long(argc, argv, letters, long_options, nullptr);
    if (result == -1) break;
    if (result == '?' || result == ':') {
      return OptionError(result, argv, long_options);
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
      LLMA_TRY(SetOption(result, options));
    }
  }
  options.operands.assign(argv + optind, argv + argc);
  if (wants_version) options.operation = Operation::kVersion;
  if (help) options.operation = *help;
  return options;
}

bool HasSuffix(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix);
}

// What two operands mean, and -c: `-c IN OUT` and `-d IN OUT` name an output,
// as the predecessor did; otherwise each operand is an input, and -c asks for
// standard output, as in gzip.
void DecideOutput(Options& options) {
  const auto& operands = options.operands;
  const bool is_pair = operands.size() == 2 && !options.to_stdout &&
                       options.output.empty() && !options.recursive &&
                       !options.names_file;
  if (options.operation == Operation::kCompress) {
    options.is_in_out = is_pair && options.is_c;
  } else if (options.operation == Operation::kDecompress) {
    options.is_in_out = is_pair && !options.is_c &&
                        !(HasSuffix(operands[0], options.suffix) &&
                          HasSuffix(operands[1], options.suffix));
  }
  if (options.is_c && !options.is_in_out) options.to_stdout = true;
}

Status CheckCodingOptions(const Options& options) {
  for (const std::string& operand : options.operands) {
    if (operand.empty()) return Usage("a file name is empty");
  }
  const bool writes = options.operation == Operation::kCompress ||
                      options.operation == Operation::kDecompress;
  const bool decodes = options.operation == Operation::kDecompress;
  if (!writes && !options.output.empty()) {
    return Usage("-t and -l write no output");
  }
  if (!options.output.empty() && options.to_stdout) {
    return Usage("-o and --stdout exclude each other");
  }
  if (!options.output.empty() && (options.operands.size() > 1 ||
                                  options.recursive || options.names_file)) {
    return Usage("-o takes the result of one file only");
  }
  if (options.remove_source && options.to_stdout) {
    return Usage("--rm and --stdout exclude each other");
  }
  if ((options.salvage || options.range) && !decodes) {
    return Usage("--salvage and --range go with -d");
  }
  if (options.salvage && (options.range || options.remove_source)) {
    return Usage("--salvage excludes --range and --rm");
  }
  if (options.range && options.remove_source) {
    return Usage("--range and --rm exclude each other");
  }
  if ((options.resume || options.flush || options.is_short ||
       options.embeds_models) &&
      options.operation != Operation::kCompress) {
    return Usage(
        "--resume, --flush, --short and --embed-model go with compressing");
  }
  if (options.resume && (options.to_stdout || options.is_short)) {
    return Usage("--resume needs a file to go on with");
  }
  if (options.resume && !options.has_checksums) {
    return Usage("--resume needs checksums");
  }
  if (options.is_short && (options.frame_bytes != 0 || options.keeps_name)) {
    return Usage("--short excludes --frame-size and --name");
  }
  if (options.is_short && options.embeds_models) {
    return Usage("--short and --embed-model exclude each other");
  }
  return OkStatus();
}

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
    {"pull", Operation::kModelPull, 1, 1, "one NAME or address"},
    {"verify", Operation::kModelVerify, 1, 1000, "NAMEs or PATHs"},
    {"check", Operation::kModelCheck, 1, 2,
     "NAME, PATH, GGUF file or folder; FILE"},
    {"rm", Operation::kModelRemove, 1, 1000, "NAMEs"},
    {"export", Operation::kModelExport, 2, 2, "a NAME or PATH, and OUT"},
};

Result<Options> ParseModelLine(int argc, char** argv) {
  Options options;
  const std::string_view verb = argc > 2 ? argv[2] : "";
  if (verb == "-h" || verb == "--help") {
    options.operation = Operation::kHelp;
    return options;
  }
  const auto found =
      std::find_if(std::begin(kModelVerbs), std::end(kModelVerbs),
                   [verb](const ModelVerb& v) { return verb == v.name; });
  if (found == std::end(kModelVerbs)) {
    return Usage(
        "expected 'model pull', 'import', 'list', 'info', 'verify', 'check', "
        "'rm' or 'export'");
  }
  options.operation = found->operation;
  LLMA_ASSIGN(options, ParseLine(argc - 2, argv + 2, kModelLetters,
                                 kModelOptions, options));
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

// What looks at one model.
Status CheckOneModel(const char* command, const Options& options) {
  if (options.model != kAutoModel) return OkStatus();
  return Usage(std::string(command) +
               ": --model auto goes with compressing: name one model");
}

Result<Options> ParseBenchLine(int argc, char** argv) {
  Options options;
  options.operation = Operation::kBench;
  LLMA_ASSIGN(options, ParseLine(argc - 1, argv + 1, kBenchLetters,
                                 kBenchOptions, options));
  if (options.operands.size() > 1) return Usage("bench: expected one file");
  LLMA_TRY(CheckOneModel("bench", options));
  return options;
}

Result<Options> ParseInspectLine(int argc, char** argv) {
  Options options;
  options.operation = Operation::kInspect;
  LLMA_ASSIGN(options, ParseLine(argc - 1, argv + 1, kInspectLetters,
                                 kInspectOptions, options));
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
  const char* text = std::getenv("LLMA_OPT");
  std::istringstream words(text == nullptr ? "" : text);
  std::vector<std::string> line = {"llma"};
  for (std::string word; words >> word;) line.push_back(word);
  std::vector<char*> argv;
  for (std::string& word : line) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto parsed = ParseLine(static_cast<int>(line.size()), argv.data(),
                          kCodingLetters, kCodingOptions, std::move(options));
  if (!parsed) return Usage("LLMA_OPT: " + parsed.error().what);
  if (!parsed->operands.empty()) {
    return Usage("LLMA_OPT: '" + parsed->operands[0] + "' is not an option");
  }
  return parsed;
}

// What LLMA_OPT says holds where it makes sense.
void DropUnfitting(const Options& defaults, Options& options) {
  if (options.operation != Operation::kCompress) {
    if (defaults.resume) options.resume = false;
    if (defaults.flush) options.flush = false;
    if (defaults.is_short) options.is_short = false;
    if (defaults.embeds_models) options.embeds_models = false;
  }
  if (options.operation != Operation::kDecompress) {
    if (defaults.salvage) options.salvage = false;
    if (defaults.range) options.range.reset();
  }
  if (options.to_stdout) {
    if (defaults.remove_source) options.remove_source = false;
    if (defaults.resume) options.resume = false;
  }
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
  LLMA_ASSIGN(Options options,
              ParseLine(argc, argv, kCodingLetters, kCodingOptions, defaults));
  if (options.operation <= Operation::kList) {
    DecideOutput(options);
    DropUnfitting(defaults, options);
    LLMA_TRY(CheckCodingOptions(options));
  }
  return options;
}

}  // namespace llma::cli
