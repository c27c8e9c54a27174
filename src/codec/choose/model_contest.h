// SPDX-License-Identifier: Apache-2.0
// Which of several models suits a content: bits on samples of it, with a price
// on time. Only an encoder asks; the file says what was used.
#ifndef LLMA_CODEC_MODEL_CONTEST_H_
#define LLMA_CODEC_MODEL_CONTEST_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/compress.h"
#include "kernels/kernel_table.h"

namespace llma {

// What a model did on the same bytes as the others.
struct ModelTrial {
  uint64_t code_bytes = 0;
  uint64_t work = 0;  // multiply-adds
};

// The index of the best: the least code, where a model that works r times as
// much as the cheapest one counts as larger by (r - 1) times what the level
// pays for time. Of equal ones the first. Integers, so that every machine
// chooses the same.
size_t BestTrial(std::span<const ModelTrial> trials, int level);

// Multiply-adds of the weights for one token.
uint64_t WorkOfToken(const Model& model);

// The best of `candidates`, at least one, for the content. Those that are far
// behind are not asked on every sample.
Result<const Model*> ChooseModel(std::span<const Model* const> candidates,
                                 Bytes content, const KernelTable& kernels,
                                 const CompressOptions& options,
                                 const ProgressCallback& progress);

}  // namespace llma

#endif  // LLMA_CODEC_MODEL_CONTEST_H_
