// SPDX-License-Identifier: Apache-2.0
#include "model/model_config.h"

#include <algorithm>
#include <string>

#include "numerics/linear_weights.h"

namespace llma {
namespace {

// The bounds that docs/NUMERICS.md builds on.
constexpr uint32_t kMaxDim = 1u << 14;
constexpr uint32_t kMaxFfnDim = 1u << 16;
constexpr uint32_t kHeadDimUnit = 16;
constexpr uint32_t kMaxRows = 1u << 20;
constexpr uint32_t kMaxContextLength = 1u << 30;
constexpr float kMinEmbeddingScale = 0x1p-10f, kMaxEmbeddingScale = 0x1p+10f;
constexpr float kMinScoreDivisor = 1, kMaxScoreDivisor = 0x1p+10f;
constexpr float kMinCap = 1, kMaxCap = 0x1p+16f;
constexpr float kMinNormEps = 1e-12f;  // exclusive, like kMaxNormEps
constexpr float kMaxNormEps = 1e-2f;

struct Field {
  const char* name;
  uint64_t value;
  uint64_t max;   // 1 <= value <= max
  uint32_t unit;  // divides value
};

// Written so that NaN fails.
bool IsWithin(float value, float min, float max) {
  return value >= min && value <= max;
}

Error OutOfBounds(const char* what) {
  return Error{ErrorCode::kUnsupported, std::string("model: ") + what};
}

Status CheckVariations(const ModelConfig& c) {
  if (!IsWithin(c.embedding_scale, kMinEmbeddingScale, kMaxEmbeddingScale)) {
    return OutOfBounds("embedding_scale is not from 2^-10 to 2^10");
  }
  if (c.score_divisor != 0 &&
      !IsWithin(c.score_divisor, kMinScoreDivisor, kMaxScoreDivisor)) {
    return OutOfBounds("score_divisor is not from 1 to 2^10");
  }
  for (const float cap : {c.score_cap, c.logit_cap}) {
    if (cap != 0 && !IsWithin(cap, kMinCap, kMaxCap)) {
      return OutOfBounds("a cap is not from 1 to 2^16");
    }
  }
  if (c.local_positions > kMaxContextLength) {
    return OutOfBounds("local_positions exceeds 2^30");
  }
  bool has_local = false;
  for (uint32_t i = 0; i < kMaxLayers; ++i) {
    if (!c.is_local(i)) continue;
    has_local = true;
    if (i >= c.num_layers) {
      return Error{ErrorCode::kCorrupt,
                   "model: a local layer is after the last"};
    }
  }
  if (has_local != c.has_local_layers()) {
    return Error{ErrorCode::kCorrupt,
                 "model: local_positions without local layers, or the reverse"};
  }
  return OkStatus();
}

Status CheckWindowShares(const ModelConfig& c) {
  if (c.window_shares.empty()) return OkStatus();
  LLMA_ENSURE(c.window_shares.size() == size_t{c.num_layers} * c.num_kv_heads);
  for (const uint8_t share : c.window_shares) {
    if (share == 0 || share > kMaxShare) {
      return OutOfBounds("a window share is not from 1 to 128 sixteenths");
    }
  }
  return OkStatus();
}

uint32_t WindowOfShare(const ModelConfig& c, uint32_t window_positions,
                       uint32_t share) {
  const uint64_t positions = uint64_t{window_positions} * share / kWholeShare;
  if (share <= kWholeShare) return static_cast<uint32_t>(positions);
  return static_cast<uint32_t>(std::max<uint64_t>(
      window_positions, std::min<uint64_t>(positions, c.context_length)));
}

}  // namespace

uint32_t ModelConfig::HeadWindow(uint32_t window_positions, uint32_t layer,
                                 uint32_t kv_head) const {
  if (window_shares.empty()) return window_positions;
  return WindowOfShare(*this, window_positions,
                       window_shares[layer * num_kv_heads + kv_head]);
}

uint32_t ModelConfig::MaxHeadWindow(uint32_t window_positions) const {
  if (window_shares.empty()) return window_positions;
  return WindowOfShare(*this, window_positions,
                       *std::ranges::max_element(window_shares));
}

uint32_t ModelConfig::MinHeadWindow(uint32_t window_positions) const {
  if (window_shares.empty()) return window_positions;
  return WindowOfShare(*this, window_positions,
                       *std::ranges::min_element(window_shares));
}

uint32_t ModelConfig::WindowThatSees(uint64_t num_positions,
                                     uint32_t largest) const {
  uint32_t window = kWholeShare;
  while (window < largest && MinHeadWindow(window) < num_positions) {
    window += kWholeShare;
  }
  return window;
}

Status ValidateModelConfig(const ModelConfig& c) {
  // 64-bit products: the factors are not checked yet.
  const Field fields[] = {
      {"num_layers", c.num_layers, kMaxLayers, 1},
      {"dim", c.dim, kMaxDim, kGroupSize},
      {"num_heads", c.num_heads, kMaxDim, 1},
      {"num_kv_heads", c.num_kv_heads, kMaxDim, 1},
      {"head_dim", c.head_dim, kMaxHeadDim, kHeadDimUnit},
      {"num_heads * head_dim", uint64_t{c.num_heads} * c.head_dim, kMaxDim,
       kGroupSize},
      {"ffn_dim", c.ffn_dim, kMaxFfnDim, kGroupSize},
      {"num_tokens", c.num_tokens, kMaxRows, 1},
      {"num_rows", c.num_rows, kMaxRows, 1},
      {"context_length", c.context_length, kMaxContextLength, 1},
  };
  for (const Field& f : fields) {
    if (f.value == 0 || f.value > f.max || f.value % f.unit != 0) {
      return Error{ErrorCode::kUnsupported,
                   std::string("model: ") + f.name + " = " +
                       std::to_string(f.value) + " is not a multiple of " +
                       std::to_string(f.unit) + " from " +
                       std::to_string(f.unit) + " to " + std::to_string(f.max)};
    }
  }
  if (c.num_heads % c.num_kv_heads != 0) {
    return Error{ErrorCode::kUnsupported,
                 "model: num_kv_heads does not divide num_heads"};
  }
  if (c.num_tokens > c.num_rows) {
    return Error{ErrorCode::kCorrupt, "model: num_tokens exceeds num_rows"};
  }
  if (c.start_row >= c.num_rows) {
    return Error{ErrorCode::kCorrupt, "model: start_row is not a row"};
  }
  // Written so that NaN fails.
  if (!(c.norm_eps > kMinNormEps && c.norm_eps < kMaxNormEps)) {
    return Error{ErrorCode::kUnsupported,
                 "model: norm_eps is not between 1e-12 and 1e-2"};
  }
  LLMA_TRY(CheckVariations(c));
  return CheckWindowShares(c);
}

}  // namespace llma
