// SPDX-License-Identifier: Apache-2.0
// GGUF files as programs write them: what says nothing is accepted, what is
// approximated is noted, and what changes the model is read or refused by name.
#include "importer/gguf/gguf_keys.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "importer/convert/multipliers.h"
#include "importer/gguf/import_gguf.h"
#include "importer/measure/import_loss.h"
#include "importer/testing/architecture_variations.h"
#include "importer/testing/gguf_editor.h"
#include "importer/testing/tiny_gemma.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

namespace fs = std::filesystem;
using Change = std::function<void(GgufEditor&)>;

const std::string kTinyGguf = LLMA_TEST_DATA_DIR "/tiny.gguf";

GgufEditor Tiny() {
  static const auto bytes = ReadFile(kTinyGguf);
  return GgufEditor(*GgufReader::Parse(*bytes));
}

class GgufKeysTest : public testing::Test {
 protected:
  GgufKeysTest() {
    std::string name = testing::TempDir() + "llma_keys_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~GgufKeysTest() override { fs::remove_all(folder_); }

  // Of a file that must be imported; notes_ get the rest.
  std::unique_ptr<Model> Import(const GgufEditor& editor) {
    const std::string path = folder_ + "/made.llmm";
    notes_.clear();
    const auto made = ImportGgufBytes(
        editor.Encode(), path,
        {"made", "", true,
         [this](const std::string& note) { notes_.push_back(note); }});
    EXPECT_TRUE(made) << made.error().what;
    auto model = Model::Open(path);
    EXPECT_TRUE(model);
    return model ? *std::move(model) : nullptr;
  }
  Fingerprint Print(const Change& change, GgufEditor editor = Tiny()) {
    change(editor);
    const auto model = Import(editor);
    return model == nullptr ? Fingerprint{} : model->fingerprint();
  }
  std::string ErrorOf(const Change& change, GgufEditor editor = Tiny()) {
    change(editor);
    const auto made =
        ImportGgufBytes(editor.Encode(), folder_ + "/bad", {"bad", "", true});
    EXPECT_FALSE(made);
    return made ? "" : made.error().what;
  }
  // Bits of a text by the changed tiny model, exactly.
  double Bits(const Change& change) {
    GgufEditor editor = Tiny();
    change(editor);
    const std::string path = folder_ + "/source.gguf";
    const std::vector<uint8_t> bytes = editor.Encode();
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    std::string text;
    for (int i = 0; i < 60; ++i) {
      text += "the " + std::to_string(i * 37 % 101) + " of them were there, ";
    }
    const auto loss = MeasureImportLoss(path, "", AsBytes(text), 600, 1);
    EXPECT_TRUE(loss) << loss.error().what;
    return loss ? loss->exact_bits : 0;
  }

  std::string folder_;
  std::vector<std::string> notes_;
};

// What llama.cpp itself writes when it saves a model of the architecture llama
// (llama_model_save_to_file, October 2026).
void AddWhatLlamaCppWrites(GgufEditor& e) {
  const std::string a = "llama.";
  for (const char* name : {"leading_dense_block_count",
                           "expert_feed_forward_length",
                           "expert_latent_length",
                           "expert_shared_feed_forward_length",
                           "expert_chunk_feed_forward_length",
                           "expert_count",
                           "expert_used_count",
                           "expert_shared_count",
                           "expert_group_count",
                           "expert_group_used_count",
                           "expert_gating_func",
                           "experts_per_group",
                           "moe_every_n_layers",
                           "nextn_predict_layers",
                           "n_deepstack_layers",
                           "decoder_block_count",
                           "rescale_every_n_layers",
                           "time_mix_extra_dim",
                           "time_decay_extra_dim",
                           "hrm.layers_per_stack",
                           "hrm.h_cycles",
                           "hrm.l_cycles",
                           "interleave_moe_layer_step",
                           "attention.group_norm_groups",
                           "attention.value_expert_count",
                           "attention.q_lora_rank",
                           "attention.kv_lora_rank",
                           "attention.relative_buckets_count",
                           "attention.sliding_window",
                           "attention.temperature_length",
                           "attention.key_length_mla",
                           "attention.indexer.head_count",
                           "attention.recurrent_layers",
                           "attention.output_group_count",
                           "attention.compress_ratios",
                           "hyper_connection.count",
                           "hash_layer_count",
                           "ssm.inner_size",
                           "ssm.conv_kernel",
                           "ssm.state_size",
                           "ssm.group_count",
                           "kda.head_dim",
                           "wkv.head_size",
                           "posnet.embedding_length",
                           "convnext.block_count",
                           "shortconv.l_cache",
                           "attn_res.block_size",
                           "dense_2_feat_in",
                           "dense_3_feat_out"}) {
    e.SetU32(a + name, 0);
  }
  for (const char* name :
       {"expert_weights_scale", "logit_scale", "residual_scale",
        "embedding_scale", "attention.max_alibi_bias", "attention.clamp_kqv",
        "attention.layer_norm_epsilon", "attention.group_norm_epsilon",
        "attention.scale", "attention.output_scale", "attention.value_scale",
        "attention.temperature_scale", "attention.compress_rope_freq_base",
        "hyper_connection.epsilon", "rope.scaling.factor",
        "rope.scaling.yarn_log_multiplier", "activation.situ_linear_beta"}) {
    e.SetF32(a + name, 0);
  }
  for (const char* name :
       {"use_parallel_residual", "expert_weights_norm", "swin_norm",
        "hrm.prefix_lm", "rope.scaling.finetuned", "ssm.dt_b_c_rms",
        "kda.safe_gate"}) {
    e.SetBool(a + name, false);
  }
  e.SetF32s(a + "swiglu_clamp_exp", {0, 0});
  e.SetF32(a + "expert_group_scale", 0.05f);
  e.SetU32s(a + "deepstack_mapping", std::vector<uint32_t>(512, ~0u));
  e.SetU32(a + "pooling_type", ~0u);
  e.SetI32(a + "decoder_start_token_id", -1);
  e.SetF32(a + "attn_logit_softcapping", 50);
  e.SetF32(a + "router_logit_softcapping", 30);
  e.SetF32(a + "final_logit_softcapping", 30);
  e.SetU32(a + "token_shift_count", 2);
  e.SetBool(a + "attention.causal", true);
  e.SetU32(a + "attention.rope_pattern", 1);
  e.SetBool(a + "attention.indexer.kpool_select_tail", true);
  e.SetU32(a + "attention.key_length", 32);
  e.SetU32(a + "attention.value_length", 32);
  e.SetU32(a + "attention.key_length_swa", 32);
  e.SetU32(a + "attention.value_length_swa", 32);
  e.SetU32(a + "rope.dimension_count", 32);
  e.SetU32(a + "rope.dimension_count_swa", 32);
  e.SetU32s(a + "rope.dimension_sections", {0, 0, 0, 0});
  e.SetF32(a + "rope.freq_base_swa", 10000);
  e.SetString(a + "rope.scaling.type", "linear");
  e.SetF32(a + "rope.scaling.attn_factor", 1);
  e.SetU32(a + "rope.scaling.original_context_length", 512);
  e.SetF32(a + "rope.scaling.yarn_ext_factor", -1);
  e.SetF32(a + "rope.scaling.yarn_attn_factor", 1);
  e.SetF32(a + "rope.scaling.yarn_beta_fast", 32);
  e.SetF32(a + "rope.scaling.yarn_beta_slow", 1);
  e.SetF32(a + "kda.gate_lower_bound", -std::numeric_limits<float>::infinity());
  e.SetF32(a + "activation.situ_beta", 1);
  e.SetStrings(a + "classifier.output_labels", {});
  // And others.
  e.SetString(a + "tensor_data_layout", "Meta AI original pth");
  e.SetF32("xielu.alpha_n", 1);
}

TEST_F(GgufKeysTest, WhatSaysNothingIsAccepted) {
  const Fingerprint tiny = Print([](GgufEditor&) {});
  EXPECT_EQ(Print(AddWhatLlamaCppWrites), tiny);
  EXPECT_TRUE(notes_.empty());
  EXPECT_EQ(Print([](GgufEditor& e) {
              AddWhatLlamaCppWrites(e);
              for (const char* name :
                   {"logit_scale", "embedding_scale", "residual_scale"}) {
                e.SetF32("llama." + std::string(name), 1);
              }
              e.SetU32("llama.attention.sliding_window", 512);
            }),
            tiny);
}

TEST_F(GgufKeysTest, WhatChangesTheModelIsRefusedByName) {
  const auto f32 = [](const char* name, float value) {
    return [=](GgufEditor& e) { e.SetF32(name, value); };
  };
  EXPECT_EQ(ErrorOf(f32("llama.logit_scale", 0.5f)),
            "metadata llama.logit_scale is 0.5, which is not supported");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetBool("llama.attention.causal", false);
            }),
            "metadata llama.attention.causal is false, which is not "
            "supported");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetBool("llama.use_parallel_residual", true);
            }),
            "metadata llama.use_parallel_residual is true, which is not "
            "supported");
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetU32s("llama.rope.dimension_sections", {8, 8, 0, 0});
            }),
            "metadata llama.rope.dimension_sections is a list, which is not "
            "supported");
  EXPECT_NE(ErrorOf(f32("llama.attention.scale", 0.1f)).find("is 0.1"),
            std::string::npos);
  EXPECT_NE(ErrorOf(f32("llama.final_logit_softcapping", 20)).find("is 20,"),
            std::string::npos);
  EXPECT_NE(ErrorOf(f32("llama.rope.scaling.yarn_beta_fast", 8)), "");
  EXPECT_NE(ErrorOf(f32("llama.rope.scaling.attn_factor", 0)), "");
}

// Of Granite: what llama.cpp takes as said by 0 and by silence.
TEST_F(GgufKeysTest, MultipliersOfGranite) {
  const GgufEditor granite = VariationMaker("granite").editor;
  const auto model = Import(granite);
  ASSERT_NE(model, nullptr);
  EXPECT_TRUE(notes_.empty());
  EXPECT_EQ(model->config().embedding_scale, kVariationEmbeddingScale);
  EXPECT_EQ(model->config().score_divisor, 1 / kVariationAttentionScale);
  // None at all is Llama.
  const auto without =
      [](const std::function<void(GgufEditor&, std::string)>& change) {
        return [&change](GgufEditor& e) {
          for (const char* name :
               {"embedding_scale", "attention.scale", "residual_scale"}) {
            change(e, "granite." + std::string(name));
          }
          e.SetF32("granite.logit_scale", 1);
        };
      };
  const Fingerprint tiny = Print([](GgufEditor&) {});
  EXPECT_EQ(Print(without([](GgufEditor& e, const std::string& key) {
                    e.values.erase(key);
                  }),
                  granite),
            tiny);
  EXPECT_EQ(Print(without([](GgufEditor& e, const std::string& key) {
                    e.SetF32(key, 0);
                  }),
                  granite),
            tiny);
  // Each alone is another model.
  for (const Multiplier& m : kMultipliers) {
    const std::string key = "granite." + std::string(m.gguf_name);
    EXPECT_NE(Print([&](GgufEditor& e) { e.SetF32(key, 0.5f); }, granite),
              model->fingerprint())
        << key;
    for (const float bad : {-1.0f, 1e-4f, 2000.0f, INFINITY, NAN}) {
      EXPECT_EQ(ErrorOf([&](GgufEditor& e) { e.SetF32(key, bad); }, granite),
                "metadata " + key + " is not from 2^-10 to " +
                    (key == "granite.attention.scale" ? "1" : "2^10"))
          << bad;
    }
    EXPECT_EQ(
        ErrorOf([&](GgufEditor& e) { e.SetString(key, "much"); }, granite),
        "GGUF: metadata " + key + " is not a float");
  }
  const std::string key = "granite.logit_scale";
  EXPECT_EQ(ErrorOf([&](GgufEditor& e) { e.values.erase(key); }, granite),
            "GGUF: metadata " + key + " is missing");
  EXPECT_EQ(ErrorOf([&](GgufEditor& e) { e.SetF32(key, 0); }, granite),
            "metadata " + key + " is not from 2^-10 to 2^10");
}

// Of Granite 4's family, which has models without state-space layers.
TEST_F(GgufKeysTest, GraniteMadeOfAHybridFamily) {
  const GgufEditor granite = VariationMaker("granite").editor;
  const Fingerprint plain = Print([](GgufEditor&) {}, granite);
  const auto change = [](GgufEditor& e) {
    e.SetU32("granite.ssm.conv_kernel", 4);
    e.SetU32("granite.ssm.state_size", 128);
    e.SetU32("granite.ssm.group_count", 1);
    e.SetU32("granite.ssm.inner_size", 256);
    e.SetU32("granite.ssm.time_step_rank", 8);
    e.SetU32s("granite.attention.head_count_kv", {2, 2});
    e.SetU32("granite.expert_shared_feed_forward_length", 256);
    e.SetBool("granite.rope.scaling.finetuned", true);
  };
  EXPECT_EQ(Print(change, granite), plain);
  EXPECT_TRUE(notes_.empty());
  EXPECT_EQ(ErrorOf(
                [&](GgufEditor& e) {
                  change(e);
                  e.SetBool("granite.rope.scaling.finetuned", false);
                },
                granite),
            "metadata granite.rope.scaling.finetuned is false: attention "
            "without RoPE cannot be read");
  EXPECT_NE(ErrorOf(
                [](GgufEditor& e) {
                  e.SetString("granite.rope.scaling.finetuned", "no");
                },
                granite)
                .find("is neither true nor false"),
            std::string::npos);
  EXPECT_NE(ErrorOf(
                [](GgufEditor& e) {
                  e.SetU32s("granite.attention.head_count_kv", {2, 0});
                },
                granite),
            "");
  EXPECT_NE(ErrorOf([](GgufEditor& e) { e.SetU32("granite.expert_count", 8); },
                    granite)
                .find("granite.expert_count is 8"),
            std::string::npos);
  // Of others these keys say something.
  EXPECT_NE(ErrorOf([](GgufEditor& e) {
              e.SetU32("llama.ssm.conv_kernel", 4);
            }).find("llama.ssm.conv_kernel is 4"),
            std::string::npos);
}

// Biases, which Granite's config has options for.
TEST_F(GgufKeysTest, BiasesOfGraniteAreRefusedByName) {
  for (const char* name : {"attn_q", "attn_output", "ffn_down"}) {
    const std::string tensor = "blk.1." + std::string(name) + ".bias";
    EXPECT_EQ(ErrorOf(
                  [&](GgufEditor& e) {
                    e.tensors[tensor] = e.tensors.at("output_norm.weight");
                  },
                  VariationMaker("granite").editor),
              "tensor " + tensor + " is not known");
  }
}

TEST_F(GgufKeysTest, RelativesAreRefusedWithAReason) {
  for (const auto& [name, why] :
       {std::pair("granitemoe",
                  "granitemoe, whose feed-forward parts are "
                  "experts (only llama, "),
        {"granitehybrid",
         "granitehybrid, most of whose layers keep a state "
         "instead of attending (only llama, "},
        {"lfm2", "lfm2, most of whose layers are convolutions (only llama, "},
        {"rwkv7", "rwkv7 (only llama, "}}) {
    EXPECT_EQ(ErrorOf([&name = name](GgufEditor& e) {
                e.SetString("general.architecture", name);
              }).find("architecture " + std::string(why)),
              0u)
        << name;
  }
}

TEST_F(GgufKeysTest, NumbersMayBeOfOtherTypesAndOfEachLayer) {
  const Fingerprint tiny = Print([](GgufEditor&) {});
  EXPECT_EQ(Print([](GgufEditor& e) {
              e.SetU32s("llama.attention.head_count", {4, 4});
              e.SetU32s("llama.attention.head_count_kv", {2, 2});
              e.SetU32s("llama.feed_forward_length", {192, 192});
              e.SetF64("llama.rope.freq_base", 10000);
            }),
            tiny);
  EXPECT_EQ(
      Print([](GgufEditor& e) { e.SetU32("llama.rope.freq_base", 10000); }),
      tiny);
  EXPECT_EQ(ErrorOf([](GgufEditor& e) {
              e.SetU32s("llama.attention.head_count_kv", {2, 1});
            }),
            "GGUF: metadata llama.attention.head_count_kv is not the same for "
            "each layer");
  EXPECT_EQ(
      ErrorOf([](GgufEditor& e) {
        e.SetU32s("llama.feed_forward_length", {192, 192, 192});
      }),
      "GGUF: metadata llama.feed_forward_length does not have one number for "
      "each layer");
}

// The bits are those of llama.cpp's logits for the same files, but for what
// rounding makes of them (tests/reference/compare_with_llama_cpp.py).
TEST_F(GgufKeysTest, RopeScalingMeansWhatItMeansToLlamaCpp) {
  const auto scaled = [](const char* type, const char* key, float factor) {
    return [=](GgufEditor& e) {
      if (*type != 0) e.SetString("llama.rope.scaling.type", type);
      if (*key != 0) e.SetF32("llama.rope." + std::string(key), factor);
    };
  };
  const double plain = Bits([](GgufEditor&) {});
  const double linear = Bits(scaled("linear", "scaling.factor", 4));
  EXPECT_NE(linear, plain);
  EXPECT_EQ(Bits(scaled("", "scaling.factor", 4)), linear);
  EXPECT_EQ(Bits(scaled("", "scale_linear", 4)), linear);
  EXPECT_EQ(Bits(scaled("none", "scaling.factor", 4)), plain);
  EXPECT_EQ(Bits(scaled("linear", "scaling.factor", 0)), plain);
  EXPECT_EQ(Bits(scaled("linear", "", 0)), plain);
  EXPECT_EQ(Bits(scaled("yarn", "", 0)), plain);
  EXPECT_NE(Bits(scaled("", "scaling.attn_factor", 1.5f)), plain);
  // The original length is the context's by default.
  const auto yarn = scaled("yarn", "scaling.factor", 4);
  EXPECT_EQ(Bits(yarn), Bits([&](GgufEditor& e) {
              yarn(e);
              e.SetU32("llama.rope.scaling.original_context_length", 512);
            }));
  EXPECT_NE(Bits(yarn), linear);
}

TEST_F(GgufKeysTest, HowATextIsCutIsGuessed) {
  const Fingerprint tiny = Print([](GgufEditor&) {});
  EXPECT_EQ(Print([](GgufEditor& e) { e.values.erase("tokenizer.ggml.pre"); }),
            tiny);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0],
            "metadata tokenizer.ggml.pre is missing: a text is cut as for "
            "smollm, by the looks of the tokens; files may be larger than "
            "with the right way");
  for (const char* name : {"default", "no-such"}) {
    EXPECT_EQ(
        Print([&](GgufEditor& e) { e.SetString("tokenizer.ggml.pre", name); }),
        tiny);
    ASSERT_EQ(notes_.size(), 1u);
    EXPECT_NE(notes_[0].find(std::string("is ") + name + ", which"),
              std::string::npos);
  }
}

TEST_F(GgufKeysTest, TokensWithoutTypesAreText) {
  const auto model = [&] {
    GgufEditor e = Tiny();
    e.values.erase("tokenizer.ggml.token_type");
    return Import(e);
  }();
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("token_type is missing"), std::string::npos);
  const auto tiny = Import(Tiny());
  ASSERT_TRUE(model && tiny);
  EXPECT_GE(model->config().num_tokens, tiny->config().num_tokens);
  // Types and scores of more tokens than there are.
  EXPECT_EQ(Print([](GgufEditor& e) {
              const auto bytes = e.Encode();
              const auto gguf = GgufReader::Parse(bytes);
              auto types = *gguf->GetU32s("tokenizer.ggml.token_type");
              types.resize(types.size() + 3, 1);
              e.SetU32s("tokenizer.ggml.token_type", types);
            }),
            tiny->fingerprint());
}

TEST_F(GgufKeysTest, IdsOfNoTokenAreNone) {
  const Fingerprint tiny = Print([](GgufEditor&) {});
  EXPECT_EQ(Print([](GgufEditor& e) {
              e.SetI32("tokenizer.ggml.bos_token_id", -1);
              e.SetU32("tokenizer.ggml.eos_token_id", 1u << 30);
            }),
            tiny);
}

TEST_F(GgufKeysTest, ScoresOfAnyNumbersAndMoreThanNeeded) {
  GgufEditor gemma = TinyGemma();
  const Fingerprint expected = Import(gemma)->fingerprint();
  // -0, -1, ... as the editor's scores are.
  const auto set = [](GgufEditor& e, int extra) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(GgufType::kI32));
    out.StoreU64(static_cast<uint64_t>(20 + extra));
    for (int id = 0; id < 20 + extra; ++id) {
      out.StoreU32(static_cast<uint32_t>(-(id % 13)));
    }
    e.Set("tokenizer.ggml.scores", GgufType::kArray, out);
  };
  for (const int extra : {0, 5}) {
    EXPECT_EQ(Print([&](GgufEditor& e) { set(e, extra); }, gemma), expected);
  }
  EXPECT_NE(ErrorOf([&](GgufEditor& e) { set(e, -1); }, gemma), "");
}

// Ollama's own files of Gemma 3.
TEST_F(GgufKeysTest, GemmaOfOllama) {
  GgufEditor gemma = TinyGemma();
  const Fingerprint expected = Import(gemma)->fingerprint();
  const auto make_ollamas = [](GgufEditor& e) {
    e.values.erase("gemma3.attention.layer_norm_rms_epsilon");
    e.values.erase("gemma3.rope.freq_base");
    e.SetF32("gemma3.rope.global.freq_base", 1000000);
    e.SetF32("gemma3.rope.local.freq_base", 10000);
    e.SetU32("gemma3.mm.tokens_per_image", 256);
    e.SetU32("gemma3.vision.block_count", 27);
    e.SetF32("gemma3.vision.attention.layer_norm_epsilon", 1e-6f);
    e.tensors["v.blk.0.attn_q.weight"] = {{4}, 0, std::vector<uint8_t>(16)};
    e.tensors["mm.mm_input_projection.weight"] = {
        {4}, 0, std::vector<uint8_t>(16)};
  };
  EXPECT_EQ(Print(make_ollamas, gemma), expected);
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_NE(notes_[0].find("do not read text"), std::string::npos);
  EXPECT_NE(notes_[1].find("layer_norm_rms_epsilon is missing"),
            std::string::npos);
  // Without the bases, and with some keys in a group.
  EXPECT_EQ(Print(
                [&](GgufEditor& e) {
                  make_ollamas(e);
                  e.values.erase("gemma3.rope.global.freq_base");
                  e.values.erase("gemma3.rope.local.freq_base");
                  const auto window =
                      e.values.at("gemma3.attention.sliding_window");
                  e.values.erase("gemma3.attention.sliding_window");
                  e.values["gemma3.text.attention.sliding_window"] = window;
                },
                gemma),
            expected);
}

TEST_F(GgufKeysTest, LocalLayersOneByOne) {
  GgufEditor gemma = VariationMaker("gemma3").editor;
  const Fingerprint expected = Import(gemma)->fingerprint();
  constexpr const char* kKey = "gemma3.attention.sliding_window_pattern";
  EXPECT_EQ(Print(
                [](GgufEditor& e) {
                  e.SetBools(kKey, {true, true, true, true, true, false});
                },
                gemma),
            expected);
  EXPECT_EQ(Print(
                [](GgufEditor& e) {
                  e.SetU32s(kKey, {0, 1, 0, 1, 0, 1});
                },
                gemma),
            [&] {
              GgufEditor e = gemma;
              e.SetBools(kKey, {false, true, false, true, false, true});
              return Import(e)->fingerprint();
            }());
  EXPECT_EQ(
      ErrorOf([](GgufEditor& e) { e.SetBools(kKey, {true}); }, gemma),
      "metadata gemma3.attention.sliding_window_pattern does not have one "
      "value for each layer");
}

// What llama.cpp means by silence in Gemma 2: caps, and a window of 4,096.
TEST_F(GgufKeysTest, SilenceOfGemma2) {
  GgufEditor gemma = VariationMaker("gemma2").editor;
  for (const char* name : {"attn_logit_softcapping", "final_logit_softcapping",
                           "attention.sliding_window"}) {
    gemma.values.erase("gemma2." + std::string(name));
  }
  const auto model = Import(gemma);
  EXPECT_EQ(model->config().score_cap, 50);
  EXPECT_EQ(model->config().logit_cap, 30);
  EXPECT_EQ(model->config().local_positions, 4096u);
}

}  // namespace
}  // namespace llma
