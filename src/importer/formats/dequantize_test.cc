// SPDX-License-Identifier: Apache-2.0
#include "importer/formats/dequantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "importer/formats/block_formats.h"

namespace llma {
namespace {

struct Example {
  TensorType type;
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> bits;  // of the floats
};

// From the Python package gguf: random blocks, and for the float formats
// zeros, subnormals and limits.
const Example kExamples[] = {
    {TensorType::kQ8_0,
     {0x4c, 0x22, 0xa5, 0x4d, 0xca, 0x18, 0x25, 0x30, 0xbb, 0x1d, 0x6d, 0x13,
      0x2c, 0xde, 0xd6, 0x23, 0x7b, 0x2e, 0xd9, 0x1e, 0x3f, 0x72, 0x1f, 0xcb,
      0x19, 0x71, 0x17, 0x44, 0x94, 0xd6, 0x49, 0x3c, 0x9d, 0x5c},
     {0xbf8f4100, 0x3f726e00, 0xbf2a0400, 0x3e972000, 0x3ee8fc00, 0x3f172000,
      0xbf593e00, 0x3eb69c00, 0x3fab9700, 0x3e6f4800, 0x3f0a8800, 0xbed61800,
      0xbf043c00, 0x3edc6400, 0x3fc1a100, 0x3f10d400, 0xbef59400, 0x3ebce800,
      0x3f465a00, 0x3fb37600, 0x3ec33400, 0xbf26de00, 0x3e9d6c00, 0x3fb1e300,
      0x3e90d400, 0x3f561800, 0xbfaa0400, 0xbf043c00, 0x3f65d600, 0x3f3ce800,
      0xbf9bd900, 0x3f90d400}},
    {TensorType::kQ4_0,
     {0xf0, 0xb5, 0x34, 0x60, 0xbe, 0x31, 0x20, 0x1e, 0x69, 0xfe, 0xda, 0xa0,
      0xee, 0xe8, 0xb9, 0x99, 0x7f, 0x5c},
     {0x3fbe0000, 0x403e0000, 0xc00e8000, 0x40264000, 0x403e0000, 0xc00e8000,
      0xbebe0000, 0xc00e8000, 0xbf3e0000, 0x403e0000, 0xc00e8000, 0x80000000,
      0xbebe0000, 0xbebe0000, 0xc0264000, 0xbfbe0000, 0x3fed8000, 0x3f3e0000,
      0xbf8e8000, 0x3fed8000, 0x400e8000, 0x40264000, 0x3f3e0000, 0xc0264000,
      0xbfed8000, 0xbf3e0000, 0xc00e8000, 0xc00e8000, 0xbf8e8000, 0xbebe0000,
      0x3ebe0000, 0x3f8e8000}},
    {TensorType::kQ4_1,
     {0xd9, 0x29, 0x57, 0xb5, 0x7c, 0x29, 0x99, 0xfd, 0xaf, 0xe5,
      0x93, 0x25, 0x3c, 0xd6, 0x54, 0xaf, 0x4d, 0xfa, 0xd7, 0x14},
     {0x3e5ba000, 0x3d9e9000, 0x3d9e9000, 0x3e853400, 0x3eb3fc00, 0xbdd7b000,
      0xbe496800, 0xbdd7b000, 0x3e5ba000, 0xbd744000, 0xbe1aa000, 0x3eb3fc00,
      0x3e853400, 0x3dfc2000, 0xbc648000, 0xbe1aa000, 0xbc648000, 0xbe783000,
      0x3d9e9000, 0x3eb3fc00, 0x3dfc2000, 0x3e9c9800, 0x3d9e9000, 0xbe783000,
      0xbe496800, 0x3e853400, 0xbdd7b000, 0x3dfc2000, 0xbe1aa000, 0x3eb3fc00,
      0x3e853400, 0xbe937c00}},
    {TensorType::kF16,
     {0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0xff, 0x83, 0x00, 0x04, 0x00, 0x3c,
      0x01, 0xbc, 0xff, 0x7b, 0xff, 0xfb, 0x55, 0x35, 0x66, 0x2e, 0xcd, 0xb8},
     {0x00000000, 0x80000000, 0x33800000, 0xb87fc000, 0x38800000, 0x3f800000,
      0xbf802000, 0x477fe000, 0xc77fe000, 0x3eaaa000, 0x3dccc000, 0xbf19a000}},
    {TensorType::kBf16,
     {0x00, 0x00, 0x00, 0x80, 0x80, 0x3f, 0x81, 0xbf, 0x7f, 0x7f, 0x01, 0x00,
      0x49, 0x40, 0xf7, 0xc2},
     {0x00000000, 0x80000000, 0x3f800000, 0xbf810000, 0x7f7f0000, 0x00010000,
      0x40490000, 0xc2f70000}},
    {TensorType::kF32,
     {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0xc0, 0x3f,
      0xdb, 0x0f, 0x49, 0x40, 0x01, 0x00, 0x00, 0x80, 0x9e, 0xc9, 0x7f, 0x7f},
     {0x00000000, 0x80000000, 0x3fc00000, 0x40490fdb, 0x80000001, 0x7f7fc99e}},
};

TEST(DequantizeTest, AgreesWithTheReference) {
  for (const Example& example : kExamples) {
    const auto type = static_cast<uint32_t>(example.type);
    ASSERT_EQ(TensorRowBytes(type, example.bits.size()), example.bytes.size());
    std::vector<float> out(example.bits.size());
    DequantizeRow(example.type, example.bytes, out);
    for (size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(std::bit_cast<uint32_t>(out[i]), example.bits[i])
          << TensorTypeName(type) << " " << i;
    }
  }
}

// A block whose byte i is (73 i + 41) mod 256, but for the scale at
// scale_offset, 0x2c66, and the minimum at min_offset, 0xa8cd; MXFP4's exponent
// is 120. Expected: columns k (num_cols - 1) / 15, rounded down, for k < 16, by
// the Python package gguf (tests/reference/compare_dequantize.py compares all).
struct SampledBlock {
  TensorType type;
  size_t scale_offset;
  size_t min_offset;
  std::vector<uint32_t> bits;
};

constexpr size_t kNone = ~size_t{0};

const SampledBlock kSampledBlocks[] = {
    {TensorType::kQ5_0,
     0,
     kNone,
     {0x3f83f400, 0xbf83f400, 0x3e532000, 0xbf418800, 0xbf1e5800, 0x3f1e5800,
      0xbeaff000, 0xbe532000, 0x3f64b800, 0x3ef65000, 0xbf8cc000, 0x3f1e5800,
      0xbf765000, 0x3f418800, 0x3e8cc000, 0x3e0cc000}},
    {TensorType::kQ5_1,
     0,
     2,
     {0x3f90bf00, 0x3fa25700, 0x3e9cbc00, 0x3fc58700, 0x3f14be00, 0x3fe8b700,
      0x3ffa4f00, 0x3f7e4e00, 0x3fc58700, 0x3f87f300, 0x3fd71f00, 0x3f998b00,
      0x3f37ee00, 0x3e731800, 0x3f5b1e00, 0x3f37ee00}},
    {TensorType::kQ2_K,
     80,
     82,
     {0x3f318c00, 0x3f099600, 0x3ff65700, 0x3e8cc000, 0x3f859000, 0x3fc98d00,
      0x3fc25d00, 0x3f1ff400, 0x3ea99c00, 0x3fe4bf00, 0x00000000, 0x4027f200,
      0x3eacd400, 0x3fb99100, 0x3fc25600, 0x3e866c00}},
    {TensorType::kQ3_K,
     108,
     kNone,
     {0xbef65000, 0xbe8cc000, 0x406d8400, 0x40b8bc00, 0xc0272400, 0x00000000,
      0xc0605200, 0x409e5800, 0xbf0cc000, 0x3ed32000, 0xbe8cc000, 0xbed32000,
      0xc0ab8a00, 0xc0158c00, 0x402b8a00, 0xbfd32000}},
    {TensorType::kQ4_K,
     0,
     2,
     {0x411e0f20, 0x4067fa80, 0x41039240, 0x40a66080, 0x41de78b0, 0x414e53e0,
      0x41b389c0, 0x41878dc0, 0x40186080, 0x4175eba0, 0x422b2488, 0x420534c8,
      0x4197cbe0, 0x4253f990, 0x3f5cd600, 0x3f5cd600}},
    {TensorType::kQ5_K,
     0,
     2,
     {0x41c16390, 0x4067fa80, 0x420dc110, 0x41039240, 0x42779658, 0x423beef8,
      0x428fd970, 0x4284da70, 0x40186080, 0x4219d8e8, 0x42446f08, 0x42b469a4,
      0x4197cbe0, 0x42e2f1c8, 0x3f5cd600, 0x3f5cd600}},
    {TensorType::kQ6_K,
     208,
     kNone,
     {0x41310980, 0x40dbec00, 0x42b9f8b0, 0x4245ee00, 0xc1c82100, 0x413d2200,
      0x40d55300, 0x41fab600, 0xc24a0da0, 0x42a7b0c0, 0x42f326b0, 0x41b8bc00,
      0x43296898, 0x43142c20, 0xc224f100, 0x419e5800}},
    {TensorType::kIq4Nl,
     0,
     kNone,
     {0x40272400, 0x4097bf00, 0x40f88300, 0xc0e4b800, 0xc08ef300, 0xc019f200,
      0xbf2ff000, 0x3f64b800, 0x40272400, 0xc0578600, 0x4097bf00, 0xbf2ff000,
      0xc10ba680, 0x3f64b800, 0xc0b68900, 0xc10ba680}},
    {TensorType::kIq4Xs,
     0,
     kNone,
     {0xc34f46c0, 0x429778a0, 0xc18ef300, 0x4197bf00, 0xc253acc0, 0x432ada10,
      0xc0c5ee00, 0xc24d5a20, 0xc1730380, 0x4264fe60, 0xc0fab600, 0x40912600,
      0xc2e39e80, 0xbfd32000, 0xc368fad0, 0xc24e2d40}},
    {TensorType::kMxfp4,
     kNone,
     kNone,
     {0x3c000000, 0x3c800000, 0x3d000000, 0x00000000, 0xbc000000, 0xbc800000,
      0xbd000000, 0x00000000, 0x3d400000, 0x00000000, 0xbb800000, 0x3c000000,
      0xbc400000, 0x3c800000, 0xbcc00000, 0xbc400000}},
    // These two as ggml itself reads them (llama.cpp, October 2026).
    {TensorType::kQ1_0,
     0,
     kNone,
     {0x3d8cc000, 0xbd8cc000, 0x3d8cc000, 0xbd8cc000, 0xbd8cc000, 0xbd8cc000,
      0xbd8cc000, 0x3d8cc000, 0x3a896000, 0x3a896000, 0x3a896000, 0xba896000,
      0x3a896000, 0x3a896000, 0x3a896000, 0x3a896000}},
    {TensorType::kQ2_0,
     0,
     kNone,
     {0x3e0cc000, 0x3e0cc000, 0xbd8cc000, 0xbd8cc000, 0xba896000, 0xba896000,
      0xba896000, 0xba896000, 0x80000000, 0x80000000, 0x80000000, 0xbf4da000,
      0x4311e000, 0x4311e000, 0x4311e000, 0x80000000}},
};

TEST(DequantizeTest, SampledColumnsAgreeWithTheReference) {
  for (const SampledBlock& sample : kSampledBlocks) {
    const auto type = static_cast<uint32_t>(sample.type);
    const uint32_t num_cols = TensorRowBytes(type, 32) != 0 ? 32 : 256;
    std::vector<uint8_t> block(TensorRowBytes(type, num_cols));
    for (size_t i = 0; i < block.size(); ++i) {
      block[i] = static_cast<uint8_t>(73 * i + 41);
    }
    const auto set = [&block](size_t offset, std::vector<uint8_t> bytes) {
      if (offset != kNone) {
        std::copy(bytes.begin(), bytes.end(), &block[offset]);
      }
    };
    set(sample.scale_offset, {0x66, 0x2c});
    set(sample.min_offset, {0xcd, 0xa8});
    if (sample.type == TensorType::kMxfp4) block[0] = 120;
    // Twice, for the step from block to block.
    std::vector<uint8_t> row = block;
    row.insert(row.end(), block.begin(), block.end());
    std::vector<float> out(2 * num_cols);
    DequantizeRow(sample.type, row, out);
    for (uint32_t k = 0; k < 16; ++k) {
      const uint32_t col = k * (num_cols - 1) / 15;
      EXPECT_EQ(std::bit_cast<uint32_t>(out[col]), sample.bits[k])
          << TensorTypeName(type) << " " << col;
      EXPECT_EQ(out[num_cols + col], out[col]);
    }
  }
}

TEST(DequantizeTest, EveryHalfIsExact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = HalfToFloat(static_cast<uint16_t>(bits));
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const int mantissa = static_cast<int>(bits & 1023);
    const double sign = bits >> 15 != 0 ? -1 : 1;
    EXPECT_EQ(std::signbit(value), bits >> 15 != 0);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      EXPECT_EQ(std::isinf(value), mantissa == 0);
    } else if (exponent == 0) {
      EXPECT_EQ(value, sign * std::ldexp(mantissa, -24));
    } else {
      EXPECT_EQ(value, sign * std::ldexp(1024 + mantissa, exponent - 25));
    }
  }
}

TEST(DequantizeTest, RowsAreWholeBlocks) {
  EXPECT_EQ(TensorRowBytes(0, 3), 12u);
  EXPECT_EQ(TensorRowBytes(2, 64), 36u);
  EXPECT_EQ(TensorRowBytes(3, 64), 40u);
  EXPECT_EQ(TensorRowBytes(8, 64), 68u);
  EXPECT_EQ(TensorRowBytes(8, 48), 0u);
  EXPECT_EQ(TensorRowBytes(12, 512), 288u);
  EXPECT_EQ(TensorRowBytes(12, 288), 0u);
  EXPECT_EQ(TensorRowBytes(39, 64), 34u);
  EXPECT_EQ(TensorRowBytes(41, 256), 36u);
  EXPECT_EQ(TensorRowBytes(42, 128), 36u);
  EXPECT_EQ(TensorRowBytes(16, 256), 0u);   // IQ2_XXS
  EXPECT_EQ(TensorRowBytes(999, 256), 0u);  // unknown
}

TEST(DequantizeTest, EveryTypeHasItsName) {
  EXPECT_EQ(TensorTypeName(12), "Q4_K");
  EXPECT_EQ(TensorTypeName(16), "IQ2_XXS");
  EXPECT_EQ(TensorTypeName(999), "number 999");
  EXPECT_TRUE(IsReadableType(12));
  EXPECT_FALSE(IsReadableType(16));
  EXPECT_FALSE(IsReadableType(999));
  EXPECT_EQ(ReadableTypeNames(),
            "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, "
            "Q5_K, Q6_K, IQ4_NL, IQ4_XS, MXFP4, Q1_0, Q2_0");
}

}  // namespace
}  // namespace llma
