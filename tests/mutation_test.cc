// SPDX-License-Identifier: Apache-2.0
// Headers that promise what their payload does not hold, and cut files, end
// soon with an error. For damage of other kinds: file_mutation_test.cc.
#include "mutation_fixture.h"

namespace llma {
namespace {

using Mutation = MutationFixture;

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
