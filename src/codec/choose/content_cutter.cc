// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/content_cutter.h"

#include "cm/byte_kinds.h"

namespace llma {
namespace {

// Text has bytes above 0x7f that are no UTF-8 only here and there: one in so
// many bytes of a block.
constexpr size_t kMaxInvalidShare = 8;

// Bytes of the UTF-8 sequence that this byte starts; 0: none. Overlong ones and
// surrogates pass: it is a guess.
size_t SequenceBytes(uint8_t lead) {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

}  // namespace

bool LooksLikeText(Bytes block) {
  if (cm::HasManyControls(block)) return false;
  size_t num_invalid = 0;
  for (size_t i = 0; i < block.size();) {
    if (block[i] < 0x80) {
      ++i;
      continue;
    }
    const size_t wanted = SequenceBytes(block[i]);
    size_t size = 1;
    while (size < wanted && i + size < block.size() &&
           (block[i + size] & 0xc0) == 0x80) {
      ++size;
    }
    const bool is_cut_off = i + size == block.size();
    if (size != wanted && !(wanted > 0 && is_cut_off)) num_invalid += size;
    i += size;
  }
  return num_invalid <= block.size() / kMaxInvalidShare;
}

std::optional<size_t> ContentCutter::FindCut(Bytes content) {
  while (content.size() - examined_bytes_ >= kCutBlockBytes) {
    const Bytes block = content.subspan(examined_bytes_, kCutBlockBytes);
    const bool is_text = LooksLikeText(block);
    if (examined_bytes_ == 0) is_text_ = is_text;
    if (is_text == is_text_) {
      other_bytes_ = 0;
    } else {
      if (other_bytes_ == 0) other_start_ = examined_bytes_;
      other_bytes_ += kCutBlockBytes;
    }
    examined_bytes_ += kCutBlockBytes;
    if (other_bytes_ < kMinCutBytes) continue;
    if (other_start_ >= kMinCutBytes) return other_start_;
    // The short start goes with what follows.
    is_text_ = !is_text_;
    other_bytes_ = 0;
  }
  return {};
}

}  // namespace llma
