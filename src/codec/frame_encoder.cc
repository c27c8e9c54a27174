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
// Rows whose logits exist at a time: as many as one scope of the forward pass
// has, where vocabularies are small; 49,152 logits are 197 KB.
constexpr uint32_t kMinLogitRows = 32, kMaxLogitRows = 64;
constexpr size_t kLogitBytes = size_t{16} << 20;

uint32_t LogitRows(size_t stride) {
  const size_t rows = kLogitBytes / (stride * sizeof(float));
  return static_cast<uint32_t>(
      std::clamp<size_t>(rows, kMinLogitRows, kMaxLogitRows));
}

class FrameEncoder {
 public:
  FrameEncoder(const FrameContext& context, Bytes content,
               std::span<const TextPiece> pieces,
               std::span<const uint64_t> lane_bytes, BinaryEncoder coder)
      : context_(context),
        content_(content),
        steps_per_chunk_(std::max<uint32_t>(
            1, kEncodeRows / static_cast<uint32_t>(lane_bytes.size()))),
        index_(context.model.tokens()),
        models_(context.model.tokens(), context.context_models, lane_bytes),
        coder_(std::move(coder)),
        forward_(context.model, context.kernels, context.pool,
                 steps_per_chunk_ * static_cast<uint32_t>(lane_bytes.size()),
                 context.window_positions),
        logit_rows_(LogitRows(forward_.logits_stride())),
        logits_(logit_rows_ * forward_.logits_stride()) {
    for (int i = 0; i < context.pool.num_threads(); ++i) {
      masses_.emplace_back(context.model.tokens().num_tokens());
    }
    forward_.set_clock(context.clock);
    uint64_t byte_ofs = 0;
    lanes_.reserve(lane_bytes.size());
    for (const uint64_t bytes : lane_bytes) {
      size_t count = 0;
      for (uint64_t covered = 0; covered < bytes; ++count) {
        covered += pieces[count].size_bytes;
      }
      lanes_.emplace_back(
          Lane{.unread = pieces.first(count),
               .uncoded = pieces.first(count),
               .byte_ofs = byte_ofs,
               .position = {.remaining_bytes = bytes,
                            .lane = static_cast<uint32_t>(lanes_.size())},
               .cache = KvCache(context.model.config(),
                                context.window_positions, steps_per_chunk_),
               .last_token = context.model.config().start_row});
      pieces = pieces.subspan(count);
      byte_ofs += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    uint64_t done_bytes = 0;
    Chunk ready, next;
    PredictChunk(ready);
    while (done_bytes < content_.size()) {
      Result<uint64_t> coded = uint64_t{0};
      context_.pool.StartBackground([&] { coded = CodeChunk(ready); });
      PredictChunk(next);
      EnterStage(context_.clock, Stage::kCoding);
      context_.pool.JoinBackground();
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
    for (uint32_t row = 0; row < targets.size(); row += logit_rows_) {
      const uint32_t count = std::min<uint32_t>(
          logit_rows_, static_cast<uint32_t>(targets.size()) - row);
      forward_.ComputeLogits(row, count, logits_.data());
      context_.pool.ParallelFor(count, [&](size_t i, int thread_idx) {
        TokenMasses& masses = masses_[thread_idx];
        masses.Set(context_.kernels,
                   logits_.data() + i * forward_.logits_stride());
        chunk.paths[row + i].clear();
        RecordWalk(index_, masses, targets[row + i], chunk.paths[row + i]);
        if (context_.costs != nullptr) {
          chunk.opinions[row + i] =
              OpinionOf(masses, targets[row + i], context_.costs->max_chances);
        }
      });
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
  const uint32_t logit_rows_;
  AlignedBuffer<float> logits_;      // [logit_rows_, logits_stride]
  std::vector<TokenMasses> masses_;  // per thread
  std::vector<Lane> lanes_;
};

}  // namespace

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
  return FrameEncoder(context, content, pieces, lane_bytes, std::move(coder))
      .Run();
}

}  // namespace llma
