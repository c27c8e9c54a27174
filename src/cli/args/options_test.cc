// SPDX-License-Identifier: Apache-2.0
#include "cli/args/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace llma::cli {
namespace {

Result<Options> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "llma");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return ParseOptions(static_cast<int>(words.size()), argv.data());
}

std::string ParseError(std::vector<std::string> words) {
  const auto options = Parse(std::move(words));
  if (options) return "";
  EXPECT_EQ(options.error().code, ErrorCode::kUsage);
  return options.error().what;
}

TEST(Options, DefaultsToCompressing) {
  const auto options = Parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->operation, Operation::kCompress);
  EXPECT_TRUE(options->operands.empty());
  EXPECT_EQ(options->verbosity, 1);
}

TEST(Options, ReadsEveryOption) {
  const auto options =
      Parse({"-dfvT4",       "in put",    "--lanes=16",   "--window",
             "512",          "-o",        "out",          "-M",
             "2G",           "--model=m", "-v",           "-k",
             "-S",           ".x",        "-N",           "--no-check",
             "--range=1K:5", "-z",        "--frame-size", "1M",
             "--verify",     "-d"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->operation, Operation::kDecompress);
  EXPECT_EQ(options->operands, std::vector<std::string>{"in put"});
  EXPECT_EQ(options->output, "out");
  EXPECT_TRUE(options->force);
  EXPECT_EQ(options->verbosity, 3);
  EXPECT_EQ(options->num_threads, 4);
  EXPECT_EQ(options->num_lanes, 16u);
  EXPECT_EQ(options->window_positions, 512u);
  EXPECT_EQ(options->max_memory_bytes, uint64_t{2} << 30);
  EXPECT_EQ(options->model, "m");
  EXPECT_TRUE(options->verify && options->keeps_name);
  EXPECT_EQ(options->suffix, ".x");
  EXPECT_FALSE(options->has_checksums);
  EXPECT_EQ(options->frame_bytes, 1u << 20);
  EXPECT_EQ(options->range->size, 5u);
  const auto several = Parse({"-r", "--files0=names"});
  EXPECT_TRUE(several->recursive);
  EXPECT_EQ(several->names_file, "names");
  EXPECT_EQ(Parse({"--files0"})->names_file, "-");
}

TEST(Options, DecidesWhatTwoNamesMean) {
  const auto decide = [](std::vector<std::string> words) {
    const auto options = Parse(std::move(words));
    EXPECT_TRUE(options);
    return std::string(options->is_in_out ? "pair" : "each") +
           (options->to_stdout ? " to stdout" : "");
  };
  EXPECT_EQ(decide({"a", "b"}), "each");
  EXPECT_EQ(decide({"-c", "a", "b"}), "pair");
  EXPECT_EQ(decide({"-c", "a"}), "each to stdout");
  EXPECT_EQ(decide({"-c", "a", "b", "c"}), "each to stdout");
  EXPECT_EQ(decide({"--stdout", "a", "b"}), "each to stdout");
  EXPECT_EQ(decide({"-d", "a.llma", "b"}), "pair");
  EXPECT_EQ(decide({"-d", "a", "b.llma"}), "pair");
  EXPECT_EQ(decide({"-d", "a.llma", "b.llma"}), "each");
  EXPECT_EQ(decide({"-dc", "a.llma", "b"}), "each to stdout");
  EXPECT_EQ(decide({"-dr", "a.llma", "b"}), "each");
}

TEST(Options, NamesAndTheEnvironmentComeFirst) {
  // Without a file: standard input, and so standard output.
  const auto parse_as = [](const char* program, const char* level,
                           bool has_file = false) {
    std::string name = program, option = level, file = "file";
    char* argv[] = {name.data(), option.data(),
                    has_file ? file.data() : nullptr, nullptr};
    return *ParseOptions(has_file ? 3 : 2, argv);
  };
  EXPECT_EQ(parse_as("/bin/unllma", "-k").operation, Operation::kDecompress);
  EXPECT_TRUE(parse_as("llmacat", "-k").to_stdout);
  ::setenv("LLMA_OPT", " -3 --suffix=.y ", 1);
  EXPECT_EQ(parse_as("llma", "-k").level, 3);
  EXPECT_EQ(parse_as("llma", "-4").level, 4);
  EXPECT_EQ(parse_as("llma", "-4").suffix, ".y");
  ::setenv("LLMA_OPT", "--rm --resume", 1);
  EXPECT_TRUE(parse_as("llma", "-4", true).remove_source);
  EXPECT_TRUE(parse_as("llma", "-4", true).resume);
  EXPECT_FALSE(parse_as("llma", "-d", true).resume);
  EXPECT_FALSE(parse_as("llma", "--stdout", true).remove_source);
  EXPECT_FALSE(parse_as("llma", "-4").remove_source);
  EXPECT_FALSE(parse_as("llma", "-4").resume);
  EXPECT_FALSE(parse_as("llma", "--short", true).resume);
  EXPECT_FALSE(parse_as("llma", "--no-check", true).resume);
  ::setenv("LLMA_OPT", "--rm --verify --output-dir=out -N", 1);
  EXPECT_TRUE(parse_as("llma", "-4", true).verify);
  EXPECT_EQ(parse_as("llma", "-4", true).output_dir, "out");
  EXPECT_FALSE(parse_as("llma", "-4").verify);
  EXPECT_EQ(parse_as("llma", "-4").output_dir, "");
  EXPECT_EQ(parse_as("llma", "-t", true).output_dir, "");
  EXPECT_EQ(parse_as("llma", "-oout.x", true).output_dir, "");
  EXPECT_FALSE(parse_as("llma", "--short", true).keeps_name);
  ::setenv("LLMA_OPT", "--rm -d", 1);
  EXPECT_FALSE(parse_as("llma", "--salvage", true).remove_source);
  EXPECT_FALSE(parse_as("llma", "--range=1:2", true).remove_source);
  ::setenv("LLMA_OPT", "-d --salvage", 1);
  EXPECT_FALSE(parse_as("llma", "--rm", true).salvage);
  EXPECT_FALSE(parse_as("llma", "--range=1:2", true).salvage);
  for (const char* wrong : {"--bogus", "file", "-T"}) {
    ::setenv("LLMA_OPT", wrong, 1);
    EXPECT_NE(ParseError({}).find("LLMA_OPT"), std::string::npos) << wrong;
  }
  ::unsetenv("LLMA_OPT");
}

TEST(Options, ReadsRanges) {
  EXPECT_EQ(ParseRange("--range", "1K:5")->offset, 1024u);
  EXPECT_EQ(ParseRange("--range", "1K:5")->size, 5u);
  EXPECT_EQ(ParseRange("--range", "0:1")->offset, 0u);
  EXPECT_EQ(ParseRange("--range", "7")->size, ~uint64_t{0});
  EXPECT_EQ(ParseRange("--range", ":9")->offset, 0u);
  EXPECT_EQ(ParseRange("--range", "5:")->offset, 5u);
  EXPECT_EQ(ParseRange("--range", "500-")->size, ~uint64_t{0});
  EXPECT_EQ(ParseRange("--range", "500-999")->offset, 500u);
  EXPECT_EQ(ParseRange("--range", "500-999")->size, 500u);
  EXPECT_EQ(ParseRange("--range", "0-0")->size, 1u);
  EXPECT_FALSE(ParseRange("--range", "7")->from_end);
  EXPECT_EQ(ParseRange("--range", "-1k")->offset, 1024u);
  EXPECT_TRUE(ParseRange("--range", "-1k:2")->from_end);
  EXPECT_EQ(ParseRange("--range", "-1k:2")->size, 2u);
  EXPECT_EQ(ParseRange("--range", "7:0")->size, 0u);
  EXPECT_TRUE(ParseRange("--range", "-0")->from_end);
  for (const char* text : {"", ":", "-", "a", "1:b", "1:2:3", "9-8", "--5",
                           "-5-6", "1-2-3", ":-", "1+2", "5-x"}) {
    EXPECT_FALSE(ParseRange("--range", text)) << text;
  }
}

TEST(Options, TheLastOperationCounts) {
  EXPECT_EQ(Parse({"-z", "-d"})->operation, Operation::kDecompress);
  EXPECT_EQ(Parse({"-d", "--compress"})->operation, Operation::kCompress);
  EXPECT_EQ(Parse({"-dz"})->operation, Operation::kCompress);
  EXPECT_EQ(Parse({"-dt"})->operation, Operation::kTest);
  EXPECT_EQ(Parse({"-dth"})->operation, Operation::kHelp);
  EXPECT_EQ(Parse({"--version", "-v"})->operation, Operation::kVersion);
  EXPECT_EQ(Parse({"-h", "a", "b", "c"})->operation, Operation::kHelp);
}

TEST(Options, DashesAreOperands) {
  EXPECT_EQ(Parse({"-d", "-"})->operands, std::vector<std::string>{"-"});
  EXPECT_EQ(Parse({"--", "-d"})->operands, std::vector<std::string>{"-d"});
  EXPECT_EQ(Parse({"-c", "model"})->operands,
            std::vector<std::string>{"model"});
}

TEST(Options, NamesWhatIsWrong) {
  EXPECT_EQ(ParseError({"-x"}), "unknown option '-x'");
  EXPECT_EQ(ParseError({"-dx", "a"}), "unknown option '-x'");
  EXPECT_EQ(ParseError({"--bogus"}), "unknown option '--bogus'");
  EXPECT_EQ(ParseError({"-o"}), "option '-o' needs a value");
  EXPECT_EQ(ParseError({"--lanes"}), "option '--lanes' needs a value");
  EXPECT_EQ(ParseError({"--force=1"}), "option '--force' takes no value");
  EXPECT_EQ(ParseError({"--resume=1"}), "option '--resume' takes no value");
  EXPECT_EQ(ParseError({"--re"}),
            "option '--re' is the start of --recursive, --resume, "
            "--reference");
  EXPECT_EQ(ParseError({"--force", "-xk", "a"}), "unknown option '-x'");
  EXPECT_EQ(ParseError({"--lanes=4", "-kx", "a"}), "unknown option '-x'");
  EXPECT_EQ(ParseError({"--comress"}),
            "unknown option '--comress'; did you mean '--compress'?");
  EXPECT_EQ(ParseError({"a", "-best"}),
            "unknown option '-b'; did you mean '--best'?");
  EXPECT_EQ(ParseError({"--levels=3"}),
            "unknown option '--levels=3'; it goes with 'llma bench'");
  EXPECT_NE(ParseError({"--lanes", "65"}).find("'65'"), std::string::npos);
  EXPECT_NE(ParseError({"--lanes", "4x"}), "");
  EXPECT_NE(ParseError({"--lanes", "-1"}), "");
  EXPECT_NE(ParseError({"-T", ""}), "");
  EXPECT_NE(ParseError({"-T99999999999999999999"}), "");
  EXPECT_NE(ParseError({"--window", "100"}), "");
  EXPECT_NE(ParseError({"-M", "4X"}), "");
  EXPECT_NE(ParseError({"--frame-size", "1K"}), "");
  EXPECT_NE(ParseError({"-S", "a/b"}), "");
  EXPECT_NE(ParseError({"--help=short"}), "");
  EXPECT_NE(ParseError({"--range=1:2"}), "");
  EXPECT_NE(ParseError({"-d", "--resume"}), "");
  EXPECT_NE(ParseError({"--rm", "-c", "a"}), "");
  EXPECT_NE(ParseError({"-d", "--salvage", "--rm"}), "");
  EXPECT_NE(ParseError({"a", "b", "-o", "c"}), "");
  EXPECT_NE(ParseError({"a", "--stdout", "-o", "c"}), "");
  EXPECT_NE(ParseError({"-t", "a", "-o", "c"}), "");
  EXPECT_NE(ParseError({""}), "");
}

TEST(Options, ReadsModelCommands) {
  const auto import =
      Parse({"model", "import", "a.gguf", "--name", "n", "-f", "-o", "p"});
  ASSERT_TRUE(import);
  EXPECT_EQ(import->operation, Operation::kModelImport);
  EXPECT_EQ(import->operands, std::vector<std::string>{"a.gguf"});
  EXPECT_EQ(import->import_name, "n");
  EXPECT_EQ(import->output, "p");
  EXPECT_TRUE(import->force);
  EXPECT_EQ(Parse({"model", "list"})->operation, Operation::kModelList);
  EXPECT_EQ(Parse({"model", "info", "x"})->operation, Operation::kModelInfo);
  EXPECT_EQ(Parse({"model", "--help"})->operation, Operation::kHelp);
  EXPECT_NE(ParseError({"model"}), "");
  EXPECT_NE(ParseError({"model", "burn"}), "");
  EXPECT_EQ(ParseError({"model", "lst"}),
            "there is no 'model lst'; did you mean 'llma model list'?");
  EXPECT_NE(ParseError({"model", "import"}), "");
  EXPECT_NE(ParseError({"model", "info", "a", "b"}), "");
  EXPECT_NE(ParseError({"model", "list", "a"}), "");
  EXPECT_EQ(ParseError({"model", "list", "-x"}), "unknown option '-x'");
}

TEST(Options, ReadsSizes) {
  EXPECT_EQ(*ParseSize("-M", "100000"), 100000u);
  EXPECT_EQ(*ParseSize("-M", "1K"), 1024u);
  EXPECT_EQ(*ParseSize("-M", "3MB"), 3u << 20);
  EXPECT_EQ(*ParseSize("-M", "512MiB"), 512u << 20);
  for (const char* text : {"2K", "2k", "2KB", "2kB", "2KiB", "2kib", "2048B"}) {
    EXPECT_EQ(*ParseSize("-M", text), 2048u) << text;
  }
  EXPECT_EQ(*ParseSize("-M", "3g"), uint64_t{3} << 30);
  EXPECT_EQ(*ParseSize("-M", "16777215T"), uint64_t{16777215} << 40);
  for (const char* text : {"", "0", "G", "1x", "1.5G", "-1", "1 G", "1GG",
                           "1bb", "16777216T", "1iB", "99999999999999999999"}) {
    EXPECT_FALSE(ParseSize("-M", text)) << text;
  }
}

TEST(Options, HelpFitsOneScreen) {
  for (const char* command :
       {"llma", "llma model", "llma bench", "llma inspect"}) {
    const std::string help = CommandHelpText(command);
    EXPECT_TRUE(help.starts_with(std::string("Usage: ") + command)) << help;
    EXPECT_LE(std::count(help.begin(), help.end(), '\n'), 24) << command;
    size_t start = 0;
    while (start < help.size()) {
      const size_t end = help.find('\n', start);
      EXPECT_LE(end - start, 79u) << help.substr(start, end - start);
      start = end + 1;
    }
  }
}

TEST(Options, HelpIsOfTheCommand) {
  EXPECT_EQ(Parse({"bench", "--help"})->command, "llma bench");
  EXPECT_EQ(Parse({"inspect", "-h"})->command, "llma inspect");
  EXPECT_EQ(Parse({"model", "help"})->command, "llma model");
  EXPECT_EQ(Parse({"model", "list", "-h"})->command, "llma model");
  EXPECT_EQ(Parse({"-h"})->command, "llma");
}

}  // namespace
}  // namespace llma::cli
