// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/piece_coder.h"

#include <numeric>

namespace llma {
namespace {

// Tokens are sorted by their bytes, so one of a single byte comes before all
// others that start with it.
bool HasUnspelledByte(const TokenIndex& index) {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t row = index.FirstRow(byte);
    if (row == index.FirstRow(byte + 1) ||
        index.tokens().spelling(row).size() > 1) {
      return true;
    }
  }
  return false;
}

}  // namespace

uint64_t ContextModelsMemoryBytes(ContextModels context_models,
                                  uint64_t content_bytes) {
  if (context_models == ContextModels::kNone) return 0;
  return cm::JointPredictor::MaxMemoryBytes(
      static_cast<cm::ModelSet>(context_models), content_bytes);
}

FrameModels::FrameModels(const TokenIndex& index, ContextModels context_models,
                         std::span<const uint64_t> lane_bytes,
                         uint64_t code_bytes, const KernelTable& kernels,
                         PageCache* pages)
    : may_escape(HasUnspelledByte(index)) {
  // An escape is rare until one was seen.
  for (int i = 0; i < 64; ++i) escape_flag[0].Update(false);
  if (context_models == ContextModels::kNone) return;
  const uint64_t content_bytes =
      std::accumulate(lane_bytes.begin(), lane_bytes.end(), uint64_t{0});
  joint = std::make_unique<cm::JointPredictor>(cm::JointOptions{
      .set = static_cast<cm::ModelSet>(context_models),
      .content_bytes = content_bytes,
      .num_lanes = static_cast<uint32_t>(lane_bytes.size()),
      .pages = cm::PagesFor(UsedBytes(content_bytes, code_bytes), pages),
      .kernels = kernels});
  uint64_t begin_ofs = 0;
  for (const uint64_t bytes : lane_bytes) {
    joint->AddLane(begin_ofs);
    begin_ofs += bytes;
  }
}

}  // namespace llma
