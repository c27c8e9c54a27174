// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/memory_fit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/progress.h"

namespace llma::cli {
namespace {

constexpr uint64_t kMinFrameBytes = 64 << 10;
constexpr uint64_t kMinWindow = 128;
constexpr uint64_t kWindowGranularity = 16;

// One setting that may be halved.
struct Setting {
  llma_option option;
  uint64_t given;   // 0: the level's
  uint64_t before;  // what that means
  uint64_t now;
  uint64_t least;
  uint64_t granularity;

  uint64_t half() const { return now / 2 / granularity * granularity; }
  bool CanBeLower() const { return half() >= least; }
};

// "4 lanes, not 64"
std::string Describe(const Setting& setting) {
  const auto text = [&](uint64_t value) {
    return setting.option == LLMA_OPTION_FRAME_BYTES
               ? FormatBytes(static_cast<double>(value))
               : std::to_string(value);
  };
  const char* const name = setting.option == LLMA_OPTION_LANES ? "lanes "
                           : setting.option == LLMA_OPTION_WINDOW
                               ? "window "
                               : "frame size ";
  return name + text(setting.now) + " instead of " + text(setting.before);
}

}  // namespace

Result<std::string> FitToMemory(llma::Options& options,
                                uint64_t content_bytes) {
  LLMA_ASSIGN(const uint64_t limit, options.Get(LLMA_OPTION_MEMORY_BYTES));
  LLMA_ASSIGN(const llma_level_info first, LevelInfo(options, content_bytes));
  uint64_t needed = first.compress_bytes;
  if (needed <= limit) return std::string();
  LLMA_ASSIGN(const uint64_t learn, options.Get(LLMA_OPTION_LEARN));
  if (first.learns != 0) {
    LLMA_TRY(options.Set(LLMA_OPTION_LEARN, LLMA_LEARN_NEVER));
    LLMA_ASSIGN(const llma_level_info lower, LevelInfo(options, content_bytes));
    needed = lower.compress_bytes;
  }
  const uint64_t frame_bytes = content_bytes == 0
                                   ? first.frame_bytes
                                   : std::min(first.frame_bytes, content_bytes);
  std::vector<Setting> settings = {{LLMA_OPTION_FRAME_BYTES, 0, frame_bytes,
                                    frame_bytes, kMinFrameBytes, 1}};
  if (first.uses_model != 0) {
    settings.push_back({LLMA_OPTION_WINDOW, 0, first.window, first.window,
                        kMinWindow, kWindowGranularity});
    settings.push_back(
        {LLMA_OPTION_LANES, 0, first.max_lanes, first.max_lanes, 1, 1});
  }
  for (Setting& setting : settings) {
    LLMA_ASSIGN(setting.given, options.Get(setting.option));
  }
  // A level has few lanes where there is little content; others are as many as
  // they are said to be.
  if (first.uses_model != 0 && settings.back().given == 0) settings.pop_back();
  while (needed > limit) {
    Setting* best = nullptr;
    uint64_t least = 0;
    for (Setting& setting : settings) {
      if (!setting.CanBeLower()) continue;
      LLMA_TRY(options.Set(setting.option, setting.half()));
      LLMA_ASSIGN(const llma_level_info lower,
                  LevelInfo(options, content_bytes));
      LLMA_TRY(options.Set(setting.option, setting.now < setting.before
                                               ? setting.now
                                               : setting.given));
      if (best == nullptr || lower.compress_bytes < least) {
        best = &setting;
        least = lower.compress_bytes;
      }
    }
    if (best == nullptr) break;
    best->now = best->half();
    LLMA_TRY(options.Set(best->option, best->now));
    needed = least;
  }
  std::string text = first.learns != 0 ? "no learning" : "";
  if (needed > limit) {
    text.clear();
    LLMA_TRY(options.Set(LLMA_OPTION_LEARN, learn));
  }
  for (const Setting& setting : settings) {
    if (needed > limit) {
      LLMA_TRY(options.Set(setting.option, setting.given));
    } else if (setting.now < setting.before) {
      text += (text.empty() ? "" : ", ") + Describe(setting);
    }
  }
  return text;
}

}  // namespace llma::cli
