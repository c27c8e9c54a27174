// SPDX-License-Identifier: Apache-2.0
// A content that arrives in pieces, as a compressed file: cut into frames that
// are coded side by side where there are processors for it.
#ifndef LLMA_CODEC_FILE_ENCODER_H_
#define LLMA_CODEC_FILE_ENCODER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/ordered_tasks.h"
#include "codec/compress.h"
#include "codec/compress_context.h"
#include "codec/file/frame_cutter.h"
#include "codec/file/shared_progress.h"
#include "container/frame_index.h"
#include "container/model_frame.h"

namespace llma {

// After an error it is of no more use.
class FileEncoder {
 public:
  // `model` may be null if the level uses none. All must outlive the encoder.
  FileEncoder(const Model* model, const CompressOptions& options,
              ByteSink sink);
  // Frames that are being coded end early.
  ~FileEncoder();
  FileEncoder(const FileEncoder&) = delete;
  FileEncoder& operator=(const FileEncoder&) = delete;

  // Goes on with a file that holds these whole frames already, of which the
  // content is not appended again, and these models. Before anything else.
  void Resume(IndexBuilder index, uint64_t content_bytes,
              std::set<ModelFingerprint> embedded_models = {});

  Status Append(Bytes content);
  // Whole frames with content, which another encoder made with the same options
  // (without what surrounds frames: models, source, index). After what was
  // appended before. A frame that is marked as the last one ends the file.
  Status AddFrames(Bytes frames);
  // Everything that was appended goes to the sink.
  Status Flush();
  // The last frame, and the index if there are several.
  Status Finish();

  uint64_t content_bytes() const { return content_bytes_; }
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  struct Coded {
    std::vector<uint8_t> content;
    Result<CompressedFrame> frame;
    std::optional<StageClock> clock;
  };
  Status StartFrame(size_t content_bytes, bool is_last);
  Status WriteFirst();
  Status WriteSourceInfo();
  Status WriteIndex();
  Status WriteFrame(const FrameHeader& header, Bytes payload);
  // Unless it is in the file already.
  Status EmbedModel(const ModelId& id);
  bool has_frames() const { return cutter_.num_frames() > 0; }

  const GivenContext<CompressContext> context_;
  const Model* model_;
  const CompressOptions options_;
  ByteSink sink_;
  SharedProgress progress_;
  int num_threads_;
  size_t max_running_;
  FrameCutter cutter_;
  uint64_t started_bytes_ = 0;  // content of frames
  bool has_last_ = false;       // a frame that ends the file
  IndexBuilder index_;
  std::set<ModelFingerprint> embedded_models_;
  uint64_t content_bytes_ = 0;  // appended
  uint64_t file_bytes_ = 0;     // given to the sink
  OrderedTasks<Coded> tasks_;   // destroyed first, for they use the rest
};

}  // namespace llma

#endif  // LLMA_CODEC_FILE_ENCODER_H_
