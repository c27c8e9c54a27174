// SPDX-License-Identifier: Apache-2.0
// Passes over the rows of all decoders of an engine that wait for one. While
// the device runs a pass, those whose results are there go on and come again;
// so it is never idle for long, and launches are shared by many rows.
#ifndef LLMA_ENGINE_OPENCL_DECODE_PASSES_H_
#define LLMA_ENGINE_OPENCL_DECODE_PASSES_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "engine/opencl/device_pass.h"
#include "engine/opencl/key_values.h"
#include "engine/opencl/session_streams.h"

namespace llma::opencl {

// What comes back of a pass. Single weights are not there: from `hidden` the
// few that are asked for can be computed.
struct PassResults {
  AlignedBuffer<uint64_t> block_sums;  // [row, block]
  AlignedBuffer<float> largest;        // [row]: the largest logit
  AlignedBuffer<int8_t> hidden;        // [row, dim]
  AlignedBuffer<float> hidden_scales;  // [row, dim / kGroupSize]
};

// Thread-safe. What it is made of must outlive it.
class DecodePasses {
 public:
  // What one session brings to a pass, and gets.
  struct Member {
    std::vector<RowInfo> rows = {};
    std::vector<MoveInfo> moves = {};  // before them
    // Before these, all streams start so.
    const OpenClStreamStart* start = nullptr;
    KeyValues::Part part = {};

    std::shared_ptr<const PassResults> results = {};
    uint32_t first_row = 0;  // of its own
    Status status = OkStatus();
    // Of the passes.
    bool is_done = false;
    std::condition_variable wake = {};
  };

  // Closes a session.
  struct Closer {
    uint32_t max_rows = 0;
    KeyValues::Part part = {};
    void operator()(DecodePasses* passes) const {
      passes->Close(max_rows, part);
    }
  };
  // The room of a session that is open.
  using Place = std::unique_ptr<DecodePasses, Closer>;

  static Result<std::unique_ptr<DecodePasses>> Create(
      const Device& device, const Model& model, const DeviceWeights& weights);

  // Room for a session. Where there is none, it waits as long as others are
  // open, whose callers must not wait for this one; then it is kMemory. Once
  // the device has failed, that is the error.
  Result<Place> Open(const SessionShape& shape);
  // Returns when a pass with the member's rows is done. Its error is that of
  // all who were in it, and, where the device has failed, of all who come
  // later; then nothing of them is left on it.
  Status Run(Member& member);

  // Members whose rows no pass has yet.
  size_t num_waiting();

  // Of this machine, that a row's results take.
  static uint64_t RowBytes(const ModelConfig& config);

 private:
  // More rows go into several passes, which take about as long together.
  static constexpr uint32_t kMaxPassRows = 1024;

  DecodePasses(const Device& device, const Model& model,
               const DeviceWeights& weights)
      : device_(device),
        model_(model),
        weights_(weights),
        key_values_(device, model) {}

  Result<KeyValues::Part> TryToOpen(const SessionShape& shape);
  Status MakeRoom(const SessionShape& shape);
  void Close(uint32_t max_rows, const KeyValues::Part& part) noexcept;
  // What is on the device, and of no use any more.
  void Release();
  // All that follows is done by one thread at a time.
  void RunAll(std::span<Member* const> members) noexcept;
  Status RunPass(std::span<Member* const> members, PassResults& results);
  std::shared_ptr<PassResults> FreeResults();

  const Device& device_;
  const Model& model_;
  const DeviceWeights& weights_;

  std::mutex mutex_;
  bool is_running_ = false;  // a pass, without the lock
  uint32_t num_sessions_ = 0;
  uint32_t num_rows_ = 0;         // that their passes may have
  uint32_t num_opening_ = 0;      // that wait for a pass to end
  std::vector<Member*> waiting_;  // for the next pass
  std::vector<Member*> running_;
  Status failure_ = OkStatus();       // of the device
  std::condition_variable ended_;     // a pass
  std::condition_variable closed_;    // a session, or the device has failed
  std::condition_variable all_came_;  // who can
  std::chrono::steady_clock::duration pass_time_{};  // of the last one

  KeyValues key_values_;
  std::unique_ptr<DevicePass> pass_;
  uint32_t max_rows_ = 0, window_positions_ = 0;  // of it
  std::vector<RowInfo> rows_;
  std::vector<MoveInfo> moves_;
  // Results that no session has, for passes to come. Sessions may outlive it.
  struct FreeList {
    std::mutex mutex;
    std::vector<std::unique_ptr<PassResults>> results;
  };
  const std::shared_ptr<FreeList> free_ = std::make_shared<FreeList>();
  std::unique_ptr<Queue> queue_;  // ends before the memory goes
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_DECODE_PASSES_H_
