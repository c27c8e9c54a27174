// SPDX-License-Identifier: Apache-2.0
// Model files: the bytes of one, or the tiny model with changes whose checksums
// are made right again. A model that opens can compress, and restore.
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "codec/file/whole_file.h"
#include "fuzz/fuzz_support.h"
#include "model/testing/model_editor.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

const ModelEditor& TinyModel() {
  static const ModelEditor tiny = [] {
    auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm");
    FUZZ_CHECK(bytes.has_value());
    return ModelEditor(*std::move(bytes));
  }();
  return tiny;
}

// Changes are a part, an offset, a size and as many bytes.
ModelEditor Edit(FuzzInput input, bool fix_checksums) {
  ModelEditor edited = TinyModel();
  while (!input.empty()) {
    const size_t part = input.TakeU8() % edited.num_parts();
    const size_t offset = input.TakeU16();
    edited.Overwrite(part, offset, input.Take(input.TakeU8() % 64));
    if (fix_checksums && part > 0) edited.FixChecksum(part);
  }
  if (fix_checksums) edited.FixChecksum(0);
  return edited;
}

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
  FuzzInput input(Bytes(data, size));
  const uint8_t flags = input.TakeU8();
  std::vector<uint8_t> file;
  if ((flags & 1) != 0) {
    const Bytes rest = input.TakeRest();
    file.assign(rest.begin(), rest.end());
  } else {
    const ModelEditor edited = Edit(input, (flags & 2) == 0);
    file.assign(edited.file().begin(), edited.file().end());
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
