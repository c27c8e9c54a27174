// SPDX-License-Identifier: Apache-2.0
// A text that both sides have: predictors read its end before the content, and
// repetitions may be of any part of it (docs/FORMAT.md, section 3.5).
#ifndef LLMA_CODEC_REFERENCE_H_
#define LLMA_CODEC_REFERENCE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"

namespace llma {

class CodecContext;  // codec/codec_context.h

// Immutable.
class Reference {
 public:
  // Null if the text is empty, which is as none; kLimit if it is too large.
  static Result<std::shared_ptr<const Reference>> Create(
      std::vector<uint8_t> text);

  Bytes text() const { return text_; }
  const ReferenceId& id() const { return id_; }
  // Its end, which predictors read.
  Bytes read_part() const;
  // What their tables are made for, before this much predicted content.
  uint64_t TableBytes(uint64_t predicted_bytes) const;

 private:
  explicit Reference(std::vector<uint8_t> text);

  std::vector<uint8_t> text_;
  ReferenceId id_;
};

// No more than this is read.
inline constexpr uint64_t kMaxReadReferenceBytes = uint64_t{1} << 20;
inline uint64_t ReadBytes(const ReferenceId& id) {
  return std::min(id.size_bytes, kMaxReadReferenceBytes);
}

// What the frames of one work share of a reference.
struct ReferenceUse {
  const Reference* text = nullptr;  // null: none
  CodecContext* kept = nullptr;     // where what was read of it is kept
  int num_threads = 0;              // that read it
};

// Whether `given`, which may be null, is what a header asks for.
Status CheckReference(const ReferenceId& needed, const Reference* given);

}  // namespace llma

#endif  // LLMA_CODEC_REFERENCE_H_
