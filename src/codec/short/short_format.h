// SPDX-License-Identifier: Apache-2.0
// What both directions of a short message share.
#ifndef LLMA_CODEC_SHORT_FORMAT_H_
#define LLMA_CODEC_SHORT_FORMAT_H_

#include <array>
#include <bit>
#include <cstdint>

#include "base/bytes.h"
#include "base/checksum.h"
#include "codec/choose/levels.h"
#include "codec/reference.h"
#include "coder/binary_coder.h"
#include "container/frame_header.h"
#include "model/model_config.h"

namespace llma {

// The first byte: marker and version.
inline constexpr uint8_t kShortStored = 0x90;
inline constexpr uint8_t kShortCoded = 0x91;
inline constexpr uint8_t kShortReferring = 0x92;  // coded, after a reference

inline constexpr ContextModels kShortContextModels = ContextModels::kLight;
inline constexpr size_t kShortCheckBytes = 2;

// What both directions need beside the language model for the content.
uint64_t ShortModelsMemoryBytes(const ModelConfig& config,
                                uint64_t content_bytes,
                                const Reference* reference, int num_threads);

// A reference by the low byte of its XXH3.
inline uint8_t ShortReference(const Reference& reference) {
  return static_cast<uint8_t>(reference.id().xxh3);
}

inline uint16_t ShortCheck(Bytes content) {
  return static_cast<uint16_t>(Xxh3(content));
}

// Codes a size in [1, 65535]: first how many bits it has, then those below its
// highest one. Sizes from 32 to 255 cost 8 to 9 bits.
template <class Coder>
uint32_t CodeShortSize(Coder& coder, uint32_t known_size) {
  // Of 256 messages, how many have a size of 1, 2, ... 16 bits.
  constexpr std::array<uint32_t, 16> kCounts = {1,  1, 2, 6, 24, 60, 72, 50,
                                                18, 8, 6, 3, 2,  1,  1,  1};
  const auto known_bits = static_cast<uint32_t>(std::bit_width(known_size));
  uint32_t left = 256, num_bits = 1;
  for (; num_bits < kCounts.size(); ++num_bits) {
    const uint32_t count = kCounts[num_bits - 1];
    if (coder.Code(known_bits == num_bits, (count << 24) / left)) break;
    left -= count;
  }
  uint32_t size = 1;
  for (uint32_t i = num_bits - 1; i > 0; --i) {
    const bool bit = (known_size >> (i - 1) & 1) != 0;
    size = size << 1 | (coder.Code(bit, Probability{1} << 23) ? 1u : 0u);
  }
  return size;
}

}  // namespace llma

#endif  // LLMA_CODEC_SHORT_FORMAT_H_
