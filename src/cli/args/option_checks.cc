// SPDX-License-Identifier: Apache-2.0
#include "cli/args/option_checks.h"

#include <string_view>
#include <utility>

#include "platform/descriptors.h"
#include "platform/file_info.h"

namespace llma::cli {
namespace {

// Something that may be an input: not /dev/null.
bool Exists(const std::string& path) {
  if (const auto info = InfoOf(path)) {
    return info->kind != FileKind::kCharDevice;
  }
  return InfoOfLink(path).has_value();
}

}  // namespace

void DecideOutput(Options& options) {
  const auto& operands = options.operands;
  const bool is_pair = operands.size() == 2 && !options.to_stdout &&
                       options.output.empty() && options.output_dir.empty() &&
                       !options.recursive && !options.names_file;
  if (options.operation == Operation::kCompress) {
    options.is_in_out =
        is_pair && options.is_c &&
        (llma::IsTerminal(kStandardOutput) ||
         !(operands[0] == "-" || Exists(operands[0])) || !Exists(operands[1]));
  } else if (options.operation == Operation::kDecompress) {
    options.is_in_out = is_pair && !options.is_c &&
                        !(operands[0].ends_with(options.suffix) &&
                          operands[1].ends_with(options.suffix));
  }
  if (options.is_c && !options.is_in_out) options.to_stdout = true;
  if (options.output_dir.empty() &&
      (options.output.ends_with('/') || IsDirectory(options.output))) {
    options.output_dir = std::exchange(options.output, {});
  }
}

void DropUnfitting(const Options& defaults, Options& options) {
  const Options usual;
  // As if the defaults did not have it.
  const auto drop_one = [&](auto member) {
    if (defaults.*member != usual.*member) options.*member = usual.*member;
  };
  const auto drop = [&](auto... members) { (drop_one(members), ...); };
  const auto drop_range = [&] {
    if (defaults.range) options.range.reset();
  };
  const bool compresses = options.operation == Operation::kCompress;
  const bool decompresses = options.operation == Operation::kDecompress;
  const bool reads_stdin =
      !options.names_file &&
      (options.operands.empty() ||
       (options.operands.size() == 1 && options.operands[0] == "-"));
  const bool has_stdout =
      options.to_stdout || (reads_stdin && options.output.empty());
  if (!(compresses || decompresses) || has_stdout || !options.output.empty()) {
    drop(&Options::output_dir);
  }
  if (!compresses) {
    drop(&Options::resume, &Options::flush, &Options::is_short,
         &Options::embeds_models);
  }
  if (!compresses || options.is_short ||
      !llma_level_uses_model(options.level)) {
    drop(&Options::learn);
  }
  if (!decompresses) {
    drop(&Options::salvage);
    drop_range();
    if (options.operation != Operation::kTest) {
      drop(&Options::max_content_bytes);
    }
  }
  // What the line says holds.
  if (options.salvage && options.range) {
    drop(&Options::salvage);
    if (options.salvage) drop_range();
  }
  if (has_stdout || options.salvage || options.range) {
    drop(&Options::remove_source);
  }
  if (options.remove_source) {
    drop(&Options::salvage);
    drop_range();
  }
  if (has_stdout) drop(&Options::resume, &Options::verify);
  if (options.is_short) {
    drop(&Options::resume, &Options::keeps_name, &Options::embeds_models,
         &Options::frame_bytes);
  }
  if (options.resume && !options.has_checksums) {
    drop(&Options::resume);
    if (options.resume) drop(&Options::has_checksums);
  }
}

Status CheckLearning(const Options& options) {
  if (options.operation != Operation::kCompress) {
    return Usage("--learn goes with compressing: a file says whether it is so");
  }
  if (options.is_short) return Usage("--short and --learn exclude each other");
  if (llma_level_uses_model(options.level) == 0) {
    return Usage("--learn needs a level with a language model: -3 to -9");
  }
  return OkStatus();
}

Status CheckCodingOptions(const Options& options) {
  for (const std::string& operand : options.operands) {
    if (operand.empty()) return Usage("a file name is empty");
  }
  const bool writes = options.operation == Operation::kCompress ||
                      options.operation == Operation::kDecompress;
  const bool decodes = options.operation == Operation::kDecompress;
  const bool has_dir = !options.output_dir.empty();
  if (!writes && (has_dir || !options.output.empty())) {
    return Usage("-t and -l write no output");
  }
  if (!options.output.empty() && options.to_stdout) {
    return Usage("-o and --stdout exclude each other");
  }
  if (!options.output.empty() && (options.operands.size() > 1 ||
                                  options.recursive || options.names_file)) {
    return Usage("-o takes the result of one file only");
  }
  if (has_dir && (options.to_stdout || !options.output.empty())) {
    return Usage("--output-dir excludes --stdout and -o FILE");
  }
  if (options.remove_source && options.to_stdout) {
    return Usage("--rm and --stdout exclude each other");
  }
  if ((options.salvage || options.range) && !decodes) {
    return Usage("--salvage and --range go with -d");
  }
  if (options.max_content_bytes != 0 && !decodes &&
      options.operation != Operation::kTest) {
    return Usage("--max-size goes with -d and -t");
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
  if (options.is_short && options.to_stdout &&
      (options.operands.size() > 1 || options.recursive ||
       options.names_file)) {
    return Usage("--short: several messages in one output could not be read");
  }
  if (options.learn == LLMA_LEARN_ALWAYS) {
    LLMA_TRY(CheckLearning(options));
  }
  if (options.is_short && options.embeds_models) {
    return Usage("--short and --embed-model exclude each other");
  }
  return OkStatus();
}

Status CheckOneModel(const char* command, const Options& options) {
  if (options.model != kAutoModel) return OkStatus();
  return Usage(std::string(command) +
               ": --model auto goes with compressing: name one model");
}

}  // namespace llma::cli
