// SPDX-License-Identifier: Apache-2.0
// The contexts of each model set: which parts of a lane's history each one
// looks at, as a hash. The order of contexts is part of the format.
#ifndef LLMA_CM_CONTEXT_HASHES_H_
#define LLMA_CM_CONTEXT_HASHES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "cm/lane_history.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// What followed the last byte, and the last two, on their last occasions (four
// bytes, latest lowest), whichever lane it was in.
class Followers {
 public:
  explicit Followers(PageSource pages)
      : after2_(65536, pages), after_word_(65536, pages) {}
  uint32_t after1(uint32_t last1) const { return after1_[last1]; }
  uint32_t after2(uint32_t last2) const { return after2_[last2]; }
  // Hashes of the words that followed a word last, and before that.
  struct Words {
    uint32_t last = 0;
    uint32_t before = 0;
  };
  const Words& after_word(uint32_t word) const {
    return after_word_[word >> 16];
  }
  // lane: before it appends `byte`.
  void Append(const LaneHistory& lane, uint8_t byte) {
    uint32_t& one = after1_[lane.c1()];
    uint32_t& two = after2_[lane.last4() & 0xffff];
    one = one << 8 | byte;
    two = two << 8 | byte;
  }
  // lane: after it has appended a byte that ended a word.
  void AppendWord(const LaneHistory& lane) {
    Words& words = after_word_[lane.words[1] >> 16];
    words.before = words.last;
    words.last = lane.words[0];
  }

 private:
  std::array<uint32_t, 256> after1_ = {};
  ZeroedArray<uint32_t> after2_;
  ZeroedArray<Words> after_word_;  // [word's hash >> 16]
};

// The byte that the longest match predicts, plus 256, and how long that match
// is; 0 without one.
struct ExpectedByte {
  uint32_t byte = 0;
  uint32_t length_bucket = 0;
};

inline constexpr int kNumLightContexts = 8;
inline constexpr int kNumFullContexts = 91;

// Write the hashes of the contexts and return how many take part. Light:
// orders 2, 3, 4, 6, then words or, among bytes that are no text, more sparse
// contexts. Full: orders 1 to 7 come first; the last eight take part among
// bytes that are no text. content: the bytes of all lanes.
size_t HashLightContexts(const LaneHistory& lane, uint32_t* out);
size_t HashFullContexts(const LaneHistory& lane, const uint8_t* content,
                        const Followers& followers, ExpectedByte expected,
                        uint32_t ablated, uint32_t* out);

}  // namespace llma::cm

#endif  // LLMA_CM_CONTEXT_HASHES_H_
