// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>

#include "base/checksum.h"

namespace llma {

SpellingTable::SpellingTable(const TokenTable& tokens)
    : tokens_(tokens),
      slots_(std::bit_ceil(2 * size_t{tokens.num_tokens()} + 1),
             TextPiece::kEscape),
      mask_(slots_.size() - 1) {
  for (uint32_t token = 0; token < tokens.num_tokens(); ++token) {
    auto i = static_cast<size_t>(Xxh3(tokens.spelling(token)));
    while (slots_[i & mask_] != TextPiece::kEscape) ++i;
    slots_[i & mask_] = token;
  }
}

uint32_t SpellingTable::Find(Bytes spelling) const {
  for (auto i = static_cast<size_t>(Xxh3(spelling));; ++i) {
    const uint32_t token = slots_[i & mask_];
    if (token == TextPiece::kEscape ||
        AsStringView(tokens_.spelling(token)) == AsStringView(spelling)) {
      return token;
    }
  }
}

Result<MergeTable> MergeTable::Create(const TokenTable& tokens,
                                      const SpellingTable& spellings,
                                      std::span<const uint32_t> merges,
                                      bool ranks_are_shared) {
  const size_t num_merges = merges.size() / 2;
  MergeTable table;
  table.slots_.resize(std::bit_ceil(2 * num_merges + 1));
  table.mask_ = table.slots_.size() - 1;
  std::string spelling;
  Merge previous;
  for (uint32_t i_merge = 0; i_merge < num_merges; ++i_merge) {
    const uint32_t left = merges[2 * i_merge];
    const uint32_t right = merges[2 * i_merge + 1];
    spelling.assign(AsStringView(tokens.spelling(left)));
    spelling.append(AsStringView(tokens.spelling(right)));
    const uint32_t token = spellings.Find(AsBytes(spelling));
    if (token == TextPiece::kEscape) {
      return Error{ErrorCode::kCorrupt,
                   "tokenizer: the result of a merge is not a token"};
    }
    const bool is_same =
        ranks_are_shared && i_merge > 0 && token == previous.token;
    previous = {is_same ? previous.rank : i_merge, token};
    const uint64_t key = uint64_t{left} << 32 | right;
    size_t i = table.Hash(key);
    while (table.slots_[i & table.mask_].merge.rank != Merge::kNone &&
           table.slots_[i & table.mask_].key != key) {
      ++i;
    }
    Slot& slot = table.slots_[i & table.mask_];
    if (slot.merge.rank == Merge::kNone) slot = {key, previous};
  }
  return table;
}

void BpeMerger::AddCandidate(int32_t left) {
  const Symbol& a = symbols_[left];
  if (a.next < 0) return;
  const Symbol& b = symbols_[a.next];
  if (a.token == TextPiece::kEscape || b.token == TextPiece::kEscape) return;
  const MergeTable::Merge merge = merges_.Find(a.token, b.token);
  if (merge.rank == MergeTable::Merge::kNone) return;
  heap_.push_back(
      {uint64_t{merge.rank} << 32 | static_cast<uint32_t>(left), merge.token});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

void BpeMerger::Encode(Bytes piece, std::vector<TextPiece>& out) {
  for (const uint8_t byte : piece) Add(token_of_byte_[byte], 1);
  EncodeAdded(out);
}

void BpeMerger::Add(uint32_t token, uint32_t size_bytes) {
  const auto i = static_cast<int32_t>(symbols_.size());
  if (i > 0) symbols_.back().next = i;
  symbols_.push_back({token, size_bytes, i - 1, -1});
}

void BpeMerger::EncodeAdded(std::vector<TextPiece>& out) {
  const auto size = static_cast<int32_t>(symbols_.size());
  heap_.clear();
  for (int32_t i = 0; i < size; ++i) AddCandidate(i);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const Candidate candidate = heap_.back();
    heap_.pop_back();
    const auto left = static_cast<int32_t>(candidate.order & 0xffffffff);
    Symbol& a = symbols_[left];
    // Outdated if one of the two has been merged meanwhile.
    if (a.size_bytes == 0 || a.next < 0) continue;
    Symbol& b = symbols_[a.next];
    const MergeTable::Merge now = merges_.Find(a.token, b.token);
    if (now.rank != candidate.order >> 32) continue;
    a.token = candidate.token;
    a.size_bytes += b.size_bytes;
    b.size_bytes = 0;
    a.next = b.next;
    if (a.next >= 0) symbols_[a.next].previous = left;
    AddCandidate(left);
    if (a.previous >= 0) AddCandidate(a.previous);
  }
  for (int32_t i = size > 0 ? 0 : -1; i >= 0; i = symbols_[i].next) {
    out.push_back({symbols_[i].token, symbols_[i].size_bytes});
  }
  symbols_.clear();
}

}  // namespace llma
