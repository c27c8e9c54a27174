// SPDX-License-Identifier: Apache-2.0
#include "predict/token_drafter.h"

#include <algorithm>

namespace llma {
namespace {

constexpr int kTableBits = 16;
constexpr uint32_t kOrder = 2;  // tokens that are looked up
constexpr uint32_t kLongestMatch = 64;

}  // namespace

TokenDrafter::TokenDrafter() : table_(size_t{1} << kTableBits) {}

void TokenDrafter::Push(uint32_t token) {
  if (match_ != 0 && history_[match_] == token) {
    ++match_;
    match_length_ = std::min(match_length_ + 1, kLongestMatch);
  } else {
    match_ = 0;
    match_length_ = 0;
  }
  history_.push_back(token);
  const size_t size = history_.size();
  if (size < kOrder) return;
  uint32_t hash = 0;
  for (uint32_t i = 1; i <= kOrder; ++i) {
    hash = (hash + history_[size - i] + 1) * 0x9e3779b1u;
  }
  uint32_t& entry = table_[hash >> (32 - kTableBits)];
  if (match_ == 0 && entry != 0) {
    while (match_length_ < entry && match_length_ < kLongestMatch &&
           history_[entry - 1 - match_length_] ==
               history_[size - 1 - match_length_]) {
      ++match_length_;
    }
    if (match_length_ >= kOrder) {
      match_ = entry;
    } else {
      match_length_ = 0;
    }
  }
  entry = static_cast<uint32_t>(size);
}

std::span<const uint32_t> TokenDrafter::Draft(uint32_t min_match,
                                              uint32_t max_tokens) const {
  if (match_ == 0 || match_length_ < min_match) return {};
  const size_t wanted = std::min<size_t>(1 + match_length_ / 2, max_tokens);
  return std::span(history_).subspan(
      match_, std::min(wanted, history_.size() - match_));
}

}  // namespace llma
