// SPDX-License-Identifier: Apache-2.0
#include "cm/context_hashes.h"

#include <algorithm>

#include "base/status.h"
#include "cm/hashing.h"

namespace llma::cm {
namespace {

// Collects contexts, each salted with its number.
class Collector {
 public:
  explicit Collector(uint32_t* out) : out_(out) {}
  void Add(uint64_t value) {
    out_[count_] = Hash(ablated_ ? 0 : value, count_ + 1);
    ++count_;
  }
  void Add(uint32_t a, uint64_t b) { Add(uint64_t{a} << 32 ^ b); }
  // Until the next call contexts are empty if `ablated` is true.
  void Ablate(bool ablated) { ablated_ = ablated; }
  int count() const { return static_cast<int>(count_); }

 private:
  uint32_t* out_;
  uint32_t count_ = 0;
  bool ablated_ = false;
};

void AddWords(const LaneHistory& lane, Collector& out) {
  const uint32_t word = lane.word;
  const auto& words = lane.words;
  out.Add(word, lane.c1());
  out.Add(word, words[0]);
  out.Add(word, Combine(words[0], words[1]));
  out.Add(word, words[1]);
  out.Add(word, Combine(words[1], words[2]));
  out.Add(word, words[2]);
  out.Add(word, lane.gap);
  out.Add(word, Combine(lane.gap, words[0]));
  out.Add(word, Combine(words[0], Combine(words[1], words[2])));
  out.Add(word, lane.first_byte << 8 | lane.sentence_words);
  out.Add(word, Combine(lane.first_word, lane.c1()));
}

// Orders with holes, and with the low bits of letters dropped.
void AddSparse(uint64_t last8, Collector& out) {
  for (const uint64_t mask :
       {uint64_t{0xff00}, uint64_t{0xffff00}, uint64_t{0xff0000},
        uint64_t{0xff00ff}, uint64_t{0xffffff00}, uint64_t{0xff000000},
        uint64_t{0xf0f0f0f0f0f0ff}, uint64_t{0xe0e0e0e0ff}}) {
    out.Add(last8 & mask);
  }
}

// The byte of the line above in this column, 0 if that line is shorter.
uint32_t ByteAbove(const LaneHistory& lane, const uint8_t* content) {
  const uint32_t column = lane.column();
  return column < lane.line_above_length ? content[lane.line_above_ofs + column]
                                         : 0;
}

void AddLines(const LaneHistory& lane, uint32_t above, Collector& out) {
  const uint32_t column = lane.column();
  const uint32_t c1 = lane.c1();
  out.Add(column, c1);
  out.Add(above << 16 | c1 << 8, lane.c2());
  out.Add(above << 8 | c1, column << 1);
  out.Add(lane.field << 8 | above, lane.field_hash);
  out.Add(lane.field, lane.first_word);
  out.Add(lane.indent << 8 | lane.first_byte, lane.last4() & 0xffff);
}

void AddMarkup(const LaneHistory& lane, Collector& out) {
  const uint32_t last4 = lane.last4();
  const uint32_t open_tag = lane.tags[(lane.tag_depth - 1) & 15];
  out.Add(open_tag, last4 & 0xffffff);
  out.Add(Combine(open_tag, lane.tag_mode), Combine(lane.tag, lane.word));
  const uint32_t bracket = lane.brackets[(lane.bracket_depth - 1) & 31];
  out.Add(bracket << 8 | lane.quote, last4 & 0xffff);
  out.Add(lane.key, Combine(lane.quoted, lane.quote));
  out.Add(lane.key, last4 & 0xffff);
}

void AddNames(const LaneHistory& lane, Collector& out) {
  out.Add(lane.name, lane.operators);
  out.Add(lane.name, Combine(lane.operators, lane.name_before));
}

void AddClasses(const LaneHistory& lane, Collector& out) {
  out.Add(lane.classes & 0xffffffff, lane.c1());
  out.Add(lane.classes & LowBytes(6));
  out.Add(lane.shape & 0xffffffff, lane.run_length << 8 | lane.c1());
  out.Add(lane.word, lane.shape & LowBytes(5));
  out.Add(lane.run_length, lane.shape & LowBytes(6));
}

void AddFollowers(const LaneHistory& lane, const Followers& followers,
                  Collector& out) {
  const uint32_t last4 = lane.last4();
  const uint32_t one = followers.after1(lane.c1());
  const uint32_t two = followers.after2(last4 & 0xffff);
  out.Add(one & 0xffff, lane.c1());
  out.Add(one & 0xffffff, 3);
  out.Add(two & 0xffff, last4 & 0xff);
  out.Add(two & 0xffffff, last4 & 0xffff);
  out.Add(two & 0xffffff, lane.word);
  const Followers::Words& words = followers.after_word(lane.words[0]);
  out.Add(lane.word, Combine(words.last, 11));
  out.Add(lane.word, Combine(words.last, lane.words[0]));
  out.Add(lane.word, Combine(words.last, words.before));
}

void AddSegments(const LaneHistory& lane, Collector& out) {
  const auto& before = lane.segments;
  const uint32_t segment = Combine(lane.segment, lane.delimiter);
  out.Add(segment, before[0]);
  out.Add(segment, Combine(before[0], before[1]));
  out.Add(segment, before[1]);
  out.Add(segment, Combine(before[2], before[1]));
  out.Add(segment, lane.field);
  const uint32_t key_path = Combine(lane.path, lane.key);
  out.Add(key_path, segment);
  out.Add(key_path, lane.c1());
  out.Add(lane.path, segment);
}

// What the longest match expects, with how sure that is and what stands here.
void AddExpected(const LaneHistory& lane, ExpectedByte expected,
                 Collector& out) {
  const uint32_t length = std::min(expected.length_bucket, 31u);
  out.Add(expected.byte << 8 | std::min(length, 15u));
  out.Add(expected.byte << 8 | lane.c1(), length / 4);
  out.Add(expected.byte, lane.word);
  out.Add(expected.byte, lane.last4() & 0xffff);
}

// Orders without regard to case, digits and the kind of white space.
void AddFolded(uint64_t folded8, Collector& out) {
  for (const int n : {3, 4, 5, 6}) out.Add(folded8 & LowBytes(n));
  out.Add(folded8);
}

void AddRecordFields(const LaneHistory& lane, Collector& out) {
  for (const FieldCursor& cursor : lane.cursors) {
    const uint32_t state =
        std::min(cursor.agreed, 3u) | std::min(cursor.misses, 3u) << 2;
    out.Add(cursor.field_id, cursor.value);
    out.Add(cursor.field_id, Combine(cursor.value, cursor.before));
    out.Add(cursor.expected << 9 | cursor.expected_after, state);
    out.Add(cursor.field_id, cursor.expected << 12 | state << 8 | lane.c1());
  }
}

void AddOthers(const LaneHistory& lane, Collector& out) {
  const uint32_t open_tag = lane.tags[(lane.tag_depth - 1) & 15];
  out.Add(Combine(open_tag, lane.sibling), Combine(lane.tag, lane.tag_mode));
  out.Add(lane.line_hash, lane.first_word_above);
}

// More orders with holes for records and machine code: operands and their low
// bits are noise.
void AddBinary(uint64_t last8, Collector& out) {
  for (const uint64_t mask :
       {uint64_t{0xffff0000}, uint64_t{0xff00ffff}, uint64_t{0xffff00ff},
        uint64_t{0xffffff0000}, uint64_t{0xf8f8f8f8}, uint64_t{0xe0ffff},
        uint64_t{0xf0f0ff}, uint64_t{0xff0000ff}}) {
    out.Add(last8 & mask);
  }
}

}  // namespace

size_t HashLightContexts(const LaneHistory& lane, uint32_t* hashes) {
  Collector out(hashes);
  for (const int n : {2, 3, 4, 6}) out.Add(lane.last8 & LowBytes(n));
  if (lane.IsBinary()) {
    // Records and machine code have no words, but fields.
    out.Add(0xb0, lane.last8 & 0xff);
    out.Add(0xb1, lane.last8 & 0xffff00);
    out.Add(0xb2, lane.last8 & 0xff00ff);
    out.Add(0xb3, lane.last8 & 0xff00ff00);
  } else {
    out.Add(lane.word, lane.c1());
    out.Add(lane.word, lane.words[0]);
  }
  LLMA_DCHECK(out.count() <= kNumLightContexts);
  return static_cast<size_t>(out.count());
}

size_t HashFullContexts(const LaneHistory& lane, const uint8_t* content,
                        const Followers& followers, ExpectedByte expected,
                        uint32_t ablated, uint32_t* hashes) {
  Collector out(hashes);
  for (int n = 1; n <= 7; ++n) out.Add(lane.last8 & LowBytes(n));
  out.Ablate((ablated >> 0 & 1) != 0);
  AddWords(lane, out);
  out.Ablate((ablated >> 1 & 1) != 0);
  AddSparse(lane.last8, out);
  const uint32_t above = ByteAbove(lane, content);
  out.Ablate((ablated >> 2 & 1) != 0);
  AddLines(lane, above, out);
  out.Ablate((ablated >> 3 & 1) != 0);
  AddMarkup(lane, out);
  out.Ablate((ablated >> 4 & 1) != 0);
  AddNames(lane, out);
  out.Ablate((ablated >> 5 & 1) != 0);
  AddClasses(lane, out);
  out.Ablate((ablated >> 7 & 1) != 0);
  AddFollowers(lane, followers, out);
  out.Ablate((ablated >> 8 & 1) != 0);
  AddSegments(lane, out);
  out.Ablate((ablated >> 9 & 1) != 0);
  AddExpected(lane, expected, out);
  out.Ablate((ablated >> 12 & 1) != 0);
  AddFolded(lane.folded8, out);
  out.Ablate((ablated >> 13 & 1) != 0);
  AddRecordFields(lane, out);
  out.Ablate((ablated >> 14 & 1) != 0);
  AddOthers(lane, out);
  out.Ablate((ablated >> 1 & 1) != 0);
  if (lane.IsBinary()) AddBinary(lane.last8, out);
  LLMA_DCHECK(out.count() <= kNumFullContexts);
  return static_cast<size_t>(out.count());
}

}  // namespace llma::cm
