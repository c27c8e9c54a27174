// SPDX-License-Identifier: Apache-2.0
#include "coder/binary_coder.h"

#include <utility>

namespace llma {

void BinaryEncoder::PropagateCarry() {
  // The code stays below 1, so there is always a byte that takes the carry.
  size_t i = out_.size();
  do {
    LLMA_DCHECK(i > 0);
    --i;
  } while (++out_[i] == 0);
}

std::vector<uint8_t> BinaryEncoder::Finish() && {
  // Any number in [low, low + range) stands for the decisions. Take the least
  // one with the most trailing zero bytes in the window, and drop those bytes.
  // Bytes above the window always stay, so that a decoder can tell a
  // truncated code (IsTruncated).
  for (int num_dropped = 8;; --num_dropped) {
    const uint64_t mask = num_dropped == 8
                              ? ~uint64_t{0}
                              : (uint64_t{1} << (8 * num_dropped)) - 1;
    const uint64_t rise = (0 - low_) & mask;  // up to a multiple of mask + 1
    if (rise >= interval_.range()) continue;  // never when mask is 0
    AddToLow(rise);
    for (int i = num_dropped; i < 8; ++i, low_ <<= 8) {
      out_.push_back(static_cast<uint8_t>(low_ >> 56));
    }
    break;
  }
  return std::move(out_);
}

BinaryDecoder::BinaryDecoder(Bytes code) : code_(code) {
  for (size_t i = 0; i < kWindowBytes; ++i) offset_ = offset_ << 8 | NextByte();
  if (offset_ >= interval_.range()) {  // no encoder writes this
    offset_ = interval_.range() - 1;
    out_of_range_ = true;
  }
}

bool BinaryDecoder::IsAtCanonicalEnd() const {
  if (out_of_range_ || IsTruncated() || code_.size() > position_) return false;
  const size_t num_dropped = position_ - code_.size();  // 0 to 8
  // With the whole window dropped nothing is shorter, and only one multiple
  // of 2^64 fits into the interval.
  if (num_dropped == kWindowBytes) return true;
  // The code is a multiple of unit. It is the least one that is not below the
  // interval if the one before it is; and no multiple of 256 * unit may lie in
  // the interval: neither below the code (follows, if the last byte is not 0)
  // nor above it.
  const uint64_t unit = uint64_t{1} << (8 * num_dropped);
  const uint64_t last = code_.back();
  return last != 0 && offset_ < unit &&
         interval_.range() - offset_ <= (256 - last) * unit;
}

}  // namespace llma
