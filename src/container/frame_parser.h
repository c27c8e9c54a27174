// SPDX-License-Identifier: Apache-2.0
// A compressed file, fed in pieces of any size, as frames. Checks the order of
// frames, the index, and skippable frames; not contents.
#ifndef LLMA_CONTAINER_FRAME_PARSER_H_
#define LLMA_CONTAINER_FRAME_PARSER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/status.h"
#include "container/content_limit.h"
#include "container/frame_header.h"
#include "container/frame_index.h"
#include "container/model_frame.h"
#include "container/source_info.h"

namespace llma {

// A frame with content.
struct ContentFrame {
  FrameHeader header;
  uint64_t frame_ofs;    // in the file
  uint64_t payload_ofs;  // in the file
  std::vector<uint8_t> payload;
};

// Takes embedded models. `Wants` is asked with the size of one, and says
// whether to read it: while that is done, it needs half as much memory again.
struct ModelTaker {
  std::function<Result<bool>(const ModelFingerprint&, uint64_t model_bytes)>
      Wants;
  std::function<Status(const ModelFingerprint&, AlignedBuffer<uint8_t>)> Take;
};

struct FrameParserOptions {
  // Payloads that are larger are kLimit, and so many frames that their index
  // takes more.
  uint64_t max_payload_bytes = ~uint64_t{0};
  // So is content that is larger in sum.
  uint64_t max_content_bytes = ~uint64_t{0};
  bool verify_checksums = true;
  bool one_member = false;      // what follows the first one is not looked at
  ModelTaker model_taker = {};  // empty: models are skipped
};

class FrameParser {
 public:
  explicit FrameParser(const FrameParserOptions& options = {});

  // Takes the next bytes of the file. Next() must have returned nothing.
  void Append(Bytes file);
  // No more bytes will come.
  void MarkEnd() { has_ended_ = true; }

  // The next frame with content; nothing if more bytes are needed, or after
  // MarkEnd() if the file is complete. After an error the parser is of no more
  // use.
  Result<std::optional<ContentFrame>> Next();

  // Of the member that is being read, once its first content frame was given.
  const std::optional<SourceInfo>& source_info() const { return source_info_; }
  uint64_t num_members() const { return num_members_; }
  // Of one member: it is complete, and this many bytes were given after it.
  bool is_done() const {
    return options_.one_member && num_members_ > 0 && step_ == Step::kHeader;
  }
  size_t unread_bytes() const { return Unread().size(); }

 private:
  enum class Step { kHeader, kPayload, kSkip, kModelStart, kModel };
  Bytes Unread() const { return Bytes(buffer_).subspan(used_); }
  void Consume(size_t size_bytes);
  Status SkipZeros();
  Result<bool> ReadHeader();
  Status StartFrame();
  // Each returns false if more bytes are needed.
  Result<bool> ReadStep();
  Result<bool> ReadPayload();
  Result<bool> Skip();
  Result<bool> StartModel();
  Result<bool> ReadModel();
  Status FinishIndex();
  void EndMember();
  Error TruncatedError() const;

  FrameParserOptions options_;
  ContentLimit content_limit_;
  std::vector<uint8_t> buffer_;
  size_t used_ = 0;        // of the buffer
  uint64_t file_ofs_ = 0;  // of the first byte that is not used
  bool has_ended_ = false;
  bool is_over_ = false;  // zeros alone may follow

  Step step_ = Step::kHeader;
  ContentFrame frame_;  // being read
  uint64_t skip_left_bytes_ = 0;
  std::optional<Xxh3Stream> skipped_;
  ModelFingerprint fingerprint_{};  // of the model that is read
  AlignedBuffer<uint8_t> model_;    // has room for more than is there
  size_t model_bytes_ = 0;          // that are there

  // Of the member.
  std::unique_ptr<IndexBuilder> index_;
  std::optional<SourceInfo> source_info_;
  bool is_new_member_ = true;
  uint64_t num_members_ = 0;
};

}  // namespace llma

#endif  // LLMA_CONTAINER_FRAME_PARSER_H_
