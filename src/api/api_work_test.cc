// SPDX-License-Identifier: Apache-2.0
// Work while it runs: cancelled, watched, held within its memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <llma/llma.hpp>
#include <thread>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Bytes = std::vector<uint8_t>;

double Seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Bytes Text(size_t size_bytes) {
  std::string text;
  for (size_t i = 0; text.size() < size_bytes; ++i) {
    text += "Line " + std::to_string(i * i * i) + " of a text. ";
  }
  return Bytes(text.begin(), text.begin() + static_cast<ptrdiff_t>(size_bytes));
}

llma::Options MakeOptions(uint64_t level) {
  auto options = llma::Options::Create();
  const auto model = llma::Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  EXPECT_TRUE(options && model && options->SetModel(*model));
  EXPECT_TRUE(options->Set(LLMA_OPTION_THREADS, 1));
  EXPECT_TRUE(options->Set(LLMA_OPTION_LEVEL, level));
  return *std::move(options);
}

const auto kNowhere = [](std::span<const uint8_t>) { return llma::OkStatus(); };

// Gives all bytes to a stream, which another thread cancels some time after the
// work has begun. How long it then went on.
template <class Stream>
double CancelLatency(llma::Options& options, const Bytes& bytes,
                     milliseconds delay) {
  std::atomic<bool> has_begun = false;
  EXPECT_TRUE(options.SetProgress([&](const llma_progress&) {
    has_begun = true;
    return true;
  }));
  auto stream = Stream::Create(options);
  EXPECT_TRUE(stream);
  Clock::time_point cancelled;
  std::thread other([&] {
    while (!has_begun) std::this_thread::yield();
    std::this_thread::sleep_for(delay);
    cancelled = Clock::now();
    stream->Cancel();
  });
  llma::Status status = stream->Append(bytes, kNowhere);
  if (status) status = stream->Finish(kNowhere);
  const Clock::time_point returned = Clock::now();
  other.join();
  EXPECT_FALSE(status);
  if (!status) {
    EXPECT_EQ(status.error().code, llma::ErrorCode::kCancelled);
  }
  return Seconds(returned - cancelled);
}

// With the tiny model a step takes milliseconds; the rest is for machines that
// are busy, and for sanitizers, where setting up a frame takes seconds.
// bench/cancel_latency measures a real one.
constexpr double kLatencySeconds = LLMA_IS_SLOW ? 20 : 2;

TEST(ApiWorkTest, AnotherThreadCancelsAtAnyTime) {
  const Bytes content = Text(1000000);
  for (const uint64_t level : {1, 6}) {
    llma::Options options = MakeOptions(level);
    for (const int delay : {0, 30, 200}) {
      const double seconds =
          CancelLatency<llma::Encoder>(options, content, milliseconds(delay));
      EXPECT_LT(seconds, kLatencySeconds) << "level " << level;
    }
  }
}

TEST(ApiWorkTest, AnotherThreadCancelsADecoder) {
  llma::Options options = MakeOptions(6);
  const auto file = llma::Compress(Text(30000), options);
  ASSERT_TRUE(file);
  for (const int delay : {0, 10}) {
    EXPECT_LT(CancelLatency<llma::Decoder>(options, *file, milliseconds(delay)),
              kLatencySeconds);
  }
}

TEST(ApiWorkTest, ProgressIsToldAtOnceAndThenTenTimesASecond) {
  llma::Options options = MakeOptions(6);
  std::vector<double> told;
  const Clock::time_point start = Clock::now();
  ASSERT_TRUE(options.SetProgress([&](const llma_progress& progress) {
    EXPECT_LE(progress.done_bytes, progress.total_bytes);
    told.push_back(Seconds(Clock::now() - start));
    return true;
  }));
  ASSERT_TRUE(llma::Compress(Text(20000), options));
  ASSERT_FALSE(told.empty());
  for (size_t i = 1; i < told.size(); ++i) {
    EXPECT_GT(told[i] - told[i - 1], 0.09);
  }
  EXPECT_LE(static_cast<double>(told.size()),
            Seconds(Clock::now() - start) / 0.1 + 1);
}

// As who handles signals needs it.
TEST(ApiWorkTest, AStreamTellsOnTheThreadThatCalled) {
  llma::Options options = MakeOptions(1);
  ASSERT_TRUE(options.Set(LLMA_OPTION_THREADS, 2));
  ASSERT_TRUE(options.Set(LLMA_OPTION_FRAME_BYTES, 1 << 16));
  int num_told = 0;
  ASSERT_TRUE(options.SetProgress(
      [&, caller = std::this_thread::get_id()](const llma_progress&) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        ++num_told;
        return true;
      }));
  Bytes file;
  const auto append = [&](std::span<const uint8_t> part) {
    file.insert(file.end(), part.begin(), part.end());
    return llma::OkStatus();
  };
  auto encoder = llma::Encoder::Create(options);
  ASSERT_TRUE(encoder);
  ASSERT_TRUE(encoder->Append(Text(300000), append));
  ASSERT_TRUE(encoder->Finish(append));
  EXPECT_GT(std::exchange(num_told, 0), 0);
  auto decoder = llma::Decoder::Create(options);
  ASSERT_TRUE(decoder);
  ASSERT_TRUE(decoder->Append(file, kNowhere));
  ASSERT_TRUE(decoder->Finish(kNowhere));
  EXPECT_GT(num_told, 0);
}

TEST(ApiWorkTest, ACallbackCancels) {
  llma::Options options = MakeOptions(6);
  ASSERT_TRUE(options.SetProgress([](const llma_progress&) { return false; }));
  const auto file = llma::Compress(Text(2000), options);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, llma::ErrorCode::kCancelled);
}

// The handle may go while its options, and what they hold, are gone already.
TEST(ApiWorkTest, CallbacksLiveAsLongAsTheirStream) {
  const auto counted = std::make_shared<int>(0);
  auto options = std::make_unique<llma::Options>(MakeOptions(1));
  ASSERT_TRUE(options->SetProgress([counted](const llma_progress&) {
    ++*counted;
    return true;
  }));
  auto encoder = llma::Encoder::Create(*options);
  ASSERT_TRUE(encoder);
  ASSERT_TRUE(options->SetProgress({}));
  options.reset();
  EXPECT_EQ(counted.use_count(), 2);
  ASSERT_TRUE(encoder->Append(Text(100), kNowhere));
  ASSERT_TRUE(encoder->Finish(kNowhere));
  EXPECT_GT(*counted, 0);
}

#if LLMA_MEASURES_MEMORY
// What compressing adds to the memory of a process, at most.
uint64_t MeasureMemory(const llma::Options& options, const Bytes& content) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto peak_bytes = [] {
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
    };
    const uint64_t before = peak_bytes();
    const bool ok = llma::Compress(content, options).has_value();
    const uint64_t added = ok ? peak_bytes() - before : 0;
    (void)!::write(ends[1], &added, sizeof(added));
    ::_exit(0);
  }
  uint64_t added = 0;
  EXPECT_EQ(::read(ends[0], &added, sizeof(added)), ssize_t{sizeof(added)});
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_GT(added, 0u);
  return added;
}

// With the least memory that is said to be enough for a frame, several frames
// need no more.
TEST(ApiWorkTest, MemoryStaysWithinItsLimit) {
  for (const uint64_t level : {1, 6}) {
    const size_t frame_bytes = level == 1 ? 100000 : 2000;
    llma::Options options = MakeOptions(level);
    ASSERT_TRUE(options.Set(LLMA_OPTION_FRAME_BYTES, frame_bytes));
    ASSERT_TRUE(options.Set(LLMA_OPTION_THREADS, 4));
    uint64_t limit = 1 << 20;
    for (;; limit += limit / 4) {
      ASSERT_LT(limit, uint64_t{1} << 32);
      ASSERT_TRUE(options.Set(LLMA_OPTION_MEMORY_BYTES, limit));
      const auto file = llma::Compress(Text(frame_bytes), options);
      if (file) break;
      ASSERT_EQ(file.error().code, llma::ErrorCode::kLimit);
    }
    EXPECT_LE(MeasureMemory(options, Text(4 * frame_bytes)), limit);
  }
}
#endif

// Clang 14's address sanitizer has an allocator whose locks stay as they are in
// a child: it waits for ever if one of the parent's threads held one.
#if defined(__SANITIZE_ADDRESS__)
#define LLMA_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LLMA_ADDRESS_SANITIZER 1
#endif
#endif

// A child has no threads of its parent: it must not wait for them.
TEST(ApiForkTest, StreamsOfTheParentAreRefusedInAChild) {
#if defined(LLMA_ADDRESS_SANITIZER)
  GTEST_SKIP() << "the sanitizer's allocator has locks that outlive a fork";
#endif
  llma_options* options = nullptr;
  ASSERT_EQ(llma_options_create(&options, nullptr), LLMA_OK);
  ASSERT_EQ(llma_options_set(options, LLMA_OPTION_LEVEL, 1, nullptr), LLMA_OK);
  ASSERT_EQ(
      llma_options_set(options, LLMA_OPTION_FRAME_BYTES, 1 << 16, nullptr),
      LLMA_OK);
  // Threads that are kept are the parent's, too.
  ASSERT_EQ(llma_options_set(options, LLMA_OPTION_THREADS, 2, nullptr),
            LLMA_OK);
  llma_context* context = nullptr;
  ASSERT_EQ(llma_context_create(&context, nullptr), LLMA_OK);
  ASSERT_EQ(llma_options_set_context(options, context, nullptr), LLMA_OK);
  llma_encoder* encoder = nullptr;
  ASSERT_EQ(llma_encoder_create(options, &encoder, nullptr), LLMA_OK);
  std::string content(1 << 18, 'x'), room(1 << 18, '\0');
  for (size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<char>(i * i % 251);
  }
  llma_input input = {content.data(), content.size(), 0};
  llma_output output = {room.data(), room.size(), 0};
  ASSERT_LE(llma_encoder_run(encoder, &input, &output, LLMA_RUN, nullptr), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    llma_input more = {content.data(), 1, 0};
    bool is_right = llma_encoder_run(encoder, &more, &output, LLMA_FINISH,
                                     nullptr) == LLMA_ERROR_USAGE;
    llma_encoder_free(encoder);
    void* file = nullptr;
    size_t file_bytes = 0;
    is_right = is_right && llma_compress("abc", 3, options, &file, &file_bytes,
                                         nullptr) == LLMA_OK;
    llma_options_free(options);
    llma_context_free(context);
    ::_exit(is_right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  llma_status state = LLMA_NEED_OUTPUT;
  while (state == LLMA_NEED_OUTPUT) {
    output.used_bytes = 0;
    state = llma_encoder_run(encoder, &input, &output, LLMA_FINISH, nullptr);
  }
  EXPECT_EQ(state, LLMA_OK);
  llma_encoder_free(encoder);
  llma_options_free(options);
  llma_context_free(context);
}

}  // namespace
