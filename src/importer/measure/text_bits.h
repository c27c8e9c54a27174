// SPDX-License-Identifier: Apache-2.0
// What a text costs by a model alone, in bits of probabilities.
#ifndef LLMA_IMPORTER_MEASURE_TEXT_BITS_H_
#define LLMA_IMPORTER_MEASURE_TEXT_BITS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "model/model.h"

namespace llma {

// The rows of the first tokens of a text, with the bytes that each stands for.
struct TextRows {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> size_bytes;
};

// Bytes without a token are left out. At most `max_tokens`.
Result<TextRows> RowsOfText(const Model& model, Bytes text, size_t max_tokens);

// Bits of `rows` after the start token, each after all before it, as a file
// is coded: -log2(weight / sum of weights).
double ExactBits(const Model& model, const KernelTable& kernels,
                 ThreadPool& pool, std::span<const uint32_t> rows);

}  // namespace llma

#endif  // LLMA_IMPORTER_MEASURE_TEXT_BITS_H_
