// SPDX-License-Identifier: Apache-2.0
// Hosts with a floating-point environment of their own: every function that
// computes gives the same, leaves the environment as it was, and calls back in
// the caller's.
#include <gtest/gtest.h>
#include <llma/llma.h>
#include <unistd.h>

#include <cfenv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "importer/testing/hf_folder_editor.h"
#include "importer/testing/tiny_gemma.h"
#include "platform/mapped_file.h"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

// The rounding modes, and subnormals flushed to zero, in and out, beside one.
enum class Host { kUsual, kUpward, kDownward, kTowardZero, kFlushing };
constexpr Host kHosts[] = {Host::kUsual, Host::kUpward, Host::kDownward,
                           Host::kTowardZero, Host::kFlushing};

class HostEnv {
 public:
  explicit HostEnv(Host host) {
    std::fegetenv(&saved_);
    switch (host) {
      case Host::kUsual:
        break;
      case Host::kUpward:
        std::fesetround(FE_UPWARD);
        break;
      case Host::kDownward:
        std::fesetround(FE_DOWNWARD);
        break;
      case Host::kTowardZero:
        std::fesetround(FE_TOWARDZERO);
        break;
      case Host::kFlushing:
        std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
        _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
        break;
    }
    state_ = State();
  }
  ~HostEnv() { std::fesetenv(&saved_); }
  static std::string State() {
    std::string state = std::to_string(std::fegetround());
#if defined(__x86_64__)
    state += ' ' + std::to_string(_mm_getcsr() & ~0x3fu);
#endif
    return state;
  }
  bool IsAsItWas() const { return State() == state_; }

 private:
  std::fenv_t saved_;
  std::string state_;
};

struct Told {
  std::string state;  // of the environment in callbacks
  std::string bytes;
};

int OnProgress(void* user, const llma_progress*) {
  static_cast<Told*>(user)->state = HostEnv::State();
  return 0;
}
llma_status Write(void* user, const void* bytes, size_t size, llma_error*) {
  auto* told = static_cast<Told*>(user);
  told->bytes.append(static_cast<const char*>(bytes), size);
  told->state = HostEnv::State();
  std::fesetround(FE_UPWARD);  // as a careless callback might
  return LLMA_OK;
}

class FpEnvTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        llma_model_open(LLMA_TEST_DATA_DIR "/tiny.llmm", &model_, nullptr),
        LLMA_OK);
    ASSERT_EQ(llma_options_create(&options_, nullptr), LLMA_OK);
    ASSERT_EQ(llma_options_set_model(options_, model_, nullptr), LLMA_OK);
    ASSERT_EQ(llma_options_set_progress(options_, OnProgress, &told_, nullptr),
              LLMA_OK);
    for (int i = 0; content_.size() < 600; ++i) {
      content_ += "Line " + std::to_string(i * i) + " of a text. ";
    }
  }
  void TearDown() override {
    llma_options_free(options_);
    llma_model_free(model_);
  }

  // `work` gives the same bytes in every environment.
  template <class Work>
  void SameEverywhere(const char* name, const Work& work) {
    const std::string usual = work();
    EXPECT_FALSE(usual.empty()) << name;
    for (const Host host : kHosts) {
      told_ = {};
      const HostEnv env(host);
      const std::string state = HostEnv::State();
      const std::string made = work();
      EXPECT_TRUE(env.IsAsItWas()) << name;
      EXPECT_EQ(made, usual) << name << " in host " << static_cast<int>(host);
      if (!told_.state.empty()) {
        EXPECT_EQ(told_.state, state) << name;
      }
    }
  }

  template <class Function>
  std::string Whole(Function function, const std::string& from) {
    void* made = nullptr;
    size_t size = 0;
    if (function(from.data(), from.size(), options_, &made, &size, nullptr) !=
        LLMA_OK) {
      return {};
    }
    std::string copy(static_cast<char*>(made), size);
    llma_free(made);
    return copy;
  }
  void Set(llma_option option, uint64_t value) {
    ASSERT_EQ(llma_options_set(options_, option, value, nullptr), LLMA_OK);
  }

  llma_model* model_ = nullptr;
  llma_options* options_ = nullptr;
  Told told_;
  std::string content_;
};

TEST_F(FpEnvTest, BuffersAndStreams) {
  for (const uint64_t level : {1, 2, 4, 7}) {
    Set(LLMA_OPTION_LEVEL, level);
    for (const uint64_t threads : {1, 2}) {
      Set(LLMA_OPTION_THREADS, threads);
      SameEverywhere("compress",
                     [&] { return Whole(llma_compress, content_); });
      const std::string file = Whole(llma_compress, content_);
      SameEverywhere("decompress",
                     [&] { return Whole(llma_decompress, file); });
    }
  }
  SameEverywhere("compress_short",
                 [&] { return Whole(llma_compress_short, "a short one"); });
  const std::string message = Whole(llma_compress_short, "a short one");
  SameEverywhere("decompress of a short message",
                 [&] { return Whole(llma_decompress, message); });
  SameEverywhere("encoder", [&] {
    llma_encoder* encoder = nullptr;
    llma_encoder_create(options_, &encoder, nullptr);
    std::string room(10000, '\0');
    llma_input input = {content_.data(), content_.size(), 0};
    llma_output output = {room.data(), room.size(), 0};
    while (llma_encoder_run(encoder, &input, &output, LLMA_FINISH, nullptr) ==
           LLMA_NEED_OUTPUT) {
    }
    llma_encoder_free(encoder);
    return room.substr(0, output.used_bytes);
  });
}

TEST_F(FpEnvTest, RangesAndSalvage) {
  Set(LLMA_OPTION_LEVEL, 4);
  Set(LLMA_OPTION_FRAME_BYTES, 200);
  const std::string file = Whole(llma_compress, content_);
  const llma_reader reader = llma_memory_reader(file.data(), file.size());
  llma_sink sink = LLMA_INIT(llma_sink);
  sink.user = &told_;
  sink.write = Write;
  SameEverywhere("range", [&] {
    told_.bytes.clear();
    llma_decompress_range(&reader, 100, 400, options_, &sink, nullptr);
    return told_.bytes;
  });
  SameEverywhere("salvage", [&] {
    told_.bytes.clear();
    llma_salvage(&reader, options_, &sink, nullptr, nullptr);
    return told_.bytes;
  });
}

TEST_F(FpEnvTest, InspectingAndMeasuring) {
  Set(LLMA_OPTION_LEVEL, 4);
  SameEverywhere("inspect", [&]() -> std::string {
    llma_inspection* made = nullptr;
    if (llma_inspect(content_.data(), content_.size(), 1, options_, &made,
                     nullptr) != LLMA_OK) {
      return {};
    }
    llma_inspection_info info = LLMA_INIT(llma_inspection_info);
    llma_inspection_get_info(made, &info, nullptr);
    llma_inspection_free(made);
    return std::string(reinterpret_cast<const char*>(&info.bits),
                       sizeof(info.bits));
  });
  for (const char* source :
       {LLMA_TEST_DATA_DIR "/tiny.gguf", LLMA_TEST_DATA_DIR "/tiny.llmm"}) {
    SameEverywhere(source, [&]() -> std::string {
      llma_model_cost cost = LLMA_INIT(llma_model_cost);
      if (llma_model_measure(source, nullptr, content_.data(), content_.size(),
                             100, 1, &cost, nullptr) != LLMA_OK) {
        return {};
      }
      return std::string(reinterpret_cast<const char*>(&cost), sizeof(cost));
    });
  }
}

TEST_F(FpEnvTest, ImportGivesTheSameModel) {
  char folder[] = "/tmp/llma_fp_env_XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/made.llmm";
  // One whose scale of scores is the root of 32.
  const std::string gemma = std::string(folder) + "/gemma.gguf";
  const std::vector<uint8_t> bytes = llma::TinyGemma().Encode();
  std::ofstream(gemma, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const std::string hf_folder = std::string(folder) + "/hf";
  const auto tiny = llma::MappedFile::Open(LLMA_TEST_DATA_DIR "/tiny.gguf");
  ASSERT_TRUE(tiny);
  llma::HfFolderEditor(*llma::GgufReader::Parse(tiny->bytes()),
                       llma::TensorType::kBf16)
      .Write(hf_folder);
  const std::string sources[] = {LLMA_TEST_DATA_DIR "/tiny.gguf", gemma,
                                 hf_folder};
  for (const std::string& source : sources) {
    SameEverywhere(source.c_str(), [&]() -> std::string {
      uint8_t fingerprint[LLMA_FINGERPRINT_BYTES];
      llma_import_options how = LLMA_INIT(llma_import_options);
      how.overwrite = 1;
      if (llma_model_import(source.c_str(), path.c_str(), &how, nullptr,
                            fingerprint, nullptr) != LLMA_OK) {
        return {};
      }
      return std::string(fingerprint, fingerprint + sizeof(fingerprint));
    });
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
