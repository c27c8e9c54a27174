// SPDX-License-Identifier: Apache-2.0
#include "importer/formats/dequantize.h"

#include <bit>

#include "importer/formats/block_formats.h"

namespace llma {
namespace {

void DecodeF32(BlockBytes<4> in, BlockValues<1> out) {
  out[0] = std::bit_cast<float>(LoadLittleU32(in.data()));
}

void DecodeF16(BlockBytes<2> in, BlockValues<1> out) {
  out[0] = LoadHalf(in.data());
}

void DecodeBf16(BlockBytes<2> in, BlockValues<1> out) {
  out[0] = std::bit_cast<float>(uint32_t{LoadLittleU16(in.data())} << 16);
}

// The sizes that a decoder's parameters tell.
template <class Decoder>
struct BlockShape;
template <size_t kNumBytes, size_t kNumCols>
struct BlockShape<void (*)(BlockBytes<kNumBytes>, BlockValues<kNumCols>)> {
  static constexpr size_t kBytes = kNumBytes;
  static constexpr size_t kCols = kNumCols;
};

struct TensorFormat {
  uint32_t type;
  const char* name;
  uint32_t block_cols;
  uint32_t block_bytes;
  void (*decode_row)(Bytes in, std::span<float> out);
};

template <auto kDecodeBlock>
constexpr TensorFormat MakeFormat(TensorType type, const char* name) {
  using Shape = BlockShape<decltype(kDecodeBlock)>;
  return {static_cast<uint32_t>(type), name, Shape::kCols, Shape::kBytes,
          [](Bytes in, std::span<float> out) {
            for (size_t col = 0; col < out.size(); col += Shape::kCols) {
              kDecodeBlock(in.first<Shape::kBytes>(),
                           out.subspan(col).template first<Shape::kCols>());
              in = in.subspan(Shape::kBytes);
            }
          }};
}

constexpr TensorFormat kFormats[] = {
    MakeFormat<&DecodeF32>(TensorType::kF32, "F32"),
    MakeFormat<&DecodeF16>(TensorType::kF16, "F16"),
    MakeFormat<&DecodeBf16>(TensorType::kBf16, "BF16"),
    MakeFormat<&DecodeQ4_0>(TensorType::kQ4_0, "Q4_0"),
    MakeFormat<&DecodeQ4_1>(TensorType::kQ4_1, "Q4_1"),
    MakeFormat<&DecodeQ5_0>(TensorType::kQ5_0, "Q5_0"),
    MakeFormat<&DecodeQ5_1>(TensorType::kQ5_1, "Q5_1"),
    MakeFormat<&DecodeQ8_0>(TensorType::kQ8_0, "Q8_0"),
    MakeFormat<&DecodeQ2_K>(TensorType::kQ2_K, "Q2_K"),
    MakeFormat<&DecodeQ3_K>(TensorType::kQ3_K, "Q3_K"),
    MakeFormat<&DecodeQ4_K>(TensorType::kQ4_K, "Q4_K"),
    MakeFormat<&DecodeQ5_K>(TensorType::kQ5_K, "Q5_K"),
    MakeFormat<&DecodeQ6_K>(TensorType::kQ6_K, "Q6_K"),
    MakeFormat<&DecodeIq4Nl>(TensorType::kIq4Nl, "IQ4_NL"),
    MakeFormat<&DecodeIq4Xs>(TensorType::kIq4Xs, "IQ4_XS"),
    MakeFormat<&DecodeMxfp4>(TensorType::kMxfp4, "MXFP4"),
    MakeFormat<&DecodeQ1_0>(TensorType::kQ1_0, "Q1_0"),
    MakeFormat<&DecodeQ2_0>(TensorType::kQ2_0, "Q2_0"),
};

// Types that are only known by name.
struct UnreadableType {
  uint32_t type;
  const char* name;
};

constexpr UnreadableType kUnreadableTypes[] = {
    {9, "Q8_1"},     {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"},
    {18, "IQ3_XXS"}, {19, "IQ1_S"}, {21, "IQ3_S"},   {22, "IQ2_S"},
    {24, "I8"},      {25, "I16"},   {26, "I32"},     {27, "I64"},
    {28, "F64"},     {29, "IQ1_M"}, {34, "TQ1_0"},   {35, "TQ2_0"},
    {40, "NVFP4"},
};

const TensorFormat* FindFormat(uint32_t type) {
  for (const TensorFormat& format : kFormats) {
    if (format.type == type) return &format;
  }
  return nullptr;
}

}  // namespace

bool IsReadableType(uint32_t type) { return FindFormat(type) != nullptr; }

std::string TensorTypeName(uint32_t type) {
  const TensorFormat* format = FindFormat(type);
  if (format != nullptr) return format->name;
  for (const UnreadableType& unreadable : kUnreadableTypes) {
    if (unreadable.type == type) return unreadable.name;
  }
  return "number " + std::to_string(type);
}

std::string ReadableTypeNames() {
  std::string names;
  for (const TensorFormat& format : kFormats) {
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return names;
}

uint64_t TensorRowBytes(uint32_t type, uint64_t num_cols) {
  const TensorFormat* format = FindFormat(type);
  if (format == nullptr || num_cols % format->block_cols != 0) return 0;
  return num_cols / format->block_cols * format->block_bytes;
}

void DequantizeRow(TensorType type, Bytes in, std::span<float> out) {
  const TensorFormat* format = FindFormat(static_cast<uint32_t>(type));
  LLMA_DCHECK(format != nullptr &&
              in.size() == TensorRowBytes(format->type, out.size()));
  format->decode_row(in, out);
}

}  // namespace llma
