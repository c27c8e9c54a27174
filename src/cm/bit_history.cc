// SPDX-License-Identifier: Apache-2.0
// The generator: a breadth-first walk over (n0, n1, recent bits) from the
// empty history. Short histories keep every bit; a longer one keeps the last.
#include "cm/bit_history.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <vector>

namespace llma::cm {
namespace {

// Histories up to this length are kept exactly, oldest bit first.
constexpr int kExactBits = 3;

// The largest count that may stand beside a smaller one of 0, 1, 2, ....
constexpr int kBound[] = {41, 40, 12, 8, 6, 5};
constexpr int kMaxSmaller = 5;

// What remains of a count when the opposite bit arrives: recent bits say more
// than old ones.
constexpr int Discount(int n) {
  constexpr int kKept[] = {0, 1, 2, 3, 4, 5, 5, 6};
  return n < 8 ? kKept[n] : 7;
}

struct Key {
  int n0 = 0;
  int n1 = 0;
  int recent = 0;  // all bits if n0 + n1 <= kExactBits, else the last one

  auto Order() const { return std::tuple(n0 + n1, n0, n1, recent); }
  bool operator==(const Key& o) const { return Order() == o.Order(); }
  bool operator<(const Key& o) const { return Order() < o.Order(); }
};

bool IsInBounds(int n0, int n1) {
  const int smaller = std::min(n0, n1);
  return smaller <= kMaxSmaller && std::max(n0, n1) <= kBound[smaller];
}

Key Next(const Key& key, int bit) {
  int same = (bit != 0 ? key.n1 : key.n0) + 1;
  int other = bit != 0 ? key.n0 : key.n1;
  if (same + other > kExactBits) other = Discount(other);
  while (!IsInBounds(same, other)) {
    int& larger = same >= other ? same : other;
    int& smaller = same >= other ? other : same;
    if (smaller >= 2) {  // keep the ratio
      larger = (larger * (smaller - 1) + smaller / 2) / smaller;
      --smaller;
    } else {
      --larger;
    }
  }
  Key next;
  next.n0 = bit != 0 ? other : same;
  next.n1 = bit != 0 ? same : other;
  const bool exact = next.n0 + next.n1 <= kExactBits;
  next.recent = exact ? key.recent * 2 + bit : bit;
  return next;
}

BitHistoryTable Generate() {
  std::vector<Key> keys = {Key{}};
  for (size_t i = 0; i < keys.size(); ++i) {
    for (const int bit : {0, 1}) {
      const Key next = Next(keys[i], bit);
      if (std::find(keys.begin(), keys.end(), next) == keys.end()) {
        keys.push_back(next);
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  if (keys.size() > 256) std::abort();  // bounds are constants: never
  BitHistoryTable table;
  table.num_states = static_cast<int>(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    BitHistory& history = table.state[i];
    history.n0 = static_cast<uint8_t>(keys[i].n0);
    history.n1 = static_cast<uint8_t>(keys[i].n1);
    for (const int bit : {0, 1}) {
      const auto next =
          std::lower_bound(keys.begin(), keys.end(), Next(keys[i], bit));
      history.next[bit] = static_cast<uint8_t>(next - keys.begin());
    }
  }
  return table;
}

}  // namespace

const BitHistoryTable& GetBitHistoryTable() {
  static const BitHistoryTable table = Generate();
  return table;
}

uint32_t InitialProbability22(const BitHistory& history) {
  // (n1 + e) / (n0 + n1 + 2 e) with e = 1/2, or 1/8 if only one bit occurred.
  const uint32_t scale = history.n0 == 0 || history.n1 == 0 ? 8 : 2;
  const uint32_t ones = history.n1 * scale + 1;
  const uint32_t total = (history.n0 + history.n1) * scale + 2u;
  return static_cast<uint32_t>((uint64_t{ones} << 22) / total);
}

}  // namespace llma::cm
