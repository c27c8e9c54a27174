// SPDX-License-Identifier: Apache-2.0
#include "cm/light_match.h"

#include <algorithm>
#include <bit>

#include "cm/hashing.h"
#include "cm/lane_history.h"

namespace llma::cm {
namespace {

constexpr uint32_t kHashedBytes = 5;
constexpr uint32_t kMinLength = kHashedBytes + 1;
constexpr uint32_t kMaxSearched = 400;

int TableBits(uint64_t content_bytes) {
  return std::clamp(static_cast<int>(std::bit_width(content_bytes)), 10, 20);
}

}  // namespace

const LightMatch::SureStretches& LightMatch::GetSureStretches() {
  static const SureStretches table = [] {
    SureStretches made{};
    for (uint32_t i = 0; i < made.size(); ++i) {
      made[i] = static_cast<int16_t>(StretchP24((kSureP22 + i) << 2) >> 4);
    }
    return made;
  }();
  return table;
}

uint32_t LightMatch::LengthBucket(uint32_t length) {
  if (length < 16) return length;
  // 16, 24, 32, 48, 64, ... 2 a power of two.
  const auto log2 = static_cast<uint32_t>(std::bit_width(length)) - 1;
  return std::min<uint32_t>(16 + (log2 - 4) * 2 + (length >> (log2 - 1) & 1),
                            kNumBuckets - 1);
}

LightMatch::LightMatch(uint64_t content_bytes, PageSource pages)
    : sure_(GetSureStretches().data()),
      shift_(32 - TableBits(content_bytes)),
      table_(size_t{1} << TableBits(content_bytes), pages) {
  for (uint32_t i = 0; i < estimates_.size(); ++i) {
    // P(the predicted bit is right), about 1 - 1 / (length + 2).
    const uint32_t length = i / (kMissContexts * 8);
    estimates_[i].Set((1u << 22) - (1u << 22) / (2 * length + 3), 0);
  }
}

void LightMatch::BeginByte(const uint8_t* content, uint32_t next_ofs,
                           uint64_t last8) {
  expected_ = 0;
  if (next_ofs < kHashedBytes) return;
  if (source_ofs_ > 0) {
    const bool hit = content[source_ofs_] == (last8 & 0xff);
    misses_ = (misses_ << 1 | (hit ? 0 : 1)) & 0xff;
    length_ = hit ? std::min(length_ + 1, kMaxMatchLength) : 0;
    // Eight misses in a row end the attempt to recover.
    source_ofs_ = misses_ == 0xff ? 0 : source_ofs_ + 1;
  }
  // Of the bytes before the last one; their place is known by its end.
  if (next_ofs > kHashedBytes) {
    uint32_t& entry = table_[next_entry_];
    if (length_ < kMinLength && entry > 0) {
      const uint32_t most = std::min(entry, kMaxSearched);
      uint32_t length = 0;
      while (length < most &&
             content[entry - 1 - length] == content[next_ofs - 1 - length]) {
        ++length;
      }
      if (length >= kMinLength && length > length_) {
        source_ofs_ = entry;
        length_ = length;
        misses_ = 0;
      }
    }
    entry = next_ofs;
  }
  next_entry_ = Hash(last8 << (64 - 8 * kHashedBytes), 0) >> shift_;
  __builtin_prefetch(&table_[next_entry_]);

  if (source_ofs_ == 0) return;
  expected_ = content[source_ofs_] | 256u;
  bucket_ = LengthBucket(length_);
  const auto misses = static_cast<uint32_t>(std::popcount(misses_));
  context_ =
      (bucket_ * kMissContexts + std::min(misses, kMissContexts - 1)) * 8;
}

}  // namespace llma::cm
