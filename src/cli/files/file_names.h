// SPDX-License-Identifier: Apache-2.0
// Which files a command line means, and what their results are called.
#ifndef LLMA_CLI_FILES_FILE_NAMES_H_
#define LLMA_CLI_FILES_FILE_NAMES_H_

#include <llma/result.hpp>
#include <string>
#include <vector>

#include "cli/args/options.h"
#include "cli/messages.h"

namespace llma::cli {

// Adds the names in options.names_file to the operands.
Status AddNames(Options& options);

// All inputs: operands, and with -r the files below folders, in the order of
// their names. "-" if nothing was named at all. What cannot be listed is told
// to the user and makes `status` worse.
std::vector<std::string> ListInputs(const Options& options,
                                    const Messages& messages, int& status);

// Below options.output_dir: the name of `in`, and for a file that -r found the
// folders below the operand, beginning with that itself as `cp -r` has it.
// Without such a folder: `in`.
std::string PathInOutputDir(const std::string& in, const Options& options);

// kUsage if two inputs would have one result in options.output_dir.
Status CheckResultNames(const std::vector<std::string>& inputs,
                        const Options& options);

// Makes the folders that `path`, below options.output_dir, lies in.
Status MakeFoldersOf(const std::string& path);

// Input and output of a command; "-" for the standard streams.
struct FilePair {
  std::string in, out;
  // False: -f does not overwrite `out`, which may be meant as an input.
  bool may_overwrite = true;
};

// `in` with the suffix. kUsage if it has it already.
Result<std::string> CompressedName(const std::string& in,
                                   const std::string& suffix);
// `in` without the suffix. kUsage if it has none.
Result<std::string> DecompressedName(const std::string& in,
                                     const std::string& suffix);

// `llma -c first second`: IN OUT. OUT is overwritten only if it has the suffix.
FilePair OrderToCompress(const std::string& first, const std::string& second,
                         const std::string& suffix);
// `llma -d first second`: IN OUT; OUT IN if only the second one exists and
// carries the magic. No file is overwritten; if both exist and the second one
// carries the magic, that is an error.
Result<FilePair> OrderOperands(const std::string& first,
                               const std::string& second);

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_FILE_NAMES_H_
