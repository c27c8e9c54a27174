// SPDX-License-Identifier: Apache-2.0
// Encoding: the tokens are known, so the model runs over many positions of
// every lane at once; only the masses along each token's path are kept. One
// chunk of steps is coded while the model runs over the next.
#include <algorithm>
#include <numeric>

#include "codec/frame_checks.h"
#include "codec/frame_codec.h"
#include "codec/piece_coder.h"
#include "model/forward.h"
#include "predict/token_masses.h"

namespace llma {
namespace {

// Rows of one forward pass, over all lanes: enough that weights are read once
// for many rows, few enough that activations stay in the second-level cache.
constexpr uint32_t kEncodeRows = 256;
// Rows whose logits exist at a time: 49,152 logits are 197 KB. Where that is
// not too much, each thread computes those of many rows by itself and turns
// them into probabilities; else all threads compute those of some rows.
constexpr uint32_t kSharedLogitRows = 32;
constexpr uint32_t kMinOwnLogitRows = 32, kMaxOwnLogitRows = 64;
constexpr size_t kOwnLogitBytes = size_t{32} << 20;  // of all threads

// The probabilities along a token, in memory: for one of some tens of bytes.
constexpr uint64_t kPathBytes = 2048;

// Rows for each thread; 0: threads share some.
uint32_t OwnLogitRows(size_t stride, int num_threads) {
  const size_t rows = kOwnLogitBytes / (stride * sizeof(float)) /
                      static_cast<size_t>(num_threads);
  return rows < kMinOwnLogitRows
             ? 0
             : static_cast<uint32_t>(std::min<size_t>(rows, kMaxOwnLogitRows));
}

uint32_t StepsPerChunk(size_t num_lanes) {
  return std::max<uint32_t>(1, kEncodeRows / static_cast<uint32_t>(num_lanes));
}

// The pieces of each lane.
std::vector<std::span<const TextPiece>> PiecesOfLanes(
    std::span<const TextPiece> pieces, std::span<const uint64_t> lane_bytes) {
  std::vector<std::span<const TextPiece>> lanes;
  for (const uint64_t bytes : lane_bytes) {
    size_t count = 0;
    for (uint64_t covered = 0; covered < bytes; ++count) {
      covered += pieces[count].size_bytes;
    }
    lanes.push_back(pieces.first(count));
    pieces = pieces.subspan(count);
  }
  return lanes;
}

// What a chunk has of each lane: no more than the longest one holds.
uint32_t StepsForLanes(std::span<const std::span<const TextPiece>> lanes) {
  size_t longest = 1;
  for (const auto& pieces : lanes) longest = std::max(longest, pieces.size());
  return static_cast<uint32_t>(
      std::min<size_t>(StepsPerChunk(lanes.size()), longest));
}

// Whether threads have rows of their own in a pass of so many.
bool UsesOwnRows(uint32_t own_rows, int num_threads, uint32_t num_rows) {
  return own_rows > 0 &&
         num_rows >= static_cast<uint32_t>(num_threads) * kMinOwnLogitRows;
}

// Of all threads together, for passes of at most `num_rows` rows.
uint32_t LogitRows(uint32_t own_rows, int num_threads, uint32_t num_rows) {
  const uint32_t shared_rows = std::min(kSharedLogitRows, num_rows);
  return UsesOwnRows(own_rows, num_threads, num_rows)
             ? std::max(shared_rows,
                        own_rows * static_cast<uint32_t>(num_threads))
             : shared_rows;
}

class FrameEncoder {
 public:
  FrameEncoder(const FrameContext& context, Bytes content,
               std::span<const std::span<const TextPiece>> lane_pieces,
               std::span<const uint64_t> lane_bytes, BinaryEncoder coder)
      : context_(context),
        content_(content),
        steps_per_chunk_(StepsForLanes(lane_pieces)),
        index_(context.model.tokens()),
        models_(index_, context.context_models, lane_bytes, content.size(),
                context.pages),
        coder_(std::move(coder)),
        forward_(context.model, context.kernels, context.pool,
                 steps_per_chunk_ * static_cast<uint32_t>(lane_bytes.size()),
                 context.window_positions),
        own_logit_rows_(
            OwnLogitRows(forward_.logits_stride(), context.pool.num_threads())),
        logits_(LogitRows(own_logit_rows_, context.pool.num_threads(),
                          steps_per_chunk_ *
                              static_cast<uint32_t>(lane_bytes.size())) *
                forward_.logits_stride()) {
    for (int i = 0; i < context.pool.num_threads(); ++i) {
      masses_.emplace_back(context.model.tokens().num_tokens());
    }
    forward_.set_clock(context.clock);
    uint64_t byte_ofs = 0;
    lanes_.reserve(lane_bytes.size());
    for (size_t i = 0; i < lane_bytes.size(); ++i) {
      const uint64_t bytes = lane_bytes[i];
      lanes_.emplace_back(Lane{
          .unread = lane_pieces[i],
          .uncoded = lane_pieces[i],
          .byte_ofs = byte_ofs,
          .position = {.remaining_bytes = bytes,
                       .lane = static_cast<uint32_t>(i)},
          .cache =
              KvCache(context.model.config(), context.window_positions,
                      steps_per_chunk_, KeyValuePages(bytes, context.pages)),
          .last_token = context.model.config().start_row});
      byte_ofs += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    uint64_t done_bytes = 0;
    Chunk ready, next;
    PredictChunk(ready);
    while (done_bytes < content_.size()) {
      Result<uint64_t> coded = uint64_t{0};
      BackgroundWork coding(context_.pool, [&] { coded = CodeChunk(ready); });
      PredictChunk(next);
      EnterStage(context_.clock, Stage::kCoding);
      coding.Join();
      std::swap(ready, next);
      if (!coded) return coded.error();
      done_bytes += *coded;
      LLMA_TRY(ReportProgress(context_.progress, {done_bytes, content_.size(),
                                                  coder_.size_bytes()}));
    }
    if (context_.costs != nullptr) {
      std::ranges::sort(context_.costs->pieces, {}, &PieceCost::content_ofs);
    }
    return std::move(coder_).Finish();
  }

 private:
  struct Lane {
    std::span<const TextPiece> unread;   // not yet seen by the model
    std::span<const TextPiece> uncoded;  // not yet coded
    uint64_t byte_ofs;                   // of the next uncoded piece
    LanePosition position;
    KvCache cache;
    uint32_t last_token;                // fed next
    std::vector<uint32_t> inputs = {};  // fed in this chunk
  };
  // Predictions for the next steps of each lane.
  struct Chunk {
    std::vector<uint32_t> first_row;              // [lane]
    std::vector<std::vector<Probability>> paths;  // [row]: along its token
    std::vector<TokenOpinion> opinions;           // [row], if costs are wanted
  };

  // Runs the model over the next steps of each lane and records the
  // probabilities along each token.
  void PredictChunk(Chunk& chunk) {
    std::vector<StreamBatch> batch;
    std::vector<uint32_t> targets;
    chunk.first_row.clear();
    for (Lane& lane : lanes_) {
      lane.inputs.clear();
      chunk.first_row.push_back(static_cast<uint32_t>(targets.size()));
      const size_t steps =
          std::min<size_t>(steps_per_chunk_, lane.unread.size());
      for (const TextPiece& piece : lane.unread.first(steps)) {
        if (piece.row == TextPiece::kEscape) continue;
        lane.inputs.push_back(std::exchange(lane.last_token, piece.row));
        targets.push_back(piece.row);
      }
      lane.unread = lane.unread.subspan(steps);
      if (!lane.inputs.empty()) batch.push_back({&lane.cache, lane.inputs});
    }
    if (!batch.empty()) forward_.Run(batch);
    if (chunk.paths.size() < targets.size()) chunk.paths.resize(targets.size());
    if (context_.costs != nullptr) chunk.opinions.resize(targets.size());
    RecordPaths(targets, chunk);
  }

  void RecordPaths(std::span<const uint32_t> targets, Chunk& chunk) {
    const auto num_rows = static_cast<uint32_t>(targets.size());
    const auto threads = static_cast<uint32_t>(context_.pool.num_threads());
    const size_t stride = forward_.logits_stride();
    if (UsesOwnRows(own_logit_rows_, context_.pool.num_threads(), num_rows)) {
      forward_.CountLogits(num_rows);
      const uint32_t round = threads * own_logit_rows_;
      const uint32_t tasks = (num_rows + round - 1) / round * threads;
      context_.pool.ParallelFor(tasks, [&](size_t i, int thread_idx) {
        const auto task = static_cast<uint32_t>(i);
        const uint32_t begin = num_rows * task / tasks;
        const uint32_t end = num_rows * (task + 1) / tasks;
        float* logits = logits_.data() + static_cast<size_t>(thread_idx) *
                                             own_logit_rows_ * stride;
        forward_.ComputeLogits(begin, end - begin, logits, thread_idx);
        for (uint32_t row = begin; row < end; ++row) {
          RecordPath(targets[row], logits + (row - begin) * stride, row, chunk,
                     thread_idx);
        }
      });
      return;
    }
    for (uint32_t row = 0; row < num_rows; row += kSharedLogitRows) {
      const uint32_t count = std::min(kSharedLogitRows, num_rows - row);
      forward_.ComputeLogits(row, count, logits_.data());
      context_.pool.ParallelFor(count, [&](size_t i, int thread_idx) {
        RecordPath(targets[row + i], logits_.data() + i * stride,
                   row + static_cast<uint32_t>(i), chunk, thread_idx);
      });
    }
  }

  void RecordPath(uint32_t target, const float* logits, uint32_t row,
                  Chunk& chunk, int thread_idx) {
    TokenMasses& masses = masses_[thread_idx];
    masses.Set(context_.kernels, logits);
    chunk.paths[row].clear();
    RecordWalk(index_, masses, target, chunk.paths[row]);
    if (context_.costs != nullptr) {
      chunk.opinions[row] =
          OpinionOf(masses, target, context_.costs->max_chances);
    }
  }

  // Codes the steps of a chunk; returns their bytes.
  Result<uint64_t> CodeChunk(Chunk& chunk) {
    uint64_t coded_bytes = 0;
    std::vector<uint32_t> next_row = chunk.first_row;
    for (uint32_t step = 0; step < steps_per_chunk_; ++step) {
      for (size_t i = 0; i < lanes_.size(); ++i) {
        Lane& lane = lanes_[i];
        if (lane.uncoded.empty()) continue;
        const TextPiece piece = lane.uncoded.front();
        if (context_.costs == nullptr) {
          LLMA_TRY(CodeNext(coder_, lane, chunk, next_row[i]));
        } else {
          MeteredEncoder metered(coder_);
          LLMA_TRY(CodeNext(metered, lane, chunk, next_row[i]));
          AddCost(metered.bits(), lane, chunk, next_row[i]);
        }
        if (piece.row != TextPiece::kEscape) ++next_row[i];
        lane.uncoded = lane.uncoded.subspan(1);
        lane.byte_ofs += piece.size_bytes;
        coded_bytes += piece.size_bytes;
      }
    }
    return coded_bytes;
  }

  // Codes the lane's next piece. `row`: of its prediction, if it is a token.
  template <class Coder>
  Status CodeNext(Coder& coder, Lane& lane, const Chunk& chunk, uint32_t row) {
    const TextPiece piece = lane.uncoded.front();
    const bool is_escape = piece.row == TextPiece::kEscape;
    RecordedWalk walk(is_escape ? std::span<const Probability>()
                                : chunk.paths[row]);
    LLMA_TRY(CodePiece(coder, models_, lane.position, walk,
                       content_.subspan(lane.byte_ofs, piece.size_bytes),
                       is_escape, [](uint8_t) {}));
    return OkStatus();
  }

  void AddCost(double bits, const Lane& lane, Chunk& chunk, uint32_t row) {
    const TextPiece piece = lane.uncoded.front();
    PieceCost cost = {lane.byte_ofs, piece.size_bytes, bits, -1, {}};
    if (piece.row != TextPiece::kEscape) {
      cost.model_bits = chunk.opinions[row].bits;
      cost.chances = std::move(chunk.opinions[row].chances);
    }
    context_.costs->pieces.push_back(std::move(cost));
  }

  const FrameContext& context_;
  const Bytes content_;
  const uint32_t steps_per_chunk_;
  const TokenIndex index_;
  FrameModels models_;
  BinaryEncoder coder_;
  ForwardPass forward_;
  const uint32_t own_logit_rows_;    // of each thread, or 0
  AlignedBuffer<float> logits_;      // [row, logits_stride]
  std::vector<TokenMasses> masses_;  // per thread
  std::vector<Lane> lanes_;
};

}  // namespace

uint64_t EncoderMemoryBytes(const Model& model, uint32_t num_lanes,
                            uint32_t window_positions, int num_threads) {
  const ModelConfig& config = model.config();
  const uint32_t steps = StepsPerChunk(num_lanes);
  const uint32_t rows = steps * num_lanes;
  const uint64_t stride = ForwardPass::LogitsStride(config);
  return ForwardPass::SizeBytes(config, rows, window_positions, num_threads) +
         LogitRows(OwnLogitRows(stride, num_threads), num_threads, rows) *
             stride * sizeof(float) +
         static_cast<uint64_t>(num_threads) *
             TokenMasses::SizeBytes(config.num_tokens) +
         num_lanes * KvCache::SizeBytes(config, window_positions, steps) +
         2 * rows * kPathBytes;
}

std::vector<uint64_t> SplitIntoLanes(std::span<const TextPiece> pieces,
                                     uint32_t num_lanes) {
  const size_t lanes = std::min<size_t>(num_lanes, pieces.size());
  std::vector<uint64_t> lane_bytes(lanes, 0);
  for (size_t lane = 0; lane < lanes; ++lane) {
    const size_t begin = pieces.size() * lane / lanes;
    const size_t end = pieces.size() * (lane + 1) / lanes;
    for (size_t i = begin; i < end; ++i) {
      lane_bytes[lane] += pieces[i].size_bytes;
    }
  }
  return lane_bytes;
}

Result<std::vector<uint8_t>> EncodeFrame(const FrameContext& context,
                                         Bytes content,
                                         std::span<const TextPiece> pieces,
                                         std::span<const uint64_t> lane_bytes,
                                         BinaryEncoder coder) {
  LLMA_ENSURE(std::accumulate(lane_bytes.begin(), lane_bytes.end(),
                              uint64_t{0}) == content.size());
  return FrameEncoder(context, content, PiecesOfLanes(pieces, lane_bytes),
                      lane_bytes, std::move(coder))
      .Run();
}

}  // namespace llma
