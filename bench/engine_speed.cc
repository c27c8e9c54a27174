// SPDX-License-Identifier: Apache-2.0
// Tokens a second of the engine on one stream: a prompt in batches, as an
// encoder reads it, with and without the logits of all its tokens; and one
// token after the other, as a decoder must, each the likeliest after the one
// before, in an empty cache and after the prompt. Of single tokens the best of
// three runs counts.
//
//   engine_speed MODEL.llmm TEXT [PROMPT_TOKENS [NEW_TOKENS [THREADS]]]
//
// LLMA_KERNELS=name chooses the kernels. Prints `name value` lines.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "model/forward.h"
#include "platform/descriptors.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

constexpr uint32_t kBatchRows = 256;
constexpr int kTries = 3;

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Engine {
 public:
  Engine(const Model& model, const KernelTable& kernels, ThreadPool& pool,
         uint32_t window_positions)
      : config_(model.config()),
        forward_(model, kernels, pool, kBatchRows, window_positions),
        cache_(config_, window_positions, kBatchRows),
        logits_(kBatchRows * forward_.logits_stride()) {}

  // Appends tokens, at most kBatchRows.
  void Feed(std::span<const uint32_t> tokens) {
    const StreamBatch stream = {&cache_, tokens};
    forward_.Run({&stream, 1});
  }
  // After each of the first `num_rows` tokens of the last Feed.
  void ComputeLogits(size_t num_rows) {
    forward_.ComputeLogits(0, static_cast<uint32_t>(num_rows), logits_.data());
  }
  uint32_t LikeliestFirst() const {
    const auto begin = logits_.begin();
    return static_cast<uint32_t>(
        std::max_element(begin, begin + config_.num_tokens) - begin);
  }

  // Of `count` new tokens, the first after the start token.
  double NewTokensPerSecond(uint32_t count) {
    double best = 0;
    for (int i = 0; i < kTries; ++i) {
      const double start = Seconds();
      uint32_t token = config_.start_row;
      for (uint32_t k = 0; k < count; ++k) {
        Feed({&token, 1});
        ComputeLogits(1);
        token = LikeliestFirst();
      }
      best = std::max(best, count / (Seconds() - start));
    }
    return best;
  }

 private:
  const ModelConfig& config_;
  ForwardPass forward_;
  KvCache cache_;
  std::vector<float> logits_;  // [row, logits_stride()]
};

uint32_t NumberAt(int argc, char** argv, int idx, uint32_t otherwise) {
  if (idx >= argc) return otherwise;
  return static_cast<uint32_t>(std::strtoul(argv[idx], nullptr, 10));
}

Status Run(int argc, char** argv) {
  const uint32_t prompt_tokens = NumberAt(argc, argv, 3, 2048);
  const uint32_t new_tokens = NumberAt(argc, argv, 4, 32);
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(argv[2]));
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  ThreadPool pool(static_cast<int>(NumberAt(argc, argv, 5, 0)));

  std::vector<uint32_t> prompt;
  size_t prompt_bytes = 0;
  for (const TextPiece& piece : tokenizer->Encode(text)) {
    if (prompt.size() == prompt_tokens) break;
    if (piece.token == TextPiece::kEscape) continue;
    prompt.push_back(piece.token);
    prompt_bytes += piece.size_bytes;
  }
  std::printf("kernels %s\nthreads %d\nprompt_tokens %zu\nprompt_bytes %zu\n",
              kernels->name, pool.num_threads(), prompt.size(), prompt_bytes);

  const uint32_t window_positions = prompt_tokens + kTries * new_tokens;
  Engine(*model, *kernels, pool, window_positions)
      .NewTokensPerSecond(1);  // reads the weights into memory
  std::printf("new_at_start %.2f\n",
              Engine(*model, *kernels, pool, window_positions)
                  .NewTokensPerSecond(new_tokens));

  Engine engine(*model, *kernels, pool, window_positions);
  double feed_seconds = 0, logits_seconds = 0;
  for (size_t i = 0; i < prompt.size(); i += kBatchRows) {
    const size_t count = std::min<size_t>(kBatchRows, prompt.size() - i);
    const double start = Seconds();
    engine.Feed(std::span(prompt).subspan(i, count));
    const double fed = Seconds();
    engine.ComputeLogits(count);
    feed_seconds += fed - start;
    logits_seconds += Seconds() - fed;
  }
  const auto num_tokens = static_cast<double>(prompt.size());
  std::printf("prompt %.2f\nprompt_with_logits %.2f\n",
              num_tokens / feed_seconds,
              num_tokens / (feed_seconds + logits_seconds));
  std::printf("new_after_prompt %.2f\n", engine.NewTokensPerSecond(new_tokens));
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 3 || argc > 6) {
    std::fprintf(stderr,
                 "usage: engine_speed MODEL.llmm TEXT [PROMPT_TOKENS "
                 "[NEW_TOKENS [THREADS]]]\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
