// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/byte_text.h"
#include "cli/format.h"
#include "cli/messages.h"
#include "platform/descriptors.h"

namespace llma::cli {
namespace {

constexpr auto kFirstDelay = std::chrono::milliseconds(300);
constexpr size_t kMinBarColumns = 8;
constexpr size_t kMaxBarColumns = 28;
// Until then a speed says little; shorter work needs no forecast.
constexpr double kForecastDelaySeconds = 5;
constexpr double kMinForecastSeconds = 180;
constexpr auto kInterval = std::chrono::milliseconds(200);

// " [#####-----]", `num_columns` wide.
std::string Bar(double share, size_t num_columns) {
  const size_t width = num_columns - 3;
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) *
                                          static_cast<double>(width));
  return " [" + std::string(filled, '#') + std::string(width - filled, '-') +
         "]";
}

size_t NumColumns() { return TerminalColumns().value_or(80); }

void WriteToTerminal(const std::string& text) {
  (void)WriteAll(kStandardError, AsBytes(text)).has_value();
}

}  // namespace

std::string FormatBytes(double bytes) {
  if (bytes < 999.5) return Format("%.0f B", bytes);
  const char* unit = "KB";
  bytes /= 1000;
  for (const char* next : {"MB", "GB", "TB"}) {
    if (bytes < 999.5) break;
    bytes /= 1000;
    unit = next;
  }
  const int decimals = bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0;
  return Format("%.*f %s", decimals, bytes, unit);
}

std::string FormatDuration(double seconds) {
  if (!(seconds < 3.6e6)) return "?";  // more than 1,000 hours, or unknown
  const auto total = static_cast<long>(std::lround(seconds));
  if (total < 3600) return Format("%ld:%02ld", total / 60, total % 60);
  return Format("%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
}

std::string FormatRoughly(double seconds) {
  const double minutes = std::max(1.0, std::round(seconds / 60));
  if (minutes < 60) return Format("%.0f min", minutes);
  if (minutes < 48 * 60) {
    const double hours = std::floor(minutes / 60);
    return Format("%.0f h %.0f min", hours, minutes - 60 * hours);
  }
  return Format("%.0f days", minutes / (24 * 60));
}

std::string FormatForecast(const std::string& name,
                           const llma_progress& progress, uint64_t start_bytes,
                           double coding_seconds) {
  if (progress.done_bytes <= start_bytes || coding_seconds <= 0 ||
      progress.total_bytes <= progress.done_bytes) {
    return {};
  }
  const auto total = static_cast<double>(progress.total_bytes - start_bytes);
  const double speed =
      static_cast<double>(progress.done_bytes - start_bytes) / coding_seconds;
  if (total / speed < kMinForecastSeconds) return {};
  return name + ": takes about " + FormatRoughly(total / speed) + ": " +
         FormatBytes(total) + " at " + FormatBytes(speed) + "/s";
}

std::string FormatProgress(const std::string& name,
                           const llma_progress& progress, uint64_t start_bytes,
                           double coding_seconds, size_t num_columns) {
  const auto done = static_cast<double>(progress.done_bytes);
  const auto total = static_cast<double>(progress.total_bytes);
  std::string text = total > 0 ? Format(" %5.1f %%", 100 * done / total)
                               : " " + FormatBytes(done);
  if (progress.done_bytes > start_bytes && coding_seconds > 0) {
    const double speed =
        static_cast<double>(progress.done_bytes - start_bytes) / coding_seconds;
    if (progress.coded_bytes > 0) {
      text += Format(", %.3f bits per byte",
                     8 * static_cast<double>(progress.coded_bytes) / done);
    }
    text += ", " + FormatBytes(speed) + "/s, " +
            (total > 0 ? FormatDuration((total - done) / speed) + " left"
                       : FormatDuration(coding_seconds));
  }
  std::string shown = Printable(name);
  // One column stays free, or some terminals wrap; one is for the colon.
  const size_t room =
      num_columns > text.size() + 2 ? num_columns - text.size() - 2 : 0;
  if (shown.size() > room) {
    shown = room < 4 ? "" : "..." + shown.substr(shown.size() - (room - 3));
  }
  shown += ':';
  const size_t spare_columns = room + 1 - std::min(room + 1, shown.size());
  if (total > 0 && spare_columns >= kMinBarColumns) {
    shown += Bar(done / total, std::min(spare_columns, kMaxBarColumns));
  }
  return (shown + text).substr(0, std::max<size_t>(num_columns, 1) - 1);
}

std::string FormatSummary(const std::string& name, uint64_t content_bytes,
                          uint64_t coded_bytes, bool compressing,
                          double elapsed_seconds) {
  const uint64_t from = compressing ? content_bytes : coded_bytes;
  const uint64_t to = compressing ? coded_bytes : content_bytes;
  std::string text = name + ": " + std::to_string(from) + " -> " +
                     std::to_string(to) + " bytes";
  const auto content = static_cast<double>(content_bytes);
  if (content_bytes > 0) {
    text += Format(", %.3f bits per byte",
                   8 * static_cast<double>(coded_bytes) / content);
  }
  text += Format(", %.1f s", elapsed_seconds);
  if (elapsed_seconds > 0) {
    text += ", " + FormatBytes(content / elapsed_seconds) + "/s";
  }
  return text;
}

std::string FormatFrame(const std::string& name, uint64_t number,
                        const llma_frame_info& frame) {
  std::string text = name + ": frame " + std::to_string(number) + ": " +
                     std::to_string(frame.content_bytes) + " -> " +
                     std::to_string(frame.frame_bytes) + " bytes, ";
  switch (frame.kind) {
    case LLMA_FRAME_STORED:
      return text + "stored";
    case LLMA_FRAME_CONTEXTS:
      return text + "context models alone";
    default:
      return text + std::to_string(frame.num_lanes) + " lanes, window " +
             std::to_string(frame.window) +
             (frame.learns != 0 ? ", learning" : "");
  }
}

ProgressMeter::ProgressMeter(std::string name, const Messages& messages)
    : name_(std::move(name)),
      messages_(messages),
      is_terminal_(messages.verbosity() >= 1 &&
                   llma::IsTerminal(kStandardError)),
      report_(name_),
      next_(start_ + kFirstDelay) {}

ProgressMeter::~ProgressMeter() {
  if (shown_.empty()) return;
  WriteToTerminal("\r\033[K");
  SetProgressShown(false);
}

std::function<bool(const llma_progress&)> ProgressMeter::callback() {
  return [this](const llma_progress& progress) {
    Show(progress);
    return true;
  };
}

double ProgressMeter::elapsed_seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressMeter::Redraw() {
  const std::lock_guard lock(mutex_);
  if (!shown_.empty()) WriteToTerminal(shown_);
}

void ProgressMeter::Show(const llma_progress& progress) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (!start_bytes_) start_bytes_ = progress.done_bytes;  // it begins
  if (progress.done_bytes <= *start_bytes_) coding_start_ = now;
  const double coding_seconds =
      std::chrono::duration<double>(now - coding_start_).count();
  report_.SetProgress(*start_bytes_, progress.done_bytes, progress.total_bytes);
  if (now < next_) return;
  next_ = now + kInterval;
  if (!has_forecast_ && progress.done_bytes > *start_bytes_ &&
      coding_seconds >= kForecastDelaySeconds) {
    has_forecast_ = true;
    const std::string text =
        FormatForecast(name_, progress, *start_bytes_, coding_seconds);
    if (!text.empty() && (is_terminal_ || messages_.verbosity() >= 2)) {
      messages_.ShowNote(text);
    }
  }
  if (!is_terminal_) return;
  shown_ = "\r" +
           FormatProgress(name_, progress, *start_bytes_, coding_seconds,
                          NumColumns()) +
           "\033[K";
  WriteToTerminal(shown_);
  SetProgressShown(true);
}

}  // namespace llma::cli
