// SPDX-License-Identifier: Apache-2.0
// Every architecture, as a variation of the tiny model: the imported file is
// close to a float64 forward pass written here, and its bits are the same for
// every kernel set, thread count and batch.
#include "importer/convert/architecture.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/checksum.h"
#include "importer/gguf/import_gguf.h"
#include "importer/testing/architecture_variations.h"
#include "importer/testing/import_variation.h"
#include "model/fingerprint.h"
#include "model/forward.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

using Row = std::vector<double>;

double Value(const LinearWeights& w, uint32_t row, uint32_t col) {
  return double{w.scales[w.scale_idx(row, col / kGroupSize)]} *
         w.values[w.value_idx(row, col)];
}

Row Multiply(const LinearWeights& w, const Row& x) {
  Row y(w.num_rows);
  for (uint32_t r = 0; r < w.num_rows; ++r) {
    for (uint32_t c = 0; c < w.num_cols; ++c) y[r] += Value(w, r, c) * x[c];
  }
  return y;
}

void Norm(double* x, std::span<const float> weight, double eps) {
  double sum = 0;
  for (size_t i = 0; i < weight.size(); ++i) sum += x[i] * x[i];
  const double inverse =
      1 / std::sqrt(sum / static_cast<double>(weight.size()) + eps);
  for (size_t i = 0; i < weight.size(); ++i) x[i] *= inverse * weight[i];
}

// What the papers say of an architecture, in the tiny model's variation of it.
struct Traits {
  bool is_gemma = false;
  double base = 10000, local_base = 10000;
  size_t global_period = 1;  // every layer sees everything
  double score_cap = 0, logit_cap = 0;
  double embedding_scale = 1;
  double score_scale = 0;  // 0: 1 / sqrt(head_dim)
  double residual_scale = 1;
  double logit_divisor = 1;

  bool IsLocal(uint32_t layer) const {
    return (layer + 1) % global_period != 0;
  }
};

Traits TraitsOf(const std::string& name) {
  Traits traits;
  if (name == "gemma2") traits = {true, 1e6, 1e6, 2, 2, 5};
  if (name == "gemma3") traits = {true, 1e6, 1e4, 6, 0, 0};
  if (name == "granite") {
    traits.embedding_scale = kVariationEmbeddingScale;
    traits.score_scale = kVariationAttentionScale;
    traits.residual_scale = kVariationResidualScale;
    traits.logit_divisor = kVariationLogitScale;
  }
  return traits;
}

// Rotates a head; angles by their definition, not by the model's steps.
void Rotate(double* head, uint32_t dim, size_t position, double base) {
  for (uint32_t i = 0; i < dim / 2; ++i) {
    const double angle =
        static_cast<double>(position) * std::pow(base, -2.0 * i / dim);
    const double a = head[i], b = head[i + dim / 2];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + dim / 2] = b * std::cos(angle) + a * std::sin(angle);
  }
}

double Cap(double x, double cap) {
  return cap == 0 ? x : cap * std::tanh(x / cap);
}

// Over keys and values from position `first` on.
Row AttendExactly(const ModelConfig& c, const Row& q,
                  const std::vector<Row>& keys, const std::vector<Row>& values,
                  size_t first, const Traits& traits) {
  const double scale =
      traits.score_scale != 0 ? traits.score_scale : 1 / std::sqrt(c.head_dim);
  Row out(c.q_dim());
  for (uint32_t head = 0; head < c.num_heads; ++head) {
    const size_t kv =
        size_t{head / (c.num_heads / c.num_kv_heads)} * c.head_dim;
    Row p(keys.size());
    double max = -1e300, total = 0;
    for (size_t j = first; j < keys.size(); ++j) {
      for (uint32_t d = 0; d < c.head_dim; ++d) {
        p[j] += q[size_t{head} * c.head_dim + d] * keys[j][kv + d];
      }
      p[j] = Cap(p[j] * scale, traits.score_cap);
      max = std::max(max, p[j]);
    }
    for (size_t j = first; j < keys.size(); ++j) {
      total += p[j] = std::exp(p[j] - max);
    }
    for (size_t j = first; j < keys.size(); ++j) {
      for (uint32_t d = 0; d < c.head_dim; ++d) {
        out[size_t{head} * c.head_dim + d] += p[j] / total * values[j][kv + d];
      }
    }
  }
  return out;
}

double Gate(double g, bool is_gemma) {
  if (!is_gemma) return g / (1 + std::exp(-g));
  return g / 2 *
         (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g)));
}

void Add(Row& x, Row delta, double scale, std::span<const float> post_norm,
         double eps) {
  if (!post_norm.empty()) Norm(delta.data(), post_norm, eps);
  for (size_t i = 0; i < x.size(); ++i) x[i] += scale * delta[i];
}

// Logits after each token.
std::vector<Row> ExactLogits(const Model& model, const Traits& traits,
                             const std::vector<uint32_t>& tokens) {
  const ModelConfig& c = model.config();
  std::vector<std::vector<Row>> keys(c.num_layers), values(c.num_layers);
  std::vector<Row> logits;
  for (size_t pos = 0; pos < tokens.size(); ++pos) {
    Row x(c.dim);
    for (uint32_t i = 0; i < c.dim; ++i) {
      x[i] = Value(model.embedding(), tokens[pos], i) *
             (traits.is_gemma ? std::sqrt(c.dim) : traits.embedding_scale);
    }
    for (uint32_t l = 0; l < c.num_layers; ++l) {
      const LayerWeights& w = model.layer(l);
      const bool is_local = traits.IsLocal(l);
      Row h = x;
      Norm(h.data(), w.attn_norm, c.norm_eps);
      Row qkv = Multiply(w.qkv, h);
      for (size_t i = 0; i < w.qkv_bias.size(); ++i) qkv[i] += w.qkv_bias[i];
      for (uint32_t head = 0; head < c.num_heads + c.num_kv_heads; ++head) {
        double* at = &qkv[size_t{head} * c.head_dim];
        Norm(at, head < c.num_heads ? w.q_norm : w.k_norm, c.norm_eps);
        Rotate(at, c.head_dim, pos, is_local ? traits.local_base : traits.base);
      }
      const auto k = qkv.begin() + c.q_dim(), v = k + c.kv_dim();
      keys[l].emplace_back(k, v);
      values[l].emplace_back(v, qkv.end());
      const size_t first = is_local && pos >= kVariationLocalPositions
                               ? pos - kVariationLocalPositions + 1
                               : 0;
      Add(x,
          Multiply(w.attn_out,
                   AttendExactly(c, qkv, keys[l], values[l], first, traits)),
          traits.residual_scale, w.post_attn_norm, c.norm_eps);
      h = x;
      Norm(h.data(), w.ffn_norm, c.norm_eps);
      const Row gate_up = Multiply(w.gate_up, h);
      Row gated(c.ffn_dim);
      for (uint32_t i = 0; i < c.ffn_dim; ++i) {
        gated[i] = Gate(gate_up[i], traits.is_gemma) * gate_up[c.ffn_dim + i];
      }
      Add(x, Multiply(w.ffn_down, gated), traits.residual_scale,
          w.post_ffn_norm, c.norm_eps);
    }
    Norm(x.data(), model.output_norm(), c.norm_eps);
    logits.push_back(Multiply(model.head(), x));
    for (double& logit : logits.back()) {
      logit = Cap(logit / traits.logit_divisor, traits.logit_cap);
    }
  }
  return logits;
}

struct Case {
  const char* name;
  double max_rms;  // about 0.05 of the logits
  uint64_t golden;
  bool has_narrow_groups = false;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ArchitectureTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "llma_arch_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    VariationMaker maker(GetParam().name);
    if (GetParam().has_narrow_groups) {
      maker.WidenKeysAndValues(GetParam().name);
    }
    const auto gguf = maker.editor.Encode();
    const auto fingerprint = ImportGgufBytes(gguf, folder_ + "/a.llmm",
                                             {GetParam().name, "", false});
    ASSERT_TRUE(fingerprint) << fingerprint.error().what;
    auto model = Model::Open(folder_ + "/a.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    EXPECT_EQ(ComputeFingerprint(*model_), *fingerprint);
    // Whose weights are those of the source: Granite's multipliers are in some.
    if (GetParam().name == std::string("granite")) {
      plain_model_ = ImportVariation("llama");
      ASSERT_NE(plain_model_, nullptr);
    }
    TestRandom random(7);
    tokens_ = {model_->config().start_row};
    while (tokens_.size() < 60) {
      tokens_.push_back(random.Below(model_->config().num_tokens));
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<float> Logits(const char* kernels, uint32_t batch,
                            int num_threads, uint32_t window) {
    ThreadPool pool(num_threads);
    ForwardPass forward(*model_, **FindKernels(kernels), pool, batch, window);
    KvCache cache(model_->config(), window, batch);
    std::vector<float> logits(batch * forward.logits_stride()), all;
    for (size_t i = 0; i < tokens_.size(); i += batch) {
      const auto count =
          static_cast<uint32_t>(std::min<size_t>(batch, tokens_.size() - i));
      const StreamBatch stream = {&cache, std::span(tokens_).subspan(i, count)};
      forward.Run({&stream, 1});
      forward.ComputeLogits(0, count, logits.data());
      for (uint32_t r = 0; r < count; ++r) {
        const float* row = logits.data() + r * forward.logits_stride();
        all.insert(all.end(), row, row + model_->config().num_tokens);
      }
    }
    return all;
  }

  // Of the logits, from those of a model with these traits.
  double RmsError(const Traits& traits) {
    const auto logits = Logits("", 16, 1, 1024);
    const auto exact = ExactLogits(
        plain_model_ == nullptr ? *model_ : *plain_model_, traits, tokens_);
    const uint32_t num_tokens = model_->config().num_tokens;
    double sum_sq = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      for (uint32_t v = 0; v < num_tokens; ++v) {
        const double error = logits[i * num_tokens + v] - exact[i][v];
        sum_sq += error * error;
      }
    }
    return std::sqrt(sum_sq / static_cast<double>(logits.size()));
  }

  static uint64_t Hash(const std::vector<float>& values) {
    ByteWriter out;
    for (const float v : values) out.StoreF32(v);
    return Xxh3(out.bytes());
  }

  std::string folder_;
  std::unique_ptr<Model> model_, plain_model_;
  std::vector<uint32_t> tokens_;
};

class MultipliersTest : public ArchitectureTest {};

TEST_P(ArchitectureTest, CloseToFloat64) {
  EXPECT_LT(RmsError(TraitsOf(GetParam().name)), GetParam().max_rms);
}

// So that the test above would miss none of them.
TEST_P(MultipliersTest, EachMatters) {
  for (const auto& [multiplier, neutral] :
       {std::pair(&Traits::embedding_scale, 1.0),
        {&Traits::score_scale, 0.0},
        {&Traits::residual_scale, 1.0},
        {&Traits::logit_divisor, 1.0}}) {
    Traits traits = TraitsOf("granite");
    traits.*multiplier = neutral;
    EXPECT_GT(RmsError(traits), 10 * GetParam().max_rms);
  }
}

// Whatever changes these bits changes what files decode to.
TEST_P(ArchitectureTest, TheSameBitsEverywhere) {
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    EXPECT_EQ(Hash(Logits(table->name, 13, 2, 32)), GetParam().golden)
        << table->name;
  }
  for (const uint32_t batch : {1u, 7u, 60u}) {
    EXPECT_EQ(Hash(Logits("", batch, 3, 32)), GetParam().golden) << batch;
  }
}

constexpr Case kGranite = {"granite", 0.04, 173184706976909549u};

INSTANTIATE_TEST_SUITE_P(
    All, ArchitectureTest,
    testing::Values(Case{"llama", 0.13, 17480431948798067638u},
                    Case{"llama", 0.13, 346168337347691303u, true},
                    Case{"qwen2", 0.13, 2701248016001722616u},
                    Case{"qwen3", 0.13, 1053256040428468399u}, kGranite,
                    Case{"gemma2", 0.13, 16012074777753682596u},
                    Case{"gemma3", 0.13, 211857978578102993u}),
    [](const auto& param_info) {
      return std::string(param_info.param.name) +
             (param_info.param.has_narrow_groups ? "_narrow_groups" : "");
    });

INSTANTIATE_TEST_SUITE_P(All, MultipliersTest, testing::Values(kGranite));

TEST(ArchitectureTableTest, KnowsNamesOfBothKinds) {
  EXPECT_EQ(GgufArchitectureNames(),
            "llama, qwen2, qwen3, granite, gemma2, gemma3");
  // What transformers means by silence.
  EXPECT_EQ(FindModelType("qwen3")->head_dim, 128u);
  EXPECT_EQ(FindModelType("qwen2")->context_length, 32768u);
  EXPECT_EQ(FindGgufArchitecture("rwkv"), nullptr);
}

}  // namespace
}  // namespace llma
