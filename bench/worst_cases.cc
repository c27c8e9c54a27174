// SPDX-License-Identifier: Apache-2.0
// How much work the least input can cause: what valid frames of all kinds cost,
// and a search over well-formed files for the most processor time for each byte
// of input and output.
//
//   build/release/bench/worst_cases MODEL.llmm [ROUNDS [SEED]]
//
// With 0 rounds nothing is searched. For each reader the worst file found. The
// model is that of frames that need one; the tiny one of tests/data shows what
// does not depend on it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "codec/short/decompress_short.h"
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

constexpr uint32_t kFramesOfAKind = 30;

double MicrosecondsPerByte(const llma::ReadCost& cost, size_t file_bytes) {
  return 1e6 * cost.seconds /
         static_cast<double>(file_bytes + cost.content_bytes);
}

// Valid files of each kind of frame, by each reader.
void ShowKinds(const llma::Model& model) {
  std::printf("%-38s %8s %8s  us a byte: stream, range, salvage, list\n",
              "kind", "bytes in", "out");
  for (const llma::NamedFile& file :
       llma::FilesOfAllKinds(kFramesOfAKind, model)) {
    std::string row;
    uint64_t content_bytes = 0;
    for (const llma::ReadBy reader : llma::kAllReaders) {
      if (llma::IsShortMessage(file.bytes) && reader != llma::ReadBy::kStream) {
        continue;
      }
      const llma::ReadCost cost =
          llma::MeasureRead(file.bytes, reader, model, kMaxContentBytes);
      content_bytes = std::max(content_bytes, cost.content_bytes);
      char text[32];
      std::snprintf(text, sizeof(text), " %9.2f%s",
                    MicrosecondsPerByte(cost, file.bytes.size()),
                    cost.is_right ? "" : "!");
      row += text;
    }
    std::printf("%-38s %8zu %8llu %s\n", file.name.c_str(), file.bytes.size(),
                static_cast<unsigned long long>(content_bytes), row.c_str());
    std::fflush(stdout);
  }
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
  found.us_per_byte = MicrosecondsPerByte(found.cost, bytes.size());
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
  ShowKinds(**model);
  if (rounds <= 0) return 0;
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
