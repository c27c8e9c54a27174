// SPDX-License-Identifier: Apache-2.0
#include "cli/args/option_tables.h"

namespace llma::cli {
namespace {

constexpr option kCodingOptions[] = {
    {"compress", no_argument, nullptr, 'z'},
    {"decompress", no_argument, nullptr, 'd'},
    {"uncompress", no_argument, nullptr, 'd'},
    {"test", no_argument, nullptr, 't'},
    {"list", no_argument, nullptr, 'l'},
    {"stdout", no_argument, nullptr, kStdout},
    {"to-stdout", no_argument, nullptr, kStdout},
    {"output", required_argument, nullptr, 'o'},
    {"output-dir", required_argument, nullptr, kOutputDir},
    {"force", no_argument, nullptr, 'f'},
    {"keep", no_argument, nullptr, 'k'},
    {"rm", no_argument, nullptr, kRemove},
    {"no-sync", no_argument, nullptr, kNoSync},
    {"recursive", no_argument, nullptr, 'r'},
    {"files0", optional_argument, nullptr, kFiles0},
    {"suffix", required_argument, nullptr, 'S'},
    {"name", no_argument, nullptr, 'N'},
    {"verify", no_argument, nullptr, kVerify},
    {"no-check", no_argument, nullptr, kNoCheck},
    {"resume", no_argument, nullptr, kResume},
    {"salvage", no_argument, nullptr, kSalvage},
    {"range", required_argument, nullptr, kRange},
    {"short", no_argument, nullptr, kShort},
    {"flush", no_argument, nullptr, kFlush},
    {"embed-model", no_argument, nullptr, kEmbedModel},
    {"engine", required_argument, nullptr, kEngine},
    {"threads", required_argument, nullptr, 'T'},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"lanes", required_argument, nullptr, kLanes},
    {"learn", no_argument, nullptr, kLearn},
    {"no-learn", no_argument, nullptr, kNoLearn},
    {"window", required_argument, nullptr, kWindow},
    {"frame-size", required_argument, nullptr, kFrameSize},
    {"reference", required_argument, nullptr, 'D'},
    {"memlimit", required_argument, nullptr, 'M'},
    {"no-adjust", no_argument, nullptr, kNoAdjust},
    {"max-size", required_argument, nullptr, kMaxSize},
    {"model", required_argument, nullptr, kModel},
    {"robot", no_argument, nullptr, kRobot},
    {"json", no_argument, nullptr, kJson},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", optional_argument, nullptr, kHelp},
    {"version", no_argument, nullptr, 'V'},
    {"info-memory", no_argument, nullptr, kMemoryTable},
    {nullptr, 0, nullptr, 0},
};
constexpr char kCodingLetters[] = ":123456789czdtlo:fkrS:ND:T:M:vqhV";

constexpr option kModelOptions[] = {
    {"name", required_argument, nullptr, kName},
    {"start-token", required_argument, nullptr, kStartToken},
    {"adapter", required_argument, nullptr, kAdapter},
    {"sha256", required_argument, nullptr, kSha256},
    {"keep-source", no_argument, nullptr, kKeepSource},
    {"robot", no_argument, nullptr, kRobot},
    {"json", no_argument, nullptr, kJson},
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kModelLetters[] = ":o:fvqh";

constexpr option kBenchOptions[] = {
    {"levels", required_argument, nullptr, kLevels},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"engine", required_argument, nullptr, kEngine},
    {"threads", required_argument, nullptr, 'T'},
    {"lanes", required_argument, nullptr, kLanes},
    {"learn", no_argument, nullptr, kLearn},
    {"no-learn", no_argument, nullptr, kNoLearn},
    {"window", required_argument, nullptr, kWindow},
    {"model", required_argument, nullptr, kModel},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kBenchLetters[] = ":123456789T:h";

constexpr option kInspectOptions[] = {
    {"output", required_argument, nullptr, 'o'},
    {"force", no_argument, nullptr, 'f'},
    {"json", no_argument, nullptr, kJson},
    {"fast", no_argument, nullptr, '1'},
    {"best", no_argument, nullptr, '9'},
    {"engine", required_argument, nullptr, kEngine},
    {"threads", required_argument, nullptr, 'T'},
    {"lanes", required_argument, nullptr, kLanes},
    {"learn", no_argument, nullptr, kLearn},
    {"no-learn", no_argument, nullptr, kNoLearn},
    {"window", required_argument, nullptr, kWindow},
    {"model", required_argument, nullptr, kModel},
    {"verbose", no_argument, nullptr, 'v'},
    {"quiet", no_argument, nullptr, 'q'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};
constexpr char kInspectLetters[] = ":123456789o:fT:vqh";

}  // namespace

const OptionTable kCodingTable = {"llma", kCodingLetters, kCodingOptions};
const OptionTable kModelTable = {"llma model", kModelLetters, kModelOptions};
const OptionTable kBenchTable = {"llma bench", kBenchLetters, kBenchOptions};
const OptionTable kInspectTable = {"llma inspect", kInspectLetters,
                                   kInspectOptions};

}  // namespace llma::cli
