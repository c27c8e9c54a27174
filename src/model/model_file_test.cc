// SPDX-License-Identifier: Apache-2.0
// Reading .llmm files: the tiny model, damaged copies of it, and copies with
// bad content under good checksums.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>

#include "base/aligned_buffer.h"
#include "base/checksum.h"
#include "model/model.h"
#include "model/model_header.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

const std::string kTinyPath = LLMA_TEST_DATA_DIR "/tiny.llmm";

// A model's bytes to tamper with.
class Copy {
 public:
  explicit Copy(Bytes bytes) : buffer_(bytes.size() + 1), size_(bytes.size()) {
    std::memcpy(buffer_.data(), bytes.data(), bytes.size());
  }
  uint8_t* data() { return buffer_.data(); }
  Bytes bytes() const { return {buffer_.data(), size_}; }

  // The content of a section (of layer 0).
  uint8_t* Section(SectionKind kind) {
    const ModelHeader header = *ParseModelHeader(bytes());
    for (const auto& s : header.sections) {
      if (s.kind == kind) return data() + s.offset_bytes;
    }
    return nullptr;
  }
  // A number of a section: files have the lowest byte first.
  uint32_t Get(SectionKind kind, size_t index) {
    const uint8_t* at = Section(kind) + 4 * index;
    return *ByteReader({at, 4}).LoadU32();
  }
  void Set(SectionKind kind, size_t index, uint32_t value) {
    uint8_t* at = Section(kind) + 4 * index;
    for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
  }
  void Set(SectionKind kind, size_t index, float value) {
    Set(kind, index, std::bit_cast<uint32_t>(value));
  }

  // Makes all checksums right again.
  void Seal() {
    ModelHeader header = *ParseModelHeader(bytes());
    for (auto& s : header.sections) {
      s.xxh3 = Xxh3(bytes().subspan(s.offset_bytes, s.size_bytes));
    }
    const std::vector<uint8_t> encoded = EncodeModelHeader(header);
    std::memcpy(data(), encoded.data(), encoded.size());
  }

  ErrorCode SealAndOpen() {
    Seal();
    const auto model = Model::FromBytes(bytes());
    return model ? ErrorCode{} : model.error().code;
  }

 private:
  AlignedBuffer<uint8_t> buffer_;
  size_t size_;
};

class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override {
    auto bytes = ReadFile(kTinyPath);
    ASSERT_TRUE(bytes) << bytes.error().what;
    bytes_ = *std::move(bytes);
  }

  // Opens bytes that are not aligned and not sealed.
  static bool Opens(Bytes bytes) {
    return Model::FromBytes(Copy(bytes).bytes()).has_value();
  }

  std::vector<uint8_t> bytes_;
};

TEST_F(ModelFileTest, OpensTheTinyModel) {
  const auto opened = Model::Open(kTinyPath);
  ASSERT_TRUE(opened) << opened.error().what;
  const Model& model = **opened;
  const ModelConfig& config = model.config();
  EXPECT_EQ(config.num_layers, 2u);
  EXPECT_EQ(config.dim, 128u);
  EXPECT_EQ(config.num_heads, 4u);
  EXPECT_EQ(config.num_kv_heads, 2u);
  EXPECT_EQ(config.head_dim, 32u);
  EXPECT_EQ(config.ffn_dim, 192u);
  EXPECT_EQ(config.context_length, 512u);
  EXPECT_EQ(config.norm_eps, 1e-5f);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(model.name(), "tiny");
  EXPECT_EQ(model.license(), "apache-2.0");
  EXPECT_EQ(model.tokenizer().pre_tokenizer, "smollm");
  EXPECT_EQ(model.tokenizer().merges.size(), 2 * 250u);
  EXPECT_EQ(model.tokens().num_tokens(), config.num_tokens);
  EXPECT_EQ(config.num_rows, config.num_tokens + 1);
  EXPECT_EQ(model.embedding().num_rows, config.num_rows);
  EXPECT_EQ(model.head().values, model.embedding().values);
  EXPECT_EQ(model.rope_steps().size(), config.head_dim / 2);
  EXPECT_EQ(model.output_norm().size(), config.dim);
  for (uint32_t i = 0; i < config.num_layers; ++i) {
    const LayerWeights& layer = model.layer(i);
    EXPECT_EQ(layer.attn_norm.size(), config.dim);
    EXPECT_EQ(layer.qkv.num_rows, config.qkv_dim());
    EXPECT_EQ(layer.attn_out.num_cols, config.q_dim());
    EXPECT_EQ(layer.gate_up.num_rows, 2 * config.ffn_dim);
    EXPECT_EQ(layer.ffn_down.num_cols, config.ffn_dim);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(layer.ffn_down.values) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(layer.ffn_down.scales) % 64, 0u);
  }
}

TEST_F(ModelFileTest, BytesInMemoryWillDoIfAligned) {
  Copy copy(bytes_);
  EXPECT_TRUE(Model::FromBytes(copy.bytes()));
  Copy shifted(bytes_);
  std::memmove(shifted.data() + 1, bytes_.data(), bytes_.size());
  EXPECT_EQ(Model::FromBytes({shifted.data() + 1, bytes_.size()}).error().code,
            ErrorCode::kUsage);
}

TEST_F(ModelFileTest, SaysWhatIsNotAModel) {
  EXPECT_EQ(Model::FromBytes({}).error().code, ErrorCode::kBadMagic);
  EXPECT_EQ(Model::FromBytes(AsBytes("GGUF....")).error().code,
            ErrorCode::kBadMagic);
  EXPECT_EQ(Model::FromBytes(AsBytes("LLM")).error().code,
            ErrorCode::kTruncated);
  Copy newer(bytes_);
  newer.data()[4] = 1;
  EXPECT_EQ(Model::FromBytes(newer.bytes()).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(Model::Open(kTinyPath + "x").error().code, ErrorCode::kIo);
  bytes_.push_back(0);
  EXPECT_FALSE(Opens(bytes_));
}

TEST_F(ModelFileTest, EveryFlippedBitIsFound) {
  TestRandom random(1);
  const ModelHeader header = *ParseModelHeader(bytes_);
  for (int i = 0; i < 1000; ++i) {
    // Half of them in the header and the small sections after it.
    const auto range = static_cast<uint32_t>(
        i % 2 == 0 ? bytes_.size() : header.header_bytes + 4096);
    const uint32_t ofs = random.Below(range);
    const auto bit = static_cast<uint8_t>(1 << random.Below(8));
    bytes_[ofs] ^= bit;
    EXPECT_FALSE(Opens(bytes_)) << ofs;
    bytes_[ofs] ^= bit;
  }
  EXPECT_TRUE(Opens(bytes_));
}

TEST_F(ModelFileTest, EveryTruncationIsFound) {
  TestRandom random(2);
  for (int i = 0; i < 1000; ++i) {
    const uint32_t size =
        i < 100 ? i : random.Below(static_cast<uint32_t>(bytes_.size()));
    EXPECT_FALSE(Opens(Bytes(bytes_).first(size))) << size;
  }
}

TEST_F(ModelFileTest, EverySpliceIsFound) {
  TestRandom random(3);
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> spliced = bytes_;
    const auto size = static_cast<uint32_t>(bytes_.size());
    const uint32_t length = 1 + random.Below(size / 4);
    const uint32_t from = random.Below(size - length);
    const uint32_t to = random.Below(size - length);
    std::copy_n(bytes_.begin() + from, length, spliced.begin() + to);
    if (spliced == bytes_) continue;
    EXPECT_FALSE(Opens(spliced)) << from << " " << to << " " << length;
  }
}

TEST_F(ModelFileTest, ValuesAreAtLeastMinus127) {
  for (const SectionKind kind :
       {SectionKind::kEmbeddingValues, SectionKind::kQkvValues,
        SectionKind::kFfnDownValues}) {
    Copy copy(bytes_);
    copy.Section(kind)[127] = 0x81;  // -127
    EXPECT_EQ(copy.SealAndOpen(), ErrorCode{});
    copy.Section(kind)[127] = 0x80;
    EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt);
  }
}

TEST_F(ModelFileTest, ScalesAreBounded) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad :
       {-1e-30f, -0.0f, 32.001f, kInfinity, -kInfinity, kNan, -kNan}) {
    Copy copy(bytes_);
    copy.Set(SectionKind::kGateUpScales, 5, bad);
    EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt) << bad;
  }
  for (const float good : {0.0f, 1e-45f, 32.0f}) {
    Copy copy(bytes_);
    copy.Set(SectionKind::kGateUpScales, 5, good);
    EXPECT_EQ(copy.SealAndOpen(), ErrorCode{}) << good;
  }
}

TEST_F(ModelFileTest, NormsAreBounded) {
  for (const float bad :
       {65537.0f, -65537.0f, std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    for (const SectionKind kind :
         {SectionKind::kOutputNorm, SectionKind::kAttnNorm,
          SectionKind::kFfnNorm}) {
      Copy copy(bytes_);
      copy.Set(kind, 127, bad);
      EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt) << bad;
    }
  }
}

TEST_F(ModelFileTest, PaddingIsZero) {
  // Rows of the embedding after the last.
  Copy copy(bytes_);
  LinearWeights shape = (*Model::FromBytes(copy.bytes()))->embedding();
  ASSERT_NE(shape.num_rows % kPanelRows, 0u);
  copy.Section(
      SectionKind::kEmbeddingValues)[shape.value_idx(shape.num_rows, 7)] = 1;
  EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt);
  Copy scales(bytes_);
  scales.Set(SectionKind::kEmbeddingScales, shape.scale_idx(shape.num_rows, 1),
             1.0f);
  EXPECT_EQ(scales.SealAndOpen(), ErrorCode::kCorrupt);
  // Bytes between sections.
  Copy gap(bytes_);
  gap.Section(SectionKind::kQkvValues)[-1] = 1;
  EXPECT_EQ(gap.SealAndOpen(), ErrorCode::kCorrupt);
}

TEST_F(ModelFileTest, TokensAreSortedAndShort) {
  Copy equal(bytes_);
  // The first tokens are single bytes; make the second equal to the first.
  uint8_t* spellings = equal.Section(SectionKind::kTokenBytes);
  ASSERT_EQ(equal.Get(SectionKind::kTokenOffsets, 2), 2u);
  spellings[1] = spellings[0];
  EXPECT_EQ(equal.SealAndOpen(), ErrorCode::kCorrupt);

  for (const uint32_t bad : {0u, 2u, 600u, ~0u}) {
    Copy copy(bytes_);
    copy.Set(SectionKind::kTokenOffsets, 1, bad);
    EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt) << bad;
  }
  Copy first(bytes_);
  first.Set(SectionKind::kTokenOffsets, 0, 1u);
  EXPECT_EQ(first.SealAndOpen(), ErrorCode::kCorrupt);
  Copy last(bytes_);
  const uint32_t num_tokens = ParseModelHeader(bytes_)->config.num_tokens;
  last.Set(SectionKind::kTokenOffsets, num_tokens,
           last.Get(SectionKind::kTokenOffsets, num_tokens) + 1);
  EXPECT_EQ(last.SealAndOpen(), ErrorCode::kCorrupt);
}

TEST_F(ModelFileTest, MergesNameTokens) {
  Copy copy(bytes_);
  const uint32_t num_tokens = ParseModelHeader(bytes_)->config.num_tokens;
  copy.Set(SectionKind::kMerges, 3, num_tokens - 1);
  EXPECT_EQ(copy.SealAndOpen(), ErrorCode{});
  copy.Set(SectionKind::kMerges, 3, num_tokens);
  EXPECT_EQ(copy.SealAndOpen(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace llma
