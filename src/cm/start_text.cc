// SPDX-License-Identifier: Apache-2.0
#include "cm/start_text.h"

#include <algorithm>
#include <bitset>
#include <cstddef>

#include "cm/byte_kinds.h"
#include "cm/hashing.h"

namespace llma::cm {
namespace {

constexpr uint64_t kMaxTextPerContent = 8;
constexpr uint64_t kMaxTextBytes = 24 << 10;  // no text is longer

// Parts of this length are compared.
constexpr size_t kPartBytes = 5;
// The part of a content that is looked at.
constexpr size_t kSampleBytes = 64 << 10;
// Among binary data one part in so many must be shared. To any other content
// the text that shares most is of use: the mixers learn from it.
constexpr size_t kMinBinaryShare = 10;

using PartSet = std::bitset<(1 << 18)>;

// Calls `visit` with the hash of each part.
template <class Sequence, class Visitor>
void ForEachPart(const Sequence& bytes, Visitor visit) {
  constexpr uint64_t kMask = (uint64_t{1} << (8 * kPartBytes)) - 1;
  uint64_t last = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    last = (last << 8 | static_cast<uint8_t>(bytes[i])) & kMask;
    if (i + 1 >= kPartBytes) visit(Hash(last, 0) >> (32 - 18));
  }
}

std::string_view WholeText(StartText text) {
  switch (text) {
    case StartText::kNone:
      break;
    case StartText::kEnglish:
      return internal::kEnglishText;
    case StartText::kGerman:
      return internal::kGermanText;
    case StartText::kCode:
      return internal::kCodeText;
    case StartText::kData:
      return internal::kDataText;
  }
  return {};
}

}  // namespace

uint64_t MaxStartTextBytes(uint64_t content_bytes) {
  return content_bytes < kMaxTextBytes / kMaxTextPerContent
             ? content_bytes * kMaxTextPerContent
             : kMaxTextBytes;
}

std::string_view GetStartText(StartText text, uint64_t content_bytes) {
  const std::string_view whole = WholeText(text);
  const uint64_t size =
      std::min<uint64_t>(whole.size(), MaxStartTextBytes(content_bytes));
  return whole.substr(whole.size() - static_cast<size_t>(size));
}

StartText ChooseStartText(std::span<const uint8_t> content) {
  const auto sample = content.first(std::min(content.size(), kSampleBytes));
  StartText best = StartText::kNone;
  size_t most = HasManyControls(sample) ? sample.size() / kMinBinaryShare : 0;
  for (uint32_t i = 1; i < kNumStartTexts; ++i) {
    PartSet parts;
    ForEachPart(WholeText(static_cast<StartText>(i)),
                [&](uint32_t part) { parts.set(part); });
    size_t shared = 0;
    ForEachPart(sample, [&](uint32_t part) { shared += parts[part] ? 1 : 0; });
    if (shared > most) {
      most = shared;
      best = static_cast<StartText>(i);
    }
  }
  return best;
}

}  // namespace llma::cm
