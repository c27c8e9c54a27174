// SPDX-License-Identifier: Apache-2.0
#include "importer/formats/block_formats.h"

namespace llma {
namespace {

// Where the bits of column `col` of 256 are. Of each 128 columns, 32 bytes hold
// two bits a column: the lowest ones of the first 32 columns, and so on.
int TwoBits(const uint8_t* bytes, uint32_t col) {
  return bytes[col / 128 * 32 + col % 32] >> (col % 128 / 32 * 2) & 3;
}
// Of each 64 columns, 32 bytes hold four bits a column.
int FourBits(const uint8_t* bytes, uint32_t col) {
  return bytes[col / 64 * 32 + col % 32] >> (col % 64 / 32 * 4) & 15;
}
// 32 bytes hold a bit a column.
int OneBit(const uint8_t* bytes, uint32_t col) {
  return bytes[col % 32] >> (col / 32) & 1;
}

// The scales and minimums of the eight groups of Q4_K and Q5_K, six bits each:
// twelve bytes hold four scales, four minimums, and the low halves of the other
// eight, whose high halves are in the top bits of the first eight bytes.
struct ScaleAndMin {
  float scale;
  float min;
};

ScaleAndMin GroupScale(const uint8_t* packed, uint32_t group, float scale,
                       float min) {
  int scale_q, min_q;
  if (group < 4) {
    scale_q = packed[group] & 63;
    min_q = packed[group + 4] & 63;
  } else {
    scale_q = (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4;
    min_q = packed[group + 4] >> 4 | packed[group] >> 6 << 4;
  }
  return {scale * static_cast<float>(scale_q), min * static_cast<float>(min_q)};
}

// value(col) is the integer of a column.
template <class Value>
void DecodeScaledAndShifted(const uint8_t* header, BlockValues<256> out,
                            const Value& value) {
  const float scale = LoadHalf(header);
  const float min = LoadHalf(header + 2);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const ScaleAndMin group = GroupScale(header + 4, col / 32, scale, min);
    out[col] = group.scale * static_cast<float>(value(col)) - group.min;
  }
}

}  // namespace

// 16 bytes of scale and minimum of 16 columns, four bits each; two bits a
// column; scale, minimum.
void DecodeQ2_K(BlockBytes<84> in, BlockValues<256> out) {
  const float scale = LoadHalf(&in[80]);
  const float min = LoadHalf(&in[82]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const uint8_t group = in[col / 16];
    const float group_scale = scale * static_cast<float>(group & 15);
    const float group_min = min * static_cast<float>(group >> 4);
    out[col] =
        group_scale * static_cast<float>(TwoBits(&in[16], col)) - group_min;
  }
}

// A third bit a column; the other two; the scales of 16 columns, six bits each:
// eight bytes of low halves, four bytes of high quarters; scale.
void DecodeQ3_K(BlockBytes<110> in, BlockValues<256> out) {
  const float scale = LoadHalf(&in[108]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const uint32_t group = col / 16;
    const int low = in[96 + group % 8] >> (group / 8 * 4) & 15;
    const int high = in[104 + group % 4] >> (group / 4 * 2) & 3;
    const float group_scale =
        scale * static_cast<float>((low | high << 4) - 32);
    const int q = TwoBits(&in[32], col) + OneBit(&in[0], col) * 4 - 4;
    out[col] = group_scale * static_cast<float>(q);
  }
}

// Scale, minimum, those of the groups, four bits a column.
void DecodeQ4_K(BlockBytes<144> in, BlockValues<256> out) {
  DecodeScaledAndShifted(&in[0], out,
                         [in](uint32_t col) { return FourBits(&in[16], col); });
}

// The same with a fifth bit a column before the four.
void DecodeQ5_K(BlockBytes<176> in, BlockValues<256> out) {
  DecodeScaledAndShifted(&in[0], out, [in](uint32_t col) {
    return FourBits(&in[48], col) | OneBit(&in[16], col) << 4;
  });
}

// Four bits a column: of each 128 columns, 64 bytes; two more bits a column;
// an int8 scale for 16 columns; scale.
void DecodeQ6_K(BlockBytes<210> in, BlockValues<256> out) {
  const float scale = LoadHalf(&in[208]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const auto group = static_cast<int8_t>(in[192 + col / 16]);
    const float group_scale = scale * static_cast<float>(group);
    const int low = in[col / 128 * 64 + col % 64] >> (col % 128 / 64 * 4) & 15;
    const int q = (low | TwoBits(&in[128], col) << 4) - 32;
    out[col] = group_scale * static_cast<float>(q);
  }
}

// Scale; the scales of 32 columns, six bits each: a u16 of high quarters, four
// bytes of low halves; nibbles of 32 columns as in IQ4_NL.
void DecodeIq4Xs(BlockBytes<136> in, BlockValues<256> out) {
  const float scale = LoadHalf(&in[0]);
  const int high_bits = LoadLittleU16(&in[2]);
  for (uint32_t col = 0; col < out.size(); ++col) {
    const uint32_t group = col / 32;
    const int low = in[4 + group / 2] >> (group % 2 * 4) & 15;
    const int high = high_bits >> (group * 2) & 3;
    const float group_scale =
        scale * static_cast<float>((low | high << 4) - 32);
    const int level = in[8 + group * 16 + col % 16] >> (col % 32 / 16 * 4) & 15;
    out[col] = group_scale * static_cast<float>(kIq4Levels[level]);
  }
}

}  // namespace llma
