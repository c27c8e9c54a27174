// SPDX-License-Identifier: Apache-2.0
// What a context saves where one process codes many small contents:
//
//     kept_context TEXT [MESSAGES [MODEL]]      the default model without
//
// Short messages and files of consecutive 50 bytes of the text, in one thread;
// processor time for each, without a context and with one, in turn.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <llma/llma.hpp>
#include <vector>

namespace {

constexpr size_t kMessageBytes = 50;
constexpr size_t kRoundMessages = 20;

using Bytes = std::vector<uint8_t>;

struct Times {
  double compress = 0, restore = 0;  // seconds of all
};

double ProcessorSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// level 0: short messages.
llma::Status Run(const llma::Options& options, int level,
                 const std::vector<Bytes>& messages, Times& times) {
  std::vector<Bytes> files;
  double start = ProcessorSeconds();
  for (const Bytes& message : messages) {
    LLMA_ASSIGN(Bytes file, level == 0 ? llma::CompressShort(message, options)
                                       : llma::Compress(message, options));
    files.push_back(std::move(file));
  }
  times.compress += ProcessorSeconds() - start;
  start = ProcessorSeconds();
  for (size_t i = 0; i < files.size(); ++i) {
    LLMA_ASSIGN(const Bytes content, llma::Decompress(files[i], options));
    if (content != messages[i])
      return llma::Error{llma::ErrorCode::kInternal, "another content"};
  }
  times.restore += ProcessorSeconds() - start;
  return llma::OkStatus();
}

llma::Status RunAll(const Bytes& text, size_t num_messages, const char* model) {
  LLMA_ASSIGN(const llma::Model opened, llma::Model::Open(model));
  LLMA_ASSIGN(const llma::Context context, llma::Context::Create());
  std::printf("%-16s %11s %9s %7s %11s %9s %7s\n", "ms each", "compress",
              "context", "ratio", "restore", "context", "ratio");
  for (const int level : {0, 1, 2, 6}) {
    LLMA_ASSIGN(llma::Options alone, llma::Options::Create());
    LLMA_ASSIGN(llma::Options kept, llma::Options::Create());
    for (llma::Options* options : {&alone, &kept}) {
      LLMA_TRY(options->Set(LLMA_OPTION_THREADS, 1));
      LLMA_TRY(options->SetModel(opened));
      if (level > 0) {
        LLMA_TRY(options->Set(LLMA_OPTION_LEVEL, static_cast<uint64_t>(level)));
      }
    }
    LLMA_TRY(kept.SetContext(context));
    Times without, with;
    size_t done = 0;
    while (done < num_messages) {
      std::vector<Bytes> round;
      for (; round.size() < kRoundMessages && done < num_messages; ++done) {
        const size_t ofs = done * kMessageBytes % (text.size() - kMessageBytes);
        const auto begin = text.begin() + static_cast<ptrdiff_t>(ofs);
        round.emplace_back(begin, begin + kMessageBytes);
      }
      LLMA_TRY(Run(alone, level, round, without));
      LLMA_TRY(Run(kept, level, round, with));
    }
    const double each = 1e3 / static_cast<double>(num_messages);
    std::printf("%-16s %11.3f %9.3f %7.2f %11.3f %9.3f %7.2f\n",
                level == 0 ? "short messages"
                           : ("files at -" + std::to_string(level)).c_str(),
                without.compress * each, with.compress * each,
                without.compress / with.compress, without.restore * each,
                with.restore * each, without.restore / with.restore);
  }
  return llma::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const Bytes text((std::istreambuf_iterator<char>(file)), {});
  const size_t num_messages =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 200;
  if (text.size() <= kMessageBytes || num_messages == 0) {
    std::fprintf(stderr, "usage: kept_context TEXT [MESSAGES [MODEL]]\n");
    return 1;
  }
  const llma::Status status =
      RunAll(text, num_messages, argc > 3 ? argv[3] : "");
  if (!status) std::fprintf(stderr, "error: %s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
