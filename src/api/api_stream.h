// SPDX-License-Identifier: Apache-2.0
// What encoder and decoder handles share: output that waits for room, and
// errors that are final.
#ifndef LLMA_API_API_STREAM_H_
#define LLMA_API_API_STREAM_H_

#include <atomic>
#include <optional>
#include <vector>

#include "api/api_error.h"
#include "base/checksum.h"
#include "base/stage_clock.h"
#include "codec/callbacks.h"
#include "platform/machine/process.h"

namespace llma::api {

// Input goes on in parts of this size, so that a call does little more than one
// frame, and the output that waits stays small.
inline constexpr size_t kPartBytes = 4096;

// Output that was made and not yet given out. Thread-compatible.
class Pending {
 public:
  ByteSink sink() {
    return [this](Bytes bytes) {
      bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
      return OkStatus();
    };
  }
  bool empty() const { return used_ == bytes_.size(); }
  void GiveTo(llma_output& output) {
    const size_t size =
        std::min(output.size_bytes - output.used_bytes, bytes_.size() - used_);
    if (size > 0) {
      std::memcpy(static_cast<uint8_t*>(output.data) + output.used_bytes,
                  bytes_.data() + used_, size);
    }
    output.used_bytes += size;
    used_ += size;
    if (!empty()) return;
    bytes_.clear();
    used_ = 0;
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
};

// Moves a stream on. `Stream` has Add(Bytes), Flush() and Finish(), which put
// output into the Pending; is_done() if it needs no more, and the last
// unread_bytes() of what was added are not its own.
template <class Stream>
class StreamDriver {
 public:
  Result<llma_status> Run(Stream& stream, Pending& pending, llma_input* input,
                          llma_output* output, llma_action action) {
    LLMA_REQUIRE(output);
    if (output->used_bytes > output->size_bytes ||
        (output->data == nullptr && output->size_bytes > 0)) {
      return Usage("a buffer that makes no sense");
    }
    LLMA_TRY(LoadUnused(input));
    LLMA_TRY(CheckProcess());
    if (action < LLMA_RUN || action > LLMA_FINISH) {
      return Usage("there is no such action");
    }
    if (has_ended_) return Usage("the stream has ended");
    const auto left = [&] {
      return input == nullptr ? 0 : input->size_bytes - input->used_bytes;
    };
    if (is_finished_ && left() > 0 && !stream.is_done()) {
      return Usage("input after the end");
    }
    const size_t used_before = output->used_bytes;
    for (;;) {
      pending.GiveTo(*output);
      if (!pending.empty()) return LLMA_NEED_OUTPUT;
      if (error_) return *error_;
      if (is_finished_) {
        has_ended_ = true;
        return LLMA_OK;
      }
      if (output->used_bytes > used_before && left() > 0) {
        return LLMA_NEED_OUTPUT;  // the caller may have it now
      }
      if (left() > 0) {
        const size_t size = std::min(left(), kPartBytes);
        const Bytes part(
            static_cast<const uint8_t*>(input->data) + input->used_bytes, size);
        is_flushed_ = false;
        Keep([&] { return stream.Add(part); });
        input->used_bytes += size;
        if (!error_ && stream.is_done()) {
          input->used_bytes -= stream.unread_bytes();
          Keep([&] { return stream.Finish(); });
          is_finished_ = !error_;
        }
      } else if (action == LLMA_FINISH) {
        Keep([&] { return stream.Finish(); });
        is_finished_ = !error_;
      } else if (action == LLMA_FLUSH && !is_flushed_) {
        Keep([&] { return stream.Flush(); });
        is_flushed_ = !error_;
      } else {
        return action == LLMA_FLUSH ? LLMA_OK : LLMA_NEED_INPUT;
      }
    }
  }
  // A child of fork() has none of the threads that may be at work for it, and
  // would wait for them without end.
  bool is_of_this_process() const { return ProcessId() == process_; }
  Status CheckProcess() const {
    if (is_of_this_process()) return OkStatus();
    return Usage(
        "the stream was made before a fork; this process needs one of its own");
  }
  bool has_started() const { return !is_flushed_ || is_finished_ || error_; }
  // For what is done beside Run(), which gives out what it makes. An error is
  // final.
  template <class Step>
  Status Do(const Step& step) {
    LLMA_TRY(CheckProcess());
    if (error_) return *error_;
    if (is_finished_) return Usage("the stream has ended");
    is_flushed_ = false;
    Keep(step);
    if (error_) return *error_;
    return OkStatus();
  }

 private:
  // Whatever ends a step too early, for the stream may be between two states.
  template <class Step>
  void Keep(const Step& step) {
    try {
      const Status status = step();
      if (!status) error_ = status.error();
    } catch (const std::bad_alloc&) {
      error_.emplace(Error{ErrorCode::kMemory, {}});
    } catch (...) {
      error_.emplace(Error{ErrorCode::kInternal, {}});
    }
  }

  const int64_t process_ = ProcessId();
  std::optional<Error> error_;
  bool is_flushed_ = true;
  bool is_finished_ = false;
  bool has_ended_ = false;  // and its caller knows
};

inline llma_stats StatsOf(const StageClock& clock) {
  llma_stats stats{};
  static_assert(LLMA_NUM_STAGES == kNumStages);
  for (size_t i = 0; i < kNumStages; ++i) {
    stats.seconds[i] = clock.seconds(static_cast<Stage>(i));
  }
  stats.multiply_adds = clock.multiply_adds();
  stats.positions = clock.positions();
  return stats;
}

}  // namespace llma::api

#endif  // LLMA_API_API_STREAM_H_
