// SPDX-License-Identifier: Apache-2.0
// The line that shows how far the work is, with speed and time left.
#ifndef LLMA_CLI_PROGRESS_H_
#define LLMA_CLI_PROGRESS_H_

#include <llma/llma.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "cli/messages.h"
#include "cli/work_report.h"

namespace llma::cli {

std::string FormatBytes(double bytes);       // "999 B", "1.00 KB", "32.9 MB"
std::string FormatDuration(double seconds);  // "0:07", "12:34", "1:02:03"
std::string FormatRoughly(double seconds);   // "5 min", "1 h 10 min", "3 days"

// At most `num_columns` wide; the name gives way first. `start_bytes` were done
// before, the others in `coding_seconds`.
std::string FormatProgress(const std::string& name,
                           const llma_progress& progress, uint64_t start_bytes,
                           double coding_seconds, size_t num_columns);

// "dce.txt: 294328 -> 32927 bytes, 0.895 bits per byte, 12.3 s, 23.9 KB/s"
std::string FormatSummary(const std::string& name, uint64_t content_bytes,
                          uint64_t coded_bytes, bool compressing,
                          double elapsed_seconds);

// "dce.txt: frame 3: 2097152 -> 301234 bytes, 8 lanes, window 768"
std::string FormatFrame(const std::string& name, uint64_t number,
                        const llma_frame_info& frame);

// "big.txt: takes about 1 h 10 min: 52.4 MB at 12.0 KB/s". Empty if the work
// takes less than some minutes, or it is not known how long.
std::string FormatForecast(const std::string& name,
                           const llma_progress& progress, uint64_t start_bytes,
                           double coding_seconds);

// Rewrites its line on standard error a few times a second, if that is a
// terminal; wipes it when destroyed. Says once how long big work takes, there
// or with -v. Tells signal handlers of it. Outlives its callback.
class ProgressMeter {
 public:
  ProgressMeter(std::string name, const Messages& messages);
  ~ProgressMeter();
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;

  std::function<bool(const llma_progress&)> callback();
  // After something else was printed.
  void Redraw();
  double elapsed_seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Show(const llma_progress& progress);

  std::string name_;
  const Messages messages_;
  const bool is_terminal_;
  bool has_forecast_ = false;
  WorkReport report_;
  std::optional<uint64_t> start_bytes_;  // done by an interrupted run
  std::mutex mutex_;
  std::string shown_;  // the line
  Clock::time_point start_ = Clock::now();
  // Since when bytes are done: a reference is read before, and says nothing of
  // the speed.
  Clock::time_point coding_start_ = start_;
  Clock::time_point next_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_PROGRESS_H_
