// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "importer/model_import.h"
#include "importer/testing/architecture_variations.h"
#include "importer/testing/hf_folder_editor.h"
#include "model/model.h"

namespace llma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr uint32_t kDim = 128, kHeadDim = 32;

// A and B of one matrix, [rank, cols] and [rows, rank].
struct Pair {
  uint32_t rank, rows, cols;
  std::vector<float> a, b;
};

Pair RandomPair(TestRandom& random, uint32_t rank, uint32_t rows,
                uint32_t cols) {
  Pair pair{rank, rows, cols, {}, {}};
  for (uint32_t i = 0; i < rank * cols; ++i) {
    pair.a.push_back(random.Float(0.3f));
  }
  for (uint32_t i = 0; i < rows * rank; ++i) {
    pair.b.push_back(random.Float(0.3f));
  }
  return pair;
}

std::vector<uint8_t> AsF32(const std::vector<float>& values) {
  return EncodeElements(values, TensorType::kF32);
}

class AdapterTest : public testing::Test {
 protected:
  AdapterTest() {
    std::string name = testing::TempDir() + "llma_adapter_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    adapter_config_ = {{"peft_type", "LORA"},
                       {"r", 4},
                       {"lora_alpha", 8},
                       {"target_modules", {"q_proj", "down_proj"}},
                       {"bias", "none"},
                       {"use_rslora", false},
                       {"use_dora", false},
                       {"rank_pattern", Json::object()},
                       {"alpha_pattern", Json::object()},
                       {"init_lora_weights", true},
                       {"modules_to_save", nullptr}};
  }
  ~AdapterTest() override { fs::remove_all(folder_); }

  void SetUp() override {
    auto file = MappedFile::Open(LLMA_TEST_DATA_DIR "/tiny.gguf");
    ASSERT_TRUE(file);
    file_ = *std::move(file);
    auto gguf = GgufReader::Parse(file_.bytes());
    ASSERT_TRUE(gguf);
    gguf_ = *std::move(gguf);
    num_ffn_rows_ = static_cast<uint32_t>(
        gguf_.tensors().at("blk.0.ffn_gate.weight").num_rows);
  }

  void Write(const std::string& path, Bytes bytes) const {
    auto file = OutputFile::Create(path, {.overwrite = true});
    ASSERT_TRUE(file && file->Write(bytes) && file->Commit());
  }

  // Writes the PEFT folder.
  std::string WriteAdapter() const {
    const std::string path = folder_ + "/my adapter";
    fs::create_directories(path);
    Write(path + "/adapter_config.json", AsBytes(adapter_config_.dump()));
    Write(path + "/adapter_model.safetensors", adapter_weights_.Encode());
    return path;
  }

  void AddPair(const std::string& module, const Pair& pair) {
    const std::string name = "base_model.model." + module;
    adapter_weights_.Add(name + ".lora_A.weight", "F32", {pair.rank, pair.cols},
                         AsF32(pair.a));
    adapter_weights_.Add(name + ".lora_B.weight", "F32", {pair.rows, pair.rank},
                         AsF32(pair.b));
  }

  std::string WriteBase(const HfFolderEditor& editor, const char* name) const {
    const std::string path = folder_ + "/" + name;
    editor.Write(path);
    return path;
  }

  Result<Fingerprint> Import(const std::string& source,
                             const std::string& adapter) const {
    return ImportModel(source, folder_ + "/out.llmm",
                       {"tiny", "", true, {}, adapter});
  }

  std::string ErrorOf(const std::string& adapter) const {
    const auto made = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", adapter);
    return made ? "" : made.error().what;
  }

  // The folder of the tiny model with scale * B A added to a matrix: what PEFT
  // makes of it.
  void MergeInto(HfFolderEditor& editor, const std::string& tensor,
                 const Pair& pair, float scale) const {
    SafetensorsEditor& weights = editor.weights.at("model.safetensors");
    const size_t begin = weights.header[tensor]["data_offsets"][0];
    for (uint32_t row = 0; row < pair.rows; ++row) {
      for (uint32_t col = 0; col < pair.cols; ++col) {
        float sum = 0;
        for (uint32_t k = 0; k < pair.rank; ++k) {
          sum += pair.b[row * pair.rank + k] * pair.a[k * pair.cols + col];
        }
        float value;
        uint8_t* at =
            weights.data.data() + begin + (size_t{row} * pair.cols + col) * 4;
        std::memcpy(&value, at, 4);
        value += scale * sum;
        std::memcpy(at, &value, 4);
      }
    }
  }

  std::string folder_;
  MappedFile file_;
  GgufReader gguf_;
  uint32_t num_ffn_rows_ = 0;
  Json adapter_config_;
  SafetensorsEditor adapter_weights_;
  TestRandom random_{5};
};

constexpr const char* kQuery = "model.layers.1.self_attn.q_proj";
constexpr const char* kDown = "model.layers.0.mlp.down_proj";

TEST_F(AdapterTest, GivesTheMergedModelFromFolderAndGguf) {
  const Pair query = RandomPair(random_, 4, kDim, kDim);
  const Pair down = RandomPair(random_, 2, kDim, num_ffn_rows_);
  AddPair(kQuery, query);
  AddPair(kDown, down);
  adapter_config_["rank_pattern"] = {{"down_proj", 2}};
  adapter_config_["alpha_pattern"] = {{"mlp.down_proj", 3}, {"down_proj", 3}};
  const std::string adapter = WriteAdapter();

  HfFolderEditor merged(gguf_, TensorType::kF32);
  MergeInto(merged, std::string(kQuery) + ".weight", query, 8.0f / 4);
  MergeInto(merged, std::string(kDown) + ".weight", down, 3.0f / 2);
  const auto expected = Import(WriteBase(merged, "merged"), "");
  ASSERT_TRUE(expected) << expected.error().what;

  const HfFolderEditor base(gguf_, TensorType::kF32);
  const std::string base_path = WriteBase(base, "base");
  EXPECT_NE(*Import(base_path, ""), *expected);
  const auto from_folder = Import(base_path, adapter);
  ASSERT_TRUE(from_folder) << from_folder.error().what;
  EXPECT_EQ(*from_folder, *expected);
  // In GGUF the rows of queries stand in another order.
  const auto from_gguf = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", adapter);
  ASSERT_TRUE(from_gguf) << from_gguf.error().what;
  EXPECT_EQ(*from_gguf, *expected);

  const auto model = Model::Open(folder_ + "/out.llmm");
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->adapter(), "my adapter");
  EXPECT_NE((*model)->adapter_sha256(), Fingerprint());
}

TEST_F(AdapterTest, GgufAdapterEqualsPeft) {
  const Pair query = RandomPair(random_, 4, kDim, kDim);
  AddPair(kQuery, query);
  const auto expected = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", WriteAdapter());
  ASSERT_TRUE(expected) << expected.error().what;

  GgufEditor editor;
  editor.SetString("general.type", "adapter");
  editor.SetString("general.architecture", "llama");
  editor.SetString("adapter.type", "lora");
  editor.SetF32("adapter.lora.alpha", 8);
  // Row 2 p + s of a head is row p + s head_dim / 2 there.
  std::vector<float> b(query.b.size());
  for (uint32_t row = 0; row < kDim; ++row) {
    const uint32_t dim = row % kHeadDim;
    const uint32_t from = row - dim + dim / 2 + dim % 2 * (kHeadDim / 2);
    std::copy_n(query.b.begin() + from * 4, 4, b.begin() + row * 4);
  }
  editor.tensors["blk.1.attn_q.weight.lora_a"] = {{kDim, 4}, 0, AsF32(query.a)};
  editor.tensors["blk.1.attn_q.weight.lora_b"] = {{4, kDim}, 0, AsF32(b)};
  const std::string path = folder_ + "/adapter.gguf";
  Write(path, editor.Encode());
  const auto from_gguf = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", path);
  ASSERT_TRUE(from_gguf) << from_gguf.error().what;
  EXPECT_EQ(*from_gguf, *expected);
  // On the model of a folder, too.
  const HfFolderEditor base(gguf_, TensorType::kF32);
  EXPECT_EQ(*Import(WriteBase(base, "base"), path), *expected);

  editor.SetString("general.architecture", "qwen2");
  Write(path, editor.Encode());
  EXPECT_NE(ErrorOf(path).find("of the architecture qwen2"), std::string::npos);
  editor.SetString("general.type", "model");
  Write(path, editor.Encode());
  EXPECT_NE(ErrorOf(path).find("is not an adapter"), std::string::npos);
}

// Integers with a scale for each row, or one for all, are their products.
TEST_F(AdapterTest, IntegersAndScales) {
  const auto round = [](std::vector<float>& values, float scale) {
    std::vector<uint8_t> integers;
    for (float& value : values) {
      const auto integer = static_cast<int8_t>(std::round(value / scale));
      integers.push_back(static_cast<uint8_t>(integer));
      value = static_cast<float>(integer) * scale;
    }
    return integers;
  };
  Pair query = RandomPair(random_, 4, kDim, kDim);
  const std::vector<uint8_t> b = round(query.b, 0.004f);
  std::vector<uint8_t> a;
  const std::vector<float> scales = {0.003f, 0.005f, 0.007f, 0.25f};
  for (uint32_t k = 0; k < 4; ++k) {
    std::vector<float> row(query.a.begin() + k * kDim,
                           query.a.begin() + (k + 1) * kDim);
    const std::vector<uint8_t> integers = round(row, scales[k]);
    a.insert(a.end(), integers.begin(), integers.end());
    std::copy(row.begin(), row.end(), query.a.begin() + k * kDim);
  }
  std::vector<float> norm(kDim, 1.2f);
  const std::vector<uint8_t> norms = round(norm, 0.01f);
  AddPair(kQuery, query);
  adapter_weights_.Add("base_model.model.model.norm.weight", "F32", {kDim},
                       AsF32(norm));
  const auto expected = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", WriteAdapter());
  ASSERT_TRUE(expected) << expected.error().what;

  const std::string name = std::string("base_model.model.") + kQuery;
  const auto write = [&](const std::vector<float>& a_scales,
                         std::string_view scale_name = "_scale") {
    adapter_weights_ = SafetensorsEditor();
    const auto add = [&](const std::string& tensor,
                         const std::vector<uint64_t>& shape,
                         const std::vector<uint8_t>& integers,
                         const std::vector<float>& of) {
      adapter_weights_.Add(tensor, "I8", shape, integers);
      adapter_weights_.Add(tensor + std::string(scale_name), "F32", {of.size()},
                           AsF32(of));
    };
    add(name + ".lora_A.weight", {4, kDim}, a, a_scales);
    add(name + ".lora_B.weight", {kDim, 4}, b, {0.004f});
    add("base_model.model.model.norm.weight", {kDim}, norms, {0.01f});
    return WriteAdapter();
  };
  const auto made = Import(LLMA_TEST_DATA_DIR "/tiny.gguf", write(scales));
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(*made, *expected);
  EXPECT_NE(ErrorOf(write({0.1f, 0.2f})).find("do not fit its rows"),
            std::string::npos);
  EXPECT_NE(ErrorOf(write({INFINITY})).find("not finite"), std::string::npos);
  EXPECT_NE(ErrorOf(write(scales, "_other")), "");
}

TEST_F(AdapterTest, RootOfTheRankAndNorms) {
  const Pair query = RandomPair(random_, 4, kDim, kDim);
  AddPair(kQuery, query);
  adapter_config_["use_rslora"] = true;
  std::vector<float> norm(kDim);
  for (float& value : norm) value = 1 + random_.Float(0.5f);
  adapter_config_["modules_to_save"] = {"norm"};
  adapter_weights_.Add("base_model.model.model.norm.modules_to_save.weight",
                       "F32", {kDim}, AsF32(norm));

  HfFolderEditor merged(gguf_, TensorType::kF32);
  MergeInto(merged, std::string(kQuery) + ".weight", query, 8.0f / 2);
  SafetensorsEditor& weights = merged.weights.at("model.safetensors");
  const size_t begin = weights.header["model.norm.weight"]["data_offsets"][0];
  std::memcpy(weights.data.data() + begin, norm.data(), kDim * sizeof(float));
  EXPECT_EQ(*Import(LLMA_TEST_DATA_DIR "/tiny.gguf", WriteAdapter()),
            *Import(WriteBase(merged, "merged"), ""));
}

// Norms of Gemma's folders lack one; those of its GGUF files do not.
TEST_F(AdapterTest, NormsOfGemma) {
  const auto bytes = VariationMaker("gemma3").editor.Encode();
  const std::string gguf_path = folder_ + "/gemma.gguf";
  Write(gguf_path, bytes);
  const auto gguf = GgufReader::Parse(bytes);
  ASSERT_TRUE(gguf);
  std::vector<float> norm(kDim);
  for (float& value : norm) {
    value = static_cast<float>(random_.Below(64)) / 64;
  }
  adapter_weights_.Add("base_model.model.model.norm.weight", "F32", {kDim},
                       AsF32(norm));
  const HfFolderEditor base(*gguf, TensorType::kF32);
  const std::string base_path = WriteBase(base, "base");
  const std::string adapter = WriteAdapter();
  EXPECT_EQ(*Import(gguf_path, ""), *Import(base_path, ""));
  EXPECT_NE(*Import(gguf_path, ""), *Import(gguf_path, adapter));
  EXPECT_EQ(*Import(gguf_path, adapter), *Import(base_path, adapter));
}

// What it adds counts before Granite's multipliers do.
TEST_F(AdapterTest, AddsBeforeMultipliersOfGranite) {
  const auto bytes = VariationMaker("granite").editor.Encode();
  const std::string gguf_path = folder_ + "/granite.gguf";
  Write(gguf_path, bytes);
  const auto gguf = GgufReader::Parse(bytes);
  ASSERT_TRUE(gguf);
  const HfFolderEditor base(*gguf, TensorType::kF32);
  HfFolderEditor merged = base;
  for (const char* module : {kQuery, "model.layers.1.self_attn.o_proj"}) {
    const Pair pair = RandomPair(random_, 4, kDim, kDim);
    AddPair(module, pair);
    MergeInto(merged, std::string(module) + ".weight", pair, 8.0f / 4);
  }
  std::vector<float> norm(kDim);
  for (float& value : norm) value = 1 + random_.Float(0.5f);
  adapter_weights_.Add("base_model.model.model.norm.weight", "F32", {kDim},
                       AsF32(norm));
  SafetensorsEditor& weights = merged.weights.at("model.safetensors");
  const size_t begin = weights.header["model.norm.weight"]["data_offsets"][0];
  std::memcpy(weights.data.data() + begin, norm.data(), kDim * sizeof(float));
  const std::string adapter = WriteAdapter();
  const auto expected = Import(WriteBase(merged, "merged"), "");
  ASSERT_TRUE(expected) << expected.error().what;
  EXPECT_NE(*Import(gguf_path, ""), *expected);
  EXPECT_EQ(*Import(gguf_path, adapter), *expected);
  EXPECT_EQ(*Import(WriteBase(base, "base"), adapter), *expected);
}

TEST_F(AdapterTest, NamesWhatItRefuses) {
  AddPair(kQuery, RandomPair(random_, 4, kDim, kDim));
  const Json good_config = adapter_config_;
  const SafetensorsEditor good_weights = adapter_weights_;
  ASSERT_EQ(ErrorOf(WriteAdapter()), "");
  const std::pair<const char*, Json> kFields[] = {
      {"use_dora", true},
      {"peft_type", "IA3"},
      {"fan_in_fan_out", true},
      {"lora_bias", true},
      {"init_lora_weights", "pissa"},
      {"trainable_token_indices", {1, 2}},
      {"layer_replication", {{0, 1}}},
      {"some_field_of_the_future", 1},
      {"rank_pattern", {{"^model.*proj", 4}}},
      {"alpha_pattern", {{"q_proj", 4}, {"layers.1.self_attn.q_proj", 8}}},
      {"r", "four"},
  };
  for (const auto& [field, value] : kFields) {
    adapter_config_ = good_config;
    adapter_config_[field] = value;
    EXPECT_NE(ErrorOf(WriteAdapter()).find(field), std::string::npos)
        << field << ": " << ErrorOf(WriteAdapter());
  }
  adapter_config_ = good_config;
  adapter_config_["r"] = 8;
  EXPECT_NE(ErrorOf(WriteAdapter()).find("does not have the rank"),
            std::string::npos);
  adapter_config_ = good_config;

  const auto with = [&](const std::string& name,
                        const std::vector<uint64_t>& shape) {
    adapter_weights_ = good_weights;
    uint64_t size = 1;
    for (const uint64_t dim : shape) size *= dim;
    adapter_weights_.Add("base_model.model." + name, "F32", shape,
                         AsF32(std::vector<float>(size, 0.5f)));
    return ErrorOf(WriteAdapter());
  };
  for (const char* name :
       {"model.layers.0.self_attn.q_proj.lora_magnitude_vector",
        "model.embed_tokens.lora_embedding_A",
        "model.layers.0.self_attn.v_proj.lora_A.weight",
        "model.embed_tokens.weight", "lm_head.modules_to_save.weight"}) {
    EXPECT_NE(with(name, {4, kDim}), "") << name;
  }
  EXPECT_NE(with("model.layers.9.input_layernorm.weight", {kDim})
                .find("not a norm or bias"),
            std::string::npos);
  EXPECT_NE(with("model.norm.weight", {kDim + 1}).find("shape"),
            std::string::npos);

  adapter_weights_ = SafetensorsEditor();
  AddPair("model.layers.7.self_attn.q_proj",
          RandomPair(random_, 4, kDim, kDim));
  EXPECT_NE(ErrorOf(WriteAdapter()).find("not a matrix of the model's layers"),
            std::string::npos);
  adapter_weights_ = SafetensorsEditor();
  AddPair(kQuery, RandomPair(random_, 4, kDim + 16, kDim));
  EXPECT_NE(ErrorOf(WriteAdapter()).find("does not have the shape"),
            std::string::npos);
  Pair infinite = RandomPair(random_, 4, kDim, kDim);
  infinite.b[7] = INFINITY;
  adapter_weights_ = SafetensorsEditor();
  AddPair(kQuery, infinite);
  EXPECT_NE(ErrorOf(WriteAdapter()).find("not finite"), std::string::npos);

  const std::string path = WriteAdapter();
  fs::rename(path + "/adapter_model.safetensors", path + "/adapter_model.bin");
  EXPECT_NE(ErrorOf(path).find("safe_serialization"), std::string::npos);
  fs::create_symlink("adapter_model.safetensors",
                     path + "/adapter_model.safetensors");
  EXPECT_NE(ErrorOf(path).find("cannot open " + path), std::string::npos);
  EXPECT_NE(ErrorOf(folder_ + "/none"), "");
}

}  // namespace
}  // namespace llma
