// SPDX-License-Identifier: Apache-2.0
// For tests: changes parts of a .llmm file and makes its checksums right again.
#ifndef LLMA_MODEL_TESTING_MODEL_EDITOR_H_
#define LLMA_MODEL_TESTING_MODEL_EDITOR_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "model/model_header.h"

namespace llma {

class ModelEditor {
 public:
  // `file` must be sound.
  explicit ModelEditor(std::vector<uint8_t> file) : file_(std::move(file)) {
    const auto header = ParseModelHeader(file_);
    if (!header) std::abort();
    header_bytes_ = header->header_bytes;
    sections_ = header->sections;
  }

  // The header, then the sections.
  size_t num_parts() const { return sections_.size() + 1; }

  std::span<uint8_t> part(size_t index) {
    if (index == 0) return std::span(file_).first(header_bytes_);
    const Section& section = sections_[index - 1];
    return std::span(file_).subspan(section.offset_bytes, section.size_bytes);
  }

  // Goes on at the start of a part after its end.
  void Overwrite(size_t index, size_t offset, Bytes change) {
    const std::span<uint8_t> bytes = part(index);
    if (bytes.empty()) return;
    for (const uint8_t byte : change) bytes[offset++ % bytes.size()] = byte;
  }

  // What the header says of a section; of the header itself, last.
  void FixChecksum(size_t index) {
    const std::span<uint8_t> header = part(0);
    if (index == 0) {
      Store(header.last(kChecksumBytes),
            Xxh3(header.first(header.size() - kChecksumBytes)));
      return;
    }
    const size_t num_later = sections_.size() - index;
    const size_t end =
        header.size() - kChecksumBytes - num_later * kSectionEntryBytes;
    Store(header.first(end).last(kChecksumBytes), Xxh3(part(index)));
  }

  Bytes file() const { return file_; }
  // As a mapped file has it.
  AlignedBuffer<uint8_t> AlignedFile() const {
    AlignedBuffer<uint8_t> aligned(file_.size());
    std::copy(file_.begin(), file_.end(), aligned.data());
    return aligned;
  }

 private:
  static constexpr size_t kSectionEntryBytes = 32;  // ends with its checksum
  static constexpr size_t kChecksumBytes = 8;

  static void Store(std::span<uint8_t> field, uint64_t value) {
    ByteWriter writer;
    writer.StoreU64(value);
    std::copy(writer.bytes().begin(), writer.bytes().end(), field.begin());
  }

  std::vector<uint8_t> file_;
  size_t header_bytes_ = 0;
  std::vector<Section> sections_;
};

}  // namespace llma

#endif  // LLMA_MODEL_TESTING_MODEL_EDITOR_H_
