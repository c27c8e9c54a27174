// SPDX-License-Identifier: Apache-2.0
// What signals tell of the work in hand: how far it is, and what is left of it
// when it ends there. Signal handlers may read all of it at any time; one
// thread writes the names, any thread the numbers.
#ifndef LLMA_CLI_WORK_REPORT_H_
#define LLMA_CLI_WORK_REPORT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llma::cli {

// A line in a fixed place, made without anything that a signal handler must not
// call. What does not fit is left out.
class SafeLine {
 public:
  SafeLine& Add(std::string_view text);
  SafeLine& AddNumber(uint64_t value);
  SafeLine& AddTenths(uint64_t tenths);     // "12.3"
  SafeLine& AddBytes(uint64_t bytes);       // "999 B", "1.0 KB", "32.9 MB"
  SafeLine& AddDuration(uint64_t seconds);  // "0:07", "1:02:03"
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 1024> text_;
  size_t size_ = 0;
};

// Work on one file, from here on until it is destroyed; then what was worked on
// before counts again.
class WorkReport {
 public:
  explicit WorkReport(std::string_view name);
  ~WorkReport();
  WorkReport(const WorkReport&) = delete;
  WorkReport& operator=(const WorkReport&) = delete;

  // `start_bytes` were done by an interrupted run.
  void SetProgress(uint64_t start_bytes, uint64_t done_bytes,
                   uint64_t total_bytes);

 private:
  std::string previous_name_;
  int64_t previous_start_seconds_, previous_coding_start_seconds_;
  uint64_t previous_start_, previous_done_, previous_total_;
};

// What an interruption leaves of the output.
enum class Remains {
  kUnsaid,          // of a pipe
  kNothing,         // of a file that is removed
  kPartOfLongWork,  // the file `part`, if that saves a minute of work
  kPart,            // that file in any case
};
// Another run can go on with `part`, which has frames and their checksums.
void SetRemains(Remains remains, std::string_view part = {});
// A frame is in that file.
void CountFrameInPart();
// Whether the part should be kept if the work ended now.
bool KeepsPart();
// "big.llma.part is kept, and ..."
void DescribePart(SafeLine& line);

// For signal handlers. False if nothing is worked on.
bool DescribeProgress(SafeLine& line);
// The same of an end now; `is_kept` is what KeepsPart() said. False if that is
// of no interest: after seconds, with nothing kept.
bool DescribeInterruption(SafeLine& line, bool is_kept);

}  // namespace llma::cli

#endif  // LLMA_CLI_WORK_REPORT_H_
