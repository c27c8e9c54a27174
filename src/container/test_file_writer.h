// SPDX-License-Identifier: Apache-2.0
// Files of stored frames, for tests.
#ifndef LLMA_CONTAINER_TEST_FILE_WRITER_H_
#define LLMA_CONTAINER_TEST_FILE_WRITER_H_

#include <string>

#include "container/frame_header.h"
#include "container/frame_index.h"
#include "container/source_info.h"

namespace llma {

class TestFileWriter {
 public:
  TestFileWriter& Stored(const std::string& content, bool is_last = false) {
    FrameHeader header;
    header.is_last = is_last;
    header.content_bytes = header.payload_bytes = content.size();
    header.checksum = Checksum(AsBytes(content));
    return Frame(header, content);
  }
  TestFileWriter& Skippable(uint32_t type, const std::string& payload) {
    FrameHeader header;
    header.kind = FrameKind::kSkippable;
    header.skippable_type = type;
    header.payload_bytes = payload.size();
    header.checksum = Checksum(AsBytes(payload));
    return Frame(header, payload);
  }
  TestFileWriter& Source(const SourceInfo& info) {
    const SourceInfoFrame frame = MakeSourceInfoFrame(info);
    return Frame(frame.header, std::string(AsStringView(frame.payload)));
  }
  TestFileWriter& Index() {
    const auto frame = WriteIndexFrame(index_.index());
    file_.append(AsStringView(frame));
    index_ = {};
    return *this;
  }
  const std::string& file() const { return file_; }

 private:
  TestFileWriter& Frame(const FrameHeader& header, const std::string& payload) {
    ByteWriter writer;
    WriteFrameHeader(header, writer);
    index_.Add(writer.bytes(), header);
    file_.append(AsStringView(writer.bytes())).append(payload);
    if (header.is_last) index_ = {};
    return *this;
  }

  std::string file_;
  IndexBuilder index_;
};

}  // namespace llma

#endif  // LLMA_CONTAINER_TEST_FILE_WRITER_H_
