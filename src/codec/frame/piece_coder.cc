// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/piece_coder.h"

#include <numeric>

namespace llma {
namespace {

// Tokens are sorted by their bytes, so one of a single byte comes before all
// others that start with it.
bool HasUnspelledByte(const TokenIndex& index) {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t row = index.FirstToken(byte);
    if (row == index.FirstToken(byte + 1) ||
        index.tokens().spelling(row).size() > 1) {
      return true;
    }
  }
  return false;
}

uint64_t Sum(std::span<const uint64_t> lane_bytes) {
  return std::accumulate(lane_bytes.begin(), lane_bytes.end(), uint64_t{0});
}

void AddLanes(cm::JointPredictor& joint, uint64_t begin_ofs,
              std::span<const uint64_t> lane_bytes) {
  for (const uint64_t bytes : lane_bytes) {
    joint.AddLane(begin_ofs);
    begin_ofs += bytes;
  }
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
  const uint64_t content_bytes = Sum(lane_bytes);
  joint = std::make_unique<cm::JointPredictor>(cm::JointOptions{
      .set = static_cast<cm::ModelSet>(context_models),
      .content_bytes = content_bytes,
      .num_lanes = static_cast<uint32_t>(lane_bytes.size()),
      .pages = cm::PagesFor(UsedBytes(content_bytes, code_bytes), pages),
      .kernels = kernels});
  AddLanes(*joint, 0, lane_bytes);
}

FrameModels::FrameModels(const TokenIndex& index, ContextModels context_models,
                         uint32_t num_lanes, uint64_t reference_bytes,
                         uint64_t table_bytes, const KernelTable& kernels,
                         PageCache* pages)
    : may_escape(HasUnspelledByte(index)) {
  for (int i = 0; i < 64; ++i) escape_flag[0].Update(false);
  if (context_models == ContextModels::kNone) return;
  joint = std::make_unique<cm::JointPredictor>(
      cm::JointOptions{.set = static_cast<cm::ModelSet>(context_models),
                       .content_bytes = reference_bytes,
                       .table_bytes = table_bytes,
                       .num_lanes = num_lanes,
                       .pages = cm::PagesFor(table_bytes, pages),
                       .kernels = kernels});
  joint->AddLane(0);
}

FrameModels::FrameModels(const FrameModels& start, uint64_t reference_bytes,
                         std::span<const uint64_t> lane_bytes)
    : first_lane(1),
      may_escape(start.may_escape),
      escape_flag(start.escape_flag) {
  if (start.joint == nullptr) return;
  joint = std::make_unique<cm::JointPredictor>(*start.joint);
  joint->Resize(reference_bytes + Sum(lane_bytes));
  AddLanes(*joint, reference_bytes, lane_bytes);
}

}  // namespace llma
