// SPDX-License-Identifier: Apache-2.0
// One function for each block format of GGUF: the bytes of a block to its
// values. A column's value is made of the block's scale (and minimum), which
// are halves, and of the column's few bits; each operation rounds to binary32.
#ifndef LLMA_IMPORTER_FORMATS_BLOCK_FORMATS_H_
#define LLMA_IMPORTER_FORMATS_BLOCK_FORMATS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace llma {

template <size_t kNumBytes>
using BlockBytes = std::span<const uint8_t, kNumBytes>;
template <size_t kNumCols>
using BlockValues = std::span<float, kNumCols>;

inline uint16_t LoadLittleU16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}

inline uint32_t LoadLittleU32(const uint8_t* p) {
  return uint32_t{LoadLittleU16(p)} | uint32_t{LoadLittleU16(p + 2)} << 16;
}

// The exact value of an IEEE binary16.
inline float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t mantissa = half & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
  }
  // 15 and 127 are the biases; all ones stays all ones (infinity, NaN).
  const uint32_t wide = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

inline float LoadHalf(const uint8_t* p) {
  return HalfToFloat(LoadLittleU16(p));
}

// The 16 levels of IQ4_NL and IQ4_XS: denser around 0.
inline constexpr std::array<int8_t, 16> kIq4Levels = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// 32 columns (block32_formats.cc).
void DecodeQ4_0(BlockBytes<18> in, BlockValues<32> out);
void DecodeQ4_1(BlockBytes<20> in, BlockValues<32> out);
void DecodeQ5_0(BlockBytes<22> in, BlockValues<32> out);
void DecodeQ5_1(BlockBytes<24> in, BlockValues<32> out);
void DecodeQ8_0(BlockBytes<34> in, BlockValues<32> out);
void DecodeIq4Nl(BlockBytes<18> in, BlockValues<32> out);
void DecodeMxfp4(BlockBytes<17> in, BlockValues<32> out);
void DecodeQ1_0(BlockBytes<18> in, BlockValues<128> out);
void DecodeQ2_0(BlockBytes<18> in, BlockValues<64> out);

// 256 columns in groups of 16 or 32, whose scales are small integers times the
// block's scale (block256_formats.cc).
void DecodeQ2_K(BlockBytes<84> in, BlockValues<256> out);
void DecodeQ3_K(BlockBytes<110> in, BlockValues<256> out);
void DecodeQ4_K(BlockBytes<144> in, BlockValues<256> out);
void DecodeQ5_K(BlockBytes<176> in, BlockValues<256> out);
void DecodeQ6_K(BlockBytes<210> in, BlockValues<256> out);
void DecodeIq4Xs(BlockBytes<136> in, BlockValues<256> out);

}  // namespace llma

#endif  // LLMA_IMPORTER_FORMATS_BLOCK_FORMATS_H_
