// SPDX-License-Identifier: Apache-2.0
// Model files: the bytes of one, or the tiny model with changes whose checksums
// are made right again. A model that opens can compress, and restore.
#include <array>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/checksum.h"
#include "base/file_io.h"
#include "codec/codec.h"
#include "fuzz/fuzz_support.h"
#include "model/model_header.h"

namespace llma {
namespace {

constexpr size_t kSectionEntryBytes = 32;  // the last 8 are its checksum
constexpr size_t kChecksumBytes = 8;

class ModelEditor {
 public:
  ModelEditor() {
    auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm");
    FUZZ_CHECK(bytes.has_value());
    bytes_ = *std::move(bytes);
    auto header = ParseModelHeader(bytes_);
    FUZZ_CHECK(header.has_value());
    header_bytes_ = header->header_bytes;
    sections_ = header->sections;
  }

  // Changes are a target (0: the header, else a section), an offset, a size and
  // as many bytes; those of the header come last.
  std::vector<uint8_t> Edit(FuzzInput input, bool fix_checksums) const {
    std::vector<uint8_t> file = bytes_;
    std::vector<uint8_t> header(file.begin(),
                                file.begin() + ptrdiff_t(header_bytes_));
    while (!input.empty()) {
      const size_t target = input.TakeU8() % (sections_.size() + 1);
      const size_t offset = input.TakeU16();
      const Bytes change = input.Take(input.TakeU8() % 64);
      if (target == 0) {
        Overwrite(header, offset, change);
        continue;
      }
      const Section& section = sections_[target - 1];
      if (section.size_bytes == 0) continue;
      const std::span<uint8_t> part =
          std::span(file).subspan(section.offset_bytes, section.size_bytes);
      Overwrite(part, offset, change);
      if (fix_checksums) {
        const size_t end = header.size() - kChecksumBytes -
                           (sections_.size() - target) * kSectionEntryBytes;
        Store(std::span(header).first(end).last(kChecksumBytes), Xxh3(part));
      }
    }
    if (fix_checksums) {
      const auto covered = std::span(header).first(header.size() - 8);
      Store(std::span(header).last(kChecksumBytes), Xxh3(covered));
    }
    std::copy(header.begin(), header.end(), file.begin());
    return file;
  }

 private:
  static void Overwrite(std::span<uint8_t> part, size_t offset, Bytes change) {
    for (const uint8_t byte : change) part[offset++ % part.size()] = byte;
  }
  static void Store(std::span<uint8_t> place, uint64_t value) {
    ByteWriter writer;
    writer.StoreU64(value);
    std::copy(writer.bytes().begin(), writer.bytes().end(), place.begin());
  }

  std::vector<uint8_t> bytes_;
  size_t header_bytes_ = 0;
  std::vector<Section> sections_;
};

void CheckHeader(Bytes file) {
  const auto header = ParseModelHeader(file);
  if (!header) return;
  const auto again = EncodeModelHeader(*header);
  FUZZ_CHECK(AsStringView(again) ==
             AsStringView(file.first(header->header_bytes)));
}

void CheckRoundTrip(const Model& model) {
  const std::string content = " everyone was working, saying \x01\xff nothing";
  CompressOptions compress;
  compress.num_threads = 1;
  compress.window_positions = 16;
  const auto file = Compress(AsBytes(content), &model, compress);
  if (!file) {
    FUZZ_CHECK(file.error().code == ErrorCode::kCorrupt ||
               file.error().code == ErrorCode::kUnsupported);
    return;
  }
  DecompressOptions decompress;
  decompress.num_threads = 1;
  const auto back = Decompress(*file, &model, decompress);
  FUZZ_CHECK(back.has_value());
  FUZZ_CHECK(AsStringView(*back) == content);
}

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llma;
  static const ModelEditor editor;
  FuzzInput input(Bytes(data, size));
  const uint8_t flags = input.TakeU8();
  std::vector<uint8_t> file;
  if ((flags & 1) != 0) {
    const Bytes rest = input.TakeRest();
    file.assign(rest.begin(), rest.end());
  } else {
    file = editor.Edit(input, (flags & 2) == 0);
  }
  CheckHeader(file);
  AlignedBuffer<uint8_t> aligned(file.size());
  std::copy(file.begin(), file.end(), aligned.data());
  const auto model = Model::FromBytes({aligned.data(), aligned.size()});
  if (model) {
    CheckRoundTrip(**model);
  } else {
    FUZZ_CHECK(model.error().code != ErrorCode::kInternal);
  }
  return 0;
}
