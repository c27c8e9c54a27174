// SPDX-License-Identifier: Apache-2.0
// How much work the least input can cause: a search over well-formed files for
// the most processor time for each byte of input and output.
//
//   build/release/bench/worst_cases MODEL.llmm [ROUNDS [SEED]]
//
// For each reader the worst file found. The model is that of frames that need
// one; the tiny one of tests/data shows what does not depend on it.
#include <cstdio>
#include <cstdlib>

#include "fuzz/hostile_file.h"

namespace {

using llma::HostileFile;

constexpr uint64_t kMaxContentBytes = 256 << 10;
constexpr size_t kMaxFileBytes = 32 << 10;
// The climb starts anew when so many rounds brought nothing.
constexpr int kPatience = 60;

const char* NameOf(llma::ReadBy reader) {
  constexpr const char* kNames[] = {"stream", "range", "salvage", "list"};
  return kNames[static_cast<size_t>(reader)];
}

struct Found {
  double us_per_byte = 0;
  llma::ReadCost cost;
  size_t file_bytes = 0;
  HostileFile file;
};

Found Try(const HostileFile& file, llma::ReadBy reader,
          const llma::Model& model) {
  Found found;
  const auto bytes = llma::MakeHostileFile(file, model);
  if (bytes.empty() || bytes.size() > kMaxFileBytes) return found;
  found.cost = llma::MeasureRead(bytes, reader, model, kMaxContentBytes);
  found.file_bytes = bytes.size();
  found.us_per_byte =
      1e6 * found.cost.seconds /
      static_cast<double>(bytes.size() + found.cost.content_bytes);
  found.file = file;
  return found;
}

Found Search(llma::ReadBy reader, const llma::Model& model, int rounds,
             std::mt19937& random) {
  Found best, here;
  int stuck = 0;
  for (int round = 0; round < rounds; ++round) {
    HostileFile file = here.file;
    for (uint32_t n = 1 + random() % 4; n > 0; --n) {
      llma::Mutate(file, random);
    }
    Found found = Try(file, reader, model);
    // Twice, for another program may have been in the way.
    if (found.us_per_byte > here.us_per_byte) {
      const Found again = Try(file, reader, model);
      if (again.us_per_byte < found.us_per_byte) found = again;
    }
    if (found.us_per_byte > here.us_per_byte) {
      here = found;
      stuck = 0;
      if (here.us_per_byte > best.us_per_byte) best = here;
    } else if (++stuck > kPatience) {
      here = {};
      stuck = 0;
    }
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: worst_cases MODEL.llmm [ROUNDS [SEED]]\n", stderr);
    return 1;
  }
  const auto model = llma::Model::Open(argv[1]);
  if (!model) {
    std::fprintf(stderr, "%s: %s\n", argv[1], model.error().what.c_str());
    return 1;
  }
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 300;
  std::mt19937 random(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1);
  for (const llma::ReadBy reader : llma::kAllReaders) {
    const Found worst = Search(reader, **model, rounds, random);
    std::printf("%-8s %8.2f us a byte: %zu bytes in, %llu out, %.3f s: %s\n",
                NameOf(reader), worst.us_per_byte, worst.file_bytes,
                static_cast<unsigned long long>(worst.cost.content_bytes),
                worst.cost.seconds, llma::Describe(worst.file).c_str());
    std::fflush(stdout);
  }
  return 0;
}
