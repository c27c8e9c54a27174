// SPDX-License-Identifier: Apache-2.0
// The command line. getopt_long(3) reads it, as in xz: options anywhere,
// short ones joined, long ones abbreviated, `--` ends them. (CLI11 was tried on
// paper: it takes a file called `model` for the sub-command anywhere on the
// line, and its errors are exceptions.)
#ifndef LLMA_CLI_OPTIONS_H_
#define LLMA_CLI_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "codec/levels.h"

namespace llma::cli {

enum class Operation {
  kCompress,
  kDecompress,
  kTest,
  kBench,
  kModelImport,
  kModelList,
  kModelInfo,
  kHelp,
  kVersion,
};

struct Options {
  Operation operation = Operation::kCompress;
  std::vector<std::string> operands;
  std::string output;  // -o; empty: by the operands
  bool to_stdout = false;
  bool force = false;
  int verbosity = 1;
  int num_threads = 0;  // 0: all processors
  int level = kDefaultLevel;
  uint32_t num_lanes = 0;         // 0: by level and size of the content
  uint32_t window_positions = 0;  // 0: the level's
  // Of bench: the levels to measure.
  int first_level = kDefaultLevel;
  int last_level = kDefaultLevel;
  uint64_t max_memory_bytes = 0;  // 0: what the machine has
  std::string model;              // name or path; empty: the default
  std::string import_name;
  std::string start_token;
};

// kUsage, with a text for the user, if the line makes no sense. Not
// thread-safe.
Result<Options> ParseOptions(int argc, char** argv);

// "4G", "512MiB", "100000": bytes, suffixes are powers of 1024.
Result<uint64_t> ParseSize(const std::string& text);

std::string HelpText();
std::string VersionText(bool with_details);

}  // namespace llma::cli

#endif  // LLMA_CLI_OPTIONS_H_
