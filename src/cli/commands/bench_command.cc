// SPDX-License-Identifier: Apache-2.0
// llma bench: how fast this machine is at each level, and where the time goes.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <llma/llma.hpp>
#include <optional>
#include <string>

#include "cli/commands/bench_text.h"
#include "cli/commands/commands.h"
#include "cli/files/file_job.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "platform/descriptors.h"
#include "platform/machine/processors.h"

namespace llma::cli {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One direction at one level.
struct Run {
  double seconds = 0;
  llma_stats stats{};
};

// [llma_stage]
constexpr std::array<const char*, LLMA_NUM_STAGES> kStageNames = {
    "matrix products",
    "attention",
    "norms, gates, quantising",
    "final layer",
    "weights of tokens",
    "context models, coder",
    "tokenizer, learning, checksums",
};

std::string StageTable(const Run& compress, const Run& decompress,
                       double peak) {
  std::string text = "\nshare of time             compress  decompress\n";
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    text += Format("  %-24s %6.1f %%    %6.1f %%\n", kStageNames[i],
                   100 * compress.stats.seconds[i] / compress.seconds,
                   100 * decompress.stats.seconds[i] / decompress.seconds);
  }
  if (peak > 0) {
    const auto share = [&](const Run& run) {
      return 100 * static_cast<double>(run.stats.multiply_adds) / run.seconds /
             peak;
    };
    text += Format("share of the int8 peak      %5.1f %%    %6.1f %%\n",
                   share(compress), share(decompress));
    text += Format("int8 peak of this machine: %.0f G multiply-adds/s\n",
                   peak * 1e-9);
  }
  return text;
}

class Bench {
 public:
  // `how`: with the model, if one is needed.
  Bench(const Options& options, const Messages& messages, llma::Options how,
        Bytes content, std::string name)
      : options_(options),
        messages_(messages),
        how_(std::move(how)),
        content_(content),
        name_(std::move(name)),
        num_threads_(options.num_threads > 0
                         ? static_cast<uint32_t>(options.num_threads)
                         : llma_num_processors()) {}

  Status RunAll() {
    LLMA_ASSIGN(const std::string kernels, UsedKernels());
    LLMA_ASSIGN(const double peak_before,
                MeasureInt8Peak(kernels, num_threads_));
    LLMA_TRY(Print(
        Format("%s: %zu bytes; threads: %u; kernels: %s\n\n", name_.c_str(),
               content_.size(), num_threads_, kernels.c_str()) +
        "level     bytes  bits/byte    compress  decompress  tokens/s "
        "(c, d)  memory\n"));
    for (int level = options_.first_level; level <= options_.last_level;
         ++level) {
      LLMA_TRY(RunLevel(level));
    }
    if (compress_.stats.positions == 0) return OkStatus();
    // Other programs can only make it look smaller.
    LLMA_ASSIGN(const double peak, MeasureInt8Peak(kernels, num_threads_));
    return Print(
        StageTable(compress_, decompress_, std::max(peak_before, peak)));
  }

 private:
  // All of `from` through an encoder or decoder.
  template <class Stream>
  Result<std::vector<uint8_t>> Time(Bytes from, Run& run) {
    const Clock::time_point start = Clock::now();
    LLMA_ASSIGN(Stream stream, Stream::Create(how_));
    std::vector<uint8_t> to;
    const auto sink = [&to](Bytes bytes) {
      to.insert(to.end(), bytes.begin(), bytes.end());
      return OkStatus();
    };
    LLMA_TRY(stream.Append(from, sink));
    LLMA_TRY(stream.Finish(sink));
    run = {SecondsSince(start), stream.stats()};
    return to;
  }

  Status RunLevel(int level) {
    LLMA_TRY(how_.Set(LLMA_OPTION_LEVEL, static_cast<uint64_t>(level)));
    LLMA_ASSIGN(const auto file, Time<Encoder>(content_, compress_));
    LLMA_ASSIGN(const auto content, Time<Decoder>(file, decompress_));
    if (!std::ranges::equal(content, content_)) {
      return Error{ErrorCode::kInternal, "the content was not restored"};
    }
    return Print(LevelLine(level, file.size()));
  }

  std::string LevelLine(int level, size_t file_bytes) {
    const auto size = static_cast<double>(content_.size());
    const double tokens = static_cast<double>(compress_.stats.positions);
    std::string line =
        Format("   -%d %9zu %10.3f %9s/s %9s/s", level, file_bytes,
               8 * static_cast<double>(file_bytes) / std::max(1.0, size),
               FormatBytes(size / compress_.seconds).c_str(),
               FormatBytes(size / decompress_.seconds).c_str());
    if (tokens > 0) {
      line += Format("  %6.0f %6.0f", tokens / compress_.seconds,
                     tokens / decompress_.seconds);
    } else {
      line += Format("  %13s", "-");
    }
    return line +
           Format("  %6s\n",
                  FormatBytes(static_cast<double>(PeakMemoryBytes())).c_str());
  }

  Status Print(const std::string& text) {
    if (PrintOut(messages_, text) == kExitSuccess) return OkStatus();
    return Error{ErrorCode::kIo, "standard output: cannot write"};
  }

  const Options& options_;
  const Messages& messages_;
  llma::Options how_;
  Bytes content_;
  std::string name_;
  uint32_t num_threads_;
  Run compress_, decompress_;
};

Result<llma::Options> BenchOptions(const Options& options,
                                   size_t content_bytes) {
  LLMA_ASSIGN(llma::Options how, MakeOptions(options));
  LLMA_TRY(how.Set(LLMA_OPTION_STATS, 1));
  LLMA_TRY(how.Set(LLMA_OPTION_TOTAL_BYTES, content_bytes));
  if (llma_level_uses_model(options.last_level) == 0) return how;
  LLMA_ASSIGN(const Model model, Model::Open(options.model));
  LLMA_TRY(how.SetModel(model));
  return how;
}

}  // namespace

int RunBench(const Options& options, const Messages& messages) {
  std::vector<uint8_t> content;
  std::string name = "a short text";
  if (options.operands.empty()) {
    const std::string_view text = BenchText();
    content.assign(text.begin(), text.end());
  } else {
    name = options.operands[0];
    auto bytes = ReadFile(name);
    if (!bytes) return Fail(messages, name, bytes.error());
    content = *std::move(bytes);
  }
  auto how = BenchOptions(options, content.size());
  if (!how) {
    return messages.ShowError(
        FormatError({}, how.error()),
        options.model.empty() ? "--levels 1-2 need no model" : "");
  }
  const Status status =
      Bench(options, messages, *std::move(how), content, name).RunAll();
  if (!status) return messages.ShowError(FormatError(name, status.error()));
  return kExitSuccess;
}

}  // namespace llma::cli
