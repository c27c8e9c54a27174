// SPDX-License-Identifier: Apache-2.0
// llma bench: how fast this machine is at each level, and where the time goes.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/file_io.h"
#include "base/thread_pool.h"
#include "cli/bench_text.h"
#include "cli/commands.h"
#include "cli/file_job.h"
#include "cli/model_lookup.h"
#include "cli/progress.h"
#include "codec/codec.h"
#include "codec/levels.h"
#include "kernels/int8_peak.h"
#include "kernels/kernel_table.h"

namespace llma::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPeakRounds = 40;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 256> line;
  std::snprintf(line.data(), line.size(), format, args...);
  return line.data();
}

uint64_t PeakMemoryBytes() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// One direction at one level.
struct Run {
  double seconds = 0;
  StageClock clock;
};

constexpr std::array<std::pair<Stage, const char*>, kNumStages> kStageNames = {{
    {Stage::kMatmul, "matrix products"},
    {Stage::kAttention, "attention"},
    {Stage::kElementwise, "norms, gates, quantising"},
    {Stage::kHead, "final layer"},
    {Stage::kTokenWeights, "weights of tokens"},
    {Stage::kCoding, "context models, coder"},
    {Stage::kOther, "tokenizer, checksums"},
}};

std::string StageTable(const Run& compress, const Run& decompress,
                       double peak) {
  std::string text = "\nshare of time             compress  decompress\n";
  for (const auto& [stage, name] : kStageNames) {
    text += Format("  %-24s %6.1f %%    %6.1f %%\n", name,
                   100 * compress.clock.seconds(stage) / compress.seconds,
                   100 * decompress.clock.seconds(stage) / decompress.seconds);
  }
  if (peak > 0) {
    const auto share = [&](const Run& run) {
      return 100 * static_cast<double>(run.clock.multiply_adds()) /
             run.seconds / peak;
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
  Bench(const Options& options, const Messages& messages, const Model* model,
        Bytes content, std::string name)
      : options_(options),
        messages_(messages),
        model_(model),
        content_(content),
        name_(std::move(name)),
        pool_(options.num_threads) {}

  Status RunAll() {
    LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
    const double peak_before = MeasurePeak(kernels->name);
    LLMA_TRY(Print(
        Format("%s: %zu bytes; threads: %d; kernels: %s\n\n", name_.c_str(),
               content_.size(), pool_.num_threads(), kernels->name) +
        "level     bytes  bits/byte    compress  decompress  tokens/s "
        "(c, d)  memory\n"));
    for (int level = options_.first_level; level <= options_.last_level;
         ++level) {
      LLMA_TRY(RunLevel(level));
    }
    if (compress_.clock.positions() == 0) return OkStatus();
    // Other programs can only make it look smaller.
    const double peak = std::max(peak_before, MeasurePeak(kernels->name));
    return Print(StageTable(compress_, decompress_, peak));
  }

 private:
  // int8 multiply-adds a second that all threads together can do; 0: not known.
  double MeasurePeak(const char* kernels) {
    const auto threads = static_cast<size_t>(pool_.num_threads());
    double best = 0;
    for (int round = 0; round < kPeakRounds; ++round) {
      std::vector<uint64_t> counts(threads);
      const Clock::time_point start = Clock::now();
      pool_.ParallelFor(threads, [&](size_t i) {
        for (int k = 0; k < 10; ++k) counts[i] += RunInt8PeakLoop(kernels);
      });
      const double seconds = SecondsSince(start);
      uint64_t count = 0;
      for (const uint64_t c : counts) count += c;
      best = std::max(best, static_cast<double>(count) / seconds);
    }
    return best;
  }

  Status RunLevel(int level) {
    compress_ = {};
    CompressOptions how;
    how.level = level;
    how.num_threads = options_.num_threads;
    how.num_lanes = options_.num_lanes;
    how.window_positions = options_.window_positions;
    how.clock = &compress_.clock;
    Clock::time_point start = Clock::now();
    LLMA_ASSIGN(const auto file, Compress(content_, model_, how));
    compress_.seconds = SecondsSince(start);

    decompress_ = {};
    DecompressOptions back;
    back.num_threads = options_.num_threads;
    back.clock = &decompress_.clock;
    start = Clock::now();
    LLMA_ASSIGN(const auto content, Decompress(file, model_, back));
    decompress_.seconds = SecondsSince(start);
    if (!std::ranges::equal(content, content_)) {
      return Error{ErrorCode::kInternal, "the content was not restored"};
    }
    return Print(LevelLine(level, file.size()));
  }

  std::string LevelLine(int level, size_t file_bytes) {
    const auto size = static_cast<double>(content_.size());
    const double tokens = static_cast<double>(compress_.clock.positions());
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
  const Model* model_;
  Bytes content_;
  std::string name_;
  ThreadPool pool_;  // of the peak; codecs have their own
  Run compress_, decompress_;
};

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
  std::unique_ptr<Model> model;
  if (SettingsOfLevel(options.last_level).uses_model) {
    auto opened = OpenModel(options.model);
    if (!opened) {
      return messages.ShowError(
          FormatError({}, opened.error()),
          options.model.empty() ? "--levels 1-2 need no model" : "");
    }
    model = *std::move(opened);
  }
  const Status status =
      Bench(options, messages, model.get(), content, name).RunAll();
  if (!status) return messages.ShowError(FormatError(name, status.error()));
  return kExitSuccess;
}

}  // namespace llma::cli
