// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/import_gguf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "importer/convert/architecture.h"
#include "importer/convert/vocabulary.h"
#include "importer/formats/dequantize.h"
#include "importer/model_import.h"
#include "importer/testing/gguf_editor.h"
#include "model/fingerprint.h"
#include "platform/descriptors.h"
#include "platform/mapped_file.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

const std::string kTinyGguf = LLMA_TEST_DATA_DIR "/tiny.gguf";
const std::string kTinyLlmm = LLMA_TEST_DATA_DIR "/tiny.llmm";

class ImportGgufTest : public testing::Test {
 protected:
  ImportGgufTest() {
    std::string name = testing::TempDir() + "llma_import_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ImportGgufTest() override { fs::remove_all(folder_); }

  void SetUp() override {
    auto file = MappedFile::Open(kTinyGguf);
    ASSERT_TRUE(file) << file.error().what;
    file_ = *std::move(file);
    auto gguf = GgufReader::Parse(file_.bytes());
    ASSERT_TRUE(gguf) << gguf.error().what;
    gguf_ = *std::move(gguf);
  }

  std::string Path(const char* name) const { return folder_ + "/" + name; }

  // The error of importing a changed tiny model.
  std::string ErrorOf(const std::function<void(GgufEditor&)>& change) {
    GgufEditor editor(gguf_);
    change(editor);
    const std::vector<uint8_t> bytes = editor.Encode();
    const auto result = ImportGgufBytes(bytes, Path("bad"), {"bad", "", false});
    EXPECT_FALSE(result);
    // Nothing is left behind.
    EXPECT_TRUE(fs::is_empty(folder_));
    return result ? "" : result.error().what;
  }

  // Row `row` of a tensor, dequantised.
  std::vector<float> Row(const std::string& name, uint32_t row) const {
    const SourceTensor& tensor = gguf_.tensors().at(name);
    const uint64_t row_bytes = tensor.data.size() / tensor.num_rows;
    std::vector<float> out(tensor.num_cols);
    DequantizeRow(static_cast<TensorType>(tensor.type),
                  tensor.data.subspan(row * row_bytes, row_bytes), out);
    return out;
  }

  // Row `row` of a matrix is what the int8 form makes of `expected`.
  static void ExpectRow(const LinearWeights& w, uint32_t row,
                        const std::vector<float>& expected) {
    ASSERT_EQ(w.num_cols, expected.size());
    for (uint32_t col = 0; col < w.num_cols; ++col) {
      const float scale = w.scales[w.scale_idx(row, col / kGroupSize)];
      const float value = scale * w.values[w.value_idx(row, col)];
      EXPECT_NEAR(value, expected[col], 0.5001f * scale)
          << "row " << row << " col " << col;
    }
  }

  std::string folder_;
  MappedFile file_;
  GgufReader gguf_;
};

TEST_F(ImportGgufTest, MakesTheCommittedFile) {
  const auto fingerprint = ImportModel(kTinyGguf, Path("a.llmm"), {});
  ASSERT_TRUE(fingerprint) << fingerprint.error().what;
  const auto made = ReadFile(Path("a.llmm"));
  const auto committed = ReadFile(kTinyLlmm);
  ASSERT_TRUE(made && committed);
  EXPECT_TRUE(*made == *committed);
  const auto model = Model::Open(Path("a.llmm"));
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_EQ((*model)->fingerprint(), *fingerprint);
  EXPECT_EQ(ComputeFingerprint(**model), *fingerprint);
  EXPECT_EQ((*model)->importer_version(), kImporterVersion);
}

TEST_F(ImportGgufTest, WeightsAreThoseOfTheSource) {
  const auto opened = Model::Open(kTinyLlmm);
  ASSERT_TRUE(opened);
  const Model& model = **opened;
  const ModelConfig& c = model.config();
  EXPECT_EQ(model.output_norm()[5], Row("output_norm.weight", 0)[5]);
  for (uint32_t i = 0; i < c.num_layers; ++i) {
    const LayerWeights& layer = model.layer(i);
    const std::string blk = "blk." + std::to_string(i) + ".";
    EXPECT_EQ(layer.attn_norm[7], Row(blk + "attn_norm.weight", 0)[7]);
    EXPECT_EQ(layer.ffn_norm[127], Row(blk + "ffn_norm.weight", 0)[127]);
    // Pairs 2 p, 2 p + 1 of a head are p, p + head_dim / 2 here.
    for (uint32_t head = 0; head < c.num_heads; ++head) {
      for (uint32_t p = 0; p < c.head_dim / 2; ++p) {
        const uint32_t first = head * c.head_dim;
        ExpectRow(layer.qkv, first + p,
                  Row(blk + "attn_q.weight", first + 2 * p));
        ExpectRow(layer.qkv, first + c.head_dim / 2 + p,
                  Row(blk + "attn_q.weight", first + 2 * p + 1));
        if (head >= c.num_kv_heads) continue;
        ExpectRow(layer.qkv, c.q_dim() + first + p,
                  Row(blk + "attn_k.weight", first + 2 * p));
        ExpectRow(layer.qkv, c.q_dim() + first + c.head_dim / 2 + p,
                  Row(blk + "attn_k.weight", first + 2 * p + 1));
      }
    }
    for (uint32_t row = 0; row < c.kv_dim(); ++row) {
      ExpectRow(layer.qkv, c.q_dim() + c.kv_dim() + row,
                Row(blk + "attn_v.weight", row));
    }
    for (uint32_t row = 0; row < c.dim; ++row) {
      ExpectRow(layer.attn_out, row, Row(blk + "attn_output.weight", row));
      ExpectRow(layer.ffn_down, row, Row(blk + "ffn_down.weight", row));
    }
    for (uint32_t row = 0; row < c.ffn_dim; ++row) {
      ExpectRow(layer.gate_up, row, Row(blk + "ffn_gate.weight", row));
      ExpectRow(layer.gate_up, c.ffn_dim + row,
                Row(blk + "ffn_up.weight", row));
    }
  }
}

TEST_F(ImportGgufTest, EmbeddingRowsFollowTheirTokens) {
  const auto opened = Model::Open(kTinyLlmm);
  ASSERT_TRUE(opened);
  const Model& model = **opened;
  const auto tokens = gguf_.GetStrings("tokenizer.ggml.tokens");
  ASSERT_TRUE(tokens);
  uint32_t num_found = 0;
  std::string spelling;
  for (uint32_t id = 4; id < tokens->size(); ++id) {
    ASSERT_TRUE(DecodeByteLevel((*tokens)[id], spelling));
    for (uint32_t row = 0; row < model.config().num_tokens; ++row) {
      if (AsStringView(model.tokens().spelling(row)) != spelling) continue;
      ExpectRow(model.embedding(), row, Row("token_embd.weight", id));
      ++num_found;
    }
  }
  EXPECT_EQ(num_found, model.config().num_tokens);
  // The end of a text can only be fed.
  ExpectRow(model.embedding(), num_found, Row("token_embd.weight", 0));
  EXPECT_EQ(model.config().num_rows, num_found + 1);
  EXPECT_EQ(AsStringView(model.tokens().spelling(model.config().start_row)),
            "\n");
}

TEST_F(ImportGgufTest, OptionsChangeWhatTheySay) {
  const auto other = ImportModel(kTinyGguf, Path("b.llmm"),
                                 {"some-name", "<|endoftext|>", false});
  ASSERT_TRUE(other) << other.error().what;
  const auto model = Model::Open(Path("b.llmm"));
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->name(), "some-name");
  EXPECT_EQ((*model)->config().start_row, (*model)->config().num_tokens);
  // The start row is part of the identity, the name is not.
  const auto tiny =
      ImportModel(kTinyGguf, Path("a.llmm"), {"other", "", false});
  ASSERT_TRUE(tiny);
  EXPECT_NE(*tiny, *other);
  EXPECT_EQ(*tiny, (*Model::Open(kTinyLlmm))->fingerprint());
  EXPECT_EQ(ImportModel(kTinyGguf, Path("a.llmm"), {}).error().code,
            ErrorCode::kUsage);
  EXPECT_TRUE(ImportModel(kTinyGguf, Path("a.llmm"), {"", "", true}));
  EXPECT_EQ(
      ImportModel(kTinyGguf, Path("c"), {"Bad Name", "", false}).error().code,
      ErrorCode::kUsage);
}

TEST_F(ImportGgufTest, AHeadOfItsOwn) {
  GgufEditor editor(gguf_);
  editor.tensors["output.weight"] = editor.tensors["token_embd.weight"];
  const std::vector<uint8_t> bytes = editor.Encode();
  const auto fingerprint =
      ImportGgufBytes(bytes, Path("untied"), {"untied", "", false});
  ASSERT_TRUE(fingerprint) << fingerprint.error().what;
  const auto opened = Model::Open(Path("untied"));
  ASSERT_TRUE(opened) << opened.error().what;
  const Model& model = **opened;
  EXPECT_FALSE(model.config().tied_head);
  EXPECT_EQ(model.head().num_rows, model.config().num_tokens);
  EXPECT_NE(model.head().values, model.embedding().values);
  EXPECT_EQ(ComputeFingerprint(model), *fingerprint);
  for (uint32_t row : {0u, 100u, model.config().num_tokens - 1}) {
    const LinearWeights& head = model.head();
    EXPECT_EQ(head.values[head.value_idx(row, 9)],
              model.embedding().values[model.embedding().value_idx(row, 9)]);
  }
}

TEST_F(ImportGgufTest, ErrorsNameWhatIsUnsupported) {
  EXPECT_NE(ErrorOf([](GgufEditor& e) {
              e.SetU32("split.count", 3);
            }).find("is one of 3 parts of a model: join them"),
            std::string::npos);
  EXPECT_EQ(
      ErrorOf(
          [](GgufEditor& e) { e.SetString("general.architecture", "rwkv"); }),
      "architecture rwkv (only " + GgufArchitectureNames() + " can be read)");
  EXPECT_EQ(
      ErrorOf([](GgufEditor& e) { e.SetString("general.type", "adapter"); }),
      "is no language model: its general.type is adapter: --adapter "
      "takes it, with the model that it changes");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetString("general.type", "mmproj");
              e.values.erase("tokenizer.ggml.model");
            }),
            "is no language model: its general.type is mmproj");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetString("tokenizer.ggml.model", "bert");
            }),
            "tokenizer bert (only gpt2, byte-level BPE, and llama, "
            "SentencePiece's BPE, can be read)");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetString("llama.rope.scaling.type", "longrope");
            }),
            "metadata llama.rope.scaling.type is longrope (only none, linear, "
            "yarn can be read)");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetU32("llama.attention.sliding_window", 256);
            }),
            "metadata llama.attention.sliding_window is 256: local layers of "
            "this architecture cannot be read");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) { e.SetU32("llama.expert_count", 8); }),
            "metadata llama.expert_count is 8, which is not supported");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetU32("llama.rope.dimension_count", 16);
            }),
            "llama.rope.dimension_count differs from the key length");
  EXPECT_EQ(
      ErrorOf([](GgufEditor& e) {
        e.tensors["blk.0.attn_q.bias"] = {{4}, 0, std::vector<uint8_t>(16)};
      }),
      "tensor blk.0.attn_q.bias is not known");
  EXPECT_EQ(
      ErrorOf([](GgufEditor& e) { e.tensors.erase("blk.1.ffn_up.weight"); }),
      "tensor blk.1.ffn_up.weight is missing");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.tensors["blk.0.ffn_up.weight"].type = 16;
            }),
            "tensor blk.0.ffn_up.weight has type IQ2_XXS (" +
                ReadableTypeNames() + " can be read)");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.tensors["blk.0.ffn_up.weight"].type = 12;
            }),
            "tensor blk.0.ffn_up.weight has rows of 128 values, not whole "
            "blocks of Q4_K");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.tensors["blk.0.ffn_up.weight"].dims = {192, 128};
            }),
            "tensor blk.0.ffn_up.weight does not have the shape that follows "
            "from the metadata");
}

TEST_F(ImportGgufTest, BadNumbersAreRefused) {
  const auto set = [](const char* name, std::vector<uint8_t> bytes) {
    return [=](GgufEditor& e) {
      std::copy(bytes.begin(), bytes.end(), e.tensors[name].data.begin());
    };
  };
  // NaN in a norm, infinity in a half, a scale beyond the bound.
  EXPECT_EQ(ErrorOf(set("output_norm.weight", {0, 0, 0xc0, 0x7f})),
            "tensor output_norm.weight has a weight that is out of bounds");
  EXPECT_EQ(ErrorOf(set("blk.0.attn_v.weight", {0, 0x7c})),
            "tensor blk.0.attn_v.weight: a weight is not a finite number");
  EXPECT_EQ(ErrorOf(set("blk.1.ffn_down.weight", {0, 0, 0x80, 0x46})),
            "tensor blk.1.ffn_down.weight: a weight is too large");
  for (const auto& change : {
           std::function(
               [](GgufEditor& e) { e.SetU32("llama.embedding_length", 100); }),
           std::function([](GgufEditor& e) {
             e.SetU32("llama.attention.head_count", 0);
           }),
           std::function(
               [](GgufEditor& e) { e.SetU32("llama.block_count", 3); }),
           std::function(
               [](GgufEditor& e) { e.SetU32("llama.block_count", 1); }),
           std::function([](GgufEditor& e) {
             e.SetF32("llama.attention.layer_norm_rms_epsilon", 1);
           }),
           std::function(
               [](GgufEditor& e) { e.SetF32("llama.rope.freq_base", 0); }),
       }) {
    EXPECT_NE(ErrorOf(change), "");
  }
}

TEST_F(ImportGgufTest, ScoresMakeMerges) {
  const auto tokens = gguf_.GetStrings("tokenizer.ggml.tokens");
  ASSERT_TRUE(tokens);
  const auto set_scores = [&](std::vector<float> scores) {
    return [=](GgufEditor& e) {
      e.SetString("tokenizer.ggml.model", "llama");
      e.SetF32s("tokenizer.ggml.scores", scores);
    };
  };
  GgufEditor editor(gguf_);
  std::vector<float> scores(tokens->size(), 1.0f);
  set_scores(scores)(editor);
  const std::vector<uint8_t> bytes = editor.Encode();
  const auto made = ImportGgufBytes(bytes, Path("a"), {"a", "", false});
  ASSERT_TRUE(made) << made.error().what;
  const auto model = Model::Open(Path("a"));
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_EQ((*model)->tokenizer().pre_tokenizer, "sentencepiece");
  EXPECT_GT((*model)->tokenizer().merges.size(), 0u);
  fs::remove(Path("a"));
  const char* kBad =
      "metadata tokenizer.ggml.scores is not a finite number a token";
  scores[3] = std::nanf("");
  EXPECT_EQ(ErrorOf(set_scores(scores)), kBad);
  EXPECT_EQ(ErrorOf(set_scores({1, 2})), kBad);
}

TEST_F(ImportGgufTest, UnprintableLicensesAreLeftOut) {
  GgufEditor editor(gguf_);
  editor.SetString("general.license", "\x1b[31m");
  editor.SetString("general.type", "model");
  const std::vector<uint8_t> bytes = editor.Encode();
  ASSERT_TRUE(ImportGgufBytes(bytes, Path("a"), {"a", "", false}));
  EXPECT_EQ((*Model::Open(Path("a")))->license(), "");
}

// The default model, where a path to it is given.
TEST_F(ImportGgufTest, TheDefaultModel) {
  const char* path = std::getenv("LLMA_MODEL_GGUF");
  if (path == nullptr) GTEST_SKIP() << "LLMA_MODEL_GGUF is not set";
  const auto fingerprint = ImportModel(path, Path("m.llmm"), {});
  ASSERT_TRUE(fingerprint) << fingerprint.error().what;
  const auto opened = Model::Open(Path("m.llmm"));
  ASSERT_TRUE(opened) << opened.error().what;
  const Model& model = **opened;
  EXPECT_EQ(ComputeFingerprint(model), *fingerprint);
  if (model.name() != "smollm2-135m-instruct") return;
  EXPECT_EQ((*fingerprint)[0], 0xc7);
  EXPECT_EQ((*fingerprint)[31], 0xa3);
  EXPECT_EQ(model.config().num_tokens, 49135u);
  EXPECT_EQ(model.tokenizer().merges.size(), 2 * 48900u);
}

}  // namespace
}  // namespace llma
