// SPDX-License-Identifier: Apache-2.0
// Memory that runs out, at any allocation: the call fails, with
// LLMA_ERROR_MEMORY, or its result is right. Nothing aborts, waits without end
// or, as the sanitizers see, leaks; and a stream goes on failing.
#include <gtest/gtest.h>
#include <llma/llma.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "base/testing/failing_new.h"

namespace llma {
namespace {

// Runs of a function that each fail at another allocation.
constexpr int64_t kMaxRuns = 60;

struct Outcome {
  llma_status status;
  std::string made;
};

class AllocationTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        llma_model_open(LLMA_TEST_DATA_DIR "/tiny.llmm", &model_, &error_),
        LLMA_OK);
    ASSERT_EQ(llma_options_create(&options_, &error_), LLMA_OK);
    Set(LLMA_OPTION_FRAME_BYTES, 128);
    for (int i = 0; content_.size() < 400; ++i) {
      content_ += "Line " + std::to_string(i * i) + " of a text. ";
    }
  }
  void TearDown() override {
    llma_options_free(options_);
    llma_model_free(model_);
  }
  void Set(llma_option option, uint64_t value) {
    ASSERT_EQ(llma_options_set(options_, option, value, &error_), LLMA_OK);
  }
  void UseModel() {
    ASSERT_EQ(llma_options_set_model(options_, model_, &error_), LLMA_OK);
    Set(LLMA_OPTION_LEVEL, 4);
  }

  // `work` must give the same whenever it succeeds.
  void FailEverywhere(const std::function<Outcome()>& work) {
    num_allocations = 0;
    const Outcome right = work();
    ASSERT_EQ(right.status, LLMA_OK) << error_.text;
    const int64_t total = num_allocations;
    ASSERT_GT(total, 0);
    const int64_t step = std::max<int64_t>(1, total / kMaxRuns);
    for (const bool once : {true, false}) {
      int num_failed = 0;
      for (int64_t first = 0; first < total; first += step) {
        fails_once = once;
        num_allocations = 0;
        first_failing = first;
        const Outcome outcome = work();
        first_failing = kNeverFails;
        if (outcome.status == LLMA_OK) {
          EXPECT_EQ(outcome.made, right.made) << "allocation " << first;
        } else {
          EXPECT_EQ(outcome.status, LLMA_ERROR_MEMORY)
              << "allocation " << first << ": " << error_.text;
          ++num_failed;
        }
      }
      EXPECT_GT(num_failed, 0);
    }
  }

  // Of a function with a result that llma_free() frees.
  template <class Function>
  Outcome Whole(Function function, const std::string& from) {
    void* made = nullptr;
    size_t size = 0;
    const llma_status status =
        function(from.data(), from.size(), options_, &made, &size, &error_);
    const Unlimited unlimited;
    Outcome outcome = {status, {}};
    if (status == LLMA_OK) outcome.made.assign(static_cast<char*>(made), size);
    if (status == LLMA_OK) llma_free(made);
    return outcome;
  }

  template <class Handle, class Create, class Run, class Free>
  Outcome Stream(Create create, Run run, Free free, const std::string& from,
                 bool flushes) {
    Outcome outcome = {LLMA_OK, {}};
    Handle* handle = nullptr;
    outcome.status = create(options_, &handle, &error_);
    if (outcome.status != LLMA_OK) return outcome;
    llma_input input = {from.data(), from.size(), 0};
    char room[64];
    const auto drive = [&](llma_action action) {
      llma_status status;
      do {
        llma_output output = {room, sizeof(room), 0};
        status = run(handle, &input, &output, action, &error_);
        const Unlimited unlimited;
        outcome.made.append(room, output.used_bytes);
      } while (status == LLMA_NEED_OUTPUT);
      return status;
    };
    if (flushes) outcome.status = drive(LLMA_FLUSH);
    if (outcome.status <= 0) outcome.status = drive(LLMA_FINISH);
    if (outcome.status > 0) {
      // Also when there is memory again.
      const Unlimited unlimited;
      const llma_status first = outcome.status;
      for (const llma_action action : {LLMA_RUN, LLMA_FLUSH, LLMA_FINISH}) {
        EXPECT_EQ(drive(action), first);
      }
    }
    free(handle);
    return outcome;
  }

  static llma_status Collect(void* user, const void* bytes, size_t size,
                             llma_error*) {
    const Unlimited unlimited;
    static_cast<std::string*>(user)->append(static_cast<const char*>(bytes),
                                            size);
    return LLMA_OK;
  }

  llma_model* model_ = nullptr;
  llma_options* options_ = nullptr;
  llma_error error_{};
  std::string content_;
};

TEST_F(AllocationTest, Compress) {
  Set(LLMA_OPTION_LEVEL, 1);
  FailEverywhere([&] { return Whole(llma_compress, content_); });
}

TEST_F(AllocationTest, CompressWithAModel) {
  UseModel();
  for (const uint64_t threads : {1, 3}) {
    Set(LLMA_OPTION_THREADS, threads);
    FailEverywhere([&] { return Whole(llma_compress, content_); });
  }
  Set(LLMA_OPTION_FRAME_BYTES, 0);
  Set(LLMA_OPTION_LANES, 3);
  FailEverywhere([&] { return Whole(llma_compress, content_); });
}

TEST_F(AllocationTest, ShortMessages) {
  UseModel();
  FailEverywhere([&] { return Whole(llma_compress_short, "a short one"); });
  const std::string message = Whole(llma_compress_short, "a short one").made;
  FailEverywhere([&] { return Whole(llma_decompress, message); });
}

TEST_F(AllocationTest, Decompress) {
  for (const uint64_t lanes : {0, 3}) {
    UseModel();
    Set(LLMA_OPTION_LANES, lanes);
    const std::string file = Whole(llma_compress, content_).made;
    FailEverywhere([&] { return Whole(llma_decompress, file); });
  }
}

TEST_F(AllocationTest, Streams) {
  for (const uint64_t level : {1, 4}) {
    UseModel();
    Set(LLMA_OPTION_LEVEL, level);
    for (const bool flushes : {false, true}) {
      FailEverywhere([&] {
        return Stream<llma_encoder>(llma_encoder_create, llma_encoder_run,
                                    llma_encoder_free, content_, flushes);
      });
    }
    const std::string file = Whole(llma_compress, content_).made;
    FailEverywhere([&] {
      return Stream<llma_decoder>(llma_decoder_create, llma_decoder_run,
                                  llma_decoder_free, file, true);
    });
  }
}

TEST_F(AllocationTest, RangesAndSalvage) {
  Set(LLMA_OPTION_LEVEL, 1);
  const std::string file = Whole(llma_compress, content_).made;
  const llma_reader reader = llma_memory_reader(file.data(), file.size());
  std::string made;
  llma_sink sink = LLMA_INIT(llma_sink);
  sink.user = &made;
  sink.write = Collect;
  FailEverywhere([&]() -> Outcome {
    made.clear();
    const llma_status status =
        llma_decompress_range(&reader, 100, 200, options_, &sink, &error_);
    const Unlimited unlimited;
    return {status, made};
  });
  FailEverywhere([&]() -> Outcome {
    made.clear();
    llma_salvage_report report = LLMA_INIT(llma_salvage_report);
    const llma_status status =
        llma_salvage(&reader, options_, &sink, &report, &error_);
    const Unlimited unlimited;
    return {status, made + std::to_string(report.num_restored)};
  });
  FailEverywhere([&]() -> Outcome {
    llma_file_map* map = nullptr;
    const llma_status status = llma_file_map_create(&reader, &map, &error_);
    llma_file_map_free(map);
    return {status, {}};
  });
}

TEST_F(AllocationTest, Inspect) {
  UseModel();
  FailEverywhere([&]() -> Outcome {
    llma_inspection* made = nullptr;
    const llma_status status = llma_inspect(content_.data(), content_.size(), 2,
                                            options_, &made, &error_);
    if (status != LLMA_OK) return {status, {}};
    const Unlimited unlimited;
    llma_inspection_info info = LLMA_INIT(llma_inspection_info);
    llma_inspection_get_info(made, &info, nullptr);
    llma_inspection_free(made);
    return {status, std::to_string(info.bits)};
  });
}

TEST_F(AllocationTest, Models) {
  FailEverywhere([&]() -> Outcome {
    llma_model* model = nullptr;
    const llma_status status =
        llma_model_open(LLMA_TEST_DATA_DIR "/tiny.llmm", &model, &error_);
    llma_model_free(model);
    return {status, {}};
  });
  char folder[] = "/tmp/llma_allocation_XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/made.llmm";
  FailEverywhere([&]() -> Outcome {
    uint8_t fingerprint[LLMA_FINGERPRINT_BYTES] = {};
    const llma_status status =
        llma_model_import(LLMA_TEST_DATA_DIR "/tiny.gguf", path.c_str(),
                          nullptr, nullptr, fingerprint, &error_);
    const Unlimited unlimited;
    // Whole, or none.
    EXPECT_EQ(::access(path.c_str(), F_OK) == 0, status == LLMA_OK);
    ::unlink(path.c_str());
    if (status != LLMA_OK) return {status, {}};
    return {status,
            std::string(fingerprint, fingerprint + sizeof(fingerprint))};
  });
  EXPECT_EQ(::rmdir(folder), 0) << "something is left in it";
}

}  // namespace
}  // namespace llma
