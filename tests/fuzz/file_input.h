// SPDX-License-Identifier: Apache-2.0
// The inputs of the fuzzers of compressed files: choices, then a file.
#ifndef LLMA_TESTS_FUZZ_FILE_INPUT_H_
#define LLMA_TESTS_FUZZ_FILE_INPUT_H_

#include "fuzz/fuzz_support.h"

namespace llma {

inline constexpr size_t kNumChoiceBytes = 4;

struct FileInput {
  explicit FileInput(Bytes data) {
    FuzzInput input(data);
    const uint8_t flags = input.TakeU8();
    verify_checksums = (flags & 1) == 0;
    has_model = (flags & 2) == 0;
    num_threads = (flags & 4) == 0 ? 1 : 2;
    piece_bytes = input.TakeU8() + size_t{1};
    range_ofs = input.TakeU8();
    range_bytes = input.TakeU8();
    file = input.TakeRest();
  }

  bool verify_checksums;
  bool has_model;
  int num_threads;
  size_t piece_bytes;  // in which the file arrives
  uint64_t range_ofs, range_bytes;
  Bytes file;
};

}  // namespace llma

#endif  // LLMA_TESTS_FUZZ_FILE_INPUT_H_
