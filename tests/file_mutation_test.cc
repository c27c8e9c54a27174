// SPDX-License-Identifier: Apache-2.0
// Damaged files of one frame, of several, and of several members: whatever is
// cut, flipped or spliced, decompressing gives an error or a content that was
// put in, and memory stays within its limit.
#include <sys/resource.h>

#include <set>

#include "codec/file/file_decoder.h"
#include "codec/file/salvage.h"
#include "container/test_file_writer.h"
#include "fuzz/frame_repair.h"
#include "mutation_fixture.h"

namespace llma {
namespace {

using File = std::vector<uint8_t>;

File Joined(const std::vector<Bytes>& parts) {
  File file;
  for (const Bytes part : parts) {
    file.insert(file.end(), part.begin(), part.end());
  }
  return file;
}

// True if `content` is a sequence of parts, any of them any number of times.
bool IsMadeOf(std::string_view content, const std::set<std::string>& parts) {
  std::vector<bool> reachable(content.size() + 1);
  reachable[0] = true;
  for (size_t i = 0; i < content.size(); ++i) {
    if (!reachable[i]) continue;
    for (const std::string& part : parts) {
      if (content.substr(i, part.size()) == part) {
        reachable[i + part.size()] = true;
      }
    }
  }
  return reachable.back();
}

// The most memory that the process ever had.
uint64_t PeakMemoryBytes() {
  rusage usage;
  EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  return static_cast<uint64_t>(usage.ru_maxrss) << 10;
}

constexpr uint64_t kMemorySlack = 8 << 20;

class FileMutation : public MutationFixture {
 protected:
  FileMutation() {
    decompress_.max_memory_bytes = 64 << 20;
    const auto add_text = [&](size_t num_words, uint32_t num_lanes,
                              uint64_t frame_bytes) {
      const std::string text = SampleText(random_, num_words);
      AddMember(MakeFile(text, num_lanes, frame_bytes));
    };
    add_text(25, 1, 0);
    add_text(30, 3, 0);
    add_text(40, 1, 120);
    add_text(40, 2, 150);
    CompressOptions contexts;
    contexts.num_threads = 1;
    contexts.level = kFastestLevel;
    AddMember(*Compress(AsBytes(std::string(500, 'a')), nullptr, contexts));
    contexts.frame_bytes = 120;
    contexts.source_info = SourceInfo{"name", 0644, 1, 2};
    AddMember(*Compress(AsBytes(SampleText(random_, 60)), nullptr, contexts));
    TestFileWriter stored;
    stored.Source({"other", 0600, 3, 4}).Stored("one").Skippable(200, "a note");
    stored.Stored(std::string("\0\xff\xfe binary", 10)).Stored("").Index();
    AddMember(Joined({AsBytes(stored.file())}));
    AddMember(Joined({AsBytes(TestFileWriter().Stored("x", true).file())}));
    const size_t num_members = files_.size();
    for (size_t i = 0; i < num_members; ++i) {
      files_.push_back(Joined({files_[i], files_[random_.Below(num_members)]}));
    }
  }

  // A file as it should be. Its frames and contents are remembered.
  void AddMember(const File& file) {
    const auto content = Read(file);
    ASSERT_TRUE(content) << content.error().what;
    member_contents_.emplace(AsStringView(*content));
    const auto map = MapFramesByHeaders(InMemory(file));
    ASSERT_TRUE(map);
    uint64_t end = 0;
    for (const FrameLocation& frame : map->frames) {
      frames_.push_back(
          Joined({Bytes(file).subspan(frame.frame_ofs, frame.frame_bytes)}));
      frame_contents_.emplace(AsStringView(
          Bytes(*content).subspan(frame.content_ofs, frame.content_bytes)));
      end = frame.frame_ofs + frame.frame_bytes;
    }
    if (end < file.size()) {
      frames_.push_back(Joined({Bytes(file).subspan(end)}));  // the index
    }
    files_.push_back(file);
  }

  const File& AnyFile() { return files_[random_.Below(files_.size())]; }

  // Bits and bytes, at any place.
  File MutateBytes(int kind) {
    File file = AnyFile();
    const size_t place = random_.Below(file.size());
    const auto at = file.begin() + static_cast<ptrdiff_t>(place);
    switch (kind) {
      case 0:  // cut
        file.resize(place);
        break;
      case 1:  // flip a bit
        *at ^= uint8_t(1u << random_.Below(8));
        break;
      case 2:  // overwrite some bytes
        for (size_t n = random_.Below(20); n > 0; --n) {
          file[random_.Below(file.size())] = uint8_t(random_.Below(256));
        }
        break;
      case 3: {  // the start of one, the end of another
        const File& other = AnyFile();
        return Joined({Bytes(file).first(place),
                       Bytes(other).subspan(random_.Below(other.size()))});
      }
      case 4:  // put bytes in
        file.insert(at, 1 + random_.Below(9), uint8_t(random_.Below(256)));
        break;
      default:  // take bytes out
        file.erase(at, at + static_cast<ptrdiff_t>(std::min(
                                1 + random_.Below(9), file.size() - place)));
    }
    return file;
  }

  // Whole frames left out, doubled, exchanged, or from another file.
  File MutateFrames() {
    std::vector<Bytes> parts;
    const File& file = AnyFile();
    ByteReader reader(file);
    while (reader.remaining() > 0) {
      const size_t start = reader.offset();
      const auto header = ParseFrameHeader(reader);
      EXPECT_TRUE(reader.Take(header->payload_bytes));
      parts.push_back(Bytes(file).subspan(start, reader.offset() - start));
    }
    for (size_t n = 1 + random_.Below(2); n > 0 && !parts.empty(); --n) {
      const auto at =
          parts.begin() + static_cast<ptrdiff_t>(random_.Below(parts.size()));
      switch (random_.Below(4)) {
        case 0:
          parts.erase(at);
          break;
        case 1:
          parts.insert(at, Bytes(*at));
          break;
        case 2:
          std::swap(*at, parts[random_.Below(parts.size())]);
          break;
        default:
          parts.insert(at, frames_[random_.Below(frames_.size())]);
      }
    }
    return Joined(parts);
  }

  // Any frames in a row, one of them with a hostile size, and indexes that fit.
  File MutateSizes() {
    std::vector<Bytes> parts;
    for (size_t n = 1 + random_.Below(5); n > 0; --n) {
      parts.push_back(frames_[random_.Below(frames_.size())]);
    }
    Bytes& victim = parts[random_.Below(parts.size())];
    ByteReader reader(victim);
    FrameHeader header = *ParseFrameHeader(reader);
    const Bytes payload = victim.subspan(reader.offset());
    const uint64_t sizes[] = {0,
                              1,
                              header.payload_bytes + 1,
                              header.content_bytes - 1,
                              header.content_bytes + 1,
                              random_.Below(1000),
                              uint64_t{1} << (8 + random_.Below(40)),
                              kMaxContentBytes};
    const uint64_t size = sizes[random_.Below(std::size(sizes))];
    switch (random_.Below(4)) {
      case 0:
        header.payload_bytes = size;
        break;
      case 1:
        header.window_positions = kWindowGranularity * uint32_t(size & 0xffff);
        break;
      default:
        header.content_bytes = size;
        if (!header.lane_bytes.empty()) {
          header.lane_bytes.assign(1 + random_.Below(4), 1);
          header.lane_bytes[0] = size + 1 - header.lane_bytes.size();
        }
    }
    if (header.kind == FrameKind::kStored) {
      header.payload_bytes = header.content_bytes;
    }
    ByteWriter changed;
    if (CheckFrameHeader(header)) {
      WriteFrameHeader(header, changed);
      changed.StoreBytes(payload);
      victim = changed.bytes();
    }
    return RepairFrames(Joined(parts), {.fix_checksums = false});
  }

  // True if nothing was lost.
  bool CheckSalvage(const File& file) {
    const auto report = Salvage(
        InMemory(file), OneModel(model_.get()), decompress_,
        {[&](Bytes part) {
           EXPECT_TRUE(frame_contents_.count(std::string(AsStringView(part))));
           return OkStatus();
         },
         [](uint64_t) { return OkStatus(); }});
    EXPECT_TRUE(report);
    return report && report->lost.empty();
  }

  // True if nothing was wrong.
  bool Check(const File& file, const std::set<std::string>& parts) {
    const auto content = Read(file);
    if (content) {
      EXPECT_TRUE(IsMadeOf(AsStringView(*content), parts));
      return true;
    }
    EXPECT_NE(content.error().code, ErrorCode::kInternal);
    EXPECT_NE(content.error().code, ErrorCode::kMemory);
    EXPECT_FALSE(content.error().what.empty());
    return false;
  }

  std::vector<File> files_;
  std::vector<File> frames_;
  std::set<std::string> member_contents_, frame_contents_;
};

TEST_F(FileMutation, NeverGivesWrongContent) {
  for (const File& file : files_) {
    ASSERT_TRUE(Check(file, member_contents_));
    ASSERT_TRUE(CheckSalvage(file));
  }
  const uint64_t before = PeakMemoryBytes();
  constexpr int kNumKinds = 9;
  int num_right[kNumKinds] = {};
  for (int round = 0; round < LLMA_NUM_MUTATIONS; ++round) {
    const int kind = round % kNumKinds;
    decompress_.num_threads = 1 + round / kNumKinds % 2;
    const File file = kind < 6   ? MutateBytes(kind)
                      : kind < 7 ? MutateFrames()
                                 : MutateSizes();
    const bool is_right =
        Check(file, kind < 7 ? member_contents_ : frame_contents_);
    num_right[kind] += is_right;
    // The rest of the file is decoded too, which takes time.
    if (random_.Below(8) == 0) {
      ASSERT_TRUE(CheckSalvage(file) || !is_right) << "round " << round;
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  if (LLMA_MEASURES_MEMORY) {
    EXPECT_LE(PeakMemoryBytes() - before,
              decompress_.max_memory_bytes + kMemorySlack);
  }
  // Some change nothing, or give another file; most must not look valid.
  for (int kind = 0; kind < kNumKinds; ++kind) {
    EXPECT_LT(num_right[kind], LLMA_NUM_MUTATIONS / kNumKinds / 2) << kind;
  }
}

// Files whose frames need nearly as much as is allowed, or more.
TEST_F(FileMutation, MemoryStaysWithinItsLimit) {
  if (!LLMA_MEASURES_MEMORY) GTEST_SKIP() << "a sanitizer has memory too";
  const File tiny = MakeFile("", 1);
  ASSERT_TRUE(Read(tiny));
  constexpr uint64_t kLimit = 96 << 20;
  decompress_.max_memory_bytes = kLimit;
  std::vector<File> files;
  for (const uint64_t size : {kLimit / 4, kLimit * 3 / 4, kLimit + 1}) {
    TestFileWriter stored;
    for (int i = 0; i < 2; ++i) stored.Stored(std::string(size, 'x'));
    files.push_back(Joined({AsBytes(stored.Index().file())}));
  }
  for (const File& frame : frames_) {
    ByteReader reader(frame);
    const FrameHeader parsed = *ParseFrameHeader(reader);
    if (parsed.kind != FrameKind::kCoded && parsed.kind != FrameKind::kContexts)
      continue;
    for (int bits = 12; bits < 48; ++bits) {
      FrameHeader header = parsed;
      header.content_bytes = uint64_t{1} << bits;
      if (header.kind == FrameKind::kCoded) {
        header.window_positions = kWindowGranularity << (bits / 3);
        header.lane_bytes.assign(kMaxLanes, 1);
        header.lane_bytes[0] = header.content_bytes + 1 - kMaxLanes;
      }
      if (!CheckFrameHeader(header)) continue;
      ByteWriter writer;
      WriteFrameHeader(header, writer);
      writer.StoreBytes(Bytes(frame).subspan(reader.offset()));
      files.push_back(std::move(writer).TakeBytes());
    }
  }
  const uint64_t before = PeakMemoryBytes();
  for (const File& file : files) {
    for (const int num_threads : {1, 4}) {
      decompress_.num_threads = num_threads;
      FileDecoder decoder(OneModel(model_.get()), decompress_,
                          [](Bytes) { return OkStatus(); });
      Status status = OkStatus();
      for (size_t ofs = 0; ofs < file.size() && status; ofs += 1 << 16) {
        const Bytes rest = Bytes(file).subspan(ofs);
        status =
            decoder.Append(rest.first(std::min<size_t>(1 << 16, rest.size())));
      }
      if (status) status = decoder.Finish();
      EXPECT_TRUE(status || status.error().code != ErrorCode::kMemory);
    }
    ASSERT_LE(PeakMemoryBytes() - before, kLimit + kMemorySlack);
  }
}

}  // namespace
}  // namespace llma
