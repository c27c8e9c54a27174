// SPDX-License-Identifier: Apache-2.0
// Decoding: every lane needs its last token before it can predict the next, so
// a step runs the model over one position of each lane.
#include <algorithm>
#include <numeric>

#include "codec/frame_codec.h"
#include "codec/piece_coder.h"
#include "model/forward.h"
#include "predict/token_masses.h"

namespace llma {
namespace {

// How often progress is told.
constexpr uint32_t kStepsPerReport = 16;

class FrameDecoder {
 public:
  FrameDecoder(const FrameContext& context, Bytes code,
               std::span<const uint64_t> lane_bytes)
      : context_(context),
        index_(context.model.tokens()),
        models_(context.model.tokens(), context.context_models, lane_bytes),
        coder_(code),
        forward_(context.model, context.kernels, context.pool,
                 static_cast<uint32_t>(lane_bytes.size()),
                 context.window_positions),
        logits_(lane_bytes.size() * forward_.logits_stride()) {
    lanes_.reserve(lane_bytes.size());
    for (const uint64_t bytes : lane_bytes) {
      lanes_.push_back(Lane{
          .position = {.remaining_bytes = bytes,
                       .lane = static_cast<uint32_t>(lanes_.size())},
          .cache = KvCache(context.model.config(), context.window_positions, 1),
          .last_token = context.model.config().start_row,
          .masses = TokenMasses(context.model.tokens().num_tokens())});
      total_bytes_ += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    for (uint32_t step = 0; done_bytes_ < total_bytes_; ++step) {
      PredictStep();
      for (Lane& lane : lanes_) LLMA_TRY(DecodePiece(lane));
      if (coder_.IsTruncated()) {
        return Error{ErrorCode::kTruncated, "the file is truncated"};
      }
      if (context_.progress && step % kStepsPerReport == 0 &&
          !context_.progress(
              {done_bytes_, total_bytes_, coder_.consumed_bytes()})) {
        return Error{ErrorCode::kUsage, "cancelled"};
      }
    }
    if (!coder_.IsAtCanonicalEnd()) {
      return Error{ErrorCode::kCorrupt,
                   "the code does not end where it should"};
    }
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
    uint32_t last_token;  // not yet fed, if needs_prediction
    bool needs_prediction = true;
    TokenMasses masses;  // of its next token
    std::vector<uint8_t> content = {};
  };

  // Feeds each lane's last token, unless its last piece was an escape.
  void PredictStep() {
    std::vector<StreamBatch> batch;
    std::vector<Lane*> fed;
    for (Lane& lane : lanes_) {
      if (lane.position.remaining_bytes == 0 || !lane.needs_prediction)
        continue;
      batch.push_back({&lane.cache, {&lane.last_token, 1}});
      fed.push_back(&lane);
      lane.needs_prediction = false;
    }
    if (fed.empty()) return;
    forward_.Run(batch);
    forward_.ComputeLogits(0, static_cast<uint32_t>(fed.size()),
                           logits_.data());
    context_.pool.ParallelFor(fed.size(), [&](size_t i) {
      fed[i]->masses.Set(context_.kernels,
                         logits_.data() + i * forward_.logits_stride());
    });
  }

  Status DecodePiece(Lane& lane) {
    if (lane.position.remaining_bytes == 0) return OkStatus();
    TokenWalk walk(index_, lane.masses);
    LLMA_ASSIGN(const CodedPiece piece,
                CodePiece(coder_, models_, lane.position, walk, {}, false,
                          [&](uint8_t byte) { lane.content.push_back(byte); }));
    if (!piece.is_escape) {
      lane.last_token = walk.row();
      lane.needs_prediction = true;
    }
    done_bytes_ += piece.size_bytes;
    return OkStatus();
  }

  const FrameContext& context_;
  const TokenIndex index_;
  FrameModels models_;
  BinaryDecoder coder_;
  ForwardPass forward_;
  AlignedBuffer<float> logits_;  // [lane, logits_stride]
  std::vector<Lane> lanes_;
  uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace

Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         Bytes code,
                                         std::span<const uint64_t> lane_bytes) {
  LLMA_ENSURE(!lane_bytes.empty());
  return FrameDecoder(context, code, lane_bytes).Run();
}

}  // namespace llma
