// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/model_contest.h"

#include <algorithm>
#include <memory>

#include "codec/callbacks.h"
#include "codec/choose/levels.h"
#include "codec/compress_context.h"
#include "codec/frame/frame_encoder.h"

namespace llma {
namespace {

constexpr uint64_t kOne = 1024;  // of ratios

// Samples are a sixteenth of the content, but not less than the first size if
// there is so much, nor more than the second.
constexpr uint64_t kMinSampledBytes = 2048;
constexpr uint64_t kMaxSampledBytes = 8192;
constexpr uint64_t kSampledShare = 16;
constexpr size_t kNumContestSamples = 4;
// A model whose score is this many fourths of the best is out.
constexpr uint64_t kFarBehindFourths = 5;

uint64_t NumWeights(const LinearWeights& linear) {
  return uint64_t{linear.num_rows} * linear.num_cols;
}

uint64_t LeastWork(std::span<const ModelTrial> trials) {
  uint64_t least = ~uint64_t{0};
  for (const ModelTrial& trial : trials) least = std::min(least, trial.work);
  return std::max<uint64_t>(least, 1);
}

uint64_t Score(const ModelTrial& trial, uint64_t least_work, int level) {
  const uint64_t price = SettingsOfLevel(level).price_of_work;
  const uint64_t ratio = trial.work * kOne / least_work;
  return trial.code_bytes * (1000 * kOne + price * (ratio - kOne));
}

// Parts of a content, in order.
std::vector<Bytes> TakeSamples(Bytes content) {
  const uint64_t wanted = std::clamp(content.size() / kSampledShare,
                                     kMinSampledBytes, kMaxSampledBytes);
  if (content.size() <= wanted) return {content};
  std::vector<Bytes> samples;
  const auto size = static_cast<size_t>(wanted / kNumContestSamples);
  for (size_t i = 0; i < kNumContestSamples; ++i) {
    size_t begin =
        (content.size() - size) * (2 * i + 1) / (2 * kNumContestSamples);
    // Not within a character of UTF-8.
    for (int k = 0; k < 3 && (content[begin] & 0xc0) == 0x80; ++k) ++begin;
    samples.push_back(
        content.subspan(begin, std::min(size, content.size() - begin)));
  }
  return samples;
}

class Contestant {
 public:
  static Result<Contestant> Create(const Model& model,
                                   const KernelTable& kernels,
                                   CompressContext& context) {
    Contestant made(kernels);
    LLMA_ASSIGN(made.tokenizer_, context.TokenizerOf(model));
    LLMA_ASSIGN(made.engine_, context.EngineOf(model, kernels));
    return made;
  }
  const Model& model() const { return engine_->model(); }

  Status Run(Bytes sample, ThreadPool& pool, PageCache& pages,
             ContextModels context_models, const ProgressCallback& progress,
             ModelTrial& trial) const {
    const std::vector<TextPiece> pieces = tokenizer_->Encode(sample);
    const auto window = static_cast<uint32_t>(
        (pieces.size() / kWindowGranularity + 1) * kWindowGranularity);
    const uint64_t lane_bytes = sample.size();
    LLMA_ASSIGN(const std::vector<uint8_t> code,
                EncodeFrame({*engine_, *kernels_, pool, window, context_models,
                             progress, nullptr, nullptr, &pages},
                            sample, pieces, {&lane_bytes, 1}));
    trial.code_bytes += code.size();
    trial.work += pieces.size() * WorkOfToken(model());
    return OkStatus();
  }

 private:
  explicit Contestant(const KernelTable& kernels) : kernels_(&kernels) {}
  const KernelTable* kernels_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<Engine> engine_;
};

}  // namespace

size_t BestTrial(std::span<const ModelTrial> trials, int level) {
  const uint64_t least_work = LeastWork(trials);
  return static_cast<size_t>(
      std::ranges::min_element(trials, {},
                               [&](const ModelTrial& trial) {
                                 return Score(trial, least_work, level);
                               }) -
      trials.begin());
}

uint64_t WorkOfToken(const Model& model) {
  uint64_t work = NumWeights(model.head());
  for (uint32_t i = 0; i < model.config().num_layers; ++i) {
    const LayerWeights& layer = model.layer(i);
    work += NumWeights(layer.qkv) + NumWeights(layer.attn_out) +
            NumWeights(layer.gate_up) + NumWeights(layer.ffn_down);
  }
  return work;
}

Result<const Model*> ChooseModel(std::span<const Model* const> candidates,
                                 Bytes content, const KernelTable& kernels,
                                 const CompressOptions& options,
                                 const ProgressCallback& progress) {
  LLMA_ENSURE(!candidates.empty());
  if (candidates.size() == 1) return candidates[0];
  const GivenContext context(options.context);
  std::vector<Contestant> contestants;
  for (const Model* model : candidates) {
    LLMA_ASSIGN(Contestant contestant,
                Contestant::Create(*model, kernels, *context));
    contestants.push_back(std::move(contestant));
  }
  const ContextModels context_models = options.context_models.value_or(
      SettingsOfLevel(options.level).context_models);
  std::vector<ModelTrial> trials(contestants.size());
  const auto pool = context->TakePool(options.num_threads);
  for (const Bytes sample : TakeSamples(content)) {
    for (size_t i = 0; i < contestants.size(); ++i) {
      // The light ones differ little from the full ones on so few bytes.
      LLMA_TRY(
          contestants[i].Run(sample, *pool, context->pages(),
                             std::min(context_models, ContextModels::kLight),
                             progress, trials[i]));
    }
    const uint64_t least_work = LeastWork(trials);
    const uint64_t best = Score(trials[BestTrial(trials, options.level)],
                                least_work, options.level);
    std::vector<Contestant> left;
    std::vector<ModelTrial> left_trials;
    for (size_t i = 0; i < contestants.size(); ++i) {
      if (Score(trials[i], least_work, options.level) * 4 >
          best * kFarBehindFourths) {
        continue;
      }
      left.push_back(std::move(contestants[i]));
      left_trials.push_back(trials[i]);
    }
    contestants = std::move(left);
    trials = std::move(left_trials);
    if (contestants.size() == 1) break;
  }
  return &contestants[BestTrial(trials, options.level)].model();
}

}  // namespace llma
