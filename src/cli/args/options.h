// SPDX-License-Identifier: Apache-2.0
// The command line. getopt_long(3) reads it, as in xz: options anywhere,
// short ones joined, long ones abbreviated, `--` ends them. (CLI11 was tried on
// paper: it takes a file called `model` for the sub-command anywhere on the
// line, and its errors are exceptions.)
#ifndef LLMA_CLI_ARGS_OPTIONS_H_
#define LLMA_CLI_ARGS_OPTIONS_H_

#include <llma/llma.h>

#include <cstdint>
#include <llma/options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/args/option_values.h"
#include "platform/file_info.h"

namespace llma::cli {

enum class Operation {
  // Those that take files.
  kCompress,
  kDecompress,
  kTest,
  kList,
  // Others.
  kBench,
  kInspect,
  kModelImport,
  kModelList,
  kModelInfo,
  kModelPull,
  kModelVerify,
  kModelCheck,
  kModelRemove,
  kModelExport,
  kHelp,
  kLongHelp,
  kVersion,
  kInfoMemory,
};

enum class ListFormat { kTable, kRobot, kJson };

// The name that stands for the models that suit best.
inline constexpr char kAutoModel[] = "auto";

struct Options {
  Operation operation = Operation::kCompress;
  std::string command = "llma";  // or "llma model" and so on, for help
  std::vector<std::string> operands;
  std::optional<std::string> names_file;  // --files0: more operands; "-"
  bool recursive = false;
  std::string output;      // -o; empty: by the operands
  std::string output_dir;  // results go there; empty: beside their inputs
  bool to_stdout = false;
  bool is_c = false;       // -c: to standard output, or IN OUT
  bool is_in_out = false;  // the two operands are IN and OUT
  bool force = false;
  bool remove_source = false;
  bool syncs = true;  // not --no-sync
  bool verify = false;
  bool has_checksums = true;
  bool keeps_name = false;  // -N: name, mode and time of the source
  bool resume = false;
  bool salvage = false;
  bool is_short = false;
  bool embeds_models = false;
  bool flush = false;
  std::optional<ByteRange> range;
  std::string suffix = ".llma";
  ListFormat list_format = ListFormat::kTable;
  int verbosity = 1;
  int num_threads = 0;  // 0: all processors
  std::string engine;   // empty: $LLMA_ENGINE
  int level = LLMA_LEVEL_DEFAULT;
  llma_learn learn = LLMA_LEARN_AS_LEVEL;
  uint32_t num_lanes = 0;         // 0: by level and size of the content
  uint32_t window_positions = 0;  // 0: the level's
  // Of bench: the levels to measure.
  int first_level = LLMA_LEVEL_DEFAULT;
  int last_level = LLMA_LEVEL_DEFAULT;
  uint64_t frame_bytes = 0;        // 0: the level's
  uint64_t max_memory_bytes = 0;   // 0: what the machine has
  bool adjusts = true;             // not --no-adjust
  uint64_t max_content_bytes = 0;  // of what is decompressed; 0: any
  std::string model;               // name, path or auto; empty: the default
  std::string reference;           // -D: a file, or ""
  // Who has its text, for all files, and which file it is, once it was read.
  std::shared_ptr<const llma::Options> read_reference;
  std::optional<FileInfo> reference_file;
  std::string import_name;
  std::string start_token;
  std::string adapter;        // with model import and check
  std::string sha256;         // of what model pull fetches
  bool keeps_source = false;  // of model pull
};

// kUsage, with a text for the user, if the line makes no sense. The name of the
// program (unllma, llmacat) and $LLMA_OPT say what holds unless the line says
// otherwise. Not thread-safe.
Result<Options> ParseOptions(int argc, char** argv);

std::string HelpText();
// Of "llma model", "llma bench" and "llma inspect"; else HelpText().
std::string CommandHelpText(const std::string& command);
std::string LongHelpText();
std::string VersionText(bool with_details);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTIONS_H_
