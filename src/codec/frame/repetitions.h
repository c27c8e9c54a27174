// SPDX-License-Identifier: Apache-2.0
// Long repetitions of a frame's content: they are left out before it is
// predicted, and put back afterwards (docs/FORMAT.md, section 3.3). So they
// cost next to no time, whatever predicts.
#ifndef LLMA_CODEC_REPETITIONS_H_
#define LLMA_CODEC_REPETITIONS_H_

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "coder/adaptive_bit.h"
#include "coder/binary_coder.h"

namespace llma {

// Content that is the same as some before it. The two may overlap: then it is
// a run.
struct Repetition {
  uint64_t gap_bytes;   // predicted ones between the last one and this one
  uint64_t size_bytes;  // at least kMinRepetitionBytes
  // Back to where it stood before, in the content, which stands right behind
  // the reference if there is one.
  uint64_t distance_bytes;
  bool operator==(const Repetition&) const = default;
};

// So the list of them is smaller than the content.
inline constexpr uint64_t kMinRepetitionBytes = 32;
static_assert(sizeof(Repetition) <= kMinRepetitionBytes);

// What is left to predict: `content` without its repetitions, which fit it.
std::vector<uint8_t> LeaveOut(std::span<const Repetition> repetitions,
                              Bytes content);
// The content again. An error if a repetition does not fit.
Result<std::vector<uint8_t>> PutBack(std::span<const Repetition> repetitions,
                                     std::vector<uint8_t> predicted,
                                     Bytes reference = {});

// Numbers below 2^32 of one kind, as coded decisions.
class NumberModel {
 public:
  template <class Coder>
  uint64_t Code(Coder& coder, uint64_t known) {
    uint32_t node = 1;
    const auto known_size = static_cast<uint32_t>(std::bit_width(known));
    for (int i = 5; i >= 0; --i) {
      const bool bit =
          CodeAdaptive(coder, size_bits_[node], (known_size >> i & 1) != 0);
      node = node << 1 | (bit ? 1u : 0u);
    }
    const uint32_t size = node & 63;
    if (size == 0) return 0;
    uint64_t value = 1;
    for (uint32_t i = size - 1; i-- > 0;) {
      const bool bit = coder.Code((known >> i & 1) != 0, 1u << 23);
      value = value << 1 | (bit ? 1u : 0u);
    }
    return value;
  }

 private:
  std::array<AdaptiveBit, 64> size_bits_;  // [bits of the size after a 1]
};

// The list at the start of a code. The sum of their sizes says where it ends.
void EncodeRepetitions(std::span<const Repetition> repetitions,
                       BinaryEncoder& coder);
// `repeated_bytes`: the sum.
Result<std::vector<Repetition>> DecodeRepetitions(uint64_t repeated_bytes,
                                                  BinaryDecoder& coder);

}  // namespace llma

#endif  // LLMA_CODEC_REPETITIONS_H_
