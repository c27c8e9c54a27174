// SPDX-License-Identifier: Apache-2.0
// What a second language model brings: bytes that a text costs with the first
// model, with the second, and with both, each alone and with the context
// models. "both" is an upper bound: the second model is told for free where its
// own tokens end, so its bits of bytes are better than a decoder could know
// them. "along" is what a decoder could do in one pass: the second model
// follows the ends of the first one's tokens, which are coded as always.
//
//   two_models_study FIRST.llmm SECOND.llmm MAX_BYTES WINDOW TEXT...
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "platform/descriptors.h"
#include "recorded_text.h"

namespace llma {
namespace {

constexpr double kRate = 0.02;
constexpr double kMaxOdds = 16;  // log odds that count

double Stretch(Probability p) {
  const double x = static_cast<double>(p) / (1 << kProbBits);
  if (p == kCertainlyZero) return -kMaxOdds;
  if (p == kCertainlyOne) return kMaxOdds;
  return std::clamp(std::log(x / (1 - x)), -kMaxOdds, kMaxOdds);
}

// The second model's probability of each bit of the text.
using BitChances = std::vector<Probability>;  // [byte * 8 + bit]

BitChances BitsOf(std::span<const RecordedPiece> pieces) {
  BitChances chances;
  for (const RecordedPiece& piece : pieces) {
    auto decision = piece.decisions.begin();
    for (size_t i = 0; i < piece.bytes.size(); ++i) {
      for (int k = 0; k < 8; ++k) {
        chances.push_back(piece.decisions.empty() ? 1u << (kProbBits - 1)
                                                  : *decision++);
      }
      if (!piece.decisions.empty()) ++decision;  // the end
    }
  }
  return chances;
}

// Mixes the second model's opinion into the first one's; weights by place in
// the byte and by how sure the first one is.
class TwoMixer {
 public:
  explicit TwoMixer(const BitChances& second) : second_(second) {
    for (auto& weights : weights_) weights = {0.5, 0.5};
  }
  Probability Predict(Probability first, int bit_idx) {
    const Probability second = second_[at_++];
    mixes_ = first != kCertainlyZero && first != kCertainlyOne;
    if (!mixes_) return first;
    inputs_ = {Stretch(first), Stretch(second)};
    const double sure = std::min(std::abs(inputs_[0]), 7.0);
    set_ = static_cast<size_t>(bit_idx * 8 + static_cast<int>(sure));
    const double odds =
        weights_[set_][0] * inputs_[0] + weights_[set_][1] * inputs_[1];
    p_ = 1 / (1 + std::exp(-odds));
    return static_cast<Probability>(
        std::clamp(p_ * (1 << kProbBits), 1.0, (1 << kProbBits) - 1.0));
  }
  void Update(bool bit) {
    if (!mixes_) return;
    const double error = (bit ? 1.0 : 0.0) - p_;
    for (size_t i = 0; i < 2; ++i) {
      weights_[set_][i] += kRate * error * inputs_[i];
    }
  }

 private:
  const BitChances& second_;
  size_t at_ = 0;
  bool mixes_ = false;
  std::array<std::array<double, 2>, 64> weights_;
  std::array<double, 2> inputs_;
  size_t set_ = 0;
  double p_ = 0.5;
};

Result<std::vector<RecordedPiece>> RecordWith(const std::string& path,
                                              uint32_t window, Bytes text) {
  LLMA_ASSIGN(const auto model, Model::Open(path));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  return Record(*model, *kernels, tokenizer->Encode(text), window, text);
}

// What the second model says of the first one's pieces when it is told their
// ends, as a decoder is: its own tokens are those of each piece alone, and it
// speaks at the start of a piece, of the tokens that start with the bytes.
Result<BitChances> BitsAlong(const std::string& path,
                             std::span<const RecordedPiece> pieces,
                             uint32_t window) {
  LLMA_ASSIGN(const auto model, Model::Open(path));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  std::vector<uint32_t> fed = {model->config().start_row};
  std::vector<size_t> speaks;  // [piece]: index into fed
  for (const RecordedPiece& piece : pieces) {
    speaks.push_back(fed.size() - 1);
    for (const TextPiece& part : tokenizer->Encode(piece.bytes)) {
      if (part.token != TextPiece::kEscape) fed.push_back(part.token);
    }
  }
  constexpr Probability kLeast = 1u << (kProbBits - 12);
  ThreadPool pool(0);
  const TokenIndex index(model->tokens());
  TokenMasses masses(model->config().num_tokens);
  BitChances chances;
  size_t piece_idx = 0;
  const auto speak = [&](size_t row, const float* logits) {
    for (; piece_idx < pieces.size() && speaks[piece_idx] == row; ++piece_idx) {
      masses.Set(*kernels, logits);
      TokenWalk walk(index, masses);
      bool speaks_on = true;
      for (const uint8_t byte : pieces[piece_idx].bytes) {
        if (speaks_on && walk.at_end_decision()) {
          speaks_on = walk.p1() != kCertainlyOne;
          if (speaks_on) walk.Push(false);
        }
        for (int k = 7; k >= 0; --k) {
          if (!speaks_on) {
            chances.push_back(1u << (kProbBits - 1));
            continue;
          }
          const Probability p = walk.p1();
          chances.push_back(std::clamp(p, kLeast, kCertainlyOne - kLeast));
          const bool bit = (byte >> k & 1) != 0;
          if (p == (bit ? kCertainlyZero : kCertainlyOne)) {
            speaks_on = false;
          } else {
            walk.Push(bit);
          }
        }
      }
    }
  };
  ForEachRowLogits(*model, *kernels, pool, fed, window, speak);
  return chances;
}

Status Run(int argc, char** argv) {
  const size_t max_bytes = std::strtoul(argv[3], nullptr, 10);
  const auto window = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  for (int i = 5; i < argc; ++i) {
    LLMA_ASSIGN(std::vector<uint8_t> text, ReadFile(argv[i]));
    text.resize(std::min(text.size(), max_bytes));
    const std::string path = argv[i];
    LLMA_ASSIGN(const auto first, RecordWith(argv[1], window, text));
    LLMA_ASSIGN(const auto second, RecordWith(argv[2], window, text));
    const BitChances chances = BitsOf(second);
    LLMA_ASSIGN(const BitChances along, BitsAlong(argv[2], first, window));
    std::printf("%s, %zu bytes\n  %8s %8s %8s %8s\n",
                path.substr(path.rfind('/') + 1).c_str(), text.size(), "first",
                "second", "both", "along");
    for (const auto set :
         {std::optional<cm::ModelSet>(), std::optional(cm::ModelSet::kLight),
          std::optional(cm::ModelSet::kFull)}) {
      const auto cost = [&](const auto& pieces, auto second_opinion) {
        if (!set) return Cost(pieces, nullptr, second_opinion);
        cm::JointPredictor joint({.set = *set, .content_bytes = text.size()});
        joint.AddLane(0);
        return Cost(pieces, &joint, second_opinion);
      };
      const double alone = cost(first, NoSecondOpinion());
      const double other = cost(second, NoSecondOpinion());
      const double both = cost(first, TwoMixer(chances));
      const double with = cost(first, TwoMixer(along));
      std::printf(
          "  %8.0f %8.0f %8.0f %8.0f  %+.1f, %+.1f %% of the better, %s\n",
          alone, other, both, with, 100 * (with / std::min(alone, other) - 1),
          100 * (both / std::min(alone, other) - 1),
          !set                           ? "without context models"
          : *set == cm::ModelSet::kLight ? "light"
                                         : "full");
      std::fflush(stdout);
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: two_models_study FIRST.llmm SECOND.llmm MAX_BYTES "
                 "WINDOW TEXT...\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
