// SPDX-License-Identifier: Apache-2.0
// For tests: an engine that is nothing but the plain forward pass. It gives
// block sums at first and weights when they are asked for, as a device may.
#ifndef LLMA_ENGINE_REFERENCE_ENGINE_H_
#define LLMA_ENGINE_REFERENCE_ENGINE_H_

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "model/reference_forward.h"
#include "numerics/reference_ops.h"

namespace llma {

// What a stream has seen after a row of the last Run, and the weights of the
// token after it.
struct ReferenceRow {
  std::shared_ptr<ReferenceForward> seen;
  std::vector<uint32_t> weights;
  std::vector<uint64_t> block_sums;
};

struct ReferenceStreamStart : StreamStart {
  explicit ReferenceStreamStart(const ReferenceForward& of) : seen(of) {}
  ReferenceForward seen;
};

class ReferenceStreams {
 public:
  ReferenceStreams(const Model& model, const SessionOptions& options) {
    const SessionShape& shape = options.shape;
    const auto* start = static_cast<const ReferenceStreamStart*>(options.start);
    for (uint32_t i = 0; i < shape.num_streams; ++i) {
      streams_.push_back(start != nullptr
                             ? std::make_shared<ReferenceForward>(start->seen)
                             : std::make_shared<ReferenceForward>(
                                   model, shape.window_positions));
    }
    first_row_.resize(shape.num_streams);
  }
  std::shared_ptr<const StreamStart> Share(uint32_t stream) const {
    return std::make_shared<ReferenceStreamStart>(*streams_[stream]);
  }

  void Run(std::span<const StreamTokens> batch) {
    rows_.clear();
    for (const StreamTokens& of : batch) {
      const size_t first = rows_.size();
      first_row_[of.stream] = first;
      for (size_t i = 0; i < of.tokens.size(); ++i) {
        const size_t parent = of.parents.empty() ? i - 1 : of.parents[i];
        const ReferenceForward& before =
            i == 0 ? *streams_[of.stream] : *rows_[first + parent]->seen;
        rows_.push_back(
            std::make_shared<const ReferenceRow>(Feed(before, of.tokens[i])));
      }
      streams_[of.stream] = rows_.back()->seen;
    }
  }
  void Keep(uint32_t stream, uint32_t last_kept) {
    streams_[stream] = rows_[first_row_[stream] + last_kept]->seen;
  }
  void Weigh(uint32_t row, TokenMasses& masses) const {
    const auto from = rows_[row];
    masses.Set(from->block_sums, [from](uint32_t block, uint32_t* weights) {
      const size_t begin = size_t{block} * kTokenBlock;
      std::copy_n(from->weights.data() + begin,
                  std::min<size_t>(kTokenBlock, from->weights.size() - begin),
                  weights);
    });
  }

 private:
  static ReferenceRow Feed(const ReferenceForward& before, uint32_t token) {
    ReferenceRow row;
    row.seen = std::make_shared<ReferenceForward>(before);
    const std::vector<float> logits = row.seen->Feed(token);
    const auto num_tokens = static_cast<uint32_t>(logits.size());
    row.weights.resize(num_tokens);
    row.block_sums.resize(TokenMasses::NumBlocks(num_tokens));
    reference::TokenWeights(logits.data(), num_tokens, row.weights.data(),
                            row.block_sums.data());
    return row;
  }

  std::vector<std::shared_ptr<ReferenceForward>> streams_;  // [stream]
  std::vector<size_t> first_row_;                           // [stream]
  // Of the last Run; weights may be loaded later.
  std::vector<std::shared_ptr<const ReferenceRow>> rows_;
};

class ReferenceEncodeSession : public EncodeSession {
 public:
  ReferenceEncodeSession(const Engine& engine, const SessionOptions& options)
      : index_(engine.index()),
        streams_(engine.model(), options),
        masses_(engine.model().tokens().num_tokens()) {}
  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override {
    streams_.Run(batch);
    for (uint32_t row = 0; row < targets.size(); ++row) {
      streams_.Weigh(row, masses_);
      paths[row].clear();
      RecordWalk(index_, masses_, targets[row], paths[row]);
      if (on_masses) on_masses(row, masses_);
    }
    return OkStatus();
  }
  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override {
    return streams_.Share(stream);
  }

 private:
  const TokenIndex& index_;
  ReferenceStreams streams_;
  TokenMasses masses_;
};

class ReferenceDecodeSession : public DecodeSession {
 public:
  ReferenceDecodeSession(const Engine& engine, const SessionOptions& options)
      : streams_(engine.model(), options) {}
  Status Run(std::span<const StreamTokens> batch) override {
    streams_.Run(batch);
    return OkStatus();
  }
  void Weigh(uint32_t row, TokenMasses& masses) override {
    streams_.Weigh(row, masses);
  }
  void Keep(uint32_t stream, std::span<const uint32_t> kept) override {
    streams_.Keep(stream, kept.back());
  }

 private:
  ReferenceStreams streams_;
};

class ReferenceEngine : public Engine {
 public:
  using Engine::Engine;
  uint32_t encode_rows() const override { return 7; }
  float extra_row_cost() const override { return 0.01f; }  // so guess much
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override {
    return std::unique_ptr<EncodeSession>(
        std::make_unique<ReferenceEncodeSession>(*this, options));
  }
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override {
    return std::unique_ptr<DecodeSession>(
        std::make_unique<ReferenceDecodeSession>(*this, options));
  }
};

}  // namespace llma

#endif  // LLMA_ENGINE_REFERENCE_ENGINE_H_
