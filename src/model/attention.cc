// SPDX-License-Identifier: Apache-2.0
#include "model/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/status.h"
#include "numerics/exact_math.h"

namespace llma {

namespace {

// How many rows have scores at a time: they stay in the first-level cache until
// they are weights.
constexpr uint32_t kScoredRows = 8;

}  // namespace

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

// Sinks, the window, the block's other positions, and two partial panels.
uint32_t AttentionScratch::Stride(uint32_t max_window_positions) {
  return (max_window_positions + kMaxQueryPositions) / kPanelRows * kPanelRows +
         3 * kPanelRows;
}

uint64_t AttentionScratch::SizeBytes(const ModelConfig& config,
                                     uint32_t max_window_positions) {
  const uint64_t rows =
      uint64_t{kMaxQueryPositions} * (config.num_heads / config.num_kv_heads);
  const uint64_t stride = Stride(max_window_positions);
  const uint64_t of_dims =
      (2 * sizeof(float) + 3 * sizeof(int32_t)) * (config.head_dim + 1) * rows;
  return of_dims + stride * ((kScoredRows + 1) * sizeof(float) + 2 * rows);
}

AttentionScratch::AttentionScratch(const ModelConfig& config,
                                   uint32_t max_window_positions)
    : stride_(Stride(max_window_positions)), v_scales_(stride_) {
  const size_t rows =
      size_t{kMaxQueryPositions} * (config.num_heads / config.num_kv_heads);
  rotated_ = AlignedBuffer<float>(rows * config.head_dim);
  q_ = AlignedBuffer<int8_t>(rows * config.head_dim);
  sink_q_ = AlignedBuffer<int8_t>(rows * config.head_dim);
  q_scales_ = AlignedBuffer<float>(rows);
  sink_q_scales_ = AlignedBuffer<float>(rows);
  q_starts_ = AlignedBuffer<int32_t>(rows);
  sink_q_starts_ = AlignedBuffer<int32_t>(rows);
  scores_ = AlignedBuffer<float>(size_t{kScoredRows} * stride_);
  weights_hi_ = AlignedBuffer<uint8_t>(rows * stride_);
  weights_lo_ = AlignedBuffer<uint8_t>(rows * stride_);
  sums_hi_ = AlignedBuffer<int32_t>(rows * config.head_dim);
  sums_lo_ = AlignedBuffer<int32_t>(rows * config.head_dim);
  out_scales_ = AlignedBuffer<float>(rows);
}

namespace {

// The panels of the ring that the queries of a task see.
struct VisibleRing {
  uint64_t first_panel = 0;  // absolute
  uint32_t num_panels = 0;
};

// First ring index (position - kNumSinks) that a query at `position` sees.
uint64_t WindowBegin(uint64_t position, uint32_t window_positions) {
  const uint64_t hidden = uint64_t{kNumSinks} + window_positions - 1;
  return position > hidden ? position - hidden : 0;
}

VisibleRing VisibleRingOf(const AttentionTask& task) {
  const uint64_t last = task.first_position + task.num_positions - 1;
  if (last < kNumSinks) return {};
  const uint64_t first =
      WindowBegin(task.first_position,
                  task.cache->window_positions(task.layer, task.kv_head)) /
      kPanelRows;
  return {first,
          static_cast<uint32_t>((last - kNumSinks) / kPanelRows - first + 1)};
}

// Calls visit(panels, panels before them) for the runs of the ring in order.
template <class Visit>
void VisitRing(const AttentionTask& task, const VisibleRing& ring,
               const Visit& visit) {
  for (uint32_t done = 0; done < ring.num_panels;) {
    const KvCache::Panels run =
        task.cache->RingPanels(task.layer, task.kv_head,
                               ring.first_panel + done, ring.num_panels - done);
    visit(run, done);
    done += run.keys.num_panels;
  }
}

// Brings the keys and values of a task into the second-level cache, a part at a
// time.
class Fetcher {
 public:
  explicit Fetcher(const AttentionTask* task) {
    if (task == nullptr) return;
    VisitRing(
        *task, VisibleRingOf(*task), [&](const KvCache::Panels& run, uint32_t) {
          const size_t size =
              size_t{run.keys.num_panels} * kPanelRows * run.keys.head_dim;
          Add(run.keys.values, size);
          if (run.keys.low_values != nullptr) {
            Add(run.keys.low_values, size);
          }
          Add(run.values.values, size);
        });
  }
  size_t size_bytes() const { return size_bytes_; }
  void Fetch(size_t bytes) {
    while (bytes > 0 && next_ < num_runs_) {
      Run& run = runs_[next_];
      const size_t count = std::min(bytes, run.size_bytes);
      for (size_t i = 0; i < count; i += kLineBytes) {
        __builtin_prefetch(run.begin + i, 0, 2);
      }
      run.begin += count;
      run.size_bytes -= count;
      bytes -= count;
      if (run.size_bytes == 0) ++next_;
    }
  }

 private:
  static constexpr size_t kLineBytes = 64;
  struct Run {
    const int8_t* begin;
    size_t size_bytes;
  };
  void Add(const int8_t* begin, size_t size_bytes) {
    if (num_runs_ == std::size(runs_)) return;
    runs_[num_runs_++] = {begin, size_bytes};
    size_bytes_ += size_bytes;
  }
  Run runs_[6];  // a ring has at most two runs
  uint32_t num_runs_ = 0, next_ = 0;
  size_t size_bytes_ = 0;
};

}  // namespace

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
        window_(task.cache->window_positions(task.layer, task.kv_head)),
        divisor_(config.score_divisor != 0
                     ? config.score_divisor
                     : std::sqrt(static_cast<float>(config.head_dim))),
        score_cap_(config.score_cap),
        ring_(VisibleRingOf(task)),
        num_slots_(kPanelRows + ring_.num_panels * kPanelRows) {
    LLMA_DCHECK(num_slots_ <= s_.stride_);
  }

  void Run(Fetcher& fetcher) {
    // A share for each row, in whole lines.
    const size_t share =
        (fetcher.size_bytes() / num_rows_ + kPanelRows * 4) / 64 * 64;
    QuantizeQueries();
    CopyValueScales();
    for (uint32_t row = 0; row < num_rows_; row += kScoredRows) {
      const uint32_t end = std::min(row + kScoredRows, num_rows_);
      Score(row, end - row);
      for (uint32_t i = row; i < end; ++i) {
        fetcher.Fetch(share);
        Weigh(i, s_.scores_.data() + size_t{i - row} * s_.stride_);
      }
    }
    SumValues();
  }

 private:
  uint64_t WindowBegin(uint64_t position) const {
    return llma::WindowBegin(position, window_);
  }

  // In the text.
  uint64_t PositionOf(uint32_t row) const {
    const uint32_t i = row / group_;
    return task_.first_position +
           (task_.tree == nullptr ? i : task_.tree[i].depth);
  }

  void QuantizeQueries() {
    // Rows whose sinks are at their true distance: nothing is hidden yet.
    uint32_t near_rows = 0;
    while (near_rows < num_rows_ && WindowBegin(PositionOf(near_rows)) == 0) {
      near_rows += group_;
    }
    for (uint32_t i = 0; i < num_rows_; ++i) {
      RotateHead(QueryOf(i), task_.ropes[i / group_], head_dim_,
                 &s_.rotated_[size_t{i} * head_dim_]);
    }
    QuantizeRotated(0, s_.q_, s_.q_scales_, s_.q_starts_);
    const size_t near_size = size_t{near_rows} * head_dim_;
    std::copy_n(s_.q_.data(), near_size, s_.sink_q_.data());
    std::copy_n(s_.q_scales_.data(), near_rows, s_.sink_q_scales_.data());
    std::copy_n(s_.q_starts_.data(), near_rows, s_.sink_q_starts_.data());
    for (uint32_t i = near_rows; i < num_rows_; ++i) {
      RotateHead(QueryOf(i), task_.sink_rope, head_dim_,
                 &s_.rotated_[size_t{i} * head_dim_]);
    }
    QuantizeRotated(near_rows, s_.sink_q_, s_.sink_q_scales_,
                    s_.sink_q_starts_);
  }

  const float* QueryOf(uint32_t row) const {
    return task_.q + row / group_ * task_.q_stride +
           (size_t{task_.kv_head} * group_ + row % group_) * head_dim_;
  }

  // Of all rows from `row` on.
  void QuantizeRotated(uint32_t row, AlignedBuffer<int8_t>& values,
                       AlignedBuffer<float>& scales,
                       AlignedBuffer<int32_t>& starts) {
    const size_t at = size_t{row} * head_dim_;
    kernels_.quantize_row(&s_.rotated_[at], (num_rows_ - row) * head_dim_,
                          head_dim_, values.data() + at, scales.data() + row,
                          starts.data() + row);
    // Scores are in powers of two: log2(e) / divisor goes into Q's scale.
    const float factor = kLog2E / divisor_;
    for (uint32_t i = row; i < num_rows_; ++i) scales[i] *= factor;
  }

  // Calls visit(panels, first slot) for the runs of the ring in order.
  template <class Visit>
  void VisitRing(const Visit& visit) const {
    llma::VisitRing(task_, ring_,
                    [&](const KvCache::Panels& run, uint32_t panels_before) {
                      visit(run, kPanelRows + panels_before * kPanelRows);
                    });
  }

  void CopyValueScales() {
    const KvCache::Panels sinks =
        task_.cache->SinkPanels(task_.layer, task_.kv_head);
    std::copy_n(sinks.value_scales, kPanelRows, s_.v_scales_.data());
    VisitRing([&](const KvCache::Panels& run, uint32_t slot) {
      std::copy_n(run.value_scales, run.keys.num_panels * kPanelRows,
                  s_.v_scales_.data() + slot);
    });
  }

  // Of `count` rows from `row` on, into the first rows of scores.
  void Score(uint32_t row, uint32_t count) {
    const size_t at = size_t{row} * head_dim_;
    const QuantizedRows sink_q = {&s_.sink_q_[at],
                                  &s_.sink_q_scales_[row],
                                  &s_.sink_q_starts_[row],
                                  count,
                                  head_dim_,
                                  1};
    const KvCache::Panels sinks =
        task_.cache->SinkPanels(task_.layer, task_.kv_head);
    kernels_.attention_scores(sinks.keys, sink_q, s_.scores_.data(),
                              s_.stride_);
    const QuantizedRows q = {&s_.q_[at], &s_.q_scales_[row], &s_.q_starts_[row],
                             count,      head_dim_,          1};
    VisitRing([&](const KvCache::Panels& run, uint32_t slot) {
      kernels_.attention_scores(run.keys, q, s_.scores_.data() + slot,
                                s_.stride_);
    });
  }

  // Masks what the query of row i must not see, then turns scores to weights.
  void Weigh(uint32_t i, float* scores) {
    const uint64_t position = PositionOf(i);
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
    if (ring_.num_panels > 0) MaskRing(i, scores + kPanelRows);
    s_.out_scales_[i] = kernels_.attention_weights(
        scores, s_.v_scales_.data(), num_slots_,
        s_.weights_hi_.data() + size_t{i} * s_.stride_,
        s_.weights_lo_.data() + size_t{i} * s_.stride_);
  }

  void MaskRing(uint32_t i, float* ring) const {
    const uint64_t position = PositionOf(i);
    const uint64_t origin = ring_.first_panel * kPanelRows;
    const uint64_t seen = position < kNumSinks ? 0 : position - kNumSinks + 1;
    const uint64_t window_begin = WindowBegin(position);
    uint64_t begin = window_begin - origin;
    uint64_t end = seen < origin ? 0 : seen - origin;
    if (task_.tree != nullptr) {
      const uint64_t first = task_.first_position - kNumSinks;
      begin = std::min(begin, first - origin);
      end = first - origin + task_.num_positions;
      const uint32_t ancestors = task_.tree[i / group_].ancestors;
      for (uint32_t j = 0; j < task_.num_positions; ++j) {
        const bool is_seen = (ancestors >> j & 1) != 0 &&
                             first + task_.tree[j].depth >= window_begin;
        if (!is_seen) ring[first - origin + j] = kMaskedScore;
      }
    }
    std::fill(ring, ring + begin, kMaskedScore);
    std::fill(ring + end, ring + ring_.num_panels * kPanelRows, kMaskedScore);
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
      kernels_.join_value_sums(s_.sums_hi_.data() + size_t{i} * head_dim_,
                               s_.sums_lo_.data() + size_t{i} * head_dim_,
                               s_.out_scales_[i], head_dim_, out);
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
  const VisibleRing ring_;
  const uint32_t num_slots_;  // sinks' panel and the ring's
};

void Attend(const KernelTable& kernels, const ModelConfig& config,
            const AttentionTask& task, const AttentionTask* next,
            AttentionScratch& scratch) {
  Fetcher fetcher(next);
  AttentionBlock(kernels, config, task, scratch).Run(fetcher);
}

}  // namespace llma
