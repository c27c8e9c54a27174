// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/file_ops.h"
#include "cli/model_lookup.h"
#include "cli/progress.h"
#include "codec/codec.h"

namespace llma::cli {
namespace {

// What the user may do about an error, if anything.
std::string_view NextStep(ErrorCode code) {
  switch (code) {
    case ErrorCode::kModelMismatch:
      return "leave --model out to use the model that the file names";
    case ErrorCode::kLimit:
      return "--memory raises the limit";
    default:
      return {};
  }
}

int Fail(const Messages& messages, std::string_view name, const Error& error) {
  return messages.ShowError(FormatError(name, error), NextStep(error.code));
}

uint64_t MaxMemoryBytes(const Options& options) {
  if (options.max_memory_bytes != 0) return options.max_memory_bytes;
  const long num_pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (num_pages <= 0 || page_bytes <= 0) return ~uint64_t{0};
  return static_cast<uint64_t>(num_pages) * static_cast<uint64_t>(page_bytes);
}

bool IsTerminal(const std::string& path, int fd) {
  return path == "-" && ::isatty(fd) != 0;
}

// The name that -o or --stdout gives, or nothing.
std::string OutputName(const Options& options) {
  return options.to_stdout ? "-" : options.output;
}

// Writes a result under its name.
int Deliver(Output& output, Bytes bytes, const Input& input,
            const Messages& messages) {
  const auto finished = output.Finish(bytes, input);
  if (!finished) return Fail(messages, output.name(), finished.error());
  if (*finished) return kExitSuccess;
  return messages.ShowWarning(output.name() +
                              ": cannot set the mode and time of the input");
}

// The content of a compressed input.
Result<std::vector<uint8_t>> Decode(const Input& input, const Model* model,
                                    const Options& options,
                                    const Messages& messages) {
  ProgressMeter meter(input.name, messages.verbosity() >= 1);
  DecompressOptions how;
  how.num_threads = options.num_threads;
  how.max_memory_bytes = MaxMemoryBytes(options);
  how.progress = meter.callback();
  auto content = Decompress(input.bytes, model, how);
  if (content) {
    messages.ShowDetail(FormatSummary(input.name, content->size(),
                                      input.bytes.size(), false,
                                      meter.elapsed_seconds()));
  }
  return content;
}

// Checks one compressed file; its content goes nowhere.
int TestFile(const std::string& path, const Options& options,
             const Messages& messages) {
  if (IsDirectory(path)) {
    return messages.ShowWarning(path + ": is a directory, skipped");
  }
  if (IsTerminal(path, STDIN_FILENO)) {
    return messages.ShowError("compressed data is not read from a terminal");
  }
  const auto input = ReadInput(path);
  if (!input) return messages.ShowError(input.error().what);
  const auto header = PeekHeader(input->bytes);
  if (!header) return Fail(messages, input->name, header.error());
  const auto model = OpenModelFor(*header, options.model);
  if (!model) return Fail(messages, input->name, model.error());
  const auto content = Decode(*input, model->get(), options, messages);
  if (!content) return Fail(messages, input->name, content.error());
  return kExitSuccess;
}

}  // namespace

int RunCompress(const Options& options, const Messages& messages) {
  const auto named = CompressedPair(options.operands, OutputName(options));
  if (!named) return messages.ShowWarning(named.error().what);
  const FilePair& files = *named;
  if (IsDirectory(files.in)) {
    return messages.ShowWarning(files.in + ": is a directory, skipped");
  }
  if (IsTerminal(files.out, STDOUT_FILENO) && !options.force) {
    return messages.ShowError("compressed data is not written to a terminal",
                              "use -f to do it nevertheless, or -o");
  }
  const auto input = ReadInput(files.in);
  if (!input) return messages.ShowError(input.error().what);
  const auto output = Output::Open(files.out, options.force, *input);
  if (!output) return messages.ShowError(output.error().what);
  std::unique_ptr<Model> model;
  if (SettingsOfLevel(options.level).uses_model) {
    auto opened = OpenModel(options.model);
    if (!opened) {
      return messages.ShowError(
          FormatError({}, opened.error()),
          options.model.empty() ? "or use -2, which needs no model" : "");
    }
    model = *std::move(opened);
  }

  ProgressMeter meter(input->name, messages.verbosity() >= 1);
  CompressOptions how;
  how.level = options.level;
  how.num_threads = options.num_threads;
  how.num_lanes = options.num_lanes;
  how.window_positions = options.window_positions;
  how.progress = meter.callback();
  const auto compressed = Compress(input->bytes, model.get(), how);
  if (!compressed) return Fail(messages, input->name, compressed.error());
  const int status = Deliver(**output, *compressed, *input, messages);
  if (status != kExitError) {
    messages.ShowDetail(FormatSummary(input->name, input->bytes.size(),
                                      compressed->size(), true,
                                      meter.elapsed_seconds()));
  }
  return status;
}

int RunDecompress(const Options& options, const Messages& messages) {
  const auto named =
      DecompressedPair(options.operands, OutputName(options), options.force);
  if (!named) {
    return options.operands.size() == 2
               ? messages.ShowError(named.error().what)
               : messages.ShowWarning(named.error().what);
  }
  const FilePair& files = *named;
  if (IsDirectory(files.in)) {
    return messages.ShowWarning(files.in + ": is a directory, skipped");
  }
  if (IsTerminal(files.in, STDIN_FILENO)) {
    return messages.ShowError("compressed data is not read from a terminal",
                              "try 'llma --help' for what there is");
  }
  const auto input = ReadInput(files.in);
  if (!input) return messages.ShowError(input.error().what);
  const auto header = PeekHeader(input->bytes);
  if (!header) return Fail(messages, input->name, header.error());
  const auto output = Output::Open(files.out, options.force, *input);
  if (!output) return messages.ShowError(output.error().what);
  const auto model = OpenModelFor(*header, options.model);
  if (!model) return Fail(messages, input->name, model.error());
  const auto content = Decode(*input, model->get(), options, messages);
  if (!content) return Fail(messages, input->name, content.error());
  return Deliver(**output, *content, *input, messages);
}

int RunTest(const Options& options, const Messages& messages) {
  if (options.operands.empty()) return TestFile("-", options, messages);
  int status = kExitSuccess;
  for (const std::string& path : options.operands) {
    status = WorseStatus(status, TestFile(path, options, messages));
  }
  return status;
}

}  // namespace llma::cli
