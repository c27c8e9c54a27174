// SPDX-License-Identifier: Apache-2.0
// What coding the payload of a frame needs, in both directions.
#ifndef LLMA_CODEC_FRAME_CONTEXT_H_
#define LLMA_CODEC_FRAME_CONTEXT_H_

#include <cstdint>

#include "base/page_cache.h"
#include "base/stage_clock.h"
#include "base/thread_pool.h"
#include "codec/callbacks.h"
#include "codec/choose/levels.h"
#include "codec/frame/piece_cost.h"
#include "codec/reference.h"
#include "container/frame_header.h"
#include "engine/engine.h"
#include "kernels/kernel_table.h"
#include "model/learner.h"

namespace llma {

// Names what this program computes: PREDICTOR.md, and NUMERICS.md beneath it.
inline constexpr uint32_t kPredictorId = 1;
// The same with a language model that learns (NUMERICS.md, section 9).
inline constexpr uint32_t kLearningPredictorId = 2;

inline bool Learns(const FrameHeader& header) {
  return header.predictor_id == kLearningPredictorId;
}

// What both directions need. All must outlive the call.
struct FrameContext {
  Engine& engine;              // of the model
  const KernelTable& kernels;  // of context models
  ThreadPool& pool;
  uint32_t window_positions;
  ContextModels context_models;
  const ProgressCallback& progress;
  StageClock* clock = nullptr;
  FrameCosts* costs = nullptr;  // filled by an encoder, in order
  PageCache* pages = nullptr;   // for tables, caches; may be null
  ReferenceUse reference = {};
  // A decoder's passes, which frames with the same pool share; null: its own.
  ThreadPool* joint_pool = nullptr;
  // Whether the language model learns from the content. It takes a step each
  // time that the lanes have coded TurnsPerLearningStep() pieces each.
  bool learns = false;
};

inline uint32_t TurnsPerLearningStep(size_t num_lanes) {
  return Learner::kMaxRows / static_cast<uint32_t>(num_lanes);
}

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_CONTEXT_H_
