// SPDX-License-Identifier: Apache-2.0
// What the streams of a session have read, and the rows of what comes next.
#ifndef LLMA_ENGINE_OPENCL_SESSION_STREAMS_H_
#define LLMA_ENGINE_OPENCL_SESSION_STREAMS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/opencl/device_pass.h"
#include "engine/opencl/key_values.h"

namespace llma::opencl {

struct OpenClStreamStart : StreamStart {
  OpenClStreamStart(const Device& device, const Model& model)
      : key_values(device, model) {}
  KeyValues key_values;
  KeyValues::Part part;
  uint64_t num_positions = 0;
};

// Thread-compatible.
class SessionStreams {
 public:
  explicit SessionStreams(const KeyValues::Part& part)
      : part_(part),
        num_positions_(part.num_streams),
        num_run_(part.num_streams) {}

  const KeyValues::Part& part() const { return part_; }
  uint64_t num_positions(uint32_t stream) const {
    return num_positions_[stream];
  }

  // All go on as that one did, whose positions still are to be copied.
  void StartAs(const OpenClStreamStart& start);
  // The rows of a batch, among which its trees begin.
  void SetRows(std::span<const StreamTokens> batch, std::vector<RowInfo>& rows);
  // Of a stream's tokens in the last batch; nothing if none is to be moved.
  std::optional<MoveInfo> Keep(uint32_t stream, std::span<const uint32_t> kept);

 private:
  const KeyValues::Part part_;
  std::vector<uint64_t> num_positions_;  // [stream]
  std::vector<uint32_t> num_run_;        // [stream]: in the last batch
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_SESSION_STREAMS_H_
