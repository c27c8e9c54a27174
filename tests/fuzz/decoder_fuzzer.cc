// SPDX-License-Identifier: Apache-2.0
// Compressed files to contents, with the tiny model: as a stream, by salvage,
// and a range. What succeeds matches its checksums, and all three agree.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/file/file_decoder.h"
#include "codec/file/salvage.h"
#include "fuzz/file_input.h"

namespace llma {
namespace {

constexpr uint64_t kMaxMemoryBytes = 64 << 20;
// What one way of decoding may make and how often it may report, so that an
// input takes less than a second.
constexpr uint64_t kMaxContentBytes = 8 << 10;
constexpr int kMaxReports = 64;

const Model& TinyModel() {
  static const std::unique_ptr<Model> model = [] {
    auto opened = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    FUZZ_CHECK(opened.has_value());
    return *std::move(opened);
  }();
  return *model;
}

class Decoding {
 public:
  explicit Decoding(const FileInput& input) : input_(input) {
    options_.num_threads = input.num_threads;
    options_.max_memory_bytes = kMaxMemoryBytes;
    options_.verify_checksums = input.verify_checksums;
    models_ = OneModel(input.has_model ? &TinyModel() : nullptr);
  }

  void Run() {
    const auto content = Stream();
    const auto salvaged = SalvageAll();
    const auto range = Range();
    if (!content) return;
    FUZZ_CHECK(salvaged == content);
    const auto part =
        content->substr(std::min<size_t>(input_.range_ofs, content->size()),
                        input_.range_bytes);
    FUZZ_CHECK(range == part);
  }

 private:
  // Nothing if there was an error.
  std::optional<std::string> Stream() {
    StartBudget();
    std::string content;
    size_t frame_start = 0;
    options_.on_frame = [&](const FrameHeader& header, uint64_t) {
      const Bytes frame = AsBytes(content).subspan(frame_start);
      frame_start = content.size();
      FUZZ_CHECK(frame.size() == header.content_bytes);
      FUZZ_CHECK(!input_.verify_checksums || !header.has_checksum ||
                 Checksum(frame) == header.checksum);
    };
    FileDecoder decoder(models_, options_, AppendTo(content));
    options_.on_frame = {};
    for (FuzzInput rest(input_.file); !rest.empty();) {
      if (!IsOk(decoder.Append(rest.Take(input_.piece_bytes)))) return {};
    }
    if (!IsOk(decoder.Finish())) return {};
    FUZZ_CHECK(decoder.content_bytes() == content.size());
    return content;
  }

  // Nothing unless all is restored.
  std::optional<std::string> SalvageAll() {
    StartBudget();
    std::string content;
    uint64_t skipped_bytes = 0;
    const auto report = Salvage(InMemory(input_.file), models_, options_,
                                {AppendTo(content), [&](uint64_t size) {
                                   skipped_bytes += size;
                                   return OkStatus();
                                 }});
    if (!report) {
      CheckError(report.error());
      return {};
    }
    FUZZ_CHECK(report->restored_bytes == content.size());
    if (!report->lost.empty()) return {};
    FUZZ_CHECK(skipped_bytes == 0);
    return content;
  }

  std::optional<std::string> Range() {
    StartBudget();
    std::string content;
    const auto status = DecompressRange(InMemory(input_.file), input_.range_ofs,
                                        input_.range_bytes, models_, options_,
                                        AppendTo(content));
    if (!IsOk(status)) return {};
    FUZZ_CHECK(content.size() <= input_.range_bytes);
    return content;
  }

  static ByteSink AppendTo(std::string& content) {
    return [&content](Bytes bytes) {
      content.append(AsStringView(bytes));
      return OkStatus();
    };
  }

  static void CheckError(const Error& error) {
    FUZZ_CHECK(error.code != ErrorCode::kInternal);
    FUZZ_CHECK(error.code != ErrorCode::kMemory);
    FUZZ_CHECK(!error.what.empty());
  }
  static bool IsOk(const Status& status) {
    if (!status) CheckError(status.error());
    return status.has_value();
  }

  void StartBudget() {
    num_reports_ = 0;
    done_bytes_ = last_done_bytes_ = 0;
    options_.progress = [this](const CodecProgress& progress) {
      // A frame of its own starts at 0 again.
      const uint64_t done = progress.done_bytes;
      done_bytes_ += done < last_done_bytes_ ? done : done - last_done_bytes_;
      last_done_bytes_ = done;
      return ++num_reports_ <= kMaxReports && done_bytes_ <= kMaxContentBytes;
    };
  }

  const FileInput& input_;
  DecompressOptions options_;
  ModelProvider models_;
  int num_reports_ = 0;
  uint64_t done_bytes_ = 0, last_done_bytes_ = 0;
};

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const llma::FileInput input(llma::Bytes(data, size));
  llma::Decoding(input).Run();
  return 0;
}
