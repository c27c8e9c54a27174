// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/repetition_finder.h"

#include <algorithm>
#include <bit>

namespace llma {
namespace {

constexpr uint64_t kBlockBytes = 256;
// Shorter ones cost about as few bits if they are predicted, and what follows
// is predicted better after them.
constexpr uint64_t kMinFoundBytes = 2048;
static_assert(kMinFoundBytes >= 2 * kBlockBytes &&
              kMinFoundBytes >= kMinRepetitionBytes);
constexpr int kMinLog2Slots = 8;
constexpr int kMaxLog2Slots = 20;
constexpr int kMaxReferenceLog2Slots = 23;

// A polynomial of the bytes of a block.
constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
constexpr uint64_t kLastFactor = [] {
  uint64_t power = 1;
  for (uint64_t i = 0; i < kBlockBytes; ++i) power *= kFactor;
  return power;
}();

uint64_t HashBlock(const uint8_t* block) {
  uint64_t hash = 0;
  for (uint64_t i = 0; i < kBlockBytes; ++i) hash = hash * kFactor + block[i];
  return hash;
}

// Offsets have 64 bits, also where what is in memory has fewer.
uint8_t At(Bytes content, uint64_t ofs) {
  return content[static_cast<size_t>(ofs)];
}

int Log2Slots(uint64_t max_content_bytes, uint64_t reference_bytes) {
  const uint64_t bytes = max_content_bytes + reference_bytes;
  return std::clamp(
      static_cast<int>(std::bit_width(2 * bytes / kBlockBytes)), kMinLog2Slots,
      reference_bytes > 0 ? kMaxReferenceLog2Slots : kMaxLog2Slots);
}

}  // namespace

RepetitionFinder::RepetitionFinder(uint64_t max_content_bytes, Bytes reference)
    : reference_(reference) {
  const int log2_slots = Log2Slots(max_content_bytes, reference.size());
  slots_.resize(size_t{1} << log2_slots);
  shift_ = 64 - log2_slots;
  for (uint64_t ofs = 0; ofs + kBlockBytes <= reference.size();
       ofs += kBlockBytes) {
    const uint64_t hash =
        HashBlock(reference.data() + static_cast<size_t>(ofs));
    SlotOf(hash) = {static_cast<uint32_t>(hash),
                    static_cast<uint32_t>(ofs + kBlockBytes)};
  }
}

uint64_t RepetitionFinder::MemoryBytes(uint64_t max_content_bytes,
                                       uint64_t reference_bytes) {
  return sizeof(Slot) << Log2Slots(max_content_bytes, reference_bytes);
}

RepetitionFinder::Slot& RepetitionFinder::SlotOf(uint64_t hash) {
  return slots_[static_cast<size_t>(hash * 0xd6e8feb86659fd93 >> shift_)];
}

bool RepetitionFinder::Extend(Bytes content, uint64_t ofs,
                              uint64_t source_ofs) {
  for (uint64_t i = 0; i < kBlockBytes; ++i) {
    if (At(content, ofs + i) != SourceByte(content, source_ofs + i)) {
      return false;
    }
  }
  const uint64_t distance = reference_.size() + ofs - source_ofs;
  // What stands where it stood before.
  const auto repeats = [&](uint64_t at) {
    return At(content, at) ==
           SourceByte(content, reference_.size() + at - distance);
  };
  const uint64_t least =
      found_.empty() ? 0 : found_.back().begin_ofs + found_.back().size_bytes;
  uint64_t begin = ofs, end = ofs + kBlockBytes;
  while (begin > least && reference_.size() + begin > distance &&
         repeats(begin - 1)) {
    --begin;
  }
  while (end < content.size() && repeats(end)) ++end;
  if (end - begin < kMinFoundBytes) return false;
  found_.push_back({begin, end - begin, distance});
  repeated_bytes_ += end - begin;
  next_ofs_ = end;
  return true;
}

void RepetitionFinder::Scan(Bytes content) {
  if (!found_.empty()) {
    // The last one may go on.
    Found& last = found_.back();
    uint64_t end = last.begin_ofs + last.size_bytes;
    if (end == next_ofs_) {
      while (end < content.size() &&
             At(content, end) == SourceByte(content, reference_.size() + end -
                                                         last.distance_bytes)) {
        ++end;
      }
      repeated_bytes_ += end - next_ofs_;
      last.size_bytes += end - next_ofs_;
      next_ofs_ = end;
    }
  }
  bool is_hashed = false;
  uint64_t hash = 0;
  while (next_ofs_ + kBlockBytes <= content.size()) {
    const uint8_t* block = content.data() + next_ofs_;
    hash = is_hashed ? hash * kFactor + block[kBlockBytes - 1] -
                           kLastFactor * block[-1]
                     : HashBlock(block);
    is_hashed = true;
    Slot& slot = SlotOf(hash);
    const auto tag = static_cast<uint32_t>(hash);
    if (slot.end_ofs > 0 && slot.tag == tag &&
        Extend(content, next_ofs_, slot.end_ofs - kBlockBytes)) {
      is_hashed = false;
      continue;
    }
    if (next_ofs_ % kBlockBytes == 0) {
      slot = {tag, static_cast<uint32_t>(reference_.size() + next_ofs_ +
                                         kBlockBytes)};
    }
    ++next_ofs_;
  }
}

std::vector<Repetition> RepetitionFinder::Repetitions() const {
  std::vector<Repetition> repetitions;
  uint64_t last_end = 0;
  for (const Found& found : found_) {
    repetitions.push_back(
        {found.begin_ofs - last_end, found.size_bytes, found.distance_bytes});
    last_end = found.begin_ofs + found.size_bytes;
  }
  return repetitions;
}

}  // namespace llma
