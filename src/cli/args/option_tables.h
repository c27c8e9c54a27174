// SPDX-License-Identifier: Apache-2.0
// The options of each command, as getopt_long(3) takes them.
#ifndef LLMA_CLI_ARGS_OPTION_TABLES_H_
#define LLMA_CLI_ARGS_OPTION_TABLES_H_

#include <getopt.h>

namespace llma::cli {

// Values of long options without a letter.
enum LongOption {
  kStdout = 256,
  kModel,
  kLanes,
  kLearn,
  kNoLearn,
  kWindow,
  kName,
  kStartToken,
  kAdapter,
  kSha256,
  kKeepSource,
  kLevels,
  kRemove,
  kNoSync,
  kNoAdjust,
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
  kMaxSize,
  kRobot,
  kOutputDir,
  kJson,
  kMemoryTable,
  kEngine,
  kHelp,
};

struct OptionTable {
  const char* command;  // that they go with
  const char* letters;
  const option* long_options;  // ended by one without a name
};

extern const OptionTable kCodingTable;
extern const OptionTable kModelTable;
extern const OptionTable kBenchTable;
extern const OptionTable kInspectTable;

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTION_TABLES_H_
