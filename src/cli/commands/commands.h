// SPDX-License-Identifier: Apache-2.0
// What the program does. Each function returns an exit status
// (cli/messages.h) and has told the user what went wrong.
#ifndef LLMA_CLI_COMMANDS_COMMANDS_H_
#define LLMA_CLI_COMMANDS_COMMANDS_H_

#include "cli/args/options.h"
#include "cli/messages.h"

namespace llma::cli {

// main().
int RunProgram(int argc, char** argv);

// cli/commands/compress_command.cc
int RunCompress(const Options& options, const Messages& messages);

// cli/commands/decompress_command.cc
int RunDecompress(const Options& options, const Messages& messages);
int RunTest(const Options& options, const Messages& messages);

// cli/commands/list_command.cc
int RunList(const Options& options, const Messages& messages);

// cli/commands/memory_command.cc
int RunInfoMemory(const Options& options, const Messages& messages);

// cli/commands/bench_command.cc
int RunBench(const Options& options, const Messages& messages);

// cli/commands/inspect_command.cc
int RunInspect(const Options& options, const Messages& messages);

// cli/commands/tune_command.cc; the arguments after "tune". Python replaces the
// program.
int RunTune(const std::vector<std::string>& arguments);

// cli/commands/model_commands.cc
int RunModelImport(const Options& options, const Messages& messages);
int RunModelList(const Options& options, const Messages& messages);
int RunModelInfo(const Options& options, const Messages& messages);

// cli/commands/store_commands.cc
int RunModelPull(const Options& options, const Messages& messages);
int RunModelVerify(const Options& options, const Messages& messages);
int RunModelCheck(const Options& options, const Messages& messages);
int RunModelRemove(const Options& options, const Messages& messages);
int RunModelExport(const Options& options, const Messages& messages);

}  // namespace llma::cli

#endif  // LLMA_CLI_COMMANDS_COMMANDS_H_
