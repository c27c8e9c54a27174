// SPDX-License-Identifier: Apache-2.0
// Files of several frames: in pieces of any size, damaged, and in part.
#include <gtest/gtest.h>

#include <array>
#include <ctime>

#include "cm/context_mixer.h"
#include "cm/start_text.h"
#include "codec/file/file_decoder.h"
#include "codec/file/file_encoder.h"
#include "codec/file/salvage.h"
#include "codec/file/whole_file.h"
#include "container/test_file_writer.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

constexpr size_t kFrameBytes = 5000;

class FileCodec : public testing::Test {
 protected:
  FileCodec() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model);
    model_ = *std::move(model);
    // Words that repeat, so that it is coded, not stored.
    constexpr const char* kWords[] = {"alpha ", "beta ", "gamma, ", "delta\n"};
    TestRandom random(5);
    while (content_.size() < 16 * kFrameBytes - 100) {
      for (const char c : std::string_view(kWords[random.Below(4)])) {
        content_.push_back(static_cast<uint8_t>(c));
      }
    }
    options_.level = 1;
    options_.num_threads = 1;
    options_.frame_bytes = kFrameBytes;
  }

  ByteSink AppendTo(std::vector<uint8_t>& buffer) {
    return [&buffer](Bytes bytes) {
      buffer.insert(buffer.end(), bytes.begin(), bytes.end());
      return OkStatus();
    };
  }

  std::vector<uint8_t> Encode(size_t step_bytes) {
    std::vector<uint8_t> file;
    FileEncoder encoder(model_.get(), options_, AppendTo(file));
    for (size_t ofs = 0; ofs < content_.size(); ofs += step_bytes) {
      const size_t size = std::min(step_bytes, content_.size() - ofs);
      EXPECT_TRUE(encoder.Append(Bytes(content_).subspan(ofs, size)));
    }
    EXPECT_TRUE(encoder.Finish());
    EXPECT_EQ(encoder.content_bytes(), content_.size());
    EXPECT_EQ(encoder.file_bytes(), file.size());
    return file;
  }

  Result<std::vector<uint8_t>> Decode(Bytes file, size_t step_bytes,
                                      const DecompressOptions& options = {}) {
    std::vector<uint8_t> content;
    FileDecoder decoder(OneModel(model_.get()), options, AppendTo(content));
    for (size_t ofs = 0; ofs < file.size(); ofs += step_bytes) {
      LLMA_TRY(decoder.Append(
          file.subspan(ofs, std::min(step_bytes, file.size() - ofs))));
    }
    LLMA_TRY(decoder.Finish());
    return content;
  }

  // What Salvage() restores; zeros for what is lost.
  std::vector<uint8_t> Restore(Bytes file, SalvageReport& report) {
    std::vector<uint8_t> content;
    const SalvageSink sink = {AppendTo(content), [&](uint64_t size) {
                                content.resize(content.size() + size);
                                return OkStatus();
                              }};
    const auto result =
        Salvage(InMemory(file), OneModel(model_.get()), {}, sink);
    EXPECT_TRUE(result) << result.error().what;
    report = *result;
    return content;
  }

  std::unique_ptr<Model> model_;
  std::vector<uint8_t> content_;
  CompressOptions options_;
};

TEST_F(FileCodec, SizesOfPiecesAndThreadsDoNotMatter) {
  const std::vector<uint8_t> file = Encode(1 << 20);
  EXPECT_LT(file.size(), content_.size() / 2);
  EXPECT_EQ(Encode(1), file);
  EXPECT_EQ(Encode(777), file);
  EXPECT_EQ(Encode(kFrameBytes), file);
  options_.num_threads = 3;
  EXPECT_EQ(Encode(4096), file);
  for (const size_t step : {size_t{1}, size_t{7}, size_t{4096}, file.size()}) {
    for (const int threads : {1, 3}) {
      DecompressOptions options;
      options.num_threads = threads;
      const auto content = Decode(file, step, options);
      ASSERT_TRUE(content) << content.error().what;
      EXPECT_EQ(*content, content_);
    }
  }
}

TEST_F(FileCodec, AModelServesManyFramesToo) {
  options_.level = 6;
  options_.window_positions = 64;
  content_.resize(3 * kFrameBytes);
  const std::vector<uint8_t> file = Encode(999);
  options_.num_threads = 16;  // two frames at a time
  EXPECT_EQ(Encode(1 << 20), file);
  const auto content = Decode(file, 1000);
  ASSERT_TRUE(content) << content.error().what;
  EXPECT_EQ(*content, content_);
}

TEST_F(FileCodec, FramesEndWhereTextDoes) {
  options_.level = 3;
  options_.window_positions = 32;
  options_.frame_bytes = 1 << 20;
  std::vector<FrameHeader> headers;
  options_.on_frame = [&](const FrameHeader& header, uint64_t) {
    headers.push_back(header);
  };
  TestRandom random(8);
  content_.resize(18 * kCutBlockBytes);
  for (int i = 0; i < 80000; ++i) {
    content_.push_back(static_cast<uint8_t>(random.Next()));
  }
  const auto file = Encode(5000);
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].content_bytes % kCutBlockBytes, 0u);
  EXPECT_EQ(headers[1].kind, FrameKind::kStored);
  EXPECT_EQ(*Decode(file, 1000), content_);
}

// The second half is a repetition of the first, which is as large as a frame.
TEST_F(FileCodec, FramesWithRepetitionsAreLarger) {
  options_.level = 3;
  options_.frame_bytes = 0;
  options_.window_positions = 16;
  const uint64_t frame_bytes = SettingsOfLevel(3).frame_bytes;
  content_.assign(frame_bytes + frame_bytes / 2, 'x');
  for (size_t i = 0; i < 2000; ++i) {
    content_[i] = static_cast<uint8_t>('a' + i * i % 13 % 5);
  }
  std::vector<uint64_t> sizes;
  options_.on_frame = [&](const FrameHeader& header, uint64_t) {
    sizes.push_back(header.content_bytes);
    EXPECT_GT(header.repeated_bytes, frame_bytes);
  };
  const auto file = Encode(100000);
  EXPECT_EQ(sizes, (std::vector<uint64_t>{content_.size()}));
  EXPECT_LT(file.size(), 1000u);
  EXPECT_EQ(Encode(1 << 20), file);
  EXPECT_EQ(*Decode(file, 100), content_);
  // No frame grows beyond the memory that is allowed.
  sizes.clear();
  options_.max_memory_bytes =
      CompressMemoryBytes(frame_bytes, model_.get(), options_);
  options_.on_frame = [&](const FrameHeader& header, uint64_t) {
    sizes.push_back(header.content_bytes);
  };
  EXPECT_EQ(*Decode(Encode(1 << 20), 100), content_);
  EXPECT_EQ(sizes, (std::vector<uint64_t>{frame_bytes, frame_bytes / 2}));
}

TEST_F(FileCodec, FramesGrowWhereAskedTo) {
  options_.first_frame_bytes = 500;
  std::vector<uint64_t> sizes;
  options_.on_frame = [&](const FrameHeader& header, uint64_t) {
    sizes.push_back(header.content_bytes);
  };
  content_.resize(13000);
  const auto file = Encode(64);
  EXPECT_EQ(sizes, (std::vector<uint64_t>{500, 2000, 5000, 5000, 500}));
  EXPECT_EQ(*Decode(file, 100), content_);
}

TEST_F(FileCodec, FlushWritesWhatThereIs) {
  std::vector<uint8_t> file, content;
  FileEncoder encoder(model_.get(), options_, AppendTo(file));
  FileDecoder decoder(OneModel(model_.get()), {}, AppendTo(content));
  size_t sent_bytes = 0;
  for (const size_t size : {300, 5, 0, 4000}) {
    ASSERT_TRUE(encoder.Append(Bytes(content_).subspan(content.size(), size)));
    ASSERT_TRUE(encoder.Flush());
    ASSERT_TRUE(decoder.Append(Bytes(file).subspan(sent_bytes)));
    ASSERT_TRUE(decoder.Flush());
    sent_bytes = file.size();
    EXPECT_EQ(content.size(), encoder.content_bytes());
  }
  ASSERT_TRUE(encoder.Finish());
  ASSERT_TRUE(decoder.Append(Bytes(file).subspan(sent_bytes)));
  ASSERT_TRUE(decoder.Finish());
}

TEST_F(FileCodec, ASingleFrameHasNoIndex) {
  content_.resize(kFrameBytes);
  const auto file = Encode(kFrameBytes);
  ByteReader reader(file);
  const auto header = ParseFrameHeader(reader);
  ASSERT_TRUE(header && header->is_last);
  EXPECT_EQ(reader.offset() + header->payload_bytes, file.size());
  content_.clear();
  EXPECT_EQ(Encode(1).size(), 11u);
}

TEST_F(FileCodec, MembersMayFollowOneAnother) {
  const auto one = Encode(1000);
  std::vector<uint8_t> both = one;
  both.insert(both.end(), one.begin(), one.end());
  const auto content = Decode(both, 100);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->size(), 2 * content_.size());
}

TEST_F(FileCodec, GoesOnBehindWholeFrames) {
  const auto file = Encode(1000);
  IndexBuilder index;
  uint64_t ofs = 0, content_bytes = 0;
  for (int i = 0; i < 3; ++i) {
    ByteReader reader(Bytes(file).subspan(ofs));
    const auto header = ParseFrameHeader(reader);
    index.Add(Bytes(file).subspan(ofs, reader.offset()), *header);
    ofs += reader.offset() + header->payload_bytes;
    content_bytes += header->content_bytes;
  }
  std::vector<uint8_t> resumed(file.begin(),
                               file.begin() + static_cast<ptrdiff_t>(ofs));
  FileEncoder encoder(model_.get(), options_, AppendTo(resumed));
  encoder.Resume(std::move(index), content_bytes);
  ASSERT_TRUE(encoder.Append(Bytes(content_).subspan(content_bytes)));
  ASSERT_TRUE(encoder.Finish());
  EXPECT_EQ(resumed, file);
}

TEST_F(FileCodec, UncheckedFilesAreSmaller) {
  const auto checked = Encode(1000);
  options_.has_checksums = false;
  const auto unchecked = Encode(1000);
  EXPECT_EQ(checked.size() - unchecked.size(), 16 * 4u);
  EXPECT_EQ(*Decode(unchecked, 1000), content_);
}

TEST_F(FileCodec, MemoryIsBounded) {
  DecompressOptions little;
  little.max_memory_bytes = 1 << 20;
  EXPECT_EQ(Decode(Encode(1000), 1000, little).error().code, ErrorCode::kLimit);
  // Payload and content are both in memory, also while one grows and the other
  // is given out.
  const std::string stored =
      TestFileWriter().Stored(std::string(600 << 10, 'x'), true).file();
  const auto read = [&] {
    return Decompress(AsBytes(stored), nullptr, little);
  };
  EXPECT_EQ(read().error().code, ErrorCode::kLimit);
  little.max_memory_bytes = 3 << 20;
  EXPECT_TRUE(read());
  options_.max_memory_bytes = 1 << 20;
  std::vector<uint8_t> file;
  FileEncoder encoder(nullptr, options_, AppendTo(file));
  ASSERT_TRUE(encoder.Append(Bytes(content_).first(10)));
  EXPECT_EQ(encoder.Finish().error().code, ErrorCode::kLimit);
}

// They are decoded side by side, in passes that they share; with 17 threads in
// two groups.
TEST_F(FileCodec, FramesShareWork) {
  options_.level = 6;
  options_.frame_bytes = 150;
  content_.resize(3000);
  for (const uint32_t num_lanes : {1u, 3u}) {
    SCOPED_TRACE(num_lanes);
    options_.num_lanes = num_lanes;
    auto file = Encode(content_.size());
    DecompressOptions options;
    for (const int num_threads : {1, 2, 17}) {
      SCOPED_TRACE(num_threads);
      options.num_threads = num_threads;
      options.max_memory_bytes = ~uint64_t{0};
      auto content = Decode(file, 777, options);
      ASSERT_TRUE(content) << content.error().what;
      EXPECT_EQ(*content, content_);
      // Where there is room for a few only.
      options.max_memory_bytes = uint64_t{150} << 20;
      content = Decode(file, file.size(), options);
      ASSERT_TRUE(content) << content.error().what;
      EXPECT_EQ(*content, content_);
    }
    // What is before damage comes out.
    file[file.size() / 2] ^= 1;
    std::vector<std::vector<uint8_t>> starts;
    for (const int num_threads : {1, 2, 17}) {
      options.num_threads = num_threads;
      std::vector<uint8_t> content;
      FileDecoder decoder(OneModel(model_.get()), options, AppendTo(content));
      const Status status = decoder.Append(file);
      ASSERT_FALSE(status ? decoder.Finish() : status);
      EXPECT_GT(content.size(), 500u);
      EXPECT_EQ(content.size() % 150, 0u);
      EXPECT_TRUE(std::equal(content.begin(), content.end(), content_.begin()));
      starts.push_back(std::move(content));
    }
    EXPECT_EQ(starts[1], starts[0]);
    EXPECT_EQ(starts[2], starts[0]);
  }
}

// Not those of one of the groups alone that share passes.
TEST_F(FileCodec, ASmallFileHasAllThreads) {
  options_.level = 6;
  options_.num_lanes = 1;
  content_.resize(300);
  const auto file = Encode(content_.size());
  ByteReader reader(file);
  const auto header = ParseFrameHeader(reader);
  ASSERT_TRUE(header);
  ASSERT_TRUE(header->kind == FrameKind::kCoded && header->is_last);
  DecompressOptions options;
  options.num_threads = 32;
  options.max_memory_bytes =
      DecompressMemoryBytes(*header, model_.get(), options.num_threads);
  const auto content = Decode(file, file.size(), options);
  ASSERT_TRUE(content) << content.error().what;
  EXPECT_EQ(*content, content_);
  --options.max_memory_bytes;
  const auto refused = Decode(file, file.size(), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

TEST_F(FileCodec, CancellingIsAnError) {
  options_.progress = [](const CodecProgress&) { return false; };
  std::vector<uint8_t> file;
  FileEncoder encoder(nullptr, options_, AppendTo(file));
  ASSERT_TRUE(encoder.Append(Bytes(content_).first(10)));
  EXPECT_EQ(encoder.Finish().error().what, "cancelled");
}

TEST_F(FileCodec, SalvagesAllButTheDamagedFrame) {
  const auto file = Encode(1000);
  const auto map = MapFrames(InMemory(file));
  ASSERT_EQ(map->frames.size(), 16u);
  const FrameLocation& victim = map->frames[6];
  for (const bool has_index : {true, false}) {
    for (const bool damage_header : {false, true}) {
      std::vector<uint8_t> damaged = file;
      std::fill_n(
          damaged.begin() + static_cast<ptrdiff_t>(victim.frame_ofs +
                                                   (damage_header ? 0 : 100)),
          50, uint8_t{0x55});
      if (!has_index) damaged.back() ^= 1;
      EXPECT_FALSE(Decode(damaged, 5000));
      SalvageReport report;
      const auto content = Restore(damaged, report);
      EXPECT_EQ(report.num_restored, 15u);
      EXPECT_EQ(report.restored_bytes, content_.size() - kFrameBytes);
      ASSERT_GE(report.lost.size(), 1u);
      EXPECT_EQ(report.lost[0].content_ofs, victim.content_ofs);
      if (!has_index && damage_header) {
        EXPECT_FALSE(report.lost[0].content_bytes);
        continue;
      }
      EXPECT_EQ(report.lost[0].content_bytes, kFrameBytes);
      std::vector<uint8_t> expected = content_;
      std::fill_n(expected.begin() + 6 * kFrameBytes, kFrameBytes, uint8_t{0});
      EXPECT_EQ(content, expected);
    }
  }
}

TEST_F(FileCodec, SalvagesTheStartOfATruncatedFile) {
  const auto file = Encode(1000);
  const FrameMap map = *MapFrames(InMemory(file));
  SalvageReport report;
  const auto content =
      Restore(Bytes(file).first(map.frames[3].frame_ofs + 20), report);
  EXPECT_EQ(report.num_restored, 3u);
  EXPECT_EQ(content.size(), 3 * kFrameBytes);
  EXPECT_FALSE(report.lost.empty());
  EXPECT_TRUE(Restore(AsBytes("nothing of ours"), report).empty());
}

TEST_F(FileCodec, DecodesRanges) {
  const auto file = Encode(1000);
  const uint64_t size = content_.size();
  TestRandom random(1);
  for (int round = 0; round < 30; ++round) {
    const uint64_t ofs = random.Below(static_cast<uint32_t>(size + 100));
    const uint64_t length = random.Below(3 * kFrameBytes);
    std::vector<uint8_t> part;
    ASSERT_TRUE(DecompressRange(InMemory(file), ofs, length,
                                OneModel(model_.get()), {}, AppendTo(part)));
    const uint64_t begin = std::min(ofs, size);
    const Bytes expected =
        Bytes(content_).subspan(begin, std::min(length, size - begin));
    ASSERT_TRUE(
        std::equal(part.begin(), part.end(), expected.begin(), expected.end()));
  }
  // Damage elsewhere does not matter.
  std::vector<uint8_t> damaged = file;
  damaged[100] ^= 1;
  std::vector<uint8_t> part;
  EXPECT_TRUE(DecompressRange(InMemory(damaged), kFrameBytes, 10,
                              OneModel(model_.get()), {}, AppendTo(part)));
  EXPECT_FALSE(DecompressRange(InMemory(damaged), 10, 10,
                               OneModel(model_.get()), {}, AppendTo(part)));
}

// What an index takes is bounded, so that any number of frames can be read.
TEST_F(FileCodec, ManyFramesAreSeveralMembers) {
  CompressOptions options;
  options.level = kFastestLevel;
  options.num_threads = 1;
  options.frame_bytes = 40;
  options.max_member_frames = 7;
  const Bytes content = Bytes(content_).first(2000);
  std::vector<uint8_t> file;
  FileEncoder encoder(nullptr, options, AppendTo(file));
  ASSERT_TRUE(encoder.Append(content));
  ASSERT_TRUE(encoder.Finish());
  const auto map = MapFramesByIndex(InMemory(file));
  ASSERT_TRUE(map && *map);
  EXPECT_EQ((*map)->frames.size(), 50u);
  EXPECT_EQ((*map)->num_members, 8u);
  EXPECT_EQ(encoder.file_bytes(), file.size());
  const auto back = Decompress(file, nullptr, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(AsStringView(*back), AsStringView(content));
}

// Frames of nothing, which take more memory to know than the file has bytes.
TEST_F(FileCodec, IndexesAreWithinTheLimitOfMemory) {
  constexpr size_t kNumFrames = 20000;
  ByteWriter file;
  IndexBuilder index;
  for (size_t i = 0; i < kNumFrames; ++i) {
    FrameHeader header;
    header.kind = FrameKind::kStored;
    header.content_bytes = header.payload_bytes = 1;
    header.has_checksum = false;
    ByteWriter frame;
    WriteFrameHeader(header, frame);
    index.Add(frame.bytes(), header);
    file.StoreBytes(frame.bytes());
    file.StoreU8('x');
  }
  const std::vector<uint8_t> without(file.bytes().begin(), file.bytes().end());
  file.StoreBytes(WriteIndexFrame(index.index()));
  DecompressOptions options;
  options.max_memory_bytes = 1 << 20;
  const auto ignore = [](Bytes) { return OkStatus(); };
  const ModelProvider models = OneModel(nullptr);
  const RandomAccess access = InMemory(file.bytes());
  const SalvageSink sink = {ignore, [](uint64_t) { return OkStatus(); }};
  const auto expect_limit = [](const Status& status) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kLimit);
    EXPECT_NE(status.error().what.find("index takes more memory"),
              std::string::npos)
        << status.error().what;
  };
  const auto read = [&]() -> Status {
    FileDecoder decoder(models, options, ignore);
    LLMA_TRY(decoder.Append(file.bytes()));
    return decoder.Finish();
  };
  expect_limit(read());
  expect_limit(DecompressRange(access, 5, 1, models, options, ignore));
  expect_limit(
      DecompressRange(InMemory(without), 5, 1, models, options, ignore));
  const auto salvaged = Salvage(access, models, options, sink);
  expect_limit(salvaged ? OkStatus() : Status(salvaged.error()));
  options.max_memory_bytes = 4 << 20;
  EXPECT_TRUE(read());
  EXPECT_TRUE(DecompressRange(access, 5, 1, models, options, ignore));
}

// Through all readers: a frame that would be too much is not begun.
TEST_F(FileCodec, ContentIsLimitedBeforeWorkBegins) {
  const auto file = Encode(1000);
  const RandomAccess access = InMemory(file);
  const ModelProvider models = OneModel(model_.get());
  for (const uint64_t limit : {content_.size() - 1, content_.size()}) {
    const bool fits = limit == content_.size();
    DecompressOptions options;
    options.num_threads = 1;
    options.max_content_bytes = limit;
    uint64_t done_bytes = 0;
    options.progress = [&](const CodecProgress& progress) {
      done_bytes = std::max(done_bytes, progress.done_bytes);
      return true;
    };
    const auto check = [&](const Status& status, const char* reader) {
      EXPECT_EQ(static_cast<bool>(status), fits) << reader;
      if (status) return;
      EXPECT_EQ(status.error().code, ErrorCode::kLimit) << reader;
      EXPECT_NE(status.error().what.find(std::to_string(limit)),
                std::string::npos);
      EXPECT_EQ(status.error().offset, MapFrames(access)->frames[15].frame_ofs);
      EXPECT_LE(done_bytes, 15 * kFrameBytes) << reader;
    };
    const auto stream = Decode(file, 700, options);
    check(stream ? OkStatus() : Status(stream.error()), "stream");
    std::vector<uint8_t> part;
    check(DecompressRange(access, 0, ~uint64_t{0}, models, options,
                          AppendTo(part)),
          "range");
    const auto report =
        Salvage(access, models, options,
                {AppendTo(part), [](uint64_t) { return OkStatus(); }});
    check(report ? OkStatus() : Status(report.error()), "salvage");
    // Elsewhere in the file, the rest does not count.
    part.clear();
    options.max_content_bytes = kFrameBytes;
    EXPECT_TRUE(DecompressRange(access, 7 * kFrameBytes + 1, 10, models,
                                options, AppendTo(part)));
    EXPECT_EQ(part.size(), 10u);
  }
}

TEST_F(FileCodec, ContentIsLimitedWhereHeadersPromiseALot) {
  FrameHeader header;
  header.kind = FrameKind::kContexts;
  header.is_last = true;
  header.predictor_id = 1;
  header.context_models = ContextModels::kLight;
  header.content_bytes = uint64_t{1} << 30;
  header.payload_bytes = 1;
  ByteWriter file;
  WriteFrameHeader(header, file);
  file.StoreU8(1);
  DecompressOptions options;
  options.max_content_bytes = 1 << 20;
  EXPECT_EQ(Decompress(file.bytes(), nullptr, options).error().code,
            ErrorCode::kLimit);
  // Nor do holes in what is salvaged grow beyond it.
  uint64_t skipped_bytes = 0;
  const auto report =
      Salvage(InMemory(file.bytes()), OneModel(nullptr), options,
              {[](Bytes) { return OkStatus(); },
               [&](uint64_t bytes) {
                 skipped_bytes += bytes;
                 return OkStatus();
               }});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kLimit);
  EXPECT_EQ(skipped_bytes, 0u);
}

// FORMAT.md, section 2.1: of any content, whatever its frames.
TEST_F(FileCodec, FilesOfNoiseAreHardlyLarger) {
  TestRandom random(3);
  for (uint8_t& byte : content_) byte = static_cast<uint8_t>(random.Next());
  for (const int level : {1, 6}) {
    for (const uint64_t frame_bytes : {1, 100, 4096, 1 << 20}) {
      options_.level = level;
      options_.frame_bytes = frame_bytes;
      if (frame_bytes == 1) content_.resize(300);
      const auto file = Encode(1000);
      const uint64_t num_frames = MapFrames(InMemory(file))->frames.size();
      EXPECT_LE(file.size(), content_.size() +
                                 (num_frames == 1 ? 21 : 41 + 35 * num_frames));
      content_.resize(16 * kFrameBytes - 100, 'x');
      for (uint8_t& byte : content_) byte = static_cast<uint8_t>(random.Next());
    }
  }
}

// Frames within frames that cannot be restored are not tried for ever.
TEST_F(FileCodec, SalvageOfFramesThatClaimEachOtherEnds) {
  const std::string inner = "what is intact";
  std::vector<uint8_t> file;
  constexpr size_t kNumFrames = 3000;
  for (size_t i = 0; i < kNumFrames; ++i) {
    FrameHeader header;
    header.content_bytes = header.payload_bytes = 20 * (kNumFrames - i) + 50;
    header.checksum = i;
    ByteWriter writer;
    WriteFrameHeader(header, writer);
    file.insert(file.end(), writer.bytes().begin(), writer.bytes().end());
  }
  const std::string last = TestFileWriter().Stored(inner, true).file();
  file.insert(file.end(), last.begin(), last.end());
  file.resize(file.size() + 100000, 'x');
  uint64_t read_bytes = 0;
  RandomAccess access = InMemory(file);
  access.ReadAt = [&, read = access.ReadAt](uint64_t ofs, uint64_t size) {
    auto part = read(ofs, size);
    read_bytes += part->size();
    return part;
  };
  std::string got;
  const auto report = Salvage(access, OneModel(nullptr), {},
                              {[&](Bytes part) {
                                 got.append(AsStringView(part));
                                 return OkStatus();
                               },
                               [](uint64_t) { return OkStatus(); }});
  ASSERT_TRUE(report);
  // A header is looked at a few times, 512 bytes each time.
  EXPECT_LE(read_bytes, 20 * file.size() + 4 * 512 * kNumFrames);
  EXPECT_EQ(got, inner);
}

// Nor what an index says of them.
TEST_F(FileCodec, IndexesThatDoNotFitTheirFramesAreNotFollowed) {
  ByteWriter file;
  FrameIndex index;
  constexpr size_t kNumFrames = 2000;
  for (size_t i = 0; i < kNumFrames; ++i) {
    FrameHeader header;
    header.content_bytes = header.payload_bytes = 12 * (kNumFrames - i);
    header.has_checksum = false;
    ByteWriter writer;
    WriteFrameHeader(header, writer);
    index.entries.push_back({writer.size(), 1});
    file.StoreBytes(writer.bytes());
  }
  file.StoreBytes(WriteIndexFrame(index));
  uint64_t read_bytes = 0;
  RandomAccess access = InMemory(file.bytes());
  access.ReadAt = [&, read = access.ReadAt](uint64_t ofs, uint64_t size) {
    auto part = read(ofs, size);
    read_bytes += part->size();
    return part;
  };
  const auto ignore = [](Bytes) { return OkStatus(); };
  const auto report = Salvage(access, OneModel(nullptr), {},
                              {ignore, [](uint64_t) { return OkStatus(); }});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->num_restored, 0u);
  EXPECT_LE(read_bytes, 8 * file.size() + 4 * 512 * kNumFrames);
  EXPECT_FALSE(DecompressRange(access, 0, 100, OneModel(nullptr), {}, ignore));
}

// Headers that promise much, each with a text that the context models would
// read first. What is intact between them is found.
TEST_F(FileCodec, SalvageDoesNotWorkForFramesThatFail) {
  FrameHeader header;
  header.kind = FrameKind::kContexts;
  header.predictor_id = 1;
  header.context_models = ContextModels::kFull;
  header.content_bytes = 1 << 16;
  header.payload_bytes = 5;
  ByteWriter hostile;
  WriteFrameHeader(header, hostile);
  hostile.StoreBytes(std::array<uint8_t, 5>{0xc5, 1, 2, 3, 4});
  const std::string intact = TestFileWriter().Stored("intact ").file();
  ByteWriter file;
  constexpr uint64_t kNumFrames = 300;
  for (uint64_t i = 0; i < kNumFrames; ++i) {
    file.StoreBytes(hostile.bytes());
    if (i % 100 == 99) file.StoreBytes(AsBytes(intact));
  }
  DecompressOptions options;
  options.num_threads = 1;
  std::string got;
  const std::clock_t start = std::clock();
  const auto report =
      Salvage(InMemory(file.bytes()), OneModel(nullptr), options,
              {[&](Bytes part) {
                 got.append(AsStringView(part));
                 return OkStatus();
               },
               [](uint64_t) { return OkStatus(); }});
  const std::clock_t salvaged = std::clock();
  ASSERT_TRUE(report);
  EXPECT_EQ(got, "intact intact intact ");
  // One that fails costs about as much as this does.
  const cm::ContextMixer with_text(
      {.content_bytes = 1 << 16,
       .start_text = cm::GetStartText(cm::StartText::kEnglish, 1 << 16)});
  const std::clock_t one = std::max<std::clock_t>(std::clock() - salvaged, 1);
  EXPECT_LT(salvaged - start, one * (kNumFrames / 5));
}

}  // namespace
}  // namespace llma
