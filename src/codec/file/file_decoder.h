// SPDX-License-Identifier: Apache-2.0
// A compressed file that arrives in pieces, as its content.
#ifndef LLMA_CODEC_FILE_DECODER_H_
#define LLMA_CODEC_FILE_DECODER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ordered_tasks.h"
#include "codec/codec_context.h"
#include "codec/decompress.h"
#include "codec/file/embedded_models.h"
#include "codec/file/shared_progress.h"
#include "container/frame_parser.h"

namespace llma {

// Frame by frame, in order; several at a time where there are processors and
// memory for it. After an error it is of no more use.
class FrameSequenceDecoder {
 public:
  FrameSequenceDecoder(ModelProvider models, const DecompressOptions& options,
                       ByteSink sink);
  // Frames that are being decoded end early.
  ~FrameSequenceDecoder() { progress_.Cancel(); }
  FrameSequenceDecoder(const FrameSequenceDecoder&) = delete;
  FrameSequenceDecoder& operator=(const FrameSequenceDecoder&) = delete;

  Status Add(ContentFrame frame);
  // All that was added goes to the sink.
  Status Finish();
  // So much of the memory is in use for something else.
  void set_reserved_bytes(uint64_t bytes) { reserved_bytes_ = bytes; }

  uint64_t content_bytes() const { return content_bytes_; }

 private:
  struct Decoded {
    Result<std::vector<uint8_t>> content;
    FrameHeader header;
    uint64_t frame_bytes;
    uint64_t memory_bytes;
    std::optional<StageClock> clock;
  };
  // How a frame is decoded beside others.
  struct Group {
    size_t max_running;  // frames at a time
    int num_threads;     // of this one, or of those that share passes
    bool is_joint;
    std::optional<uint32_t> number;
  };
  Group GroupOf(const FrameHeader& header);
  // What frames that share passes may take side by side.
  uint64_t MaxJointBytes();
  Status WriteFirst();

  const GivenContext<CodecContext> context_;
  ModelProvider models_;
  const DecompressOptions options_;
  ByteSink sink_;
  SharedProgress progress_;
  const int num_threads_;
  std::optional<uint64_t> max_joint_bytes_;  // once it was asked for
  uint32_t num_joint_ = 0;                   // frames that were given a group
  uint64_t content_bytes_ = 0;               // given to the sink
  uint64_t running_memory_bytes_ = 0;
  uint64_t reserved_bytes_ = 0;
  OrderedTasks<Decoded> tasks_;  // destroyed first, for they use the rest
};

class FileDecoder {
 public:
  FileDecoder(ModelProvider models, const DecompressOptions& options,
              ByteSink sink);

  Status Append(Bytes file);
  // The content of all whole frames so far goes to the sink.
  Status Flush();
  // No more bytes will come. An error if the file is not complete.
  Status Finish();

  // Of one member: all of it was appended, and this many bytes after it.
  bool is_done() const { return parser_.is_done(); }
  size_t unread_bytes() const { return parser_.unread_bytes(); }

  uint64_t content_bytes() const { return frames_.content_bytes(); }
  // Of the first member, when a part of the content is there.
  const std::optional<SourceInfo>& source_info() const { return source_info_; }

 private:
  Status DecodeReady();

  EmbeddedModels models_;
  FrameParser parser_;
  FrameSequenceDecoder frames_;  // destroyed before the models
  std::optional<SourceInfo> source_info_;
};

}  // namespace llma

#endif  // LLMA_CODEC_FILE_DECODER_H_
