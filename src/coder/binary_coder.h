// SPDX-License-Identifier: Apache-2.0
// Binary arithmetic coder: decisions with integer probabilities to bytes and
// back. It knows nothing of what predicts. The code is specified in
// docs/FORMAT.md; one `template <class Coder>` loop serves both directions.
#ifndef LLMA_CODER_BINARY_CODER_H_
#define LLMA_CODER_BINARY_CODER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

// The probability that a bit is 1, in units of 2^-24; always in
// [kMinProbability, kMaxProbability], so that neither bit is impossible.
using Probability = uint32_t;
inline constexpr int kProbBits = 24;
inline constexpr Probability kMinProbability = 1;
inline constexpr Probability kMaxProbability = (1u << kProbBits) - 1;

inline Probability ClampProbability(int64_t p) {
  if (p < int64_t{kMinProbability}) return kMinProbability;
  if (p > int64_t{kMaxProbability}) return kMaxProbability;
  return static_cast<Probability>(p);
}

// The width of the current interval, the part that both directions share. All
// values are seen through a window of 64 bits that moves down by whole bytes.
//
// Invariants between calls:
//   * range >= 2^56 after construction and after Renormalise().
//   * Take() leaves range >= 2^32: a part is at least (range >> 24) * 1.
//   * Rounding (range >> 24) down costs a decision less than a factor of
//     1 - 2^-32, 2^-32 * 1.45 bits.
class CodingInterval {
 public:
  // The width of the lower part, which stands for bit 1.
  uint64_t Bound(Probability p1) const {
    LLMA_DCHECK(p1 >= kMinProbability && p1 <= kMaxProbability);
    return (range_ >> kProbBits) * p1;
  }

  // Shrinks the interval to the part of `bit` and returns by how much its low
  // end rises.
  uint64_t Take(bool bit, uint64_t bound) {
    const uint64_t rise = bit ? 0 : bound;
    range_ = bit ? bound : range_ - bound;
    LLMA_DCHECK(range_ >> 32 != 0);
    return rise;
  }

  // Moves the window down and returns by how many bytes, 0 to 3.
  int Renormalise() {
    const int num_bytes = std::countl_zero(range_) / 8;
    range_ <<= 8 * num_bytes;
    LLMA_DCHECK(range_ >> 56 != 0);
    return num_bytes;
  }

  uint64_t range() const { return range_; }

 private:
  uint64_t range_ = ~uint64_t{0};
};

// Thread-compatible.
class BinaryEncoder {
 public:
  // Appends a decision and returns `bit`.
  bool Code(bool bit, Probability p1) {
    AddToLow(interval_.Take(bit, interval_.Bound(p1)));
    for (int n = interval_.Renormalise(); n > 0; --n) {
      out_.push_back(static_cast<uint8_t>(low_ >> 56));
      low_ <<= 8;
    }
    return bit;
  }

  // Bytes that are certain so far; what Finish() adds is at most 8.
  size_t size_bytes() const { return out_.size(); }

  // Ends the code with as few bytes of the window as possible and returns it.
  // No decisions: no bytes.
  std::vector<uint8_t> Finish() &&;

 private:
  // The code is the number out_ . low_ to base 256.
  void AddToLow(uint64_t rise) {
    low_ += rise;
    if (low_ < rise) PropagateCarry();
  }
  void PropagateCarry();

  CodingInterval interval_;
  uint64_t low_ = 0;
  std::vector<uint8_t> out_;
};

// Reads zeros after the end of the code. Never reads out of bounds, whatever
// the bytes are. Thread-compatible; the code must outlive it.
class BinaryDecoder {
 public:
  explicit BinaryDecoder(Bytes code);

  // Returns the next decision; the argument only mirrors BinaryEncoder.
  bool Code(bool /*ignored*/, Probability p1) {
    // Invariant: offset_ < range, so one of the parts holds it.
    const uint64_t bound = interval_.Bound(p1);
    const bool bit = offset_ < bound;
    offset_ -= interval_.Take(bit, bound);
    for (int n = interval_.Renormalise(); n > 0; --n) {
      offset_ = offset_ << 8 | NextByte();
    }
    LLMA_DCHECK(offset_ < interval_.range());
    return bit;
  }

  // Of the whole code.
  size_t size_bytes() const { return code_.size(); }
  // Bytes that decisions so far depend on, at most the size of the code.
  size_t consumed_bytes() const {
    return position_ < code_.size() ? position_ : code_.size();
  }

  // True when no code that Finish() makes can be as short as this one: an
  // encoder drops bytes of its last window only. Check it now and then, so
  // that a short file with a large stated size fails early.
  bool IsTruncated() const { return position_ > code_.size() + kWindowBytes; }

  // After the last decision: true if Finish() after the same decisions would
  // give exactly this code, with no byte missing, left over, or different.
  bool IsAtCanonicalEnd() const;

 private:
  static constexpr size_t kWindowBytes = 8;

  uint8_t NextByte() {
    const uint8_t byte = position_ < code_.size() ? code_[position_] : 0;
    ++position_;
    return byte;
  }

  CodingInterval interval_;
  uint64_t offset_ = 0;  // the code in the window, less the interval's low end
  Bytes code_;
  size_t position_ = 0;  // bytes read, with the zeros after the end
  bool out_of_range_ = false;
};

}  // namespace llma

#endif  // LLMA_CODER_BINARY_CODER_H_
