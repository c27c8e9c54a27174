// SPDX-License-Identifier: Apache-2.0
#include "model/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/status.h"
#include "numerics/exact_math.h"

namespace llma {

void ComputeRopeRow(std::span<const uint64_t> rope_steps, uint64_t position,
                    float* cos, float* sin) {
  for (size_t i = 0; i < rope_steps.size(); ++i) {
    const SinCos turn = SinCosOfTurns(rope_steps[i] * position);
    cos[i] = static_cast<float>(turn.cos_q30) * 0x1p-30f;
    sin[i] = static_cast<float>(turn.sin_q30) * 0x1p-30f;
  }
}

void RotateHead(const float* in, RopeRow rope, uint32_t head_dim, float* out) {
  const uint32_t half = head_dim / 2;
  for (uint32_t i = 0; i < half; ++i) {
    const float a = in[i], b = in[i + half];
    out[i] = a * rope.cos[i] - b * rope.sin[i];
    out[i + half] = b * rope.cos[i] + a * rope.sin[i];
  }
}

AttentionScratch::AttentionScratch(const ModelConfig& config,
                                   uint32_t max_window_positions)
    // Sinks, the window, the block's other positions, and two partial panels.
    : stride_((max_window_positions + kMaxQueryPositions) / kPanelRows *
                  kPanelRows +
              3 * kPanelRows),
      rotated_(config.head_dim),
      v_scales_(stride_) {
  const size_t rows =
      size_t{kMaxQueryPositions} * (config.num_heads / config.num_kv_heads);
  q_ = AlignedBuffer<int8_t>(rows * config.head_dim);
  sink_q_ = AlignedBuffer<int8_t>(rows * config.head_dim);
  q_scales_ = AlignedBuffer<float>(rows);
  sink_q_scales_ = AlignedBuffer<float>(rows);
  q_starts_ = AlignedBuffer<int32_t>(rows);
  sink_q_starts_ = AlignedBuffer<int32_t>(rows);
  scores_ = AlignedBuffer<float>(rows * stride_);
  weights_hi_ = AlignedBuffer<uint8_t>(rows * stride_);
  weights_lo_ = AlignedBuffer<uint8_t>(rows * stride_);
  sums_hi_ = AlignedBuffer<int32_t>(rows * config.head_dim);
  sums_lo_ = AlignedBuffer<int32_t>(rows * config.head_dim);
  out_scales_ = AlignedBuffer<float>(rows);
}

// The steps of one Attend call. Rows are [position, head of the group].
class AttentionBlock {
 public:
  AttentionBlock(const KernelTable& kernels, const ModelConfig& config,
                 const AttentionTask& task, AttentionScratch& scratch)
      : kernels_(kernels),
        task_(task),
        s_(scratch),
        head_dim_(config.head_dim),
        group_(config.num_heads / config.num_kv_heads),
        num_rows_(task.num_positions * group_),
        window_(task.cache->window_positions(task.layer)),
        divisor_(config.score_divisor != 0
                     ? config.score_divisor
                     : std::sqrt(static_cast<float>(config.head_dim))),
        score_cap_(config.score_cap) {
    const uint64_t last = task.first_position + task.num_positions - 1;
    if (last >= kNumSinks) {
      first_panel_ = WindowBegin(task.first_position) / kPanelRows;
      num_panels_ = static_cast<uint32_t>((last - kNumSinks) / kPanelRows -
                                          first_panel_ + 1);
    }
    num_slots_ = kPanelRows + num_panels_ * kPanelRows;
    LLMA_DCHECK(num_slots_ <= s_.stride_);
  }

  void Run() {
    QuantizeQueries();
    Score();
    for (uint32_t i = 0; i < num_rows_; ++i) Weigh(i);
    SumValues();
  }

 private:
  // First ring index (position - kNumSinks) that a query at `position` sees.
  uint64_t WindowBegin(uint64_t position) const {
    const uint64_t hidden = uint64_t{kNumSinks} + window_ - 1;
    return position > hidden ? position - hidden : 0;
  }

  void QuantizeQueries() {
    // Scores are in powers of two: log2(e) / divisor goes into Q's scale.
    const float factor = kLog2E / divisor_;
    for (uint32_t i = 0; i < num_rows_; ++i) {
      const uint32_t pos = i / group_, head = i % group_;
      const float* q = task_.q + pos * task_.q_stride +
                       (size_t{task_.kv_head} * group_ + head) * head_dim_;
      const size_t at = size_t{i} * head_dim_;
      QuantizeHead(q, task_.ropes[pos], factor, &s_.q_[at], &s_.q_scales_[i],
                   &s_.q_starts_[i]);
      if (WindowBegin(task_.first_position + pos) == 0) {
        // Nothing is hidden yet: the sinks are at their true distance.
        std::memcpy(&s_.sink_q_[at], &s_.q_[at], head_dim_);
        s_.sink_q_scales_[i] = s_.q_scales_[i];
        s_.sink_q_starts_[i] = s_.q_starts_[i];
      } else {
        QuantizeHead(q, task_.sink_rope, factor, &s_.sink_q_[at],
                     &s_.sink_q_scales_[i], &s_.sink_q_starts_[i]);
      }
    }
  }

  void QuantizeHead(const float* q, RopeRow rope, float factor, int8_t* values,
                    float* scale, int32_t* sum) {
    RotateHead(q, rope, head_dim_, s_.rotated_.data());
    kernels_.quantize_row(s_.rotated_.data(), head_dim_, head_dim_, values,
                          scale, sum);
    *scale *= factor;
  }

  // Calls visit(panels, first slot) for the runs of the ring in order.
  template <class Visit>
  void VisitRing(const Visit& visit) const {
    for (uint32_t done = 0; done < num_panels_;) {
      const KvCache::Panels run = task_.cache->RingPanels(
          task_.layer, task_.kv_head, first_panel_ + done, num_panels_ - done);
      visit(run, kPanelRows + done * kPanelRows);
      done += run.keys.num_panels;
    }
  }

  void Score() {
    const KvCache::Panels sinks =
        task_.cache->SinkPanels(task_.layer, task_.kv_head);
    const QuantizedRows sink_q = {s_.sink_q_.data(),
                                  s_.sink_q_scales_.data(),
                                  s_.sink_q_starts_.data(),
                                  num_rows_,
                                  head_dim_,
                                  1};
    kernels_.attention_scores(sinks.keys, sink_q, s_.scores_.data(),
                              s_.stride_);
    std::copy_n(sinks.value_scales, kPanelRows, s_.v_scales_.data());
    const QuantizedRows q = {s_.q_.data(),        s_.q_scales_.data(),
                             s_.q_starts_.data(), num_rows_,
                             head_dim_,           1};
    VisitRing([&](const KvCache::Panels& run, uint32_t slot) {
      kernels_.attention_scores(run.keys, q, s_.scores_.data() + slot,
                                s_.stride_);
      std::copy_n(run.value_scales, run.keys.num_panels * kPanelRows,
                  s_.v_scales_.data() + slot);
    });
  }

  // Masks what the query of row i must not see, then turns scores to weights.
  void Weigh(uint32_t i) {
    const uint64_t position = task_.first_position + i / group_;
    float* scores = s_.scores_.data() + size_t{i} * s_.stride_;
    if (score_cap_ != 0) {
      reference::SoftCap(score_cap_ * kLog2E, num_slots_, scores);
    }
    const auto num_sinks =
        static_cast<uint32_t>(std::min<uint64_t>(kNumSinks, position + 1));
    std::fill(scores + num_sinks, scores + kPanelRows, kMaskedScore);
    if (!task_.cache->keeps_sinks(task_.layer) && position >= window_) {
      // They have left the window, or some of them.
      std::fill_n(scores, std::min<uint64_t>(kNumSinks, position - window_ + 1),
                  kMaskedScore);
    }
    if (num_panels_ > 0) {
      float* ring = scores + kPanelRows;
      const uint64_t origin = first_panel_ * kPanelRows;
      const uint64_t seen = position < kNumSinks ? 0 : position - kNumSinks + 1;
      const uint64_t begin = WindowBegin(position) - origin;
      const uint64_t end = seen < origin ? 0 : seen - origin;
      std::fill(ring, ring + begin, kMaskedScore);
      std::fill(ring + end, ring + num_panels_ * kPanelRows, kMaskedScore);
    }
    s_.out_scales_[i] = kernels_.attention_weights(
        scores, s_.v_scales_.data(), num_slots_,
        s_.weights_hi_.data() + size_t{i} * s_.stride_,
        s_.weights_lo_.data() + size_t{i} * s_.stride_);
  }

  void SumValues() {
    const size_t size = size_t{num_rows_} * head_dim_;
    std::fill_n(s_.sums_hi_.data(), size, 0);
    std::fill_n(s_.sums_lo_.data(), size, 0);
    KvCache::Panels sinks = task_.cache->SinkPanels(task_.layer, task_.kv_head);
    sinks.values.num_positions = kNumSinks;
    AddValues(sinks.values, 0);
    VisitRing([&](const KvCache::Panels& run, uint32_t slot) {
      AddValues(run.values, slot);
    });
    for (uint32_t i = 0; i < num_rows_; ++i) {
      const uint32_t head = task_.kv_head * group_ + i % group_;
      float* out =
          task_.out + i / group_ * task_.out_stride + size_t{head} * head_dim_;
      const int32_t* hi = s_.sums_hi_.data() + size_t{i} * head_dim_;
      const int32_t* lo = s_.sums_lo_.data() + size_t{i} * head_dim_;
      const float scale = s_.out_scales_[i];
      for (uint32_t d = 0; d < head_dim_; ++d) {
        out[d] =
            (static_cast<float>(hi[d]) * 128.0f + static_cast<float>(lo[d])) *
            scale;
      }
    }
  }

  void AddValues(const ValuePanels& values, uint32_t slot) {
    kernels_.weighted_value_sums(
        values, s_.weights_hi_.data() + slot, s_.weights_lo_.data() + slot,
        s_.stride_, num_rows_, s_.sums_hi_.data(), s_.sums_lo_.data());
  }

  const KernelTable& kernels_;
  const AttentionTask& task_;
  AttentionScratch& s_;
  const uint32_t head_dim_, group_, num_rows_, window_;
  const float divisor_, score_cap_;
  uint64_t first_panel_ = 0;  // absolute panel of the ring
  uint32_t num_panels_ = 0;   // panels of the ring that any query sees
  uint32_t num_slots_ = 0;    // sinks' panel and the ring's
};

void Attend(const KernelTable& kernels, const ModelConfig& config,
            const AttentionTask& task, AttentionScratch& scratch) {
  AttentionBlock(kernels, config, task, scratch).Run();
}

}  // namespace llma
