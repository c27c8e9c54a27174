// SPDX-License-Identifier: Apache-2.0
// Contents that repeat themselves, of many kinds, come back, and take time in
// proportion to their size.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "codec/file/whole_file.h"

namespace llma {
namespace {

// Twice the content may take this many times as long, and this much more: a
// larger one may be given to a model where a smaller one is not, and the
// machine does something else, too. Work that grew with the square of 128 KB
// would take more.
constexpr double kMaxRatio = 3;
constexpr double kSlackSeconds = 0.4;
constexpr int kMaxTries = 3;

double ProcessorSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

// The same everywhere.
class Noise {
 public:
  uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 40);
  }
  char Byte() { return static_cast<char>(Next()); }

 private:
  uint64_t state_ = 1;
};

// Long periods are runs themselves, for noise takes time.
std::string Periodic(size_t period, size_t size) {
  Noise noise;
  std::string text;
  const size_t run = std::max<size_t>(1, period / 64);
  for (size_t i = 0; i < size; ++i) {
    text += i >= period    ? text[i - period]
            : i % run == 0 ? noise.Byte()
                           : text.back();
  }
  return text;
}

// Runs of one byte, as long as `length` says, with noise between.
std::string Runs(size_t size, const std::function<size_t(Noise&)>& length,
                 size_t noise_bytes) {
  Noise noise;
  std::string text;
  while (text.size() < size) {
    text.append(length(noise), noise.Byte());
    for (size_t i = 0; i < noise_bytes; ++i) text += noise.Byte();
  }
  text.resize(size);
  return text;
}

// The same unit again and again, a byte longer each time.
std::string Growing(size_t size) {
  const std::string unit = Periodic(63, size);
  std::string text;
  for (size_t length = 1; text.size() < size; ++length) {
    text.append(unit, 0, length);
  }
  text.resize(size);
  return text;
}

// All words of 4 letters of an alphabet of 12 once: nothing of 4 bytes repeats,
// all of 3 does. (The least rotations of words, one after the other.)
std::string DeBruijn(size_t size) {
  constexpr int kLetters = 12, kLength = 4;
  std::string text;
  std::vector<int> word(kLetters * kLength + 1);
  const std::function<void(int, int)> add = [&](int t, int p) {
    if (t > kLength) {
      if (kLength % p != 0) return;
      for (int i = 1; i <= p; ++i) {
        text += static_cast<char>('a' + word[static_cast<size_t>(i)]);
      }
      return;
    }
    const auto at = static_cast<size_t>(t);
    word[at] = word[static_cast<size_t>(t - p)];
    add(t + 1, p);
    for (int next = word[static_cast<size_t>(t - p)] + 1; next < kLetters;
         ++next) {
      word[at] = next;
      add(t + 1, t);
    }
  };
  add(1, 1);
  while (text.size() < size) text += text;
  text.resize(size);
  return text;
}

// Words of Fibonacci: they repeat everywhere, and have no period.
std::string Fibonacci(size_t size) {
  std::string a = "a", b = "ab";
  while (b.size() < size) a = std::exchange(b, b + a);
  b.resize(size);
  return b;
}

struct Kind {
  std::string name;
  size_t size;  // of the shorter one
  std::function<std::string(size_t)> make;
};

std::vector<Kind> AllKinds(int level) {
  std::vector<Kind> kinds;
  for (const size_t period :
       {1, 2, 3, 4, 7, 16, 31, 64, 255, 256, 257, 1000, 4096, 16384, 65536}) {
    // Runs are left to the context models there, which take seconds.
    if (period > 16384 && level == 2) continue;
    kinds.push_back({"period " + std::to_string(period),
                     std::max<size_t>(size_t{64} << 10, 2 * period),
                     [=](size_t size) { return Periodic(period, size); }});
  }
  const auto short_runs = [](Noise& noise) { return 1 + noise.Next() % 40; };
  const auto long_runs = [](Noise& noise) { return 8000 + noise.Next() % 99; };
  kinds.push_back({"short runs", 2 << 10,
                   [=](size_t size) { return Runs(size, short_runs, 0); }});
  kinds.push_back({"long runs", 64 << 10,
                   [=](size_t size) { return Runs(size, long_runs, 0); }});
  kinds.push_back({"runs in noise", 2 << 10,
                   [=](size_t size) { return Runs(size, short_runs, 8); }});
  kinds.push_back(
      {"a period with a wrong byte now and then", 64 << 10, [](size_t size) {
         std::string text = Periodic(100, size);
         for (size_t i = 501; i < size; i += 9973) text[i] ^= 1;
         return text;
       }});
  kinds.push_back({"counters of 4 bytes", 2 << 10, [](size_t size) {
                     std::string text;
                     for (uint32_t i = 0; text.size() < size; ++i) {
                       for (int bits = 24; bits >= 0; bits -= 8) {
                         text += static_cast<char>(i >> bits);
                       }
                     }
                     text.resize(size);
                     return text;
                   }});
  kinds.push_back({"counted lines", 2 << 10, [](size_t size) {
                     std::string text;
                     for (int i = 0; text.size() < size; ++i) {
                       text += "line " + std::to_string(i) + " of many\n";
                     }
                     text.resize(size);
                     return text;
                   }});
  kinds.push_back({"growing periods", 4 << 10, Growing});
  kinds.push_back({"words of de Bruijn", 2 << 10, DeBruijn});
  kinds.push_back({"words of Fibonacci", 64 << 10, Fibonacci});
  return kinds;
}

class RepetitiveInput : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model);
    model_ = *std::move(model);
  }

  // The seconds there and back.
  double Measure(const std::string& content) {
    CompressOptions compress;
    compress.level = GetParam();
    compress.num_threads = 1;
    DecompressOptions decompress;
    decompress.num_threads = 1;
    const double start = ProcessorSeconds();
    const auto file = Compress(AsBytes(content), model_.get(), compress);
    EXPECT_TRUE(file);
    const auto back = Decompress(*file, model_.get(), decompress);
    EXPECT_TRUE(back);
    const double seconds = ProcessorSeconds() - start;
    EXPECT_TRUE(back && AsStringView(*back) == content);
    return seconds;
  }

  std::unique_ptr<Model> model_;
};

TEST_P(RepetitiveInput, ComesBackInTimeOfItsSize) {
  for (const Kind& kind : AllKinds(GetParam())) {
    SCOPED_TRACE(kind.name);
    const size_t size = LLMA_IS_SLOW ? kind.size / 8 : kind.size;
    const std::string one = kind.make(size), two = kind.make(2 * size);
    ASSERT_EQ(one.size(), size);
    ASSERT_EQ(two.size(), 2 * size);
    double seconds = 0, seconds_of_two = 0;
    for (int i = 0; i < kMaxTries; ++i) {
      seconds = std::max(seconds, Measure(one));
      const double again = Measure(two);
      seconds_of_two = i == 0 ? again : std::min(seconds_of_two, again);
      if (seconds_of_two <= kMaxRatio * seconds + kSlackSeconds) break;
    }
    EXPECT_LE(seconds_of_two, kMaxRatio * seconds + kSlackSeconds);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, RepetitiveInput, testing::Values(2, 6, 9));

}  // namespace
}  // namespace llma
