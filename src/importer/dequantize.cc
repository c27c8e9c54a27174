// SPDX-License-Identifier: Apache-2.0
#include "importer/dequantize.h"

#include <bit>

namespace llma {
namespace {

constexpr uint32_t kBlockCols = 32;  // of the Q formats

struct TypeInfo {
  uint32_t type;
  const char* name;
  uint32_t block_cols;  // 0: cannot be read
  uint32_t block_bytes;
};

constexpr TypeInfo kTypes[] = {
    {0, "F32", 1, 4},
    {1, "F16", 1, 2},
    {2, "Q4_0", kBlockCols, 2 + 16},
    {3, "Q4_1", kBlockCols, 4 + 16},
    {6, "Q5_0", 0, 0},
    {7, "Q5_1", 0, 0},
    {8, "Q8_0", kBlockCols, 2 + 32},
    {9, "Q8_1", 0, 0},
    {10, "Q2_K", 0, 0},
    {11, "Q3_K", 0, 0},
    {12, "Q4_K", 0, 0},
    {13, "Q5_K", 0, 0},
    {14, "Q6_K", 0, 0},
    {15, "Q8_K", 0, 0},
    {30, "BF16", 1, 2},
};

const TypeInfo* FindType(uint32_t type) {
  for (const TypeInfo& info : kTypes) {
    if (info.type == type) return &info;
  }
  return nullptr;
}

uint16_t LoadU16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}

float LoadF32(const uint8_t* p) {
  return std::bit_cast<float>(uint32_t{LoadU16(p)} | uint32_t{LoadU16(p + 2)}
                                                         << 16);
}

}  // namespace

uint64_t TensorRowBytes(uint32_t type, uint64_t num_cols) {
  const TypeInfo* info = FindType(type);
  if (info == nullptr || info->block_cols == 0) return 0;
  if (num_cols % info->block_cols != 0) return 0;
  return num_cols / info->block_cols * info->block_bytes;
}

std::string TensorTypeName(uint32_t type) {
  const TypeInfo* info = FindType(type);
  return info != nullptr ? info->name : "type " + std::to_string(type);
}

float HalfToFloat(uint16_t half) {
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

void DequantizeRow(TensorType type, Bytes in, std::span<float> out) {
  LLMA_DCHECK(in.size() ==
              TensorRowBytes(static_cast<uint32_t>(type), out.size()));
  const uint8_t* p = in.data();
  switch (type) {
    case TensorType::kF32:
      for (float& w : out) {
        w = LoadF32(p);
        p += 4;
      }
      break;
    case TensorType::kF16:
      for (float& w : out) {
        w = HalfToFloat(LoadU16(p));
        p += 2;
      }
      break;
    case TensorType::kBf16:
      for (float& w : out) {
        w = std::bit_cast<float>(uint32_t{LoadU16(p)} << 16);
        p += 2;
      }
      break;
    case TensorType::kQ8_0:  // scale, 32 int8
      for (size_t col = 0; col < out.size(); col += kBlockCols) {
        const float scale = HalfToFloat(LoadU16(p));
        for (uint32_t i = 0; i < kBlockCols; ++i) {
          const auto q = static_cast<int8_t>(p[2 + i]);
          out[col + i] = static_cast<float>(q) * scale;
        }
        p += 2 + 32;
      }
      break;
    case TensorType::kQ4_0:  // scale, 16 low nibbles, 16 high nibbles
      for (size_t col = 0; col < out.size(); col += kBlockCols) {
        const float scale = HalfToFloat(LoadU16(p));
        for (uint32_t i = 0; i < kBlockCols / 2; ++i) {
          const int low = p[2 + i] & 15;
          const int high = p[2 + i] >> 4;
          out[col + i] = static_cast<float>(low - 8) * scale;
          out[col + i + kBlockCols / 2] = static_cast<float>(high - 8) * scale;
        }
        p += 2 + 16;
      }
      break;
    case TensorType::kQ4_1:  // scale, minimum, nibbles as above
      for (size_t col = 0; col < out.size(); col += kBlockCols) {
        const float scale = HalfToFloat(LoadU16(p));
        const float min = HalfToFloat(LoadU16(p + 2));
        for (uint32_t i = 0; i < kBlockCols / 2; ++i) {
          const int low = p[4 + i] & 15;
          const int high = p[4 + i] >> 4;
          out[col + i] = static_cast<float>(low) * scale + min;
          out[col + i + kBlockCols / 2] =
              static_cast<float>(high) * scale + min;
        }
        p += 4 + 16;
      }
      break;
  }
}

}  // namespace llma
