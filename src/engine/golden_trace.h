// SPDX-License-Identifier: Apache-2.0
// For tests: hashes of what each step gives on the tiny model, so that a
// difference names its layer and step. tests/data/tiny_trace.txt has them;
// tools/golden_trace.cc writes it anew.
#ifndef LLMA_ENGINE_GOLDEN_TRACE_H_
#define LLMA_ENGINE_GOLDEN_TRACE_H_

#include <bit>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/status.h"
#include "kernels/kernel_table.h"
#include "model/model.h"
#include "model/reference_forward.h"
#include "numerics/test_random.h"
#include "predict/token_masses.h"
#include "predict/token_walk.h"

namespace llma {

// One stream, so long that positions leave the window; enough rows for threads
// to have some of their own.
inline constexpr uint32_t kTracedTokens = 96;
inline constexpr uint32_t kTraceWindow = 32;

// The tokens that are fed, and one more that follows.
inline std::vector<uint32_t> TracedTokens(const ModelConfig& config) {
  TestRandom random(31);
  std::vector<uint32_t> tokens = {config.start_row};
  while (tokens.size() <= kTracedTokens) {
    tokens.push_back(random.Below(config.num_tokens));
  }
  return tokens;
}

// Hashes of steps, each over all positions. Thread-safe.
class TraceHashes {
 public:
  // In the order in which they are computed. The last two are what an engine
  // gives: the weights of all tokens, and the path of the token that follows.
  static constexpr std::string_view kSteps[] = {
      "x",           "attn_norm", "qkv",
      "o",           "attention", "ffn_norm",
      "gate_up",     "gated",     "feed_forward",
      "output_norm", "logits",    "weights",
      "path"};

  // Values of a position from column `col` on.
  template <class Value>
  void Add(uint32_t layer, std::string_view name, uint32_t position,
           uint32_t col, std::span<const Value> values) {
    const std::lock_guard lock(mutex_);
    auto& rows = values_[{layer, StepIndex(name)}];
    if (rows.size() <= position) rows.resize(position + 1);
    std::vector<uint32_t>& row = rows[position];
    if (row.size() < col + values.size()) row.resize(col + values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      row[col + i] = std::bit_cast<uint32_t>(values[i]);
    }
  }

  // What a decoder and an encoder get of an engine.
  void AddMasses(uint32_t num_layers, uint32_t position,
                 const TokenMasses& masses) {
    std::vector<uint32_t> weights;
    for (uint32_t i = 0; i < masses.num_tokens(); ++i) {
      weights.push_back(masses.weight(i));
    }
    Add(num_layers, "weights", position, 0, std::span<const uint32_t>(weights));
  }
  void AddPath(uint32_t num_layers, uint32_t position,
               const std::vector<Probability>& path) {
    Add(num_layers, "path", position, 0, std::span<const Probability>(path));
  }

  // A line for each step: "1 gated 0123456789abcdef".
  std::vector<std::string> Lines() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& [step, rows] : values_) {
      Xxh3Stream hash;
      for (const std::vector<uint32_t>& row : rows) {
        ByteWriter bytes;
        for (const uint32_t value : row) bytes.StoreU32(value);
        hash.Update(std::move(bytes).TakeBytes());
      }
      char text[64];
      std::snprintf(text, sizeof text, "%u %s %016llx", step.first,
                    std::string(kSteps[step.second]).c_str(),
                    static_cast<unsigned long long>(hash.Digest()));
      lines.emplace_back(text);
    }
    return lines;
  }

 private:
  static size_t StepIndex(std::string_view name) {
    size_t i = 0;
    while (i < std::size(kSteps) && kSteps[i] != name) ++i;
    LLMA_DCHECK(i < std::size(kSteps));
    return i;
  }

  mutable std::mutex mutex_;
  // [layer, step][position][column]
  std::map<std::pair<uint32_t, size_t>, std::vector<std::vector<uint32_t>>>
      values_;
};

// By the plain forward pass and the definition of the weights.
inline void TraceReference(const Model& model, TraceHashes& hashes) {
  const auto tokens = TracedTokens(model.config());
  const uint32_t num_layers = model.config().num_layers;
  const TokenIndex index(model.tokens());
  TokenMasses masses(model.tokens().num_tokens());
  ReferenceForward reference(model, kTraceWindow);
  uint32_t position = 0;
  reference.set_trace([&](uint32_t layer, std::string_view name,
                          std::span<const float> values) {
    hashes.Add(layer, name, position, 0, values);
  });
  for (; position < kTracedTokens; ++position) {
    const std::vector<float> logits = reference.Feed(tokens[position]);
    masses.Set(**FindKernels("scalar"), logits.data());
    hashes.AddMasses(num_layers, position, masses);
    std::vector<Probability> path;
    RecordWalk(index, masses, tokens[position + 1], path);
    hashes.AddPath(num_layers, position, path);
  }
}

}  // namespace llma

#endif  // LLMA_ENGINE_GOLDEN_TRACE_H_
