// SPDX-License-Identifier: Apache-2.0
// Kernels as values: a table of function pointers per instruction set. Each
// function equals its namesake in numerics/reference_ops.h or mixer_ops.h bit
// for bit, on every input that satisfies the preconditions stated there.
//
// Goals: one decision for each frame; tests loop over all tables.
// Non-goals: kernels that are only nearly equal.
#ifndef LLMA_KERNELS_KERNEL_TABLE_H_
#define LLMA_KERNELS_KERNEL_TABLE_H_

#include <span>
#include <string_view>

#include "base/status.h"
#include "numerics/learning_ops.h"
#include "numerics/mixer_ops.h"
#include "numerics/reference_ops.h"

namespace llma {

// Of a model that learns while it reads; equal to what is in
// numerics/learning_ops.h.
struct LearningKernels {
  decltype(&reference::LowRankDown) low_rank_down;
  decltype(&reference::QuantizedLowRankDown) quantized_low_rank_down;
  decltype(&reference::AddLowRank) add_low_rank;
  decltype(&reference::AddOuter) add_outer;
  decltype(&reference::TransposeGroup) transpose_group;
  decltype(&reference::SwiGluBackward) swiglu_backward;
  decltype(&reference::GeGluBackward) geglu_backward;
  decltype(&reference::RmsNormBackward) rms_norm_backward;
  decltype(&reference::MoveWeights) move_weights;
};

struct KernelTable {
  const char* name;
  const char* description;
  // True if this processor can run the kernels.
  bool (*is_supported)();
  // What one row more adds to a pass of few rows, which reads all weights, as a
  // share of the time of one row. Estimates, for speed alone.
  float extra_row_cost;

  decltype(&reference::QuantizeRow) quantize_row;
  decltype(&reference::Matmul) matmul;
  decltype(&reference::RmsNorm) rms_norm;
  decltype(&reference::SwiGlu) swiglu;
  decltype(&reference::GeGlu) geglu;
  decltype(&reference::AttentionScores) attention_scores;
  decltype(&reference::AttentionWeights) attention_weights;
  decltype(&reference::WeightedValueSums) weighted_value_sums;
  decltype(&reference::JoinValueSums) join_value_sums;
  decltype(&reference::TokenWeights) token_weights;
  const LearningKernels* learning;

  // Of context models.
  decltype(&reference::MixerDot) mixer_dot;
  decltype(&reference::MixerTrain) mixer_train;
  decltype(&reference::WideMixerDot) wide_mixer_dot;
  decltype(&reference::WideMixerTrain) wide_mixer_train;
  decltype(&reference::LightMixerDot) light_mixer_dot;
  decltype(&reference::LightMixerTrain) light_mixer_train;
};

// All tables that this build has, slowest first; some may be unsupported here.
std::span<const KernelTable* const> AllKernels();

// The table called `name`; the fastest supported one if it is empty. An unknown
// or unsupported name is kUsage.
Result<const KernelTable*> FindKernels(std::string_view name);

// FindKernels of the environment variable LLMA_KERNELS.
Result<const KernelTable*> KernelsFromEnvironment();

// FindKernels of `name`, or of the environment if it is empty.
Result<const KernelTable*> ChooseKernels(std::string_view name);

// The fastest that this processor can run.
const KernelTable& BestKernels();

}  // namespace llma

#endif  // LLMA_KERNELS_KERNEL_TABLE_H_
