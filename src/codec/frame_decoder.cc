// SPDX-License-Identifier: Apache-2.0
// Decoding: every lane needs its last token before it can predict the next, so
// a step runs the model over one position of each lane. A single lane guesses
// its next tokens and runs them along, since the time goes into reading
// weights; predictions behind a wrong guess are dropped.
#include <algorithm>
#include <numeric>

#include "codec/frame_checks.h"
#include "codec/frame_codec.h"
#include "codec/piece_coder.h"
#include "model/forward.h"
#include "predict/token_drafter.h"
#include "predict/token_masses.h"

namespace llma {
namespace {

// Guesses that one pass takes along, and how many tokens must have matched
// before. More lanes leave less to gain: a step is needed as long as any lane
// needs one.
constexpr uint32_t kMaxDraftTokens = 7;
constexpr uint32_t kMinDraftMatch = 2;

class FrameDecoder {
 public:
  FrameDecoder(const FrameContext& context, BinaryDecoder coder,
               std::span<const uint64_t> lane_bytes)
      : context_(context),
        index_(context.model.tokens()),
        models_(context.model.tokens(), context.context_models, lane_bytes),
        coder_(std::move(coder)),
        max_draft_tokens_(lane_bytes.size() == 1 ? kMaxDraftTokens : 0),
        forward_(
            context.model, context.kernels, context.pool,
            static_cast<uint32_t>(lane_bytes.size()) * (1 + max_draft_tokens_),
            context.window_positions),
        logits_(lane_bytes.size() * (1 + max_draft_tokens_) *
                forward_.logits_stride()) {
    forward_.set_clock(context.clock);
    lanes_.reserve(lane_bytes.size());
    for (const uint64_t bytes : lane_bytes) {
      lanes_.push_back(Lane{
          .position = {.remaining_bytes = bytes,
                       .lane = static_cast<uint32_t>(lanes_.size())},
          .cache = KvCache(context.model.config(), context.window_positions,
                           1 + max_draft_tokens_),
          .fed = {context.model.config().start_row},
          .masses = {}});
      for (uint32_t i = 0; i <= max_draft_tokens_; ++i) {
        lanes_.back().masses.emplace_back(context.model.tokens().num_tokens());
      }
      total_bytes_ += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    while (done_bytes_ < total_bytes_) {
      PredictStep();
      EnterStage(context_.clock, Stage::kCoding);
      for (Lane& lane : lanes_) LLMA_TRY(DecodePiece(lane));
      LLMA_TRY(CheckNotTruncated(coder_));
      LLMA_TRY(ReportProgress(context_.progress, {done_bytes_, total_bytes_,
                                                  coder_.consumed_bytes()}));
    }
    EnterStage(context_.clock, Stage::kOther);
    LLMA_TRY(CheckEndOfCode(coder_));
    std::vector<uint8_t> content = std::move(lanes_[0].content);
    for (size_t i = 1; i < lanes_.size(); ++i) {
      content.insert(content.end(), lanes_[i].content.begin(),
                     lanes_[i].content.end());
    }
    return content;
  }

 private:
  struct Lane {
    LanePosition position;
    KvCache cache;
    // Given to the model together: the last token, then guesses.
    std::vector<uint32_t> fed;
    std::vector<TokenMasses> masses;  // [fed token]: of the token after it
    uint32_t current = 0;             // fed token that is the lane's last
    bool needs_prediction = true;
    TokenDrafter drafter = {};
    std::vector<uint8_t> content = {};
  };

  // Runs the lanes whose next token has no prediction yet.
  void PredictStep() {
    std::vector<StreamBatch> batch;
    std::vector<TokenMasses*> masses;  // [row]
    for (Lane& lane : lanes_) {
      if (lane.position.remaining_bytes == 0 || !lane.needs_prediction)
        continue;
      const auto draft = lane.drafter.Draft(kMinDraftMatch, max_draft_tokens_);
      lane.fed.insert(lane.fed.end(), draft.begin(), draft.end());
      batch.push_back({&lane.cache, lane.fed});
      for (size_t i = 0; i < lane.fed.size(); ++i) {
        masses.push_back(&lane.masses[i]);
      }
      lane.current = 0;
      lane.needs_prediction = false;
    }
    if (batch.empty()) return;
    forward_.Run(batch);
    forward_.ComputeLogits(0, static_cast<uint32_t>(masses.size()),
                           logits_.data());
    context_.pool.ParallelFor(masses.size(), [&](size_t row) {
      masses[row]->Set(context_.kernels,
                       logits_.data() + row * forward_.logits_stride());
    });
  }

  Status DecodePiece(Lane& lane) {
    if (lane.position.remaining_bytes == 0) return OkStatus();
    TokenWalk walk(index_, lane.masses[lane.current]);
    LLMA_ASSIGN(const CodedPiece piece,
                CodePiece(coder_, models_, lane.position, walk, {}, false,
                          [&](uint8_t byte) { lane.content.push_back(byte); }));
    if (!piece.is_escape) Advance(lane, walk.row());
    done_bytes_ += piece.size_bytes;
    return OkStatus();
  }

  // Takes the prediction behind `token` if it was guessed.
  void Advance(Lane& lane, uint32_t token) {
    if (max_draft_tokens_ > 0) lane.drafter.Push(token);
    const auto next = lane.current + 1;
    if (next < lane.fed.size() && lane.fed[next] == token) {
      lane.current = next;
      return;
    }
    lane.cache.Rewind(static_cast<uint32_t>(lane.fed.size()) - next);
    lane.fed.assign(1, token);
    lane.needs_prediction = true;
  }

  const FrameContext& context_;
  const TokenIndex index_;
  FrameModels models_;
  BinaryDecoder coder_;
  const uint32_t max_draft_tokens_;
  ForwardPass forward_;
  AlignedBuffer<float> logits_;  // [row, logits_stride]
  std::vector<Lane> lanes_;
  uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace

Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         BinaryDecoder coder,
                                         std::span<const uint64_t> lane_bytes) {
  LLMA_ENSURE(!lane_bytes.empty());
  return FrameDecoder(context, std::move(coder), lane_bytes).Run();
}

}  // namespace llma
