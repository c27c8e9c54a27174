// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <llma/llma.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string Text(size_t size_bytes) {
  std::string text;
  for (int i = 0; text.size() < size_bytes; ++i) {
    text += "Line " + std::to_string(i * i) + " of a text that repeats. ";
  }
  text.resize(size_bytes);
  return text;
}

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        llma_model_open(LLMA_TEST_DATA_DIR "/tiny.llmm", &model_, &error_),
        LLMA_OK)
        << error_.text;
    ASSERT_EQ(llma_options_create(&options_, &error_), LLMA_OK);
    ASSERT_EQ(llma_options_set_model(options_, model_, &error_), LLMA_OK);
    Set(LLMA_OPTION_THREADS, 1);
  }
  void TearDown() override {
    llma_options_free(options_);
    llma_model_free(model_);
  }
  void Set(llma_option option, uint64_t value) {
    ASSERT_EQ(llma_options_set(options_, option, value, &error_), LLMA_OK)
        << error_.text;
  }
  std::string Compress(const std::string& content) {
    void* file = nullptr;
    size_t size = 0;
    EXPECT_EQ(llma_compress(content.data(), content.size(), options_, &file,
                            &size, &error_),
              LLMA_OK)
        << error_.text;
    std::string copy(static_cast<const char*>(file), size);
    llma_free(file);
    return copy;
  }
  // Through buffers of this size.
  template <class Handle, class Run>
  std::string Drive(Handle* handle, Run run, const std::string& from,
                    size_t buffer_bytes) {
    std::string to, buffer(buffer_bytes, '\0');
    size_t used = 0;
    for (;;) {
      llma_input input = {from.data() + used,
                          std::min(buffer_bytes, from.size() - used), 0};
      llma_output output = {buffer.data(), buffer.size(), 0};
      used += input.size_bytes;
      const llma_action action = used == from.size() ? LLMA_FINISH : LLMA_RUN;
      for (;;) {
        output.used_bytes = 0;
        const llma_status status =
            run(handle, &input, &output, action, &error_);
        to.append(buffer, 0, output.used_bytes);
        if (status == LLMA_OK) return to;
        if (status == LLMA_NEED_INPUT) break;
        if (status != LLMA_NEED_OUTPUT) {
          ADD_FAILURE() << error_.text;
          return to;
        }
      }
    }
  }

  llma_model* model_ = nullptr;
  llma_options* options_ = nullptr;
  llma_error error_;
};

TEST_F(ApiTest, StreamsEqualOneCall) {
  const std::string content = Text(3000);
  Set(LLMA_OPTION_FRAME_BYTES, 1000);
  const std::string whole = Compress(content);
  for (const size_t buffer_bytes : {1u, 7u, 4096u, 1000000u}) {
    llma_encoder* encoder = nullptr;
    ASSERT_EQ(llma_encoder_create(options_, &encoder, &error_), LLMA_OK);
    EXPECT_EQ(Drive(encoder, llma_encoder_run, content, buffer_bytes), whole);
    llma_totals totals = LLMA_INIT(llma_totals);
    EXPECT_EQ(llma_encoder_get_totals(encoder, &totals, &error_), LLMA_OK);
    EXPECT_EQ(totals.content_bytes, content.size());
    EXPECT_EQ(totals.file_bytes, whole.size());
    llma_encoder_free(encoder);
    llma_decoder* decoder = nullptr;
    ASSERT_EQ(llma_decoder_create(options_, &decoder, &error_), LLMA_OK);
    EXPECT_EQ(Drive(decoder, llma_decoder_run, whole, buffer_bytes), content);
    llma_totals back = LLMA_INIT(llma_totals);
    EXPECT_EQ(llma_decoder_get_totals(decoder, &back, &error_), LLMA_OK);
    EXPECT_EQ(back.content_xxh3, totals.content_xxh3);
    llma_decoder_free(decoder);
  }
}

TEST_F(ApiTest, TheModelIsChosenAmongThoseInstalled) {
  ::setenv("LLMA_MODEL_PATH", LLMA_TEST_DATA_DIR, 1);
  ::setenv("XDG_DATA_HOME", "/nonexistent", 1);
  const std::string content = Text(300);
  const std::string expected = Compress(content);
  Set(LLMA_OPTION_AUTO_MODEL, 1);
  void* file = nullptr;
  size_t size = 0;
  EXPECT_EQ(llma_compress(content.data(), content.size(), options_, &file,
                          &size, &error_),
            LLMA_ERROR_USAGE);
  ASSERT_EQ(llma_options_set_model(options_, nullptr, &error_), LLMA_OK);
  EXPECT_EQ(Compress(content), expected);
  llma_encoder* encoder = nullptr;
  ASSERT_EQ(llma_encoder_create(options_, &encoder, &error_), LLMA_OK);
  EXPECT_EQ(Drive(encoder, llma_encoder_run, content, 100), expected);
  llma_encoder_free(encoder);
  ::unsetenv("LLMA_MODEL_PATH");
  ::unsetenv("XDG_DATA_HOME");
}

TEST_F(ApiTest, ShortMessagesDecodeAsFilesDo) {
  const std::string content = "see you at noon";
  void *message = nullptr, *back = nullptr;
  size_t size = 0, back_size = 0;
  ASSERT_EQ(llma_compress_short(content.data(), content.size(), options_,
                                &message, &size, &error_),
            LLMA_OK)
      << error_.text;
  EXPECT_EQ(llma_recognize(message, size), LLMA_KIND_SHORT_MESSAGE);
  ASSERT_EQ(
      llma_decompress(message, size, options_, &back, &back_size, &error_),
      LLMA_OK)
      << error_.text;
  EXPECT_EQ(std::string(static_cast<char*>(back), back_size), content);
  llma_decoder* decoder = nullptr;
  ASSERT_EQ(llma_decoder_create(options_, &decoder, &error_), LLMA_OK);
  EXPECT_EQ(Drive(decoder, llma_decoder_run,
                  std::string(static_cast<char*>(message), size), 3),
            content);
  llma_decoder_free(decoder);
  llma_free(message);
  llma_free(back);
}

TEST_F(ApiTest, BitsOfPiecesAddUpToThePayload) {
  for (const int level : {1, 2, 6, 7}) {
    Set(LLMA_OPTION_LEVEL, static_cast<uint64_t>(level));
    const std::string content = Text(20000);
    llma_inspection* inspection = nullptr;
    ASSERT_EQ(llma_inspect(content.data(), content.size(), 3, options_,
                           &inspection, &error_),
              LLMA_OK)
        << error_.text;
    llma_inspection_info info = LLMA_INIT(llma_inspection_info);
    ASSERT_EQ(llma_inspection_get_info(inspection, &info, &error_), LLMA_OK);
    EXPECT_EQ(info.file_bytes, Compress(content).size());
    EXPECT_NEAR(info.bits / 8, static_cast<double>(info.payload_bytes),
                0.01 * static_cast<double>(info.payload_bytes) + 2);
    uint64_t covered = 0;
    for (uint64_t i = 0; i < info.num_pieces; ++i) {
      llma_piece piece = LLMA_INIT(llma_piece);
      ASSERT_EQ(llma_inspection_get_piece(inspection, i, &piece, &error_),
                LLMA_OK);
      ASSERT_EQ(piece.content_ofs, covered);
      covered += piece.size_bytes;
      double last = 1;
      for (uint32_t k = 0; k < piece.num_alternatives; ++k) {
        llma_alternative found = LLMA_INIT(llma_alternative);
        ASSERT_EQ(
            llma_inspection_get_alternative(inspection, i, k, &found, &error_),
            LLMA_OK);
        ASSERT_LE(found.probability, last);
        last = found.probability;
      }
    }
    EXPECT_EQ(covered, content.size());
    llma_inspection_free(inspection);
  }
}

TEST_F(ApiTest, AnotherThreadCancels) {
  llma_encoder* encoder = nullptr;
  ASSERT_EQ(llma_encoder_create(options_, &encoder, &error_), LLMA_OK);
  const std::string content = Text(400000);
  std::string buffer(1 << 20, '\0');
  llma_input input = {content.data(), content.size(), 0};
  llma_output output = {buffer.data(), buffer.size(), 0};
  std::thread other([&] { llma_encoder_cancel(encoder); });
  EXPECT_EQ(llma_encoder_run(encoder, &input, &output, LLMA_FINISH, &error_),
            LLMA_ERROR_CANCELLED);
  EXPECT_EQ(llma_encoder_run(encoder, &input, &output, LLMA_FINISH, &error_),
            LLMA_ERROR_CANCELLED);
  other.join();
  llma_encoder_free(encoder);
}

TEST_F(ApiTest, TwoThreadsShareOneModel) {
  llma_model* again = nullptr;
  ASSERT_EQ(llma_model_open(LLMA_TEST_DATA_DIR "/tiny.llmm", &again, &error_),
            LLMA_OK);
  llma_model_info first = LLMA_INIT(llma_model_info), second = first;
  ASSERT_EQ(llma_model_get_info(model_, &first, &error_), LLMA_OK);
  ASSERT_EQ(llma_model_get_info(again, &second, &error_), LLMA_OK);
  EXPECT_EQ(first.fingerprint, second.fingerprint);  // the same memory
  llma_model_free(again);
  const std::string content = Text(2000);
  const std::string expected = Compress(content);
  std::vector<std::thread> threads;
  std::vector<std::string> files(2);
  for (std::string& file : files) {
    threads.emplace_back([&] {
      void* data = nullptr;
      size_t size = 0;
      if (llma_compress(content.data(), content.size(), options_, &data, &size,
                        nullptr) == LLMA_OK) {
        file.assign(static_cast<char*>(data), size);
      }
      llma_free(data);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& file : files) EXPECT_EQ(file, expected);
}

TEST_F(ApiTest, LimitsAreKept) {
  const std::string content = Text(5000);
  const std::string file = Compress(content);
  void* data = nullptr;
  size_t size = 0;
  Set(LLMA_OPTION_MAX_CONTENT_BYTES, 4999);
  EXPECT_EQ(llma_decompress(file.data(), file.size(), options_, &data, &size,
                            &error_),
            LLMA_ERROR_LIMIT);
  Set(LLMA_OPTION_MAX_CONTENT_BYTES, 0);
  Set(LLMA_OPTION_MEMORY_BYTES, 100000);
  EXPECT_EQ(llma_decompress(file.data(), file.size(), options_, &data, &size,
                            &error_),
            LLMA_ERROR_LIMIT);
  EXPECT_EQ(llma_compress(content.data(), content.size(), options_, &data,
                          &size, &error_),
            LLMA_ERROR_LIMIT);
  EXPECT_EQ(data, nullptr);
}

TEST_F(ApiTest, RangesMapsAndDamage) {
  Set(LLMA_OPTION_LEVEL, 1);
  Set(LLMA_OPTION_FRAME_BYTES, 1000);
  const std::string content = Text(5000);
  std::string file = Compress(content);
  llma_reader reader = llma_memory_reader(file.data(), file.size());
  std::string got;
  llma_sink sink = LLMA_INIT(llma_sink);
  sink.user = &got;
  sink.write = [](void* user, const void* bytes, size_t size, llma_error*) {
    static_cast<std::string*>(user)->append(static_cast<const char*>(bytes),
                                            size);
    return LLMA_OK;
  };
  ASSERT_EQ(llma_decompress_range(&reader, 1500, 900, options_, &sink, &error_),
            LLMA_OK);
  EXPECT_EQ(got, content.substr(1500, 900));
  llma_file_map* map = nullptr;
  ASSERT_EQ(llma_file_map_create(&reader, &map, &error_), LLMA_OK);
  llma_file_info info = LLMA_INIT(llma_file_info);
  ASSERT_EQ(llma_file_map_get_info(map, &info, &error_), LLMA_OK);
  EXPECT_EQ(info.num_frames, 5u);
  llma_frame_info frame = LLMA_INIT(llma_frame_info);
  ASSERT_EQ(llma_file_map_get_frame(map, 1, &frame, &error_), LLMA_OK);
  EXPECT_EQ(frame.content_ofs, 1000u);
  EXPECT_EQ(frame.kind, LLMA_FRAME_CONTEXTS);
  llma_file_map_free(map);
  file[frame.frame_ofs + frame.frame_bytes - 5] ^= 1;
  got.clear();
  llma_salvage_report report = LLMA_INIT(llma_salvage_report);
  ASSERT_EQ(llma_salvage(&reader, options_, &sink, &report, &error_), LLMA_OK);
  EXPECT_EQ(report.num_lost, 1u);
  EXPECT_EQ(got, content.substr(0, 1000) + content.substr(2000));
}

// What a newer version of a struct has at its end must be zeros.
TEST_F(ApiTest, MembersOfNewerStructsAreNotIgnored) {
  struct Newer {
    llma_source_info known;
    uint64_t added;
  } info = {};
  info.known.struct_bytes = sizeof(info);
  info.known.name = "a";
  const auto set = [&] {
    return llma_options_set_source_info(options_, &info.known, &error_);
  };
  EXPECT_EQ(set(), LLMA_OK) << error_.text;
  info.added = uint64_t{1} << 56;
  EXPECT_EQ(set(), LLMA_ERROR_UNSUPPORTED);
  info.known.struct_bytes = offsetof(llma_source_info, mode);  // an older one
  EXPECT_EQ(set(), LLMA_OK) << error_.text;
  info.known.struct_bytes = size_t{1} << 20;  // not written, or none
  EXPECT_EQ(set(), LLMA_ERROR_USAGE);

  llma_reader reader = llma_memory_reader("", 0);
  reader.struct_bytes = 0;
  llma_file_info found = LLMA_INIT(llma_file_info);
  EXPECT_EQ(llma_read_file_info(&reader, &found, &error_), LLMA_ERROR_USAGE);
}

TEST_F(ApiTest, BoundsOfOptionsHold) {
  size_t num_options = 0;
  for (int i = 0; i < 100; ++i) {
    const auto option = static_cast<llma_option>(i);
    llma_option_bounds bounds = LLMA_INIT(llma_option_bounds);
    if (llma_option_get_bounds(option, &bounds, &error_) != LLMA_OK) continue;
    ++num_options;
    const auto set = [&](uint64_t value) {
      return llma_options_set(options_, option, value, &error_);
    };
    EXPECT_EQ(set(bounds.min), LLMA_OK) << i;
    EXPECT_EQ(set(bounds.max), LLMA_OK) << i;
    EXPECT_EQ(set(bounds.default_value), LLMA_OK) << i;
    if (bounds.min > 0) {
      EXPECT_EQ(set(bounds.min - 1), LLMA_ERROR_USAGE) << i;
    }
    if (bounds.max < UINT64_MAX) {
      EXPECT_EQ(set(bounds.max + bounds.granularity), LLMA_ERROR_USAGE) << i;
    }
    if (bounds.granularity > 1) {
      EXPECT_EQ(set(bounds.min + 1), LLMA_ERROR_USAGE) << i;
    }
  }
  EXPECT_GE(num_options, 14u);
}

// docs/API.md: which status follows which action.
TEST_F(ApiTest, StatusesOfStreams) {
  Set(LLMA_OPTION_LEVEL, 1);
  llma_encoder* encoder = nullptr;
  ASSERT_EQ(llma_encoder_create(options_, &encoder, &error_), LLMA_OK);
  std::string made(1000, '\0');
  llma_input input = {"some text, some text", 20, 0};
  llma_output none = {nullptr, 0, 0};
  llma_output output = {made.data(), made.size(), 0};
  const auto run = [&](llma_action action, llma_output& to) {
    return llma_encoder_run(encoder, &input, &to, action, &error_);
  };
  EXPECT_EQ(run(LLMA_RUN, none), LLMA_NEED_INPUT);
  EXPECT_EQ(run(LLMA_FLUSH, none), LLMA_NEED_OUTPUT);
  EXPECT_EQ(run(LLMA_RUN, none), LLMA_NEED_OUTPUT);
  EXPECT_EQ(run(LLMA_FLUSH, output), LLMA_OK);
  EXPECT_EQ(run(LLMA_FLUSH, none), LLMA_OK);  // nothing more to flush
  EXPECT_EQ(run(LLMA_FINISH, none), LLMA_NEED_OUTPUT);
  input.used_bytes = 0;
  EXPECT_EQ(run(LLMA_RUN, output), LLMA_ERROR_USAGE);  // input after the end
  input.used_bytes = input.size_bytes;
  EXPECT_EQ(run(LLMA_RUN, output), LLMA_OK);  // it was finished already
  EXPECT_EQ(run(LLMA_FINISH, output), LLMA_ERROR_USAGE);
  llma_totals totals = LLMA_INIT(llma_totals);
  EXPECT_EQ(llma_encoder_get_totals(encoder, &totals, &error_), LLMA_OK);
  EXPECT_EQ(totals.file_bytes, output.used_bytes);
  llma_encoder_free(encoder);

  // An error stays; USAGE does not.
  llma_decoder* decoder = nullptr;
  ASSERT_EQ(llma_decoder_create(options_, &decoder, &error_), LLMA_OK);
  llma_input file = {made.data(), output.used_bytes - 1, 0};
  std::string content(1000, '\0');
  llma_output back = {content.data(), content.size(), 0};
  EXPECT_EQ(llma_decoder_run(decoder, &file, nullptr, LLMA_RUN, &error_),
            LLMA_ERROR_USAGE);
  EXPECT_EQ(llma_decoder_run(decoder, &file, &none, LLMA_RUN, &error_),
            LLMA_NEED_OUTPUT);
  EXPECT_EQ(llma_decoder_run(decoder, &file, &none, LLMA_FINISH, &error_),
            LLMA_NEED_OUTPUT);
  for (const llma_action action : {LLMA_FINISH, LLMA_RUN, LLMA_FLUSH}) {
    EXPECT_EQ(llma_decoder_run(decoder, &file, &back, action, &error_),
              LLMA_ERROR_TRUNCATED);
  }
  EXPECT_EQ(back.used_bytes, 20u);  // what was whole came first
  EXPECT_EQ(llma_decoder_get_totals(decoder, &totals, &error_), LLMA_OK);
  llma_decoder_free(decoder);
}

TEST_F(ApiTest, ADecoderMayEndWithTheFirstFile) {
  const std::string content = "some text " + std::string(500, '-');
  for (const uint64_t frame_bytes : {uint64_t{0}, uint64_t{100}}) {
    Set(LLMA_OPTION_LEVEL, 1);
    Set(LLMA_OPTION_FRAME_BYTES, frame_bytes);  // with an index, or without
    const std::string file = Compress(content);
    Set(LLMA_OPTION_ONE_FILE, 1);
    for (const std::string& after : {std::string(), std::string("x"), file}) {
      for (const size_t part : {size_t{1}, size_t{7}, size_t{10000}}) {
        llma_decoder* decoder = nullptr;
        ASSERT_EQ(llma_decoder_create(options_, &decoder, &error_), LLMA_OK);
        const std::string all = file + after;
        std::string back;
        size_t used = 0;
        llma_status status = LLMA_NEED_INPUT;
        while (status < 0) {
          char room[50];
          llma_input input = {all.data() + used,
                              std::min(part, all.size() - used), 0};
          llma_output output = {room, sizeof(room), 0};
          status =
              llma_decoder_run(decoder, &input, &output, LLMA_RUN, &error_);
          back.append(room, output.used_bytes);
          used += input.used_bytes;
          ASSERT_FALSE(status == LLMA_NEED_INPUT && used == all.size());
        }
        EXPECT_EQ(status, LLMA_OK) << error_.text;
        EXPECT_EQ(back, content);
        EXPECT_EQ(used, file.size());
        llma_totals totals = LLMA_INIT(llma_totals);
        llma_decoder_get_totals(decoder, &totals, &error_);
        EXPECT_EQ(totals.file_bytes, file.size());
        llma_decoder_free(decoder);
      }
    }
  }
}

TEST_F(ApiTest, MisuseIsAnError) {
  EXPECT_EQ(llma_options_set(options_, LLMA_OPTION_LEVEL, 10, &error_),
            LLMA_ERROR_USAGE);
  EXPECT_EQ(llma_options_set(nullptr, LLMA_OPTION_LEVEL, 1, &error_),
            LLMA_ERROR_USAGE);
  EXPECT_EQ(llma_encoder_create(options_, nullptr, nullptr), LLMA_ERROR_USAGE);
  EXPECT_EQ(llma_encoder_run(nullptr, nullptr, nullptr, LLMA_RUN, &error_),
            LLMA_ERROR_USAGE);
  EXPECT_STREQ(error_.text, "encoder is NULL");
  llma_totals no_size{};
  llma_encoder* encoder = nullptr;
  ASSERT_EQ(llma_encoder_create(options_, &encoder, &error_), LLMA_OK);
  EXPECT_EQ(llma_encoder_get_totals(encoder, &no_size, &error_),
            LLMA_ERROR_USAGE);
  char room[256];
  llma_output output = {room, sizeof(room), 0};
  EXPECT_EQ(llma_encoder_run(encoder, nullptr, &output, LLMA_FINISH, &error_),
            LLMA_OK);
  EXPECT_EQ(llma_encoder_run(encoder, nullptr, &output, LLMA_FINISH, &error_),
            LLMA_ERROR_USAGE);
  llma_encoder_free(encoder);
  llma_encoder_free(nullptr);
}

}  // namespace
