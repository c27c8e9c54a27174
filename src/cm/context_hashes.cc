// SPDX-License-Identifier: Apache-2.0
#include "cm/context_hashes.h"

#include "cm/hashing.h"

namespace llma::cm {
namespace {

// Collects contexts, each salted with its number.
class Collector {
 public:
  explicit Collector(uint32_t* out) : out_(out) {}
  void Add(uint64_t value) { out_[count_] = Hash(value, Salt()), ++count_; }
  void Add(uint32_t a, uint64_t b) { Add(static_cast<uint64_t>(a) << 32 ^ b); }
  int count() const { return static_cast<int>(count_); }

 private:
  uint32_t Salt() const { return count_ + 1; }
  uint32_t* out_;
  uint32_t count_ = 0;
};

constexpr uint64_t LowBytes(int n) { return (uint64_t{1} << (8 * n)) - 1; }

void AddOrders(const LaneHistory& lane, int max_order, Collector& out) {
  for (int n = 1; n <= max_order; ++n) out.Add(lane.last8 & LowBytes(n));
}

}  // namespace

int HashLightContexts(const LaneHistory& lane, const uint8_t* /*content*/,
                      uint32_t* hashes) {
  Collector out(hashes);
  AddOrders(lane, 6, out);
  out.Add(lane.word, lane.c1());
  out.Add(lane.word, lane.words[0]);
  return out.count();
}

int HashFullContexts(const LaneHistory& lane, const uint8_t* content,
                     uint32_t* hashes) {
  Collector out(hashes);
  AddOrders(lane, 7, out);
  const uint64_t last8 = lane.last8;
  const uint32_t last4 = lane.last4();
  const uint32_t c1 = lane.c1();
  const uint32_t c2 = lane.c2();

  // Words.
  const uint32_t word = lane.word;
  const auto& words = lane.words;
  out.Add(word, c1);
  out.Add(word, words[0]);
  out.Add(word, Combine(words[0], words[1]));
  out.Add(word, words[1]);
  out.Add(word, Combine(words[1], words[2]));
  out.Add(word, words[2]);
  out.Add(word, lane.gap);
  out.Add(word, Combine(lane.gap, words[0]));
  out.Add(word, Combine(words[0], Combine(words[1], words[2])));
  out.Add(word, lane.first_byte << 8 | lane.sentence_words);
  out.Add(word, Combine(lane.first_word, c1));

  // Sparse.
  out.Add(last8 & 0xff00);
  out.Add(last8 & 0xffff00);
  out.Add(last8 & 0xff0000);
  out.Add(last8 & 0xff00ff);
  out.Add(last8 & 0xffffff00);
  out.Add(last8 & 0xff000000);
  out.Add(last8 & 0xf0f0f0f0f0f0ff);
  out.Add(last8 & 0xe0e0e0e0ff);

  // Lines and tables.
  const uint32_t column = lane.column();
  const uint32_t above_byte = column < lane.line_above_length
                                  ? content[lane.line_above_ofs + column]
                                  : 0;
  out.Add(column, c1);
  out.Add(above_byte << 16 | c1 << 8, c2);
  out.Add(above_byte << 8 | c1, column << 1);
  out.Add(lane.field << 8 | above_byte, lane.field_hash);
  out.Add(lane.field, lane.first_word);
  out.Add(lane.indent << 8 | lane.first_byte, last4 & 0xffff);

  // Markup and brackets.
  const uint32_t open_tag = lane.tags[(lane.tag_depth - 1) & 15];
  out.Add(open_tag, last4 & 0xffffff);
  out.Add(Combine(open_tag, lane.tag_mode), Combine(lane.tag, word));
  const uint32_t bracket = lane.brackets[(lane.bracket_depth - 1) & 31];
  out.Add(bracket << 8 | lane.quote, last4 & 0xffff);
  out.Add(lane.key, Combine(lane.quoted, lane.quote));
  out.Add(lane.key, last4 & 0xffff);
  return out.count();
}

}  // namespace llma::cm
