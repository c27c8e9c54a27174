// SPDX-License-Identifier: Apache-2.0
// Decoding: every lane needs its last token before it can predict the next, so
// a step runs the model over one position of each lane. A single lane guesses
// its next tokens, a tree of them, and runs them along, since the time goes
// into reading weights; predictions behind a wrong guess are dropped.
#include <algorithm>
#include <atomic>
#include <optional>

#include "base/spin_wait.h"
#include "codec/frame_checks.h"
#include "codec/frame_codec.h"
#include "codec/piece_coder.h"
#include "model/forward.h"
#include "predict/token_drafter.h"
#include "predict/token_masses.h"

namespace llma {
namespace {

static_assert(kMaxPassTokens <= kMaxQueryPositions);

uint32_t MaxPassTokens(size_t num_lanes) {
  return num_lanes == 1 ? kMaxPassTokens : 1;
}

class FrameDecoder {
 public:
  FrameDecoder(const FrameContext& context, BinaryDecoder coder,
               std::span<const uint64_t> lane_bytes)
      : context_(context),
        index_(context.model.tokens()),
        models_(index_, context.context_models, lane_bytes, coder.size_bytes(),
                context.pages),
        coder_(std::move(coder)),
        // Several lanes do not guess: a step is needed as long as any lane
        // needs one.
        max_pass_tokens_(MaxPassTokens(lane_bytes.size())),
        forward_(context.model, context.kernels, context.pool,
                 static_cast<uint32_t>(lane_bytes.size()) * max_pass_tokens_,
                 context.window_positions),
        logits_(lane_bytes.size() * max_pass_tokens_ *
                forward_.logits_stride()),
        are_weighed_(lane_bytes.size()),
        weighing_wait_(context.pool.may_spin()) {
    forward_.set_clock(context.clock);
    lanes_.reserve(lane_bytes.size());
    const uint64_t code_bytes = coder_.size_bytes();
    for (const uint64_t bytes : lane_bytes) {
      lanes_.push_back(
          Lane{.position = {.remaining_bytes = bytes,
                            .lane = static_cast<uint32_t>(lanes_.size())},
               .cache = KvCache(
                   context.model.config(), context.window_positions,
                   max_pass_tokens_,
                   KeyValuePages(UsedBytes(bytes, code_bytes), context.pages)),
               .masses = TokenMasses(context.model.tokens().num_tokens())});
      lanes_.back().fed.tokens = {context.model.config().start_row};
      total_bytes_ += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    while (done_bytes_ < total_bytes_) {
      PredictStep();
      EnterStage(context_.clock, Stage::kCoding);
      LLMA_TRY(DecodeStep());
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
    TokenTree fed = {};
    std::vector<uint32_t> path =
        {};                  // fed tokens that are the lane's, in order
    TokenMasses masses;      // of the token after them
    uint32_t first_row = 0;  // of the last pass
    bool needs_prediction = true;
    TokenDrafter drafter = {};
    std::vector<uint8_t> content = {};
  };
  enum class Weighing : uint32_t { kToDo, kDone, kFailed };

  // Runs the lanes whose next token has no prediction yet.
  void PredictStep() {
    std::vector<StreamBatch> batch;
    predicted_.clear();
    uint32_t num_rows = 0;
    for (Lane& lane : lanes_) {
      if (lane.position.remaining_bytes == 0 || !lane.needs_prediction)
        continue;
      if (max_pass_tokens_ > 1 && lane.cache.num_positions() >= kNumSinks) {
        lane.fed = lane.drafter.Draft(max_pass_tokens_,
                                      context_.kernels.extra_row_cost);
      }
      batch.push_back({&lane.cache, lane.fed.tokens, lane.fed.parents});
      predicted_.push_back(&lane);
      lane.first_row = num_rows;
      num_rows += static_cast<uint32_t>(lane.fed.tokens.size());
      lane.path.assign(1, 0);
      lane.needs_prediction = false;
    }
    if (batch.empty()) return;
    forward_.Run(batch);
    forward_.ComputeLogits(0, num_rows, logits_.data());
  }

  // A piece of each lane. Masses of later lanes are computed beside.
  Status DecodeStep() {
    next_to_weigh_.store(0);
    for (auto& is_weighed : are_weighed_) is_weighed.store(Weighing::kToDo);
    std::optional<BackgroundWork> weighing;
    if (predicted_.size() > 1) {
      weighing.emplace(context_.pool, [this] {
        while (WeighNext()) {
        }
      });
    }
    size_t num_predicted = 0;
    for (Lane& lane : lanes_) {
      if (num_predicted < predicted_.size() &&
          predicted_[num_predicted] == &lane) {
        EnterStage(context_.clock, Stage::kTokenWeights);
        const std::atomic<Weighing>& state = are_weighed_[num_predicted];
        while (state.load(std::memory_order_acquire) == Weighing::kToDo &&
               WeighNext()) {
        }
        // Another thread is at it.
        weighing_wait_.WhileEqual(state, Weighing::kToDo);
        if (state.load() == Weighing::kFailed) weighing->Join();  // throws
        EnterStage(context_.clock, Stage::kCoding);
        ++num_predicted;
      }
      LLMA_TRY(DecodePiece(lane));
    }
    return OkStatus();
  }

  // The masses of the next predicted lane that nobody has taken; false if there
  // is none.
  bool WeighNext() {
    const size_t i = next_to_weigh_.fetch_add(1);
    if (i >= predicted_.size()) return false;
    const auto finish = [&](Weighing how) {
      are_weighed_[i].store(how, std::memory_order_release);
      are_weighed_[i].notify_one();
    };
    try {
      SetMasses(*predicted_[i]);
    } catch (...) {
      finish(Weighing::kFailed);
      throw;
    }
    finish(Weighing::kDone);
    return true;
  }

  void SetMasses(Lane& lane) {
    const size_t row = lane.first_row + lane.path.back();
    lane.masses.Set(context_.kernels,
                    logits_.data() + row * forward_.logits_stride());
  }

  Status DecodePiece(Lane& lane) {
    if (lane.position.remaining_bytes == 0) return OkStatus();
    TokenWalk walk(index_, lane.masses);
    LLMA_ASSIGN(const CodedPiece piece,
                CodePiece(coder_, models_, lane.position, walk, {}, false,
                          [&](uint8_t byte) { lane.content.push_back(byte); }));
    if (!piece.is_escape) Advance(lane, walk.row());
    done_bytes_ += piece.size_bytes;
    return OkStatus();
  }

  // Takes the prediction behind `token` if it was guessed.
  void Advance(Lane& lane, uint32_t token) {
    if (max_pass_tokens_ > 1) lane.drafter.Push(token);
    const auto num_fed = static_cast<uint32_t>(lane.fed.tokens.size());
    const uint32_t last = lane.path.back();
    for (uint32_t i = last + 1; i < num_fed; ++i) {
      if (lane.fed.tokens[i] != token || lane.fed.parents[i] != last) continue;
      lane.path.push_back(i);
      EnterStage(context_.clock, Stage::kTokenWeights);
      SetMasses(lane);
      EnterStage(context_.clock, Stage::kCoding);
      return;
    }
    lane.cache.Keep(num_fed, lane.path);
    lane.fed.tokens.assign(1, token);
    lane.fed.parents.clear();
    lane.needs_prediction = true;
  }

  const FrameContext& context_;
  const TokenIndex index_;
  FrameModels models_;
  BinaryDecoder coder_;
  const uint32_t max_pass_tokens_;
  ForwardPass forward_;
  AlignedBuffer<float> logits_;  // [row, logits_stride]
  std::vector<Lane> lanes_;
  // Those of the last step, and whose masses are there.
  std::vector<Lane*> predicted_;
  std::atomic<size_t> next_to_weigh_{0};
  std::vector<std::atomic<Weighing>> are_weighed_;
  SpinWait weighing_wait_;
  uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace

uint64_t DecoderMemoryBytes(const Model& model, uint32_t num_lanes,
                            uint32_t window_positions, int num_threads) {
  const ModelConfig& config = model.config();
  const uint32_t pass_tokens = MaxPassTokens(num_lanes);
  const uint32_t rows = num_lanes * pass_tokens;
  return ForwardPass::SizeBytes(config, rows, window_positions, num_threads) +
         rows * ForwardPass::LogitsStride(config) * sizeof(float) +
         num_lanes *
             (KvCache::SizeBytes(config, window_positions, pass_tokens) +
              TokenMasses::SizeBytes(config.num_tokens)) +
         (num_lanes == 1 ? config.num_tokens * sizeof(uint32_t) : 0);
}

Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         BinaryDecoder coder,
                                         std::span<const uint64_t> lane_bytes) {
  LLMA_ENSURE(!lane_bytes.empty());
  return FrameDecoder(context, std::move(coder), lane_bytes).Run();
}

}  // namespace llma
