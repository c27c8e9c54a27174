// SPDX-License-Identifier: Apache-2.0
// What `llma inspect` tells of a text, before it is made a page or JSON.
#ifndef LLMA_CLI_INSPECT_INSPECTION_H_
#define LLMA_CLI_INSPECT_INSPECTION_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llma::cli {

struct InspectedAlternative {
  std::string bytes;
  double probability;  // by the language model alone
};

// A token, or a byte where the language model was not used.
struct InspectedPiece {
  uint64_t content_ofs = 0;
  std::string bytes;
  double bits = 0;        // that the code spends on it
  double model_bits = 0;  // by the language model alone; negative: not asked
  std::vector<InspectedAlternative> alternatives;  // the likeliest first
};

struct Inspection {
  std::string name;   // of the file
  std::string model;  // empty: none
  int level = 0;
  uint64_t content_bytes = 0;
  uint64_t file_bytes = 0;             // compressed
  uint64_t payload_bytes = 0;          // of it: the codes
  double bits = 0;                     // the sum over all pieces
  std::vector<InspectedPiece> pieces;  // cover the content, in order
};

// Rounds numbers so that their sum is right too: each takes over what rounding
// left of those before it. In units of 1/`per_one`.
class SumRounder {
 public:
  explicit SumRounder(double per_one) : per_one_(per_one) {}
  int64_t Next(double x) {
    sum_ += x;
    const auto until_here = static_cast<int64_t>(std::llround(sum_ * per_one_));
    return until_here - std::exchange(before_, until_here);
  }

 private:
  double per_one_;
  double sum_ = 0;
  int64_t before_ = 0;
};

// A stretch of text that is cheap or dear for its length.
struct Passage {
  size_t first_piece;
  size_t num_pieces;
  uint64_t size_bytes;
  double bits;
};

// Up to `count` passages of at least `min_bytes`, none touching another, the
// cheapest (or dearest) bits per byte first. They are whole words, where the
// text has words, and not mostly blanks.
std::vector<Passage> FindPassages(const Inspection& inspection,
                                  uint64_t min_bytes, size_t count,
                                  bool dearest);

// The pieces as text to show: UTF-8, each whole character with the piece that
// completes it, bytes that are no UTF-8 as \xNN. [piece]
std::vector<std::string> ShownTexts(const Inspection& inspection);
// The same of one string.
std::string ShownText(std::string_view bytes);

// One JSON document, in ASCII or UTF-8: docs in the man page.
std::string InspectionJson(const Inspection& inspection);
// One HTML document that needs nothing else.
std::string InspectionPage(const Inspection& inspection);

}  // namespace llma::cli

#endif  // LLMA_CLI_INSPECT_INSPECTION_H_
