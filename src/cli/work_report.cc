// SPDX-License-Identifier: Apache-2.0
#include "cli/work_report.h"

#include <time.h>

#include <algorithm>
#include <atomic>

#include "cli/messages.h"

namespace llma::cli {
namespace {

// An interruption is worth a line after this time, and a file after that.
constexpr uint64_t kMinToldSeconds = 10;
constexpr uint64_t kMinKeptSeconds = 60;

// A name that may be written while a handler reads it: what it shows may then
// be of both, and ends within the array.
class SafeName {
 public:
  void Set(std::string_view name) { SetPrintable(Printable(name)); }
  // Takes no memory: for destructors.
  void SetPrintable(std::string_view printable) {
    const size_t size = std::min(printable.size(), letters_.size() - 1);
    for (size_t i = 0; i < size; ++i) letters_[i] = printable[i];
    letters_[size] = '\0';
  }
  void AddTo(SafeLine& line) const {
    for (const auto& letter : letters_) {
      const char c = letter;
      if (c == '\0') break;
      line.Add({&c, 1});
    }
  }
  bool is_empty() const { return letters_[0] == '\0'; }

 private:
  std::array<std::atomic<char>, 320> letters_{};
};

struct State {
  SafeName name, part;
  std::atomic<int64_t> start_seconds = 0, part_start_seconds = 0;
  // Since when bytes are done: a reference is read before.
  std::atomic<int64_t> coding_start_seconds = 0;
  std::atomic<uint64_t> start_bytes = 0, done_bytes = 0, total_bytes = 0;
  std::atomic<uint64_t> num_frames_in_part = 0;
  std::atomic<Remains> remains = Remains::kUnsaid;
};
static_assert(std::atomic<char>::is_always_lock_free &&
              std::atomic<uint64_t>::is_always_lock_free &&
              std::atomic<Remains>::is_always_lock_free);
State state;

int64_t NowSeconds() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

uint64_t SecondsSince(int64_t start_seconds) {
  return static_cast<uint64_t>(
      std::max<int64_t>(NowSeconds() - start_seconds, 0));
}

// "62.5 % of 1.2 MB", or what is known.
void AddDone(SafeLine& line, uint64_t done, uint64_t total) {
  if (total == 0) {
    line.AddBytes(done);
    return;
  }
  const double tenths =
      1000 * static_cast<double>(done) / static_cast<double>(total);
  line.AddTenths(static_cast<uint64_t>(tenths)).Add(" % of ").AddBytes(total);
}

}  // namespace

SafeLine& SafeLine::Add(std::string_view text) {
  for (const char c : text) {
    if (size_ < text_.size()) text_[size_++] = c;
  }
  return *this;
}

SafeLine& SafeLine::AddNumber(uint64_t value) {
  char digits[20];
  size_t start = sizeof(digits);
  do {
    digits[--start] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return Add({digits + start, sizeof(digits) - start});
}

SafeLine& SafeLine::AddTenths(uint64_t tenths) {
  return AddNumber(tenths / 10).Add(".").AddNumber(tenths % 10);
}

SafeLine& SafeLine::AddBytes(uint64_t bytes) {
  if (bytes < 1000) return AddNumber(bytes).Add(" B");
  uint64_t tenths = bytes / 100;
  const char* unit = " KB";
  for (const char* next : {" MB", " GB", " TB"}) {
    if (tenths < 10000) break;
    tenths /= 1000;
    unit = next;
  }
  return AddTenths(tenths).Add(unit);
}

SafeLine& SafeLine::AddDuration(uint64_t seconds) {
  const auto add_two = [this](uint64_t value) {
    Add(value < 10 ? ":0" : ":").AddNumber(value);
  };
  const uint64_t minutes = seconds / 60;
  if (minutes < 60) {
    AddNumber(minutes);
  } else {
    AddNumber(minutes / 60);
    add_two(minutes % 60);
  }
  add_two(seconds % 60);
  return *this;
}

WorkReport::WorkReport(std::string_view name)
    : previous_start_seconds_(state.start_seconds),
      previous_coding_start_seconds_(state.coding_start_seconds),
      previous_start_(state.start_bytes),
      previous_done_(state.done_bytes),
      previous_total_(state.total_bytes) {
  SafeLine previous;
  state.name.AddTo(previous);
  previous_name_ = previous.text();
  SetProgress(0, 0, 0);
  state.start_seconds = NowSeconds();
  state.name.Set(name);
}

WorkReport::~WorkReport() {
  state.name.SetPrintable(previous_name_);
  state.start_seconds = previous_start_seconds_;
  SetProgress(previous_start_, previous_done_, previous_total_);
  state.coding_start_seconds = previous_coding_start_seconds_;
}

void WorkReport::SetProgress(uint64_t start_bytes, uint64_t done_bytes,
                             uint64_t total_bytes) {
  state.start_bytes = start_bytes;
  state.done_bytes = done_bytes;
  state.total_bytes = total_bytes;
  if (done_bytes <= start_bytes) state.coding_start_seconds = NowSeconds();
}

void SetRemains(Remains remains, std::string_view part) {
  state.remains = Remains::kUnsaid;
  state.num_frames_in_part = 0;
  state.part_start_seconds = NowSeconds();
  state.part.Set(part);
  state.remains = remains;
}

void CountFrameInPart() { ++state.num_frames_in_part; }

bool KeepsPart() {
  const Remains remains = state.remains;
  return remains == Remains::kPart ||
         (remains == Remains::kPartOfLongWork && state.num_frames_in_part > 0 &&
          SecondsSince(state.part_start_seconds) >= kMinKeptSeconds);
}

void DescribePart(SafeLine& line) {
  state.part.AddTo(line);
  line.Add(" is kept, and the same command ");
  if (state.remains != Remains::kPart) line.Add("with --resume ");
  line.Add("goes on with it");
}

bool DescribeProgress(SafeLine& line) {
  if (state.name.is_empty()) return false;
  const uint64_t elapsed = SecondsSince(state.start_seconds);
  const uint64_t done = state.done_bytes, total = state.total_bytes;
  const uint64_t start = state.start_bytes;
  line.Add("llma: ");
  state.name.AddTo(line);
  AddDone(line.Add(": "), done, total);
  line.Add(" after ").AddDuration(elapsed);
  const uint64_t coding = SecondsSince(state.coding_start_seconds);
  if (coding > 0 && done > start) {
    const double speed =
        static_cast<double>(done - start) / static_cast<double>(coding);
    line.Add(", ").AddBytes(static_cast<uint64_t>(speed)).Add("/s");
    if (total >= done) {
      line.Add(", ")
          .AddDuration(
              static_cast<uint64_t>(static_cast<double>(total - done) / speed))
          .Add(" left");
    }
  }
  return true;
}

bool DescribeInterruption(SafeLine& line, bool is_kept) {
  const uint64_t elapsed = SecondsSince(state.start_seconds);
  if (state.name.is_empty() || (!is_kept && elapsed < kMinToldSeconds)) {
    return false;
  }
  line.Add("llma: ");
  state.name.AddTo(line);
  AddDone(line.Add(": interrupted at "), state.done_bytes, state.total_bytes);
  line.Add(" after ").AddDuration(elapsed);
  const Remains remains = state.remains;
  if (is_kept) {
    DescribePart(line.Add("; "));
  } else if (remains != Remains::kUnsaid) {
    line.Add("; nothing is kept");
    if (remains == Remains::kPartOfLongWork && state.num_frames_in_part == 0) {
      line.Add(": no frame was complete");
    }
  }
  return true;
}

}  // namespace llma::cli
