// SPDX-License-Identifier: Apache-2.0
#include "codec/piece_coder.h"

#include <bitset>
#include <numeric>

namespace llma {
namespace {

bool HasUnspelledByte(const TokenTable& tokens) {
  std::bitset<256> spelled;
  for (uint32_t row = 0; row < tokens.num_tokens(); ++row) {
    const Bytes bytes = tokens.spelling(row);
    if (bytes.size() == 1) spelled.set(bytes[0]);
  }
  return !spelled.all();
}

}  // namespace

uint64_t ContextModelsMemoryBytes(ContextModels context_models,
                                  uint64_t content_bytes) {
  if (context_models == ContextModels::kNone) return 0;
  return cm::JointPredictor::MaxMemoryBytes(
      static_cast<cm::ModelSet>(context_models), content_bytes);
}

FrameModels::FrameModels(const TokenTable& tokens, ContextModels context_models,
                         std::span<const uint64_t> lane_bytes,
                         uint64_t code_bytes)
    : may_escape(HasUnspelledByte(tokens)) {
  // An escape is rare until one was seen.
  for (int i = 0; i < 64; ++i) escape_flag[0].Update(false);
  if (context_models == ContextModels::kNone) return;
  const uint64_t content_bytes =
      std::accumulate(lane_bytes.begin(), lane_bytes.end(), uint64_t{0});
  joint = std::make_unique<cm::JointPredictor>(cm::JointOptions{
      .set = static_cast<cm::ModelSet>(context_models),
      .content_bytes = content_bytes,
      .num_lanes = static_cast<uint32_t>(lane_bytes.size()),
      .page_size = cm::PageSizeFor(UsedBytes(content_bytes, code_bytes))});
  uint64_t begin_ofs = 0;
  for (const uint64_t bytes : lane_bytes) {
    joint->AddLane(begin_ofs);
    begin_ofs += bytes;
  }
}

}  // namespace llma
