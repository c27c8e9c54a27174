// SPDX-License-Identifier: Apache-2.0
// What the guesses of a single lane give on texts, counted: how many tokens a
// pass of the model makes known, and how many it takes. And what a pass of some
// tokens costs, after 768 others of the first text: the median of 40 in turn.
//
//   guess_study MODEL.llmm TEXT...
//
// LLMA_KERNELS=name chooses the kernels.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <vector>

#include "importer/measure/text_bits.h"
#include "model/forward.h"
#include "platform/descriptors.h"
#include "predict/token_drafter.h"

namespace llma {
namespace {

constexpr uint32_t kWindow = 768;
constexpr int kRounds = 40;

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Of `tree`: how many guesses in a row are what comes.
size_t CountRight(const TokenTree& tree, std::span<const uint32_t> coming) {
  size_t right = 0;
  uint32_t last = 0;
  for (uint32_t i = 1; i < tree.tokens.size() && right < coming.size(); ++i) {
    if (tree.parents[i] != last || tree.tokens[i] != coming[right]) continue;
    last = i;
    ++right;
  }
  return right;
}

void CountPasses(const char* name, std::span<const uint32_t> tokens,
                 float extra_row_cost) {
  TokenDrafter drafter;
  size_t num_passes = 0, num_rows = 0;
  for (size_t known = 0; known < tokens.size(); ++num_passes) {
    size_t made_known = 1;
    if (known >= kNumSinks) {
      const TokenTree& tree = drafter.Draft(kMaxPassTokens, extra_row_cost);
      num_rows += tree.tokens.size();
      made_known += CountRight(tree, tokens.subspan(known));
    } else {
      ++num_rows;
    }
    for (; made_known > 0 && known < tokens.size(); --made_known) {
      drafter.Push(tokens[known++]);
    }
  }
  const auto count = static_cast<double>(tokens.size());
  std::printf("%s: %.2f tokens a pass, %.2f positions a token\n", name,
              count / static_cast<double>(num_passes),
              static_cast<double>(num_rows) / count);
}

void TimePasses(const Model& model, const KernelTable& kernels,
                std::span<const uint32_t> tokens) {
  ThreadPool pool(0);
  ForwardPass forward(model, kernels, pool, kMaxPassTokens, kWindow);
  KvCache cache(model.config(), kWindow, kMaxPassTokens);
  std::vector<float> logits(kMaxPassTokens * forward.logits_stride());
  const auto run = [&](size_t begin, uint32_t count) {
    const StreamBatch stream = {&cache, tokens.subspan(begin, count)};
    forward.Run({&stream, 1});
    forward.ComputeLogits(0, count, logits.data());
  };
  for (size_t i = 0; i < kWindow; i += kMaxPassTokens) run(i, kMaxPassTokens);
  std::vector<std::vector<double>> seconds(kMaxPassTokens + 1);
  for (int round = 0; round < kRounds; ++round) {
    for (uint32_t count = 1; count <= kMaxPassTokens; ++count) {
      const double start = Seconds();
      run(kWindow, count);
      seconds[count].push_back(Seconds() - start);
      cache.Keep(count, {});
    }
  }
  for (uint32_t count = 1; count <= kMaxPassTokens; ++count) {
    std::ranges::sort(seconds[count]);
    std::printf("%2u tokens: %.2f ms\n", count,
                1e3 * seconds[count][kRounds / 2]);
  }
}

Status Run(std::span<char*> arguments) {
  LLMA_ASSIGN(const auto model, Model::Open(arguments[0]));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  std::vector<uint32_t> first;
  for (const char* path : arguments.subspan(1)) {
    LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(path));
    LLMA_ASSIGN(const TextRows read, RowsOfText(*model, text, ~size_t{0}));
    CountPasses(path, read.rows, kernels->extra_row_cost);
    if (first.empty()) first = read.rows;
  }
  if (first.size() >= kWindow + kMaxPassTokens) {
    TimePasses(*model, *kernels, first);
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: guess_study MODEL.llmm TEXT...\n");
    return 1;
  }
  const llma::Status status =
      llma::Run(std::span(argv, static_cast<size_t>(argc)).subspan(1));
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
