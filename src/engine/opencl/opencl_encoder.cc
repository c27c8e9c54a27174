// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_encoder.h"

#include <algorithm>
#include <utility>

namespace llma::opencl {
namespace {

// Of a row's weights, which stay, and the sums of their blocks.
void SetMasses(const uint32_t* weights, uint32_t num_tokens,
               std::span<const uint64_t> block_sums, TokenMasses& masses) {
  masses.Set(block_sums, [weights, num_tokens](uint32_t block, uint32_t* to) {
    const uint32_t begin = block * kTokenBlock;
    std::copy_n(weights + begin, std::min(kTokenBlock, num_tokens - begin), to);
  });
}

}  // namespace

Result<std::unique_ptr<OpenClEncodeSession>> OpenClEncodeSession::Open(
    OpenClEngine& engine, const SessionOptions& options) {
  std::unique_ptr<OpenClEncodeSession> session(
      new OpenClEncodeSession(engine, options));
  LLMA_TRY(session->Prepare(options));
  session->end_.engine = &engine;
  return session;
}

OpenClEncodeSession::OpenClEncodeSession(OpenClEngine& engine,
                                         const SessionOptions& options)
    : engine_(engine),
      shape_(options.shape),
      clock_(options.clock),
      key_values_(engine.device(), engine.model()),
      decisions_of_(engine.model().config().num_tokens) {}

Status OpenClEncodeSession::Prepare(const SessionOptions& options) {
  const Device& device = engine_.device();
  LLMA_ASSIGN(queue_, Queue::Open(device));
  LLMA_ASSIGN(const KeyValues::Part part, key_values_.Add(shape_, *queue_));
  streams_ = std::make_unique<SessionStreams>(part);
  LLMA_ASSIGN(pass_, DevicePass::Create(device, engine_.model(),
                                        engine_.weights(), shape_.max_rows(),
                                        shape_.window_positions, *queue_));
  LLMA_ASSIGN(sums_before_,
              device.Allocate(uint64_t{pass_->logit_rows()} *
                              (pass_->num_blocks() + 1) * sizeof(uint64_t)));
  if (options.start != nullptr) {
    const auto& start = *static_cast<const OpenClStreamStart*>(options.start);
    streams_->StartAs(start);
    key_values_.CopyStream(part, start.key_values, start.part,
                           start.num_positions, *queue_);
  }
  return queue_->Finish();
}

Status OpenClEncodeSession::Run(std::span<const StreamTokens> batch,
                                std::span<const uint32_t> targets,
                                std::span<std::vector<Probability>> paths,
                                const MassesCallback& on_masses) {
  if (targets.empty()) return OkStatus();
  // What the host brings is there before there is work to wait for.
  LLMA_TRY(SetDecisions(targets));
  EnterStage(clock_, Stage::kMatmul);
  streams_->SetRows(batch, rows_);
  if (clock_ != nullptr) clock_->AddPositions(rows_.size());
  pass_->Run(key_values_, rows_);
  EnterStage(clock_, Stage::kHead);
  const auto num_rows = static_cast<uint32_t>(targets.size());
  const uint32_t step = pass_->logit_rows();
  for (uint32_t row = 0; row < num_rows; row += step) {
    const uint32_t count = std::min(step, num_rows - row);
    pass_->Weigh(row, count);
    Decide(row, count);
    if (on_masses) LLMA_TRY(ShowMasses(row, count, on_masses));
  }
  found_.resize(decisions_.size());
  queue_->Read(probabilities_, 0, found_.size() * sizeof(Probability),
               found_.data());
  LLMA_TRY(queue_->Finish());
  for (uint32_t row = 0; row < num_rows; ++row) {
    paths[row].assign(found_.begin() + first_decision_[row],
                      found_.begin() + first_decision_[row + 1]);
  }
  EnterStage(clock_, Stage::kTokenWeights);
  return OkStatus();
}

Result<std::shared_ptr<const StreamStart>> OpenClEncodeSession::Share(
    uint32_t stream) {
  auto shared =
      std::make_shared<OpenClStreamStart>(engine_.device(), engine_.model());
  shared->num_positions = streams_->num_positions(stream);
  LLMA_ASSIGN(shared->part,
              shared->key_values.Add({1, shape_.window_positions, 1}, *queue_));
  KeyValues::Part from = streams_->part();
  from.first_slot = from.FirstSlot(stream);
  shared->key_values.CopyStream(shared->part, key_values_, from,
                                shared->num_positions, *queue_);
  LLMA_TRY(queue_->Finish());
  return std::shared_ptr<const StreamStart>(std::move(shared));
}

// Of the tokens that follow all rows.
Status OpenClEncodeSession::SetDecisions(std::span<const uint32_t> targets) {
  decisions_.clear();
  decision_rows_.clear();
  first_decision_.assign(1, 0);
  for (uint32_t row = 0; row < targets.size(); ++row) {
    std::vector<DecisionRange>& of = decisions_of_[targets[row]];
    if (of.empty()) of = DecisionsOf(engine_.index(), targets[row]);
    decisions_.insert(decisions_.end(), of.begin(), of.end());
    decision_rows_.insert(decision_rows_.end(), of.size(),
                          row % pass_->logit_rows());
    first_decision_.push_back(static_cast<uint32_t>(decisions_.size()));
  }
  const size_t count = decisions_.size();
  if (count > max_decisions_) {
    const size_t room = RoundedUp(2 * count, 1024);
    const Device& device = engine_.device();
    LLMA_ASSIGN(device_decisions_,
                device.Allocate(room * sizeof(DecisionRange)));
    LLMA_ASSIGN(device_rows_, device.Allocate(room * sizeof(uint32_t)));
    LLMA_ASSIGN(probabilities_, device.Allocate(room * sizeof(Probability)));
    max_decisions_ = room;
  }
  queue_->Write(device_decisions_, 0, decisions_.data(),
                count * sizeof(DecisionRange));
  queue_->Write(device_rows_, 0, decision_rows_.data(),
                count * sizeof(uint32_t));
  return OkStatus();
}

// The probabilities of the decisions of rows that have weights now.
void OpenClEncodeSession::Decide(uint32_t row, uint32_t count) {
  queue_->Run(Kernel::kAddUp, {count, 1}, {0, 0}, pass_->block_sums(),
              pass_->num_blocks(), sums_before_);
  const uint32_t first = first_decision_[row];
  const uint32_t end = first_decision_[row + count];
  queue_->Run(Kernel::kDecide, {RoundedUp(end - first, kGroupItems), 1},
              {kGroupItems, 1}, device_decisions_, device_rows_, first, end,
              pass_->token_weights(), pass_->logits_stride(), sums_before_,
              pass_->num_blocks(), probabilities_);
}

Status OpenClEncodeSession::ShowMasses(uint32_t row, uint32_t count,
                                       const MassesCallback& on_masses) {
  const size_t stride = pass_->logits_stride();
  const size_t blocks = pass_->num_blocks();
  std::vector<uint32_t> weights(count * stride);
  std::vector<uint64_t> sums(count * blocks);
  queue_->Read(pass_->token_weights(), 0, weights.size() * sizeof(uint32_t),
               weights.data());
  queue_->Read(pass_->block_sums(), 0, sums.size() * sizeof(uint64_t),
               sums.data());
  LLMA_TRY(queue_->Finish());
  const uint32_t num_tokens = engine_.model().config().num_tokens;
  TokenMasses masses(num_tokens);
  for (uint32_t i = 0; i < count; ++i) {
    SetMasses(weights.data() + i * stride, num_tokens,
              std::span(sums).subspan(i * blocks, blocks), masses);
    on_masses(row + i, masses);
  }
  return OkStatus();
}

}  // namespace llma::opencl
