// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/model_choice.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "codec/frame/frame_encoder.h"

namespace llma {
namespace {

constexpr double kNothingLeft = 0.02;   // bits a byte
constexpr double kUnpredictable = 7.8;  // bits a byte
// Nor is there anything to predict where knowing the bytes before one helps
// less than it costs to learn that. Shorter text may still be like this.
constexpr double kNoBetterThanCounts = 0.99;
constexpr size_t kMinBytesToCount = 4096;
// German law, which the default model hardly knows, needs 1.2 times the bits of
// the light context models and is still 20 % smaller with both; x86 code
// needs more than twice.
constexpr double kFarBehind = 1.8;
constexpr size_t kNumSamples = 2;
constexpr size_t kSamplePieces = 512;

double BitsPerByte(uint64_t code_bytes, uint64_t content_bytes) {
  return 8.0 * static_cast<double>(code_bytes) /
         static_cast<double>(content_bytes);
}

// Bits a byte if each is predicted by how often its value occurs.
double CountedBits(Bytes content) {
  std::array<uint64_t, 256> counts{};
  for (const uint8_t byte : content) ++counts[byte];
  double bits = 0;
  for (const uint64_t count : counts) {
    if (count == 0) continue;
    const double share =
        static_cast<double>(count) / static_cast<double>(content.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

uint64_t CountBytes(std::span<const TextPiece> pieces) {
  uint64_t bytes = 0;
  for (const TextPiece& piece : pieces) bytes += piece.size_bytes;
  return bytes;
}

}  // namespace

bool IsUnpredictable(Bytes content, uint64_t light_code_bytes) {
  const double bits = BitsPerByte(light_code_bytes, content.size());
  return bits > kUnpredictable ||
         (content.size() >= kMinBytesToCount &&
          bits > kNoBetterThanCounts * CountedBits(content));
}

bool DoContextsSuffice(Bytes content, uint64_t light_code_bytes) {
  return BitsPerByte(light_code_bytes, content.size()) < kNothingLeft ||
         IsUnpredictable(content, light_code_bytes);
}

Result<bool> IsModelWorthwhile(const FrameContext& context, Bytes content,
                               std::span<const TextPiece> pieces,
                               uint64_t light_code_bytes) {
  const ProgressCallback progress =
      !context.progress ? context.progress : [&](const CodecProgress&) {
        return context.progress({0, content.size(), 0});
      };
  const FrameContext model_alone = {
      context.engine,           context.kernels,      context.pool,
      context.window_positions, ContextModels::kNone, progress};
  uint64_t sampled_bytes = 0, code_bytes = 0;
  for (size_t i = 0; i < kNumSamples; ++i) {
    const size_t begin = pieces.size() * (2 * i + 1) / (2 * kNumSamples);
    const auto sample =
        pieces.subspan(begin, std::min(kSamplePieces, pieces.size() - begin));
    const auto byte_ofs = static_cast<size_t>(CountBytes(pieces.first(begin)));
    const uint64_t bytes = CountBytes(sample);
    LLMA_ASSIGN(
        const std::vector<uint8_t> code,
        EncodeFrame(model_alone,
                    content.subspan(byte_ofs, static_cast<size_t>(bytes)),
                    sample, {&bytes, 1}));
    sampled_bytes += bytes;
    code_bytes += code.size();
  }
  return BitsPerByte(code_bytes, sampled_bytes) <
         kFarBehind * BitsPerByte(light_code_bytes, content.size());
}

}  // namespace llma
