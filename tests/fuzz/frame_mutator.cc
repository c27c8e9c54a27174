// SPDX-License-Identifier: Apache-2.0
// How libFuzzer changes compressed files: most get past their checks. The
// inputs are kNumChoiceBytes of choices, then a file.
#include <algorithm>

#include "fuzz/file_input.h"
#include "fuzz/frame_repair.h"
#include "fuzz/fuzz_support.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t max_size, unsigned int seed) {
  const size_t mutated = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 0 || mutated <= llma::kNumChoiceBytes) return mutated;
  const auto file = llma::RepairFrames(
      llma::Bytes(data, mutated).subspan(llma::kNumChoiceBytes),
      {.fix_checksums = seed % 4 != 1, .fix_indexes = seed % 4 != 2});
  const size_t file_bytes =
      std::min(file.size(), max_size - llma::kNumChoiceBytes);
  std::copy_n(file.begin(), file_bytes, data + llma::kNumChoiceBytes);
  return llma::kNumChoiceBytes + file_bytes;
}
