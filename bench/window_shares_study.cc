// SPDX-License-Identifier: Apache-2.0
// How much each key/value head needs what is far back: how far the predictions
// move when it alone sees less, as a divergence in bits a token.
//
//   window_shares_study MODEL.llmm TOKENS WINDOW,WINDOW TEXT...
//
// The first TOKENS of each text are one stream, of which the last quarter is
// measured. All heads see all of it, but one, which sees the last WINDOW
// positions. Prints a line for each head: layer, head, a divergence for each
// WINDOW. bench/window_shares.py makes shares of them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "importer/measure/text_bits.h"
#include "model/forward.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

constexpr uint32_t kBatchRows = 256;
constexpr uint32_t kLogitRows = 32;
// Tokens less likely than 2^-20 add nothing to speak of.
constexpr float kLeastLog = -20;

class WindowStudy {
 public:
  WindowStudy(const Model& model, const KernelTable& kernels,
              uint32_t num_tokens)
      : model_(model),
        config_(model.config()),
        num_tokens_(num_tokens),
        forward_(model, kernels, pool_, kBatchRows, num_tokens),
        logits_(kLogitRows * forward_.logits_stride()) {}

  Status AddText(const char* path) {
    LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(path));
    LLMA_ASSIGN(TextRows all, RowsOfText(model_, text, num_tokens_ - 1));
    if (all.rows.size() + 1 < num_tokens_) {
      return Error{ErrorCode::kUsage, std::string(path) + " is too short"};
    }
    all.rows.insert(all.rows.begin(), config_.start_row);
    texts_.push_back(std::move(all.rows));
    return OkStatus();
  }

  // What all others are compared with.
  void TakeReference() {
    const size_t most_rows = texts_.size() * num_tokens_;
    reference_.resize(most_rows);
    divergences_.resize(most_rows);
    SetShares();
    Visit(num_tokens_, [&](size_t row, const float* logs) {
      reference_[row].assign(logs, logs + config_.num_tokens);
    });
  }

  // In bits a token. `window`: of this head.
  double Divergence(uint32_t layer, uint32_t kv_head, uint32_t window) {
    SetShares();
    config_.window_shares[layer * config_.num_kv_heads + kv_head] = 1;
    std::fill(divergences_.begin(), divergences_.end(), 0);
    const size_t rows =
        Visit(window * kWholeShare, [&](size_t row, const float* logs) {
          const std::vector<float>& reference = reference_[row];
          for (size_t v = 0; v < reference.size(); ++v) {
            if (reference[v] < kLeastLog) continue;
            divergences_[row] +=
                std::exp2(reference[v]) * (reference[v] - logs[v]);
          }
        });
    return std::accumulate(divergences_.begin(), divergences_.end(), 0.0) /
           static_cast<double>(rows);
  }

 private:
  // Every head sees as much as can be.
  void SetShares() {
    config_.window_shares.assign(
        size_t{config_.num_layers} * config_.num_kv_heads, kMaxShare);
  }

  // Calls visit(row, log2 of probabilities) for the measured rows, from several
  // threads; returns how many there were.
  template <class Work>
  size_t Visit(uint32_t window, const Work& visit) {
    size_t measured = 0;
    for (const std::vector<uint32_t>& text : texts_) {
      KvCache cache(config_, window, kBatchRows);
      for (size_t begin = 0; begin < text.size(); begin += kBatchRows) {
        const auto batch = std::span(text).subspan(
            begin, std::min<size_t>(kBatchRows, text.size() - begin));
        const StreamBatch stream = {&cache, batch};
        forward_.Run({&stream, 1});
        if (begin < text.size() / 4 * 3) continue;
        const auto num_rows = static_cast<uint32_t>(batch.size());
        for (uint32_t row = 0; row < num_rows; row += kLogitRows) {
          const uint32_t count = std::min(kLogitRows, num_rows - row);
          forward_.ComputeLogits(row, count, logits_.data());
          pool_.ParallelFor(count, [&](size_t i) {
            float* logits = logits_.data() + i * forward_.logits_stride();
            ToLogs(std::span(logits, config_.num_tokens));
            visit(measured + i, logits);
          });
          measured += count;
        }
      }
    }
    return measured;
  }

  static void ToLogs(std::span<float> logits) {
    const float max = *std::max_element(logits.begin(), logits.end());
    float sum = 0;
    for (float& logit : logits) {
      logit = (logit - max) * 1.442695f;
      sum += std::exp2(logit);
    }
    for (float& logit : logits) logit -= std::log2(sum);
  }

  const Model& model_;
  ModelConfig config_;  // with the shares that are tried
  uint32_t num_tokens_;
  ThreadPool pool_{0};
  ForwardPass forward_;
  std::vector<float> logits_;                  // [row, logits_stride]
  std::vector<std::vector<uint32_t>> texts_;   // start row and tokens
  std::vector<std::vector<float>> reference_;  // [measured row, token]
  std::vector<double> divergences_;            // [measured row]
};

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  const ModelConfig& config = model->config();
  std::vector<uint32_t> windows;
  std::istringstream list(argv[3]);
  for (std::string window; std::getline(list, window, ',');) {
    windows.push_back(
        static_cast<uint32_t>(std::strtoul(window.c_str(), nullptr, 10)));
  }
  WindowStudy study(*model, *kernels,
                    static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  for (int i = 4; i < argc; ++i) LLMA_TRY(study.AddText(argv[i]));
  study.TakeReference();
  for (uint32_t layer = 0; layer < config.num_layers; ++layer) {
    for (uint32_t head = 0; head < config.num_kv_heads; ++head) {
      std::printf("%u %u", layer, head);
      for (const uint32_t window : windows) {
        std::printf(" %.6f", study.Divergence(layer, head, window));
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr,
                 "usage: window_shares_study MODEL.llmm TOKENS WINDOW,WINDOW "
                 "TEXT...\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
