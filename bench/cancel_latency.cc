// SPDX-License-Identifier: Apache-2.0
// How long an encoder and a decoder go on after another thread cancelled them:
//
//     cancel_latency FILE [MODEL]      the default model without
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <llma/llma.hpp>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<uint8_t>;
constexpr int kRounds = 12;

const auto kNowhere = [](std::span<const uint8_t>) { return llma::OkStatus(); };

// Cancels some time after the work has begun.
template <class Stream>
llma::Result<double> Measure(llma::Options& options, const Bytes& bytes,
                             std::chrono::milliseconds delay) {
  std::atomic<bool> has_begun = false;
  LLMA_TRY(options.SetProgress([&](const llma_progress&) {
    has_begun = true;
    return true;
  }));
  LLMA_ASSIGN(Stream stream, Stream::Create(options));
  Clock::time_point cancelled;
  std::thread other([&] {
    while (!has_begun) std::this_thread::yield();
    std::this_thread::sleep_for(delay);
    cancelled = Clock::now();
    stream.Cancel();
  });
  llma::Status status = stream.Append(bytes, kNowhere);
  if (status) status = stream.Finish(kNowhere);
  const Clock::time_point returned = Clock::now();
  other.join();
  if (status) {
    return llma::Error{llma::ErrorCode::kUsage, "the file is too short"};
  }
  if (status.error().code != llma::ErrorCode::kCancelled) return status.error();
  return std::chrono::duration<double, std::milli>(returned - cancelled)
      .count();
}

template <class Stream>
llma::Status Show(const char* what, llma::Options& options,
                  const Bytes& bytes) {
  std::vector<double> all;
  for (int i = 0; i < kRounds; ++i) {
    LLMA_ASSIGN(
        const double milliseconds,
        Measure<Stream>(options, bytes, std::chrono::milliseconds(37 * i)));
    all.push_back(milliseconds);
  }
  std::ranges::sort(all);
  std::printf("%s: median %.1f ms, at most %.1f ms\n", what, all[kRounds / 2],
              all.back());
  return llma::OkStatus();
}

llma::Status Run(const char* path, const char* model_name) {
  std::ifstream file(path, std::ios::binary);
  const Bytes content((std::istreambuf_iterator<char>(file)), {});
  LLMA_ASSIGN(llma::Options options, llma::Options::Create());
  LLMA_ASSIGN(const llma::Model model, llma::Model::Open(model_name));
  LLMA_TRY(options.SetModel(model));
  LLMA_TRY(Show<llma::Encoder>("encoder", options, content));
  LLMA_TRY(options.SetProgress({}));
  const size_t part_bytes = std::min<size_t>(content.size(), 16000);
  LLMA_ASSIGN(const Bytes packed,
              llma::Compress(std::span(content).first(part_bytes), options));
  return Show<llma::Decoder>("decoder", options, packed);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: cancel_latency FILE [MODEL]\n");
    return 2;
  }
  const llma::Status status = Run(argv[1], argc > 2 ? argv[2] : "");
  if (status) return 0;
  std::fprintf(stderr, "cancel_latency: %s\n", status.error().what.c_str());
  return 1;
}
