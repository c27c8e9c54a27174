// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/import_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/sha256.h"
#include "importer/convert/architecture.h"
#include "importer/convert/multipliers.h"
#include "importer/gguf/import_gguf.h"
#include "importer/model_import.h"
#include "importer/testing/architecture_variations.h"
#include "importer/testing/gguf_editor.h"
#include "importer/testing/hf_folder_editor.h"
#include "platform/descriptors.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kWeights = "model.safetensors";

class ImportFolderTest : public testing::Test {
 protected:
  ImportFolderTest() {
    std::string name = testing::TempDir() + "llma_folder_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ImportFolderTest() override { fs::remove_all(folder_); }

  void SetUp() override {
    auto file = MappedFile::Open(LLMA_TEST_DATA_DIR "/tiny.gguf");
    ASSERT_TRUE(file) << file.error().what;
    file_ = *std::move(file);
    auto gguf = GgufReader::Parse(file_.bytes());
    ASSERT_TRUE(gguf) << gguf.error().what;
    gguf_ = *std::move(gguf);
  }

  HfFolderEditor Tiny(TensorType type = TensorType::kF32) const {
    return HfFolderEditor(gguf_, type);
  }

  std::string Source() const { return folder_ + "/Tiny-Model"; }
  std::string Target() const { return folder_ + "/out.llmm"; }

  Result<Fingerprint> Import(const HfFolderEditor& editor) const {
    editor.Write(Source());
    notes_.clear();
    return ImportModel(Source(), Target(),
                       {"", "", true, [this](const std::string& note) {
                          notes_.push_back(note);
                        }});
  }

  void ExpectTiny(const HfFolderEditor& editor) const {
    const auto fingerprint = Import(editor);
    ASSERT_TRUE(fingerprint) << fingerprint.error().what;
    const auto tiny = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_EQ(*fingerprint, (*tiny)->fingerprint());
  }

  // Other ways to say what Gemma 3 is.
  void ExpectSameFromOtherForms(const HfFolderEditor& plain,
                                const Fingerprint& expected) const {
    HfFolderEditor other = plain;
    other.config["layer_types"] = Json::array();
    for (int i = 0; i < 6; ++i) {
      other.config["layer_types"].push_back(i < 5 ? "sliding_attention"
                                                  : "full_attention");
    }
    other.config.erase("rope_theta");
    other.config["rope_parameters"] = {
        {"full_attention", {{"rope_type", "default"}, {"rope_theta", 1e6}}},
        {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
    EXPECT_EQ(*Import(other), expected);
    // With eyes, which are left out.
    other = plain;
    other.config = {{"model_type", "gemma3"},
                    {"architectures", {"Gemma3ForConditionalGeneration"}},
                    {"text_config", plain.config}};
    other.config["text_config"].erase("architectures");
    SafetensorsEditor& weights = other.weights[kWeights];
    weights.header.clear();
    for (const auto& [name, entry] :
         plain.weights.at(kWeights).header.items()) {
      weights.header["language_model." + name] = entry;
    }
    weights.Add("vision_tower.x.weight", "F32", {2}, std::vector<uint8_t>(8));
    const auto fingerprint = Import(other);
    ASSERT_TRUE(fingerprint) << fingerprint.error().what;
    EXPECT_EQ(*fingerprint, expected);
  }

  // The error of importing a changed tiny model, without the folder's name.
  std::string ErrorOf(const std::function<void(HfFolderEditor&)>& change) {
    HfFolderEditor editor = Tiny();
    change(editor);
    fs::remove(Target());
    const auto result = Import(editor);
    EXPECT_FALSE(result);
    EXPECT_FALSE(fs::exists(Target()));
    if (result) return "";
    EXPECT_EQ(result.error().what.find(Source()), 0u) << result.error().what;
    return result.error().what.substr(Source().size());
  }

  // The same for a change of one field of config.json.
  std::string ConfigError(const char* key, const Json& value) {
    const std::string error =
        ErrorOf([&](HfFolderEditor& e) { e.config[key] = value; });
    const std::string prefix = "/config.json: field ";
    return error.starts_with(prefix) ? error.substr(prefix.size()) : error;
  }

  // The same for tokenizer.json and a JSON pointer.
  std::string TokenizerError(const char* pointer, const Json& value) {
    const std::string error = ErrorOf([&](HfFolderEditor& e) {
      e.tokenizer[Json::json_pointer(pointer)] = value;
    });
    const std::string prefix = "/tokenizer.json: ";
    return error.starts_with(prefix) ? error.substr(prefix.size()) : error;
  }

  mutable std::vector<std::string> notes_;
  std::string folder_;
  MappedFile file_;
  GgufReader gguf_;
};

TEST_F(ImportFolderTest, GivesTheModelOfTheGguf) {
  for (const TensorType type :
       {TensorType::kF32, TensorType::kF16, TensorType::kBf16}) {
    GgufEditor gguf(gguf_);
    for (auto& [name, tensor] : gguf.tensors) {
      tensor.type = static_cast<uint32_t>(type);
      tensor.data =
          EncodeElements(DequantizeTensor(gguf_.tensors().at(name)), type);
    }
    const std::vector<uint8_t> bytes = gguf.Encode();
    const auto expected = ImportGgufBytes(bytes, Target(), {"a", "", true});
    ASSERT_TRUE(expected) << expected.error().what;
    const auto fingerprint = Import(Tiny(type));
    ASSERT_TRUE(fingerprint) << fingerprint.error().what;
    EXPECT_EQ(*fingerprint, *expected) << TensorTypeName(uint32_t(type));
  }
  ExpectTiny(Tiny());
}

// Every architecture, from both kinds of sources.
TEST_F(ImportFolderTest, ArchitecturesGiveTheModelsOfTheGguf) {
  for (const char* name :
       {"llama", "qwen2", "qwen3", "granite", "gemma2", "gemma3"}) {
    const std::vector<uint8_t> bytes = VariationMaker(name).editor.Encode();
    const auto expected = ImportGgufBytes(bytes, Target(), {"a", "", true});
    ASSERT_TRUE(expected) << name << ": " << expected.error().what;
    const auto gguf = GgufReader::Parse(bytes);
    HfFolderEditor editor(*gguf, TensorType::kF32);
    const auto fingerprint = Import(editor);
    ASSERT_TRUE(fingerprint) << name << ": " << fingerprint.error().what;
    EXPECT_EQ(*fingerprint, *expected) << name;
    if (name != std::string("gemma3")) continue;
    ExpectSameFromOtherForms(editor, *expected);
  }
}

// As transformers has them: what is not said is 1.
TEST_F(ImportFolderTest, MultipliersOfGranite) {
  const std::vector<uint8_t> bytes = VariationMaker("granite").editor.Encode();
  const auto gguf = GgufReader::Parse(bytes);
  const HfFolderEditor granite(*gguf, TensorType::kF32);
  const auto plain = Import(granite);
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_TRUE(notes_.empty());
  HfFolderEditor ones = granite, silent = granite;
  for (const Multiplier& m : kMultipliers) {
    ones.config[m.field] = 1;
    silent.config.erase(m.field);
    HfFolderEditor changed = granite;
    const auto error_of = [&](const Json& value) {
      changed.config[m.field] = value;
      const auto result = Import(changed);
      EXPECT_FALSE(result) << m.field << " " << value;
      return result ? "" : result.error().what;
    };
    const std::string field =
        Source() + "/config.json: field " + std::string(m.field) + " ";
    for (const double bad : {0.0, -0.5, 1e-4, 2000.0}) {
      EXPECT_EQ(error_of(bad), field + m.RangeError());
    }
    EXPECT_EQ(error_of(1e300), field + "is not a number");
    EXPECT_EQ(error_of("0.5"), field + "is not a number");
    EXPECT_EQ(error_of(true), field + "is not a number");
    EXPECT_EQ(error_of(nullptr), field + "is null");
    changed.config[m.field] = 0.25;
    const auto other = Import(changed);
    ASSERT_TRUE(other) << other.error().what;
    EXPECT_NE(*other, *plain) << m.field;
  }
  const auto all_one = Import(ones);
  ASSERT_TRUE(all_one) << all_one.error().what;
  EXPECT_EQ(*Import(silent), *all_one);
  // Scores are divided by nothing then, not by the root of head_dim.
  EXPECT_EQ((*Model::Open(Target()))->config().score_divisor, 1);
  for (const char* option : {"attention_bias", "mlp_bias"}) {
    HfFolderEditor changed = granite;
    changed.config[option] = true;
    const auto result = Import(changed);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what,
              Source() + "/config.json: field " + option + " is not supported");
  }
}

// With a head of its own, which has all that the embedding has.
TEST_F(ImportFolderTest, GraniteWithItsOwnHead) {
  GgufEditor gguf = VariationMaker("granite").editor;
  gguf.tensors["output.weight"] = gguf.tensors.at("token_embd.weight");
  const std::vector<uint8_t> bytes = gguf.Encode();
  const auto expected = ImportGgufBytes(bytes, Target(), {"a", "", true});
  ASSERT_TRUE(expected) << expected.error().what;
  EXPECT_FALSE((*Model::Open(Target()))->config().tied_head);
  const auto parsed = GgufReader::Parse(bytes);
  HfFolderEditor editor(*parsed, TensorType::kF32);
  editor.config["tie_word_embeddings"] = false;
  const auto fingerprint = Import(editor);
  ASSERT_TRUE(fingerprint) << fingerprint.error().what;
  EXPECT_EQ(*fingerprint, *expected);
}

TEST_F(ImportFolderTest, RelativesAreRefusedWithAReason) {
  for (const auto& [type, why] :
       {std::pair("granitemoe", ", whose feed-forward parts are experts"),
        {"granitemoeshared", ", whose feed-forward parts are experts"},
        {"granitemoehybrid", ", whose layers may keep a state instead of"},
        {"lfm2", ", most of whose layers are convolutions"},
        {"mamba2", " (only llama, "}}) {
    EXPECT_EQ(ConfigError("model_type", type)
                  .find("model_type is " + std::string(type) + why),
              0u)
        << type;
  }
}

// Mistral is Llama, in its first version with local layers alone.
TEST_F(ImportFolderTest, MistralIsLlama) {
  HfFolderEditor editor = Tiny();
  editor.config["model_type"] = "mistral";
  editor.config["architectures"] = {"MistralForCausalLM"};
  editor.config["sliding_window"] = nullptr;
  ExpectTiny(editor);
  editor.config["sliding_window"] = 24;
  ASSERT_TRUE(Import(editor));
  const auto model = Model::Open(Target());
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_EQ((*model)->config().local_positions, 24u);
  EXPECT_TRUE((*model)->config().is_local(0));
  EXPECT_TRUE((*model)->config().is_local(1));
  EXPECT_TRUE(
      std::ranges::equal((*model)->rope_steps(), (*model)->local_rope_steps()));
}

// A SentencePiece vocabulary: scores in one source, merges in the other.
TEST_F(ImportFolderTest, SentencePieceGivesTheModelOfTheGguf) {
  GgufEditor gguf(gguf_);
  gguf.SetString("tokenizer.ggml.model", "llama");
  std::vector<float> scores;
  const auto num_tokens = gguf_.GetStrings("tokenizer.ggml.tokens")->size();
  for (size_t id = 0; id < num_tokens; ++id) {
    scores.push_back(-static_cast<float>(id * 7919 % 101));  // some are equal
  }
  gguf.SetF32s("tokenizer.ggml.scores", scores);
  const std::vector<uint8_t> bytes = gguf.Encode();
  const auto expected = ImportGgufBytes(bytes, Target(), {"a", "", true});
  ASSERT_TRUE(expected) << expected.error().what;

  HfFolderEditor editor(*GgufReader::Parse(bytes), TensorType::kF32);
  HfFolderEditor other = editor;
  const Json replace = editor.tokenizer["normalizer"];
  const auto fingerprint = Import(editor);
  ASSERT_TRUE(fingerprint) << fingerprint.error().what;
  EXPECT_EQ(*fingerprint, *expected);
  EXPECT_EQ((*Model::Open(Target()))->tokenizer().pre_tokenizer,
            kSentencePiece);
  // Other ways to write blanks, as Llama 2 and Mistral have them.
  other.tokenizer["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers", {{{"type", "Prepend"}, {"prepend", "\u2581"}}, replace}}};
  EXPECT_EQ(*Import(other), *expected);
  other.tokenizer["normalizer"] = nullptr;
  other.tokenizer["pre_tokenizer"] = {{"type", "Metaspace"},
                                      {"replacement", "\u2581"},
                                      {"prepend_scheme", "first"},
                                      {"split", false}};
  EXPECT_EQ(*Import(other), *expected);

  editor.tokenizer["model"]["merges"].erase(5);
  const auto bad = Import(editor);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().what.find("merges are not those of SentencePiece"),
            std::string::npos);
}

TEST_F(ImportFolderTest, NameAndSourceComeFromTheFolder) {
  ASSERT_TRUE(Import(Tiny()));
  const auto model = Model::Open(Target());
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_EQ((*model)->name(), "tiny-model");
  EXPECT_EQ((*model)->license(), "");
  // The output of sha256sum.
  std::string lines;
  for (const char* name : {"config.json", "tokenizer.json", kWeights}) {
    Sha256 hash;
    hash.Update(*ReadFile(Source() + "/" + name));
    const auto digest = hash.Digest();
    for (const uint8_t byte : digest) {
      char hex[3];
      std::snprintf(hex, sizeof(hex), "%02x", byte);
      lines += hex;
    }
    lines += std::string("  ") + name + "\n";
  }
  Sha256 hash;
  hash.Update(AsBytes(lines));
  EXPECT_EQ((*model)->source_sha256(), hash.Digest());
}

TEST_F(ImportFolderTest, WeightsInSeveralFiles) {
  HfFolderEditor whole = Tiny(), split = Tiny();
  split.weights.clear();
  Json map;
  const SafetensorsEditor& all = whole.weights[kWeights];
  for (const auto& [name, entry] : all.header.items()) {
    const char* file = map.size() % 2 == 0 ? "a.safetensors" : "b.safetensors";
    const size_t begin = entry["data_offsets"][0];
    const size_t end = entry["data_offsets"][1];
    split.weights[file].Add(name, "F32",
                            entry["shape"].get<std::vector<uint64_t>>(),
                            {all.data.begin() + begin, all.data.begin() + end});
    map[name] = file;
  }
  split.weights["a.safetensors"].header["__metadata__"] = {{"format", "pt"}};
  ExpectTiny(split);
  split.index = {{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
  ExpectTiny(split);
  // Files that the index does not name are not read.
  split.weights["other.safetensors"].data = {1, 2, 3};
  ExpectTiny(split);
  split.index = nullptr;
  EXPECT_FALSE(Import(split));
}

TEST_F(ImportFolderTest, AHeadOfItsOwn) {
  HfFolderEditor editor = Tiny();
  SafetensorsEditor& file = editor.weights[kWeights];
  const Json embedding = file.header["model.embed_tokens.weight"];
  const size_t begin = embedding["data_offsets"][0];
  const size_t end = embedding["data_offsets"][1];
  file.Add("lm_head.weight", "F32",
           embedding["shape"].get<std::vector<uint64_t>>(),
           {file.data.begin() + begin, file.data.begin() + end});
  file.Add("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {1},
           std::vector<uint8_t>(4));
  ExpectTiny(editor);  // it says that both are one
  editor.config.erase("tie_word_embeddings");
  ASSERT_TRUE(Import(editor));
  const auto model = Model::Open(Target());
  ASSERT_TRUE(model);
  EXPECT_FALSE((*model)->config().tied_head);
  EXPECT_EQ((*model)->head().num_rows, (*model)->config().num_tokens);
}

TEST_F(ImportFolderTest, OtherWaysToSayTheSame) {
  HfFolderEditor editor = Tiny();
  editor.config.erase("rope_theta");
  editor.config.erase("architectures");
  editor.config.erase("hidden_act");
  editor.config["rope_parameters"] = {{"rope_theta", 10000},
                                      {"rope_type", "default"}};
  editor.config["head_dim"] = nullptr;
  editor.config["eos_token_id"] = {2, 0};
  editor.config["torch_dtype"] = "float32";
  for (Json& merge : editor.tokenizer["model"]["merges"]) {
    const std::string text = merge;
    const size_t space = text.find(' ', 1);
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  // Added tokens need not be in the vocabulary.
  for (const Json& added : editor.tokenizer["added_tokens"]) {
    editor.tokenizer["model"]["vocab"].erase(std::string(added["content"]));
  }
  ExpectTiny(editor);
}

TEST_F(ImportFolderTest, OtherPreTokenizers) {
  const auto imported_as = [this](const Json& pre_tokenizer, bool ignores) {
    HfFolderEditor editor = Tiny();
    editor.tokenizer["pre_tokenizer"] = pre_tokenizer;
    editor.tokenizer["model"]["ignore_merges"] = ignores;
    const auto fingerprint = Import(editor);
    if (!fingerprint) return fingerprint.error().what;
    return std::string((*Model::Open(Target()))->tokenizer().pre_tokenizer);
  };
  const Json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto split = [&bytes](const char* digits) {
    const std::string regex =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
        std::string(digits) +
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    const Json step = {{"type", "Split"},
                       {"pattern", {{"Regex", regex}}},
                       {"behavior", "Isolated"},
                       {"invert", false}};
    return Json{{"type", "Sequence"}, {"pretokenizers", {step, bytes}}};
  };
  const Json gpt2 = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  EXPECT_EQ(imported_as(gpt2, false), "gpt-2");
  EXPECT_EQ(imported_as(split("\\p{N}"), false), "qwen2");
  EXPECT_EQ(imported_as(split("\\p{N}{1,3}"), true), "llama-bpe");
  EXPECT_EQ(imported_as(split("\\p{N}{1,3}"), false), "dbrx");
  EXPECT_EQ(imported_as(split("\\p{N}"), true), "qwen2");
  // The same in other words.
  Json olmo = split("\\p{N}{1,3}");
  std::string regex = olmo["pretokenizers"][0]["pattern"]["Regex"];
  regex = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+" +
          regex.substr(regex.find("\\p{L}+"));
  olmo["pretokenizers"][0]["pattern"]["Regex"] = regex;
  EXPECT_EQ(imported_as(olmo, false), "dbrx");
  EXPECT_EQ(imported_as(bytes, false), "unsplit");
  Json prefixed = gpt2;
  prefixed["add_prefix_space"] = true;
  EXPECT_EQ(imported_as(prefixed, false), "gpt-2");
  EXPECT_TRUE(notes_.empty());
  // What is not known is noted; the nearest is taken.
  EXPECT_EQ(imported_as(split("\\p{N}{2}"), false), "smollm");
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("not known ((?i:'s|'t|"), std::string::npos);
  Json by_text = split("x");
  by_text["pretokenizers"][0]["pattern"] = {{"String", "x"}};
  EXPECT_EQ(imported_as(by_text, false), "smollm");
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("a Split by a text"), std::string::npos);
  const Json digits = {{"type", "Digits"}, {"individual_digits", false}};
  EXPECT_EQ(
      imported_as({{"type", "Sequence"}, {"pretokenizers", {digits, gpt2}}},
                  false),
      "smollm");
  EXPECT_EQ(notes_.size(), 1u);
}

TEST_F(ImportFolderTest, TheHeadThatIsThereIsTaken) {
  HfFolderEditor editor = Tiny();
  editor.config["tie_word_embeddings"] = false;
  ExpectTiny(editor);  // there is none
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("there is no lm_head.weight"), std::string::npos);
  // One that is not the embedding, whatever the configuration says.
  editor.config["tie_word_embeddings"] = true;
  SafetensorsEditor& file = editor.weights[kWeights];
  const Json embedding = file.header["model.embed_tokens.weight"];
  const size_t begin = embedding["data_offsets"][0];
  const size_t end = embedding["data_offsets"][1];
  std::vector<uint8_t> head(file.data.begin() + begin, file.data.begin() + end);
  for (size_t i = 3; i < head.size(); i += 4) head[i] ^= 0x80;
  file.Add("lm_head.weight", "F32",
           embedding["shape"].get<std::vector<uint64_t>>(), head);
  ASSERT_TRUE(Import(editor));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("lm_head.weight is not the embedding"),
            std::string::npos);
  const auto model = Model::Open(Target());
  ASSERT_TRUE(model);
  EXPECT_FALSE((*model)->config().tied_head);
  const LinearWeights& own = (*model)->head();
  const LinearWeights& rows = (*model)->embedding();
  EXPECT_EQ(own.values[own.value_idx(7, 9)],
            -rows.values[rows.value_idx(7, 9)]);
}

TEST_F(ImportFolderTest, FieldsThatAreNotRead) {
  // What changes the model is refused by name.
  for (const auto& [key, value] :
       {std::pair<const char*, Json>{"partial_rotary_factor", 0.5},
        {"residual_multiplier", 0.22},
        {"logits_scaling", 8},
        {"num_local_experts", 8},
        {"clip_qkv", 8.0},
        {"final_logit_softcapping", 30.0}}) {
    EXPECT_EQ(ConfigError(key, value), std::string(key) + " is not supported");
  }
  EXPECT_EQ(ConfigError("layer_types", {"full_attention", "sliding_attention"}),
            "layer_types has a type that is not supported here");
  // What says nothing, or nothing of the model, is not worth a word.
  HfFolderEditor editor = Tiny();
  editor.config["partial_rotary_factor"] = 1.0;
  editor.config["pretraining_tp"] = 1;
  editor.config["residual_multiplier"] = 1;
  editor.config["num_local_experts"] = 0;
  editor.config["layer_types"] = {"full_attention", "full_attention"};
  editor.config["initializer_range"] = 0.02;
  editor.config["something_new"] = false;
  ExpectTiny(editor);
  EXPECT_TRUE(notes_.empty());
  // Anything else is noted.
  editor.config["something_new"] = "fast";
  editor.config["pretraining_tp"] = 2;
  ExpectTiny(editor);
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_NE(notes_[0].find("pretraining_tp"), std::string::npos);
  EXPECT_NE(notes_[1].find("something_new"), std::string::npos);
}

TEST_F(ImportFolderTest, ErrorsNameTheFieldOfTheConfig) {
  EXPECT_EQ(ConfigError("model_type", "rwkv"),
            "model_type is rwkv (only " + ModelTypeNames() + " can be read)");
  EXPECT_EQ(ConfigError("architectures", {"Other"}),
            "architectures does not name LlamaForCausalLM");
  EXPECT_EQ(ConfigError("hidden_act", "gelu"), "hidden_act is not silu");
  EXPECT_EQ(ConfigError("attention_bias", true),
            "attention_bias is not supported");
  EXPECT_EQ(ConfigError("mlp_bias", 1), "mlp_bias is neither true nor false");
  EXPECT_EQ(ConfigError("quantization_config", Json::object()),
            "quantization_config is not supported");
  EXPECT_EQ(ConfigError("rope_scaling", {{"rope_type", "longrope"}}),
            "rope_scaling.rope_type is longrope (only default, linear, llama3, "
            "yarn can be read)");
  EXPECT_EQ(ConfigError("rope_scaling", {{"type", "dynamic"}}),
            "rope_scaling.type is dynamic (only default, linear, llama3, yarn "
            "can be read)");
  EXPECT_EQ(ConfigError("rope_scaling", {{"type", "linear"}}),
            "rope_scaling.factor is missing");
  EXPECT_EQ(ConfigError("rope_theta", "1"), "rope_theta is not a number");
  EXPECT_EQ(ConfigError("rms_norm_eps", 1e300), "rms_norm_eps is not a number");
  EXPECT_EQ(ConfigError("hidden_size", 128.0),
            "hidden_size is not a 32-bit count");
  EXPECT_EQ(ConfigError("hidden_size", -128),
            "hidden_size is not a 32-bit count");
  EXPECT_EQ(ConfigError("hidden_size", nullptr), "hidden_size is missing");
  EXPECT_EQ(ConfigError("num_attention_heads", 0), "num_attention_heads is 0");
  EXPECT_EQ(ConfigError("bos_token_id", "x"), "bos_token_id is no token id");
  EXPECT_EQ(ConfigError("intermediate_size", 256),
            ": tensor model.layers.0.mlp.gate_proj.weight does not have the "
            "shape that follows from the metadata");
  EXPECT_EQ(ConfigError("num_hidden_layers", 1),
            ": tensor model.layers.1.input_layernorm.weight is not known");
}

TEST_F(ImportFolderTest, ErrorsNameTheFieldOfTheTokenizer) {
  EXPECT_EQ(TokenizerError("/model/type", "Unigram"),
            "field model.type is Unigram (only BPE can be read)");
  EXPECT_EQ(TokenizerError("/model/byte_fallback", true),
            "field model.byte_fallback is set, but nothing writes U+2581 for "
            "blanks");
  EXPECT_EQ(TokenizerError("/model/end_of_word_suffix", "</w>"),
            "field model.end_of_word_suffix is not supported");
  EXPECT_EQ(TokenizerError("/model/vocab", Json::array()),
            "field model.vocab is not an object");
  EXPECT_EQ(TokenizerError("/model/vocab/a", 1u << 20),
            "token a has no usable id");
  EXPECT_EQ(TokenizerError("/model/vocab/a", "1"), "token a has no usable id");
  EXPECT_EQ(TokenizerError("/model/vocab/new", 100),
            "token new has the id of another one");
  EXPECT_EQ(TokenizerError("/added_tokens/0/id", 300),
            "token <|endoftext|> has two ids");
  EXPECT_EQ(TokenizerError("/model/merges/3", "ab"), "malformed merge: ab");
  EXPECT_EQ(TokenizerError("/model/merges/3", {"a", "b", "c"}),
            "field model.merges has an entry that is not a pair");
  for (const Json& other : {Json(nullptr), Json{{"type", "Metaspace"}}}) {
    EXPECT_EQ(TokenizerError("/pre_tokenizer", other),
              "field pre_tokenizer is not byte-level (only that can be read)");
  }
  EXPECT_EQ(TokenizerError("/pre_tokenizer/pretokenizers/1", nullptr),
            "field pre_tokenizer.type is missing");
  EXPECT_EQ(TokenizerError("/pre_tokenizer",
                           {{"type", "Digits"}, {"individual_digits", true}}),
            "field pre_tokenizer is not byte-level (only that can be read)");
}

TEST_F(ImportFolderTest, BadWeightsFilesAndIndices) {
  const auto with_map = [](Json map) {
    return [map](HfFolderEditor& e) { e.index = {{"weight_map", map}}; };
  };
  EXPECT_EQ(ErrorOf(with_map(1)),
            "/model.safetensors.index.json: field weight_map is not an object");
  for (const char* name : {"../x.safetensors", "x.bin", ".safetensors"}) {
    EXPECT_EQ(ErrorOf(with_map({{"t", name}})),
              "/model.safetensors.index.json: field weight_map.t is no name of "
              "a .safetensors file in the folder");
  }
  EXPECT_EQ(ErrorOf(with_map({{"t", kWeights}})),
            "/model.safetensors: tensor model.embed_tokens.weight is not in "
            "the index");
  const auto map_all = [](HfFolderEditor& e) {
    for (const auto& entry : e.weights[kWeights].header.items()) {
      e.index["weight_map"][entry.key()] = kWeights;
    }
  };
  EXPECT_EQ(ErrorOf([&](HfFolderEditor& e) {
              map_all(e);
              e.index["weight_map"]["more"] = kWeights;
            }),
            "/model.safetensors: tensor more is missing");
  EXPECT_EQ(ErrorOf([&](HfFolderEditor& e) {
              map_all(e);
              e.weights["x.safetensors"];
              e.index["weight_map"]["model.norm.weight"] = "x.safetensors";
            }),
            "/model.safetensors: tensor model.norm.weight is in another file "
            "by the index");
  EXPECT_EQ(ErrorOf([](HfFolderEditor& e) {
              auto all = e.weights.extract(kWeights);
              all.key() = "a.safetensors";
              e.weights.insert(std::move(all));
              e.weights["x.safetensors"].Add("model.norm.weight", "F32", {1},
                                             std::vector<uint8_t>(4));
            }),
            "/x.safetensors: tensor model.norm.weight is in another file, too");
  EXPECT_EQ(ErrorOf([](HfFolderEditor& e) { e.weights.clear(); }),
            ": there are no .safetensors files");
}

// What stands beside it is of another format, an adapter or an older model.
TEST_F(ImportFolderTest, OneFileOfWeightsComesFirst) {
  HfFolderEditor editor = Tiny();
  for (const char* name : {"consolidated.safetensors", "model-1.safetensors"}) {
    editor.weights[name].Add("x.weight", "F32", {1}, std::vector<uint8_t>(4));
  }
  ExpectTiny(editor);
  EXPECT_TRUE(notes_.empty());
  editor.index["weight_map"]["x.weight"] = "model-1.safetensors";
  ExpectTiny(editor);
  EXPECT_EQ(notes_, std::vector<std::string>{
                        "model.safetensors is taken, and not the files that "
                        "model.safetensors.index.json names"});
}

TEST_F(ImportFolderTest, MissingFiles) {
  for (const char* name : {"config.json", "tokenizer.json"}) {
    Tiny().Write(Source());
    fs::remove(Source() + "/" + name);
    const auto result = ImportModel(Source(), Target(), {"", "", true});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_NE(result.error().what.find(std::string("there is no ") + name),
              std::string::npos);
  }
}

// Links in a circle: the system refuses to open them, to root as well.
TEST_F(ImportFolderTest, FilesThatCannotBeOpenedAreNotMissing) {
  for (const char* name : {"config.json", "tokenizer.json", kWeights,
                           "model.safetensors.index.json"}) {
    Tiny().Write(Source());
    const std::string path = Source() + "/" + name;
    fs::remove(path);
    fs::create_symlink(path, path);
    const auto result = ImportModel(Source(), Target(), {"", "", true});
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_EQ(result.error().what,
              "cannot open " + path + ": Too many levels of symbolic links");
    fs::remove(path);
  }
}

}  // namespace
}  // namespace llma
