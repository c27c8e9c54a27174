// SPDX-License-Identifier: Apache-2.0
// Where a content that arrives in pieces is cut into frames. It depends on the
// content and the options alone, not on the pieces.
#ifndef LLMA_CODEC_FRAME_CUTTER_H_
#define LLMA_CODEC_FRAME_CUTTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "codec/choose/content_cutter.h"
#include "codec/choose/repetition_finder.h"
#include "codec/compress.h"

namespace llma {

// Holds the content that is in no frame yet.
class FrameCutter {
 public:
  // `model`: null if the level uses none; must outlive this.
  FrameCutter(const Model* model, const CompressOptions& options)
      : model_(model), options_(options), frame_bytes_(FrameBytesOf(options)) {}

  // How much content a frame has, unless something makes it another size.
  static uint64_t FrameBytesOf(const CompressOptions& options) {
    return options.frame_bytes != 0
               ? options.frame_bytes
               : SettingsOfLevel(options.level).frame_bytes;
  }

  // The file has this many frames already.
  void StartAfter(uint64_t num_frames) { num_frames_ = num_frames; }

  // Takes content, and drops it from the span, until it is certain that a frame
  // of this size ends within what it holds. 0: all is taken, and none does.
  size_t FindEnd(Bytes& content);
  // What no frame has yet, from the start of the next one on.
  Bytes held() const { return buffer_; }
  // The start of what is held is a frame, which this gives and holds no longer.
  std::vector<uint8_t> TakeFrame(size_t content_bytes);

  uint64_t num_frames() const { return num_frames_; }

 private:
  // Where the next frame ends, as far as is known.
  uint64_t NextFrameBytes() const;
  // The buffer holds as much. A frame with repetitions may become larger: then
  // its end moves on.
  bool GrowsFrame();

  const Model* model_;
  const CompressOptions options_;
  const uint64_t frame_bytes_;
  uint64_t num_frames_ = 0;
  std::vector<uint8_t> buffer_;
  ContentCutter cutter_;  // of the buffer
  // Of the buffer; none before it holds a frame.
  std::optional<RepetitionFinder> finder_;
  uint64_t grown_frame_bytes_ = 0;  // 0: as others
};

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_CUTTER_H_
