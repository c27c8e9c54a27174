// SPDX-License-Identifier: Apache-2.0
#include "predict/token_drafter.h"

#include <algorithm>
#include <numeric>

#include "base/status.h"

namespace llma {
namespace {

constexpr int kTableBits = 16;
// Earlier positions that are looked at, and tokens before each.
constexpr int kMaxPositions = 16;
constexpr uint32_t kLongestMatch = 24;
// A guess weighs twice as much with each token that agrees, up to this many.
constexpr uint32_t kHeaviestMatch = 12;
constexpr float kRate = 0.02f;      // of learning
constexpr float kMostSure = 0.98f;  // a guess may be

uint32_t HashOf(uint32_t a, uint32_t b) {
  return (((a + 1) * 0x9e3779b1u + b + 1) * 0x9e3779b1u) >> (32 - kTableBits);
}

uint32_t LengthClass(uint32_t length) {
  if (length < 4) return length - 1;
  if (length < 6) return 3;
  if (length < 9) return 4;
  return length < 13 ? 5 : 6;
}

// Eighths of the lower half; what is missing to 1 in steps of 2^(2/3).
uint32_t ShareClass(uint32_t weight, uint32_t sum) {
  const float share = static_cast<float>(weight) / static_cast<float>(sum);
  if (share < 0.5f) return static_cast<uint32_t>(share * 16);
  uint32_t share_class = 8;
  for (float rest = 0.315f; share_class < 15 && 1 - share < rest;
       rest *= 0.63f) {
    ++share_class;
  }
  return share_class;
}

}  // namespace

TokenDrafter::TokenDrafter() : last_two_(size_t{1} << kTableBits) {
  constexpr float kTrust[kLengths] = {0.4f, 0.6f, 0.8f, 0.8f, 0.8f, 0.8f, 0.8f};
  for (uint32_t length = 0; length < kLengths; ++length) {
    for (uint32_t rank = 0; rank < kMaxGuesses; ++rank) {
      const float trust = kTrust[length] * (rank == 0 ? 1.0f : 0.7f);
      for (uint32_t share = 0; share < kShares; ++share) {
        probabilities_[length][rank][share] =
            trust * (static_cast<float>(share) + 0.5f) / kShares;
      }
    }
  }
}

void TokenDrafter::Push(uint32_t token) {
  Find({});
  for (const Guess& guess : guesses_) {
    const float right = guess.token == token ? 1.0f : 0.0f;
    *guess.probability += (right - *guess.probability) * kRate;
  }
  history_.push_back(token);
  const auto size = static_cast<uint32_t>(history_.size());
  if (token >= last_one_.size()) last_one_.resize(size_t{token} + 1);
  before_one_.push_back(last_one_[token]);
  last_one_[token] = size;
  uint32_t* last_two = nullptr;
  if (size >= 2) last_two = &last_two_[HashOf(history_[size - 2], token)];
  before_two_.push_back(last_two == nullptr ? 0 : *last_two);
  if (last_two != nullptr) *last_two = size;
}

void TokenDrafter::Find(std::span<const uint32_t> path) {
  guesses_.clear();
  const size_t size = history_.size(), total = size + path.size();
  if (total < 2) return;
  const auto at = [&](size_t i) {
    return i < size ? history_[i] : path[i - size];
  };
  uint32_t sum = 1;
  const auto add = [&](uint32_t position, uint32_t length) {
    const uint32_t weight = uint32_t{1} << std::min(length, kHeaviestMatch);
    sum += weight;
    for (Guess& guess : guesses_) {
      if (guess.token != history_[position]) continue;
      guess.weight += weight;
      guess.length = std::max(guess.length, length);
      return;
    }
    guesses_.push_back({history_[position], length, weight, nullptr});
  };
  const uint32_t last = at(total - 1), last_but_one = at(total - 2);
  uint32_t position = last_two_[HashOf(last_but_one, last)];
  for (int i = 0; position != 0 && i < kMaxPositions; ++i) {
    uint32_t length = 0;
    while (length < std::min(position, kLongestMatch) &&
           history_[position - 1 - length] == at(total - 1 - length)) {
      ++length;
    }
    if (position < size && length >= 2) add(position, length);
    position = before_two_[position - 1];
  }
  position = last < last_one_.size() ? last_one_[last] : 0;
  for (int i = 0; position != 0 && i < kMaxPositions; ++i) {
    const bool is_longer =
        position >= 2 && history_[position - 2] == last_but_one;
    if (position < size && !is_longer) add(position, 1);
    position = before_one_[position - 1];
  }
  const size_t count = std::min<size_t>(guesses_.size(), kMaxGuesses);
  std::partial_sort(
      guesses_.begin(), guesses_.begin() + static_cast<ptrdiff_t>(count),
      guesses_.end(),
      [](const Guess& a, const Guess& b) { return a.weight > b.weight; });
  guesses_.resize(count);
  for (uint32_t rank = 0; rank < count; ++rank) {
    Guess& guess = guesses_[rank];
    guess.probability = &probabilities_[LengthClass(guess.length)][rank]
                                       [ShareClass(guess.weight, sum)];
  }
}

void TokenDrafter::Open(uint32_t node) {
  path_.clear();
  for (uint32_t i = node; i != 0; i = nodes_[i].parent) {
    path_.push_back(nodes_[i].token);
  }
  std::reverse(path_.begin(), path_.end());
  Find(path_);
  for (const Guess& guess : guesses_) {
    open_.push_back(
        {guess.token, node, nodes_[node].depth + 1,
         nodes_[node].probability * std::min(*guess.probability, kMostSure)});
  }
}

const TokenTree& TokenDrafter::Draft(uint32_t max_tokens, float cost) {
  LLMA_DCHECK(!history_.empty());
  nodes_.assign(1, {history_.back(), 0, 0, 1.0f});
  open_.clear();
  Open(0);
  float expected = 1;  // tokens that the pass will give
  while (!open_.empty() && nodes_.size() < max_tokens) {
    const auto best = std::max_element(open_.begin(), open_.end(),
                                       [](const Node& a, const Node& b) {
                                         return a.probability < b.probability;
                                       });
    const float time = 1 + cost * static_cast<float>(nodes_.size() - 1);
    if (best->probability * time < cost * expected) break;
    expected += best->probability;
    nodes_.push_back(*best);
    *best = open_.back();
    open_.pop_back();
    Open(static_cast<uint32_t>(nodes_.size() - 1));
  }
  SortIntoTree();
  return tree_;
}

void TokenDrafter::SortIntoTree() {
  std::vector<uint32_t> order(nodes_.size()), new_index(nodes_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return nodes_[a].depth < nodes_[b].depth;
  });
  tree_.tokens.clear();
  tree_.parents.clear();
  for (const uint32_t node : order) {
    new_index[node] = static_cast<uint32_t>(tree_.tokens.size());
    tree_.tokens.push_back(nodes_[node].token);
    tree_.parents.push_back(new_index[nodes_[node].parent]);
  }
}

}  // namespace llma
