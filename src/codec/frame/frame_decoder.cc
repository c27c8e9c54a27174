// SPDX-License-Identifier: Apache-2.0
// Decoding: every lane needs its last token before it can predict the next, so
// a step runs the model over one position of each lane. A single lane guesses
// its next tokens, a tree of them, and runs them along, since the time goes
// into reading weights; predictions after a wrong guess are dropped.
#include "codec/frame/frame_decoder.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "base/spin_wait.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/piece_coder.h"
#include "codec/frame/reference_start.h"
#include "model/kv_cache.h"
#include "predict/token_drafter.h"

namespace llma {
namespace {

static_assert(kMaxPassTokens <= kMaxTreeTokens);

uint32_t MaxPassTokens(size_t num_lanes) {
  return num_lanes == 1 ? kMaxPassTokens : 1;
}

class FrameDecoder {
 public:
  FrameDecoder(const FrameContext& context, DecodeSession& session,
               BinaryDecoder coder, std::span<const uint64_t> lane_bytes,
               const std::optional<ReferenceStart>& start)
      : context_(context),
        session_(session),
        models_(StartModels(context, start, lane_bytes, coder.size_bytes())),
        coder_(std::move(coder)),
        // Several lanes do not guess: a step is needed as long as any lane
        // needs one.
        max_pass_tokens_(MaxPassTokens(lane_bytes.size())),
        turns_per_step_(TurnsPerLearningStep(lane_bytes.size())),
        are_weighed_(lane_bytes.size()),
        weighing_wait_(context.pool.may_spin()) {
    const Model& model = context.engine.model();
    lanes_.reserve(lane_bytes.size());
    for (const uint64_t bytes : lane_bytes) {
      lanes_.push_back(
          Lane{.position = {.remaining_bytes = bytes,
                            .lane = static_cast<uint32_t>(lanes_.size())},
               .masses = TokenMasses(model.tokens().num_tokens())});
      lanes_.back().fed.tokens = {model.config().start_row};
      if (start) Continue(lanes_.back(), start->read->tokens);
      total_bytes_ += bytes;
    }
  }

  Result<std::vector<uint8_t>> Run() {
    while (done_bytes_ < total_bytes_) {
      if (context_.learns && num_turns_ % turns_per_step_ == 0 &&
          num_turns_ > 0) {
        Learn();
      }
      LLMA_TRY(PredictStep());
      EnterStage(context_.clock, Stage::kCoding);
      const Status decoded = DecodeStep();
      LLMA_TRY(session_.Check());  // for what it gave may be the cause
      LLMA_TRY(decoded);
      ++num_turns_;
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
    uint64_t num_positions = 0;  // of the stream, before `fed`
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

  // The lane's stream has read these, but for the last one.
  void Continue(Lane& lane, std::span<const uint32_t> tokens) {
    if (tokens.empty()) return;
    if (max_pass_tokens_ > 1) {
      for (const uint32_t token : tokens) lane.drafter.Push(token);
    }
    lane.fed.tokens = {tokens.back()};
    lane.num_positions = tokens.size();
  }

  // A step of learning. Predictions that are not yet used are made anew.
  void Learn() {
    for (Lane& lane : lanes_) {
      if (lane.position.remaining_bytes == 0 || lane.needs_prediction) continue;
      const uint32_t token = lane.fed.tokens[lane.path.back()];
      lane.path.pop_back();
      session_.Keep(lane.position.lane, lane.path);
      Feed(lane, token);
    }
    session_.Learn();
  }

  // After the path: it is in the stream.
  void Feed(Lane& lane, uint32_t token) {
    lane.num_positions += lane.path.size();
    lane.fed.tokens.assign(1, token);
    lane.fed.parents.clear();
    lane.needs_prediction = true;
  }

  // Runs the lanes whose next token has no prediction yet.
  Status PredictStep() {
    std::vector<StreamTokens> batch;
    predicted_.clear();
    uint32_t num_rows = 0;
    for (Lane& lane : lanes_) {
      if (lane.position.remaining_bytes == 0 || !lane.needs_prediction)
        continue;
      if (max_pass_tokens_ > 1 && lane.num_positions >= kNumSinks) {
        lane.fed = lane.drafter.Draft(
            max_pass_tokens_,
            session_.extra_row_cost(context_.engine.extra_row_cost()));
      }
      batch.push_back({lane.position.lane, lane.fed.tokens, lane.fed.parents});
      predicted_.push_back(&lane);
      lane.first_row = num_rows;
      num_rows += static_cast<uint32_t>(lane.fed.tokens.size());
      lane.path.assign(1, 0);
      lane.needs_prediction = false;
    }
    return batch.empty() ? OkStatus() : session_.Run(batch);
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

  // The masses of the next predicted lane that no thread has taken; false if
  // there is none.
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
    session_.Weigh(lane.first_row + lane.path.back(), lane.masses);
  }

  Status DecodePiece(Lane& lane) {
    if (lane.position.remaining_bytes == 0) return OkStatus();
    TokenWalk walk(context_.engine.index(), lane.masses);
    LLMA_ASSIGN(const CodedPiece piece,
                CodePiece(coder_, models_, lane.position, walk, {}, false,
                          [&](uint8_t byte) { lane.content.push_back(byte); }));
    if (!piece.is_escape) Advance(lane, walk.token());
    done_bytes_ += piece.size_bytes;
    return OkStatus();
  }

  // Takes the prediction after `token` if it was guessed.
  void Advance(Lane& lane, uint32_t token) {
    if (max_pass_tokens_ > 1) lane.drafter.Push(token);
    const auto num_fed = static_cast<uint32_t>(lane.fed.tokens.size());
    const uint32_t last = lane.path.back();
    if (context_.learns) {
      session_.Remember(lane.position.lane, lane.first_row + last, lane.masses,
                        token);
    }
    // What was guessed is no longer what the model says after a step.
    const bool is_stale =
        context_.learns && (num_turns_ + 1) % turns_per_step_ == 0;
    for (uint32_t i = last + 1; i < num_fed && !is_stale; ++i) {
      if (lane.fed.tokens[i] != token || lane.fed.parents[i] != last) continue;
      lane.path.push_back(i);
      EnterStage(context_.clock, Stage::kTokenWeights);
      SetMasses(lane);
      EnterStage(context_.clock, Stage::kCoding);
      return;
    }
    if (num_fed > 1) session_.Keep(lane.position.lane, lane.path);
    Feed(lane, token);
  }

  const FrameContext& context_;
  DecodeSession& session_;
  FrameModels models_;
  BinaryDecoder coder_;
  const uint32_t max_pass_tokens_;
  const uint32_t turns_per_step_;
  uint64_t num_turns_ = 0;  // pieces of each lane so far
  std::vector<Lane> lanes_;
  // Those of the last step, and whose masses are there.
  std::vector<Lane*> predicted_;
  std::atomic<size_t> next_to_weigh_{0};
  std::vector<std::atomic<Weighing>> are_weighed_;
  SpinWait weighing_wait_;
  uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace

uint64_t DecoderMemoryBytes(const EngineKind& given, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads, bool learns) {
  // Only the processor learns.
  const EngineKind& kind = learns ? *AllEngines().front() : given;
  const uint32_t num_tokens = config.num_tokens;
  return kind.decoder_bytes(
             config, {num_lanes, window_positions, MaxPassTokens(num_lanes)},
             num_threads) +
         num_lanes * TokenMasses::SizeBytes(num_tokens) +
         (learns ? Learner::SizeBytes(config, num_threads) +
                       TokenRecords::SizeBytes(
                           config, num_lanes * MaxPassTokens(num_lanes))
                 : 0) +
         (num_lanes == 1 ? num_tokens * sizeof(uint32_t) : 0);
}

Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         BinaryDecoder coder,
                                         std::span<const uint64_t> lane_bytes) {
  LLMA_ENSURE(!lane_bytes.empty());
  std::vector<uint64_t> used_bytes;
  for (const uint64_t bytes : lane_bytes) {
    used_bytes.push_back(UsedBytes(bytes, coder.size_bytes()));
  }
  const auto num_lanes = static_cast<uint32_t>(lane_bytes.size());
  LLMA_ASSIGN(const std::optional<ReferenceStart> start,
              ReadReference(context, lane_bytes));
  LLMA_ASSIGN(
      const auto session,
      context.engine.OpenDecoder(
          {{num_lanes, context.window_positions, MaxPassTokens(num_lanes)},
           used_bytes,
           context.joint_pool != nullptr ? *context.joint_pool : context.pool,
           context.clock,
           context.pages,
           start ? start->read->stream.get() : nullptr,
           context.joint_pool != nullptr,
           context.learns}));
  return FrameDecoder(context, *session, std::move(coder), lane_bytes, start)
      .Run();
}

}  // namespace llma
