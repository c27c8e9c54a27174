// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <exception>
#include <llma/llma.hpp>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/args/suggestions.h"
#include "cli/commands/commands.h"
#include "cli/files/file_job.h"
#include "cli/files/file_names.h"
#include "cli/files/input_file.h"
#include "cli/files/signals.h"
#include "platform/descriptors.h"
#include "platform/machine/process.h"
#include "platform/program_start.h"

namespace llma::cli {
namespace {

// What -D names, for all files.
Status ReadReference(Options& options) {
  const std::string& path = options.reference;
  if (path == "-") {
    return Error{ErrorCode::kUsage,
                 "-D: the reference is a file, not standard input"};
  }
  if (IsDirectory(path)) {
    return Error{ErrorCode::kUsage, "-D: " + path + ": is a directory"};
  }
  LLMA_ASSIGN(const auto input, InputFile::Open(path));
  options.reference_file = input->info();
  // What is read, and the library's copy.
  const uint64_t max_bytes = MaxMemoryBytes(options) / 2;
  std::vector<uint8_t> text;
  text.reserve(static_cast<size_t>(std::min(
      {input->size_bytes(), max_bytes, uint64_t{LLMA_MAX_REFERENCE_BYTES}})));
  for (;;) {
    LLMA_ASSIGN(const auto part, input->Read());
    if (part.empty()) break;
    if (part.size() > LLMA_MAX_REFERENCE_BYTES - text.size()) {
      return Error{ErrorCode::kLimit,
                   "-D: " + path + ": a reference has at most 1 GiB"};
    }
    if (text.size() + part.size() > max_bytes) {
      return Error{ErrorCode::kLimit,
                   "-D: " + path +
                       ": reading it takes twice its size of memory, more "
                       "than is allowed; -M raises the limit"};
    }
    text.insert(text.end(), part.begin(), part.end());
  }
  LLMA_ASSIGN(llma::Options owner, llma::Options::Create());
  LLMA_TRY(owner.SetReference(text));
  options.read_reference =
      std::make_shared<const llma::Options>(std::move(owner));
  return OkStatus();
}

int RunOperation(const Options& options, const Messages& messages) {
  switch (options.operation) {
    case Operation::kHelp:
      return PrintOut(messages, CommandHelpText(options.command));
    case Operation::kLongHelp:
      return PrintOut(messages, LongHelpText());
    case Operation::kVersion:
      return PrintOut(messages, VersionText(options.verbosity > 1));
    case Operation::kInfoMemory:
      return RunInfoMemory(options, messages);
    case Operation::kModelImport:
      return RunModelImport(options, messages);
    case Operation::kModelList:
      return RunModelList(options, messages);
    case Operation::kModelInfo:
      return RunModelInfo(options, messages);
    case Operation::kModelPull:
      return RunModelPull(options, messages);
    case Operation::kModelVerify:
      return RunModelVerify(options, messages);
    case Operation::kModelCheck:
      return RunModelCheck(options, messages);
    case Operation::kModelRemove:
      return RunModelRemove(options, messages);
    case Operation::kModelExport:
      return RunModelExport(options, messages);
    case Operation::kList:
      return RunList(options, messages);
    case Operation::kBench:
    case Operation::kInspect:
    case Operation::kCompress:
    case Operation::kDecompress:
    case Operation::kTest:
      break;
  }
  // A name that is wrong is said at once, whether it is needed or not.
  if (const auto kernels = UsedKernels(); !kernels) {
    return messages.ShowError("LLMA_KERNELS: " + kernels.error().what,
                              "'llma --version -v' lists them");
  }
  if (const auto engine = UsedEngine(); !engine) {
    const char* where = options.engine.empty() ? "LLMA_ENGINE: " : "--engine: ";
    return messages.ShowError(where + engine.error().what,
                              "'llma --version -v' lists them");
  }
  if (options.operation == Operation::kBench)
    return RunBench(options, messages);
  if (options.operation == Operation::kInspect) {
    return RunInspect(options, messages);
  }
  if (options.operation == Operation::kTest) return RunTest(options, messages);
  return options.operation == Operation::kCompress
             ? RunCompress(options, messages)
             : RunDecompress(options, messages);
}

int Run(const Options& options, const Messages& messages) {
  if (!options.engine.empty()) SetEnvironment("LLMA_ENGINE", options.engine);
  const int status = RunOperation(options, messages);
  const std::string failure = EngineFailure();
  if (failure.empty()) return status;
  return WorseStatus(
      status, messages.ShowWarning("the processor took over: " + failure));
}

// "llma bench" if the line begins so; "llma" of most lines.
std::string CommandOf(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  const bool is_command =
      word == "bench" || word == "inspect" || word == "model";
  return is_command ? "llma " + std::string(word) : "llma";
}

}  // namespace

int RunProgram(int num_words, char** words) try {
  OccupyStandardStreams();
  std::vector<std::string> line = CommandLine(num_words, words);
  const auto argc = static_cast<int>(line.size());
  if (argc > 1 && line[1] == "tune") {
    return RunTune({line.begin() + 2, line.end()});
  }
  std::vector<char*> pointers;
  for (std::string& word : line) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  char** const argv = pointers.data();
  auto options = ParseOptions(argc, argv);
  if (!options) {
    return Messages(1).ShowError(
        options.error().what,
        "try '" + CommandOf(argc, argv) + " --help' for what there is");
  }
  if (const std::string meant = MeantCommand(*options); !meant.empty()) {
    return Messages(1).ShowError(
        options->operands[0] + ": no such file or command; did you mean '" +
            meant + "'?",
        "try 'llma --help' for what there is");
  }
  InstallSignalHandlers(options->verbosity >= 1);
  const Messages messages(options->verbosity);
  if (!options->reference.empty()) {
    if (const Status read = ReadReference(*options); !read) {
      return messages.ShowError(read.error().what);
    }
  }
  if (options->names_file) {
    if (const Status read = AddNames(*options); !read) {
      return messages.ShowError(read.error().what);
    }
  }
  return Run(*options, messages);
} catch (const std::bad_alloc&) {
  return ShowLastError("out of memory");
} catch (const std::exception& e) {
  return ShowLastError("internal error", e.what());
}

}  // namespace llma::cli
