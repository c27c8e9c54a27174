// SPDX-License-Identifier: Apache-2.0
// Encoding: the tokens are known, so the model runs over many positions of
// every lane at once; only the masses along each token's path are kept. One
// chunk of steps is coded while the model runs over the next.
#include "codec/frame/frame_encoder.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "codec/frame/frame_checks.h"
#include "codec/frame/piece_coder.h"
#include "codec/frame/reference_start.h"

namespace llma {
namespace {

// Of each lane, with an engine that prefers this many rows at a time.
uint32_t StepsPerChunk(size_t num_lanes, uint32_t encode_rows) {
  return std::max<uint32_t>(1, encode_rows / static_cast<uint32_t>(num_lanes));
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
uint32_t StepsForLanes(std::span<const std::span<const TextPiece>> lanes,
                       uint32_t encode_rows) {
  size_t longest = 1;
  for (const auto& pieces : lanes) longest = std::max(longest, pieces.size());
  return static_cast<uint32_t>(
      std::min<size_t>(StepsPerChunk(lanes.size(), encode_rows), longest));
}

class FrameEncoder {
 public:
  FrameEncoder(const FrameContext& context, Bytes content,
               std::span<const std::span<const TextPiece>> lane_pieces,
               std::span<const uint64_t> lane_bytes, BinaryEncoder coder,
               const std::optional<ReferenceStart>& start)
      : context_(context),
        content_(content),
        steps_per_chunk_(StepsForLanes(
            lane_pieces,
            context.learns ? Learner::kMaxRows : context.engine.encode_rows())),
        models_(StartModels(context, start, lane_bytes, content.size())),
        coder_(std::move(coder)) {
    uint64_t byte_ofs = 0;
    lanes_.reserve(lane_bytes.size());
    for (size_t i = 0; i < lane_bytes.size(); ++i) {
      const uint64_t bytes = lane_bytes[i];
      lanes_.emplace_back(
          Lane{.unread = lane_pieces[i],
               .uncoded = lane_pieces[i],
               .byte_ofs = byte_ofs,
               .position = {.remaining_bytes = bytes,
                            .lane = static_cast<uint32_t>(i)},
               .last_token = start && !start->read->tokens.empty()
                                 ? start->read->tokens.back()
                                 : context.engine.model().config().start_row});
      byte_ofs += bytes;
    }
  }

  // What the session needs room for.
  SessionShape shape() const {
    return {static_cast<uint32_t>(lanes_.size()), context_.window_positions,
            steps_per_chunk_};
  }

  Result<std::vector<uint8_t>> Run(EncodeSession& session) {
    uint64_t done_bytes = 0;
    Chunk ready, next;
    LLMA_TRY(PredictChunk(session, ready));
    while (done_bytes < content_.size()) {
      Result<uint64_t> coded = uint64_t{0};
      BackgroundWork coding(context_.pool, [&] { coded = CodeChunk(ready); });
      const Status predicted = PredictChunk(session, next);
      EnterStage(context_.clock, Stage::kCoding);
      coding.Join();
      LLMA_TRY(predicted);
      std::swap(ready, next);
      if (!coded) return coded.error();
      done_bytes += *coded;
      if (context_.costs != nullptr) context_.costs->ReportNew();
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
    uint32_t last_token;                // fed next
    std::vector<uint32_t> inputs = {};  // fed in this chunk
  };
  // Predictions for the next steps of each lane.
  struct Chunk {
    std::vector<uint32_t> first_row;              // [lane]
    std::vector<std::vector<Probability>> paths;  // [row]: along its token
    std::vector<TokenCost> costs;                 // [row], if costs are wanted
  };

  // Runs the model over the next steps of each lane and records the
  // probabilities along each token.
  Status PredictChunk(EncodeSession& session, Chunk& chunk) {
    std::vector<StreamTokens> batch;
    std::vector<uint32_t> targets;
    chunk.first_row.clear();
    for (Lane& lane : lanes_) {
      lane.inputs.clear();
      chunk.first_row.push_back(static_cast<uint32_t>(targets.size()));
      const size_t steps =
          std::min<size_t>(steps_per_chunk_, lane.unread.size());
      for (const TextPiece& piece : lane.unread.first(steps)) {
        if (piece.token == TextPiece::kEscape) continue;
        lane.inputs.push_back(std::exchange(lane.last_token, piece.token));
        targets.push_back(piece.token);
      }
      lane.unread = lane.unread.subspan(steps);
      if (!lane.inputs.empty()) {
        batch.push_back({lane.position.lane, lane.inputs});
      }
    }
    if (batch.empty()) return OkStatus();
    if (chunk.paths.size() < targets.size()) chunk.paths.resize(targets.size());
    EncodeSession::MassesCallback add_opinion;
    if (context_.costs != nullptr) {
      chunk.costs.resize(targets.size());
      add_opinion = [&](uint32_t row, const TokenMasses& masses) {
        chunk.costs[row] =
            CostOfToken(masses, targets[row], context_.costs->max_alternatives);
      };
    }
    LLMA_TRY(session.Run(batch, targets, chunk.paths, add_opinion));
    if (context_.learns && std::ranges::any_of(lanes_, [](const Lane& lane) {
          return !lane.unread.empty();
        })) {
      session.Learn();
    }
    return OkStatus();
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
        if (piece.token != TextPiece::kEscape) ++next_row[i];
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
    const bool is_escape = piece.token == TextPiece::kEscape;
    RecordedWalk walk(is_escape ? std::span<const Probability>()
                                : chunk.paths[row]);
    LLMA_TRY(CodePiece(
        coder, models_, lane.position, walk,
        content_.subspan(static_cast<size_t>(lane.byte_ofs), piece.size_bytes),
        is_escape, [](uint8_t) {}));
    return OkStatus();
  }

  void AddCost(double bits, const Lane& lane, Chunk& chunk, uint32_t row) {
    const TextPiece piece = lane.uncoded.front();
    PieceCost cost = {lane.byte_ofs, piece.size_bytes, bits, -1, {}};
    if (piece.token != TextPiece::kEscape) {
      cost.model_bits = chunk.costs[row].bits;
      cost.alternatives = std::move(chunk.costs[row].alternatives);
    }
    context_.costs->pieces.push_back(std::move(cost));
  }

  const FrameContext& context_;
  const Bytes content_;
  const uint32_t steps_per_chunk_;
  FrameModels models_;
  BinaryEncoder coder_;
  std::vector<Lane> lanes_;
};

}  // namespace

uint64_t EncoderMemoryBytes(const EngineKind& given, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads, bool learns) {
  // Only the processor learns.
  const EngineKind& kind = learns ? *AllEngines().front() : given;
  const uint32_t steps = StepsPerChunk(num_lanes, kind.max_encode_rows);
  const SessionShape shape = {num_lanes, window_positions, steps};
  return kind.encoder_bytes(config, shape, num_threads) +
         2 * shape.max_rows() * kPathBytes +
         (learns ? Learner::SizeBytes(config, num_threads) : 0);
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
  LLMA_ASSIGN(const std::optional<ReferenceStart> start,
              ReadReference(context, lane_bytes));
  FrameEncoder encoder(context, content, PiecesOfLanes(pieces, lane_bytes),
                       lane_bytes, std::move(coder), start);
  LLMA_ASSIGN(const auto session,
              context.engine.OpenEncoder(
                  {encoder.shape(), lane_bytes, context.pool, context.clock,
                   context.pages, start ? start->read->stream.get() : nullptr,
                   false, context.learns}));
  return encoder.Run(*session);
}

}  // namespace llma
