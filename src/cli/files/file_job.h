// SPDX-License-Identifier: Apache-2.0
// What the commands that take files share.
#ifndef LLMA_CLI_FILES_FILE_JOB_H_
#define LLMA_CLI_FILES_FILE_JOB_H_

#include <functional>
#include <map>
#include <span>
#include <string>

#include "cli/args/options.h"
#include "cli/commands/model_lookup.h"
#include "cli/files/file_names.h"
#include "cli/files/input_file.h"
#include "cli/files/output.h"
#include "cli/files/source_remover.h"
#include "cli/messages.h"
#include "cli/progress.h"

namespace llma::cli {

class DecodeAhead;  // cli/commands/decode_ahead.h

// A file by its name in its folder, however that was written: device and number
// of the folder, and the name.
using ResultName = std::tuple<uint64_t, uint64_t, std::string>;

struct FileJob {
  const Options& options;
  const Messages& messages;
  ModelCache& models;
  SourceRemover& remover;
  std::map<ResultName, std::string>& results;  // of this run, and their inputs
  DecodeAhead* ahead = nullptr;
};

// What the command line says of level, threads, memory and so on.
Result<llma::Options> MakeOptions(const Options& options);
// The same, and what the progress is shown by. The meter must outlive what is
// done with it.
Result<llma::Options> MakeOptions(const FileJob& job, ProgressMeter& meter);

// Shows an error with what the user may do about it.
int Fail(const Messages& messages, std::string_view name, const Error& error);

// The limit that the user gave, or what this process may use.
uint64_t MaxMemoryBytes(const Options& options);

bool IsTerminal(const std::string& path, int fd);

// An error if there is nothing of this name.
Status CheckThere(const std::string& path);
// Whether the source may be removed when all is done: kUsage if it is not a
// file of its own.
Status CheckRemovable(const std::string& path, const Options& options);
// An error for devices and pipes, beside which no result is put without -f.
Status CheckRegular(const std::string& path, const Options& options);

// Makes the folder that the result goes to, if it has one of its own. kUsage if
// another input has had this result, which -f must not overwrite.
Status PrepareResult(const FileJob& job, const FilePair& files);

// Opens an input, which may be removed if the options say so.
Result<std::unique_ptr<InputFile>> OpenInput(const std::string& path,
                                             const Options& options);

// Runs `one` for each input, then removes sources as the options say. The worst
// exit status of all. `before` is called before each, with what is left.
int RunEach(const FileJob& job,
            int (*one)(const FileJob& job, const std::string& in),
            const std::function<void(std::span<const std::string> inputs)>&
                before = {});

// kUsage if a model that the result was made with, or needs, would be replaced
// by it or removed as its source; kIo if it changed.
Status CheckModelsStay(const FileJob& job, const Output& output,
                       const InputFile& input);

// Gives the output its name, and has the source removed if asked to.
int Deliver(const FileJob& job, std::unique_ptr<Output> output,
            std::unique_ptr<InputFile> input,
            const std::optional<SourceInfo>& source);

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_FILE_JOB_H_
