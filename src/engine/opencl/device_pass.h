// SPDX-License-Identifier: Apache-2.0
// The forward pass of docs/NUMERICS.md on a device of OpenCL, over rows of any
// streams.
#ifndef LLMA_ENGINE_OPENCL_DEVICE_PASS_H_
#define LLMA_ENGINE_OPENCL_DEVICE_PASS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/opencl/device_weights.h"
#include "engine/opencl/key_values.h"
#include "engine/opencl/opencl_device.h"
#include "model/model.h"
#include "predict/token_masses.h"

namespace llma::opencl {

// Row of kernels.cl.
struct RowInfo {
  uint64_t position;
  uint64_t cache_position;
  uint64_t first_slot;
  uint64_t tree_begin;
  uint32_t first_head;
  uint32_t token;
  uint32_t ancestors;
  uint32_t depth;
  uint32_t tree_row;
  uint32_t tree_size;
};

// Thread-compatible. What it is made of must outlive it.
class DevicePass {
 public:
  // kMemory if the device has not got the room.
  static Result<std::unique_ptr<DevicePass>> Create(
      const Device& device, const Model& model, const DeviceWeights& weights,
      uint32_t max_rows, uint32_t window_positions, Queue& queue);

  // All layers and the last norm.
  void Run(const KeyValues& key_values, std::span<const RowInfo> rows);
  // Of each row of the last Run, quantised: what the head multiplies.
  const Buffer& hidden() const { return normed_; }  // [row, dim]
  const Buffer& hidden_scales() const { return normed_scales_; }

  // Logits of some rows of the last Run, at most logit_rows(), become weights.
  void Weigh(uint32_t row, uint32_t count);
  uint32_t logit_rows() const;
  // Of these, in their order.
  const Buffer& token_weights() const { return logits_; }
  const Buffer& block_sums() const { return block_sums_; }
  const Buffer& largest_logits() const { return largest_; }
  uint32_t logits_stride() const { return logits_stride_; }
  uint32_t num_blocks() const {
    return static_cast<uint32_t>(TokenMasses::NumBlocks(config_.num_tokens));
  }

 private:
  DevicePass(const Device& device, const Model& model,
             const DeviceWeights& weights, uint32_t max_rows,
             uint32_t window_positions, Queue& queue);
  Status Allocate();
  void Norm(uint32_t num_rows, const Buffer* delta, const Buffer* delta_weight,
            const Buffer& weight);
  void Multiply(const DeviceWeights::Matrix& w, uint32_t num_w_rows,
                const Buffer& x, const Buffer& x_scales, uint32_t x_row,
                uint32_t num_rows, const Buffer& y, uint32_t y_stride);
  void SetSpans(std::span<const RowInfo> rows);
  void Attend(const KeyValues& key_values, uint32_t layer, uint32_t num_rows);

  const Device& device_;
  const ModelConfig& config_;
  const DeviceWeights& weights_;
  Queue& queue_;
  // Some rows of a stream, which attend together: first row, number of rows.
  struct Span {
    uint32_t row, count;
  };
  std::vector<Span> span_infos_;
  uint32_t span_queries_ = 0;  // kFewQueries or kManyQueries
  const uint32_t max_rows_, logits_stride_, score_stride_;
  Buffer none_;  // where a kernel gets nothing
  Buffer rows_, spans_, ropes_, local_ropes_;
  Buffer x_, normed_, normed_scales_;             // [row, dim]
  Buffer qkv_;                                    // [row, qkv_dim]
  Buffer q_, q_scales_, sink_q_, sink_q_scales_;  // [row, head, head_dim]
  Buffer scores_;                                 // [query, score_stride_]
  Buffer heads_, mixed_, mixed_scales_;           // [row, q_dim]
  Buffer delta_;                                  // [row, dim]
  Buffer gate_up_;                                // [row, 2 * ffn_dim]
  Buffer gated_, gated_scales_;                   // [row, ffn_dim]
  Buffer logits_, largest_, block_sums_;          // [row < logit_rows(), ...]
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_DEVICE_PASS_H_
