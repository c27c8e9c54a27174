// SPDX-License-Identifier: Apache-2.0
#include "importer/formats/block_formats.h"

namespace llma {
namespace {

constexpr uint32_t kHalfCols = 16;

// The four bits of column `col` of 32: low nibbles first, then high ones.
int Nibble(const uint8_t* nibbles, uint32_t col) {
  return nibbles[col % kHalfCols] >> (col < kHalfCols ? 0 : 4) & 15;
}

// The fifth bits of all columns are the 32 bits of an integer.
int FifthBit(uint32_t bits, uint32_t col) {
  return static_cast<int>(bits >> col & 1) << 4;
}

// Twice the values of E2M1, so that they are integers.
constexpr int8_t kE2m1Doubled[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                     0, -1, -2, -3, -4, -6, -8, -12};

// Half of 2^(exponent - 127), exact; subnormal below 2.
float HalfPowerOfTwo(uint8_t exponent) {
  return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent
                                           : (exponent - 1u) << 23);
}

}  // namespace

// Scale, 16 bytes of nibbles.
void DecodeQ4_0(BlockBytes<18> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(Nibble(&in[2], col) - 8) * scale;
  }
}

// Scale, minimum, nibbles.
void DecodeQ4_1(BlockBytes<20> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  const float min = LoadHalf(&in[2]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(Nibble(&in[4], col)) * scale + min;
  }
}

// Scale, fifth bits, nibbles.
void DecodeQ5_0(BlockBytes<22> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  const uint32_t fifth_bits = LoadLittleU32(&in[2]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const int q = Nibble(&in[6], col) | FifthBit(fifth_bits, col);
    out[col] = static_cast<float>(q - 16) * scale;
  }
}

// Scale, minimum, fifth bits, nibbles.
void DecodeQ5_1(BlockBytes<24> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  const float min = LoadHalf(&in[2]);
  const uint32_t fifth_bits = LoadLittleU32(&in[4]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const int q = Nibble(&in[8], col) | FifthBit(fifth_bits, col);
    out[col] = static_cast<float>(q) * scale + min;
  }
}

// Scale, 32 int8.
void DecodeQ8_0(BlockBytes<34> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(static_cast<int8_t>(in[2 + col])) * scale;
  }
}

// Scale, nibbles that are indices of levels.
void DecodeIq4Nl(BlockBytes<18> in, BlockValues<32> out) {
  const float scale = LoadHalf(&in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(kIq4Levels[Nibble(&in[2], col)]) * scale;
  }
}

// An exponent for all, nibbles that are floats of four bits (OCP microscaling).
void DecodeMxfp4(BlockBytes<17> in, BlockValues<32> out) {
  const float scale = HalfPowerOfTwo(in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = static_cast<float>(kE2m1Doubled[Nibble(&in[1], col)]) * scale;
  }
}

// Scale, a bit a column, the lowest of a byte first: 1 is plus, 0 minus.
void DecodeQ1_0(BlockBytes<18> in, BlockValues<128> out) {
  const float scale = LoadHalf(&in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    out[col] = (in[2 + col / 8] >> col % 8 & 1) != 0 ? scale : -scale;
  }
}

// Scale, two bits a column, the lowest of a byte first: -1, 0, 1 and 2.
void DecodeQ2_0(BlockBytes<18> in, BlockValues<64> out) {
  const float scale = LoadHalf(&in[0]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const int q = in[2 + col / 4] >> 2 * (col % 4) & 3;
    out[col] = static_cast<float>(q - 1) * scale;
  }
}

}  // namespace llma
