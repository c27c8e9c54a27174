// SPDX-License-Identifier: Apache-2.0
// Damaged files: whatever is cut, flipped or spliced, decompressing gives an
// error or the right content, soon and in bounded memory.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "container/crc8.h"

namespace llma {
namespace {

constexpr uint64_t kMaxMemoryBytes = 256 << 20;

// mt19937 is the same everywhere, the distributions of the library are not.
class Random {
 public:
  // In [0, bound).
  size_t Below(size_t bound) { return bound == 0 ? 0 : engine_() % bound; }

 private:
  std::mt19937 engine_{1};
};

// Mostly words that the tiny model has tokens for, so that it is coded, not
// stored: its weights are noise, and it predicts nothing.
std::string SampleText(Random& random, size_t num_words) {
  constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                    " saying",   " return",  " became",
                                    " small",    "\xc3\xa4"};
  std::string text;
  for (size_t i = 0; i < num_words; ++i) text += kWords[random.Below(8)];
  return text;
}

class Mutation : public testing::Test {
 protected:
  Mutation() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model);
    model_ = *std::move(model);
  }

  std::vector<uint8_t> MakeFile(std::string_view content, uint32_t num_lanes) {
    CompressOptions options;
    options.num_threads = 1;
    options.num_lanes = num_lanes;
    options.window_positions = 32;
    auto file = Compress(AsBytes(content), model_.get(), options);
    EXPECT_TRUE(file);
    return *std::move(file);
  }

  // Decompresses, and counts the bytes that were claimed to be done.
  Result<std::vector<uint8_t>> Read(Bytes file) {
    DecompressOptions options;
    options.num_threads = 1;
    options.max_memory_bytes = kMaxMemoryBytes;
    options.progress = [this](const CodecProgress& progress) {
      max_done_bytes_ = std::max(max_done_bytes_, progress.done_bytes);
      return true;
    };
    return Decompress(file, model_.get(), options);
  }

  std::unique_ptr<Model> model_;
  uint64_t max_done_bytes_ = 0;
  Random random_;
};

TEST_F(Mutation, NeverGivesWrongContent) {
  std::vector<std::string> contents = {
      SampleText(random_, 40), SampleText(random_, 60), std::string(500, 'a'),
      std::string("\0\xff\xfe binary", 10)};
  std::vector<std::vector<uint8_t>> files;
  for (const std::string& content : contents) {
    files.push_back(
        MakeFile(content, static_cast<uint32_t>(1 + files.size() % 3)));
    const auto back = Read(files.back());
    ASSERT_TRUE(back) << back.error().what;
    ASSERT_EQ(AsStringView(*back), content);
  }
  for (size_t i = 0; i < 3; ++i) {
    ByteReader reader(files[i]);
    ASSERT_EQ(ParseFrameHeader(reader)->kind, FrameKind::kCoded);
  }
  int num_right = 0;
  for (int round = 0; round < 1000; ++round) {
    const size_t which = random_.Below(files.size());
    const std::vector<uint8_t>& other = files[random_.Below(files.size())];
    std::vector<uint8_t> file = files[which];
    switch (round % 5) {
      case 0:  // cut
        file.resize(random_.Below(file.size()));
        break;
      case 1:  // flip a bit
        file[random_.Below(file.size())] ^= uint8_t(1u << random_.Below(8));
        break;
      case 2:  // overwrite some bytes
        for (size_t n = random_.Below(20); n > 0; --n) {
          file[random_.Below(file.size())] = uint8_t(random_.Below(256));
        }
        break;
      case 3:  // the start of one, the end of another
        file.resize(random_.Below(file.size()));
        file.insert(
            file.end(),
            other.begin() + static_cast<ptrdiff_t>(random_.Below(other.size())),
            other.end());
        break;
      default:  // put bytes in, or take them out
        const auto at =
            file.begin() + static_cast<ptrdiff_t>(random_.Below(file.size()));
        if (round % 2 == 0) {
          file.insert(at, 1 + random_.Below(9), uint8_t(random_.Below(256)));
        } else {
          file.erase(at);
        }
    }
    const auto content = Read(file);
    if (!content) {
      ASSERT_NE(content.error().code, ErrorCode::kInternal)
          << content.error().what;
      ASSERT_FALSE(content.error().what.empty());
      continue;
    }
    ++num_right;
    // Splices may have made one of the other files.
    EXPECT_TRUE(std::count(contents.begin(), contents.end(),
                           AsStringView(*content)) != 0)
        << round;
  }
  // Some mutations change nothing; most must not look valid.
  EXPECT_LT(num_right, 100);
}

// The header with its fields changed and its check made right again.
TEST_F(Mutation, HostileHeadersEndSoon) {
  const std::vector<uint8_t> file = MakeFile(SampleText(random_, 40), 1);
  ByteReader reader(file);
  const auto parsed = ParseFrameHeader(reader);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->kind, FrameKind::kCoded);
  const Bytes payload = Bytes(file).subspan(reader.offset());

  const auto read = [&](const FrameHeader& header) {
    ByteWriter writer;
    WriteFrameHeader(header, writer);
    writer.StoreBytes(payload);
    max_done_bytes_ = 0;
    const auto content = Read(writer.bytes());
    EXPECT_FALSE(content);
    // What the payload can make, not what the header promises.
    EXPECT_LT(max_done_bytes_, 1u << 20);
    return content ? ErrorCode{} : content.error().code;
  };
  FrameHeader header = *parsed;
  header.content_bytes = kMaxContextContentBytes;
  header.lane_bytes = {kMaxContextContentBytes};
  read(header);
  header.context_models = ContextModels::kNone;
  header.content_bytes = kMaxContentBytes;
  header.lane_bytes = {kMaxContentBytes};
  read(header);
  header.lane_bytes.assign(kMaxLanes, 1);
  header.lane_bytes[7] = kMaxContentBytes - kMaxLanes + 1;
  read(header);
  header = *parsed;
  header.window_positions = kMaxWindowPositions;
  read(header);
  header = *parsed;
  header.content_bytes += 1;
  header.lane_bytes[0] += 1;
  read(header);
  header = *parsed;
  header.content_bytes -= 1;
  header.lane_bytes[0] -= 1;
  read(header);
  header = *parsed;
  header.predictor_id = 77;
  EXPECT_EQ(read(header), ErrorCode::kUnsupported);
  header = *parsed;
  header.model_id[3] ^= 1;
  EXPECT_EQ(read(header), ErrorCode::kModelMismatch);
  header = *parsed;
  header.checksum ^= 1;
  EXPECT_EQ(read(header), ErrorCode::kChecksum);
}

// Without a language model.
TEST_F(Mutation, HostileHeadersOfContextsEndSoon) {
  CompressOptions options;
  options.level = kFastestLevel;
  const auto file =
      Compress(AsBytes(SampleText(random_, 40)), nullptr, options);
  ASSERT_TRUE(file);
  EXPECT_TRUE(Decompress(*file, nullptr, {}));
  ByteReader reader(*file);
  FrameHeader header = *ParseFrameHeader(reader);
  ASSERT_EQ(header.kind, FrameKind::kContexts);
  const Bytes payload = Bytes(*file).subspan(reader.offset());
  const auto read = [&] {
    ByteWriter writer;
    WriteFrameHeader(header, writer);
    writer.StoreBytes(payload);
    max_done_bytes_ = 0;
    EXPECT_FALSE(Read(writer.bytes()));
    EXPECT_LT(max_done_bytes_, 1u << 20);
  };
  header.content_bytes += 1;
  read();
  header.content_bytes -= 2;
  read();
  header.content_bytes = 1u << 26;
  read();
  header.content_bytes = kMaxContextContentBytes;
  read();
}

TEST_F(Mutation, EveryTruncationIsAnError) {
  for (const bool with_model : {false, true}) {
    const std::string text = SampleText(random_, 15);
    CompressOptions options;
    options.level = 2;
    const std::vector<uint8_t> file =
        with_model ? MakeFile(text, 2)
                   : *Compress(AsBytes(text), nullptr, options);
    for (size_t size = 0; size < file.size(); ++size) {
      EXPECT_FALSE(Read(Bytes(file).first(size))) << size;
    }
  }
}

TEST_F(Mutation, CancellingIsAnError) {
  const std::vector<uint8_t> file = MakeFile(SampleText(random_, 40), 1);
  DecompressOptions options;
  options.progress = [](const CodecProgress&) { return false; };
  const auto content = Decompress(file, model_.get(), options);
  // A short content may be done before anybody is asked.
  EXPECT_TRUE(content || content.error().code != ErrorCode::kInternal);
}

}  // namespace
}  // namespace llma
