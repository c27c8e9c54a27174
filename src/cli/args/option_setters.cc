// SPDX-License-Identifier: Apache-2.0
#include "cli/args/option_setters.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "cli/args/option_tables.h"

namespace llma::cli {
namespace {

constexpr uint64_t kMinFrameSize = 4096;
constexpr uint64_t kMaxFrameBytes = uint64_t{1} << 30;

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

}  // namespace

Status SetOption(int option, const std::string& value, Options& options) {
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
    case kNoSync:
      options.syncs = false;
      break;
    case kNoAdjust:
      options.adjusts = false;
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
      // "gz" is an ending, "-gz" and "_z" are others.
      options.suffix = std::isalnum(static_cast<unsigned char>(value[0])) != 0
                           ? "." + value
                           : value;
      break;
    case 'N':
      options.keeps_name = true;
      break;
    case 'D':
      if (value.empty()) return Usage("-D: the name is empty");
      options.reference = value;
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
    case kMaxSize: {
      LLMA_ASSIGN(options.max_content_bytes, ParseSize("--max-size", value));
      break;
    }
    case kEmbedModel:
      options.embeds_models = true;
      break;
    case kRange: {
      LLMA_ASSIGN(options.range, ParseRange("--range", value));
      break;
    }
    case kFrameSize: {
      LLMA_ASSIGN(options.frame_bytes, ParseSize("--frame-size", value));
      if (options.frame_bytes < kMinFrameSize ||
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
    case kOutputDir:
      if (value.empty()) return Usage("--output-dir: the name is empty");
      options.output_dir = value;
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
    case kLearn:
      options.learn = LLMA_LEARN_ALWAYS;
      break;
    case kNoLearn:
      options.learn = LLMA_LEARN_NEVER;
      break;
    case kWindow:
      return SetWindow(value, options);
    case 'M': {
      options.max_memory_bytes = 0;  // what the machine has
      if (value.ends_with('%')) {
        LLMA_ASSIGN(
            const uint64_t percent,
            ParseNumber("-M", value.substr(0, value.size() - 1), 1, 100));
        options.max_memory_bytes =
            std::max<uint64_t>(llma_usable_memory_bytes() / 100 * percent, 1);
      } else if (value != "0") {
        LLMA_ASSIGN(options.max_memory_bytes, ParseSize("-M", value));
      }
      break;
    }
    case kEngine:
      if (value.empty()) return Usage("--engine: the name is empty");
      options.engine = value;
      break;
    case kModel:
      if (value.empty()) return Usage("--model: the name is empty");
      options.model = value;
      break;
    case kName:
      if (value.empty()) return Usage("--name: the name is empty");
      options.import_name = value;
      break;
    case kAdapter:
      if (value.empty()) return Usage("--adapter: the name is empty");
      options.adapter = value;
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

}  // namespace llma::cli
