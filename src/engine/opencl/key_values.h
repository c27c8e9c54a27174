// SPDX-License-Identifier: Apache-2.0
// Keys and values of the streams of some sessions, in arrays that they share,
// so that one launch of a kernel is for all of them.
#ifndef LLMA_ENGINE_OPENCL_KEY_VALUES_H_
#define LLMA_ENGINE_OPENCL_KEY_VALUES_H_

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "engine/opencl/opencl_device.h"
#include "model/model.h"

namespace llma::opencl {

// Head of kernels.cl.
struct HeadInfo {
  uint32_t window;
  uint32_t num_slots;
  uint32_t first_slot;
  uint32_t keeps_sinks;
};

// Move of kernels.cl.
struct MoveInfo {
  uint64_t first_slot;
  uint64_t begin;
  uint32_t first_head;
  uint32_t count;
  uint32_t kept[kMaxTreeTokens];
};

// Thread-compatible. The device and the model must outlive it.
class KeyValues {
 public:
  // What a session has.
  struct Part {
    uint64_t first_slot = 0;
    uint64_t stream_slots = 0;
    uint32_t num_streams = 0;
    uint32_t first_head = 0;
    uint64_t FirstSlot(uint32_t stream) const {
      return first_slot + stream * stream_slots;
    }
    uint64_t end() const { return FirstSlot(num_streams); }
  };

  KeyValues(const Device& device, const Model& model)
      : device_(device), model_(model), config_(model.config()) {}

  // Makes room, and `queue`, which all work with it goes through, fills tables.
  // kMemory if there is none.
  Result<Part> Add(const SessionShape& shape, Queue& queue);
  // Its work must be done.
  void Remove(const Part& part) noexcept;
  // All memory, of which no part is in use any more.
  void Release();

  // All streams of a part start as the first one of another, of whatever
  // KeyValues of the model, that has `num_positions`.
  void CopyStream(const Part& to, const KeyValues& from, const Part& from_part,
                  uint64_t num_positions, Queue& queue) const;
  // Positions of trees that stay.
  Status Move(std::span<const MoveInfo> moves, Queue& queue);

  const Buffer& keys() const { return keys_; }
  const Buffer& low_keys() const { return low_keys_; }
  const Buffer& values() const { return values_; }
  const Buffer& scales() const { return scales_; }
  const Buffer& heads() const { return heads_; }            // HeadInfo
  const Buffer& sink_ropes() const { return sink_ropes_; }  // of each head

 private:
  uint32_t all_heads() const {
    return config_.num_layers * config_.num_kv_heads;
  }
  bool has_wide_keys() const { return config_.key_width == KeyWidth::k15Bits; }
  Status Grow(Buffer& buffer, uint64_t size_bytes, Queue& queue) const;
  Status GrowTo(uint64_t num_slots, Queue& queue);
  Status FillTables(const SessionShape& shape, const Part& part, Queue& queue);

  const Device& device_;
  const Model& model_;
  const ModelConfig& config_;
  uint64_t num_slots_ = 0;   // that there is room for
  uint32_t num_tables_ = 0;  // the same, of heads
  std::vector<Part> parts_;  // by first_slot
  Buffer keys_, low_keys_, values_, scales_;
  Buffer heads_, sink_ropes_;
  Buffer moves_;
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_KEY_VALUES_H_
