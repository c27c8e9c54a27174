// SPDX-License-Identifier: Apache-2.0
// Where content changes between text and what is none, so that frames can be
// cut there: the language model is worth its time on one and not on the other.
#ifndef LLMA_CODEC_CONTENT_CUTTER_H_
#define LLMA_CODEC_CONTENT_CUTTER_H_

#include <cstddef>
#include <optional>

#include "base/bytes.h"

namespace llma {

// Content is looked at in blocks of this size.
inline constexpr size_t kCutBlockBytes = 4096;
// Neither side of a cut is known to be shorter: frames cost too.
inline constexpr size_t kMinCutBytes = 65536;

// Whether most of it can be text in UTF-8 or in an encoding of one byte a
// character.
bool LooksLikeText(Bytes block);

// Where it cuts depends on the content alone, not on the pieces it comes in.
class ContentCutter {
 public:
  // `content`: of a frame, from its start, as far as it is there; what was
  // given before is not looked at again. The offset to cut at, once.
  std::optional<size_t> FindCut(Bytes content);

 private:
  size_t examined_bytes_ = 0;
  bool is_text_ = false;    // the frame so far
  size_t other_start_ = 0;  // of the blocks of the other kind that follow
  size_t other_bytes_ = 0;
};

}  // namespace llma

#endif  // LLMA_CODEC_CONTENT_CUTTER_H_
