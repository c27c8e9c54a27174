// SPDX-License-Identifier: Apache-2.0
// Damaged files whose checks were all made right again, of headers, contents
// and indexes: a stream, a range and salvage make the same of them, within
// their limits of memory and in little time.
#include <sys/resource.h>

#include <ctime>
#include <optional>

#include "codec/file/file_decoder.h"
#include "codec/file/salvage.h"
#include "container/test_file_writer.h"
#include "fuzz/frame_repair.h"
#include "mutation_fixture.h"

namespace llma {
namespace {

using File = std::vector<uint8_t>;

constexpr int kNumFiles = LLMA_NUM_MUTATIONS / 5;
constexpr uint64_t kMaxContent = 64 << 10;
constexpr uint64_t kMemorySlack = 8 << 20;
// Of a processor, for a file of some hundred bytes read four times.
constexpr double kMaxSeconds = 4;

double ProcessorSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

uint64_t PeakMemoryBytes() {
  rusage usage;
  EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  return static_cast<uint64_t>(usage.ru_maxrss) << 10;
}

struct ReadResult {
  Status status = OkStatus();
  std::string content;  // also of what came before an error
  bool has_losses = false;
};

class RepairedFile : public MutationFixture {
 protected:
  RepairedFile() {
    decompress_.max_memory_bytes = 64 << 20;
    decompress_.max_content_bytes = kMaxContent;
    decompress_.progress = nullptr;
    for (const auto& [words, lanes, frame_bytes] :
         {std::tuple(20, 1, 0), {30, 3, 0}, {50, 1, 200}}) {
      bases_.push_back(
          MakeFile(SampleText(random_, words), lanes, frame_bytes));
    }
    CompressOptions options;
    options.num_threads = 1;
    bases_.push_back(MakeContexts(std::string(700, 'a'), options, 1));
    bases_.push_back(MakeContexts(SampleText(random_, 20), options, 2));
    options.frame_bytes = 200;
    bases_.push_back(MakeContexts(SampleText(random_, 40), options, 1));
    options.source_info = SourceInfo{"name", 0644, 1, 2};
    bases_.push_back(MakeContexts(SampleText(random_, 50), options, 1));
    TestFileWriter stored;
    stored.Source({"other", 0600, 3, 4}).Stored("one").Skippable(200, "a note");
    stored.Stored("two").Stored("").Index();
    const std::string file(stored.file());
    bases_.emplace_back(file.begin(), file.end());
  }

  static File MakeContexts(std::string_view content, CompressOptions options,
                           int level) {
    options.level = level;
    auto file = Compress(AsBytes(content), nullptr, options);
    EXPECT_TRUE(file);
    return *std::move(file);
  }

  const File& AnyBase() { return bases_[random_.Below(bases_.size())]; }

  // One or two files, with some bytes and sizes changed.
  File Damaged() {
    File file = AnyBase();
    if (random_.Below(4) == 0) {
      const File& other = AnyBase();
      file.insert(file.end(), other.begin(), other.end());
    }
    for (size_t n = 1 + random_.Below(3); n > 0; --n) {
      const auto at =
          file.begin() + static_cast<ptrdiff_t>(random_.Below(file.size()));
      switch (random_.Below(4)) {
        case 0:
          *at ^= uint8_t(1u << random_.Below(8));
          break;
        case 1:
          *at = uint8_t(random_.Below(256));
          break;
        case 2:
          file.insert(at, uint8_t(random_.Below(256)));
          break;
        default:
          if (file.size() > 20) file.erase(at);
      }
    }
    return file;
  }

  // With what is coded becoming right, too: its content is what it decodes to.
  File Repaired(const File& damaged, bool fix_indexes) {
    const File file = RepairFrames(damaged, {.fix_indexes = false});
    ByteWriter repaired;
    ByteReader reader(file);
    while (reader.remaining() > 0) {
      ByteReader ahead = reader;
      auto header = ParseFrameHeader(ahead);
      if (!header || header->payload_bytes > ahead.remaining()) break;
      const Bytes payload =
          *ahead.Take(static_cast<size_t>(header->payload_bytes));
      if (header->has_checksum && (header->kind == FrameKind::kCoded ||
                                   header->kind == FrameKind::kContexts)) {
        DecompressOptions unchecked = decompress_;
        unchecked.verify_checksums = false;
        ++num_coded_;
        if (header->content_bytes <= kMaxContent) {
          const auto content =
              DecompressFrame(*header, payload, model_.get(), unchecked);
          if (content) {
            header->checksum = Checksum(*content);
            ++num_right_;
          }
        }
      }
      WriteFrameHeader(*header, repaired);
      repaired.StoreBytes(payload);
      reader = ahead;
    }
    repaired.StoreBytes(*reader.Take(reader.remaining()));
    return RepairFrames(repaired.bytes(), {.fix_indexes = fix_indexes});
  }

  ByteSink Into(std::string& content) {
    return [&content](Bytes part) {
      content += AsStringView(part);
      return OkStatus();
    };
  }

  ReadResult ReadStream(const File& file) {
    ReadResult result;
    FileDecoder decoder(OneModel(model_.get()), decompress_,
                        Into(result.content));
    const size_t part_bytes = 1 + random_.Below(300);
    for (size_t ofs = 0; ofs < file.size() && result.status;
         ofs += part_bytes) {
      const Bytes rest = Bytes(file).subspan(ofs);
      result.status =
          decoder.Append(rest.first(std::min(part_bytes, rest.size())));
    }
    if (result.status) {
      result.status = decoder.Finish();
    } else {
      (void)decoder.Flush();  // what came before
    }
    return result;
  }

  ReadResult ReadRange(const File& file, uint64_t start, uint64_t num_bytes) {
    ReadResult result;
    result.status = DecompressRange(InMemory(file), start, num_bytes,
                                    OneModel(model_.get()), decompress_,
                                    Into(result.content));
    return result;
  }

  ReadResult ReadSalvaged(const File& file) {
    ReadResult result;
    const auto report =
        Salvage(InMemory(file), OneModel(model_.get()), decompress_,
                {Into(result.content), [](uint64_t) { return OkStatus(); }});
    if (!report) result.status = report.error();
    result.has_losses = report && !report->lost.empty();
    return result;
  }

  std::vector<File> bases_;
  int num_coded_ = 0, num_right_ = 0;
};

TEST_F(RepairedFile, IsTheSameToAllReaders) {
  const uint64_t before = PeakMemoryBytes();
  int num_whole = 0, num_errors = 0;
  for (int round = 0; round < kNumFiles; ++round) {
    SCOPED_TRACE(round);
    const double start = ProcessorSeconds();
    decompress_.num_threads = 1 + round % 2;
    const File file = Repaired(Damaged(), round % 4 != 0);
    const ReadResult stream = ReadStream(file);
    const ReadResult range = ReadRange(file, 0, ~uint64_t{0});
    const ReadResult salvaged = ReadSalvaged(file);
    for (const ReadResult* result : {&stream, &range, &salvaged}) {
      if (result->status) continue;
      EXPECT_NE(result->status.error().code, ErrorCode::kInternal);
      EXPECT_NE(result->status.error().code, ErrorCode::kMemory);
    }
    if (stream.status) {
      ++num_whole;
      ASSERT_TRUE(range.status) << range.status.error().what;
      ASSERT_TRUE(salvaged.status) << salvaged.status.error().what;
      EXPECT_EQ(range.content, stream.content);
      EXPECT_EQ(salvaged.content, stream.content);
      EXPECT_FALSE(salvaged.has_losses);
    } else {
      ++num_errors;
      // What came before the error is there, and more.
      if (salvaged.status) {
        EXPECT_TRUE(salvaged.content.starts_with(stream.content))
            << stream.status.error().what;
        EXPECT_GE(salvaged.content.size(), range.content.size());
      }
    }
    if (range.status && salvaged.status && !salvaged.has_losses) {
      EXPECT_EQ(range.content, salvaged.content);
    }
    if (range.status) {
      const size_t ofs = random_.Below(range.content.size() + 1);
      const size_t num_bytes = random_.Below(100);
      const ReadResult part = ReadRange(file, ofs, num_bytes);
      EXPECT_TRUE(part.status);
      EXPECT_EQ(part.content, range.content.substr(ofs, num_bytes));
    }
    EXPECT_LT(ProcessorSeconds() - start, kMaxSeconds);
    ASSERT_FALSE(HasFailure());
  }
  if (LLMA_MEASURES_MEMORY) {
    EXPECT_LE(PeakMemoryBytes() - before,
              decompress_.max_memory_bytes + kMemorySlack);
  }
  // Enough of either, and codes whose damage only decoding shows.
  EXPECT_GT(num_whole, kNumFiles / 100);
  EXPECT_GT(num_errors, kNumFiles / 10);
  EXPECT_GT(num_right_, num_coded_ / 4);
  RecordProperty("whole", num_whole);
}

}  // namespace
}  // namespace llma
