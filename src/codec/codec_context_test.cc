// SPDX-License-Identifier: Apache-2.0
#include "codec/codec_context.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "codec/compress_context.h"
#include "codec/file/whole_file.h"
#include "codec/reference.h"
#include "codec/short/compress_short.h"
#include "codec/short/decompress_short.h"
#include "codec/testing/second_tiny_model.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

std::string Text(size_t size, uint32_t seed) {
  constexpr const char* kWords[] = {" everyone", " working", "\n",
                                    " saying",   " 17",      " became"};
  TestRandom random(seed);
  std::string text;
  while (text.size() < size) text += kWords[random.Below(6)];
  text.resize(size);
  return text;
}

// Compresses and restores with what was left by others before, and checks that
// the file is what it would be without that.
void RoundTrip(const std::string& text, int level, const Model& model,
               CompressContext& context) {
  CompressOptions alone, shared;
  alone.level = shared.level = level;
  alone.num_threads = shared.num_threads = 2;
  shared.context = &context;
  const auto file = Compress(AsBytes(text), &model, shared);
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(*file, *Compress(AsBytes(text), &model, alone));
  DecompressOptions restore;
  restore.num_threads = 2;
  restore.context = &context;
  const auto content = Decompress(*file, &model, restore);
  ASSERT_TRUE(content) << content.error().what;
  EXPECT_EQ(AsStringView(*content), text);
}

TEST(CodecContext, NothingOfOneContentReachesTheNext) {
  const auto model = OpenTinyModel();
  CompressContext context;
  uint32_t seed = 0;
  for (const size_t size : {900, 40, 0, 3000, 41, 1, 5000, 700}) {
    for (const int level : {1, 2, 6}) {
      SCOPED_TRACE(std::to_string(level) + " " + std::to_string(size));
      RoundTrip(Text(size, ++seed), level, *model, context);
    }
  }
  EXPECT_GT(context.pages().kept_bytes(), 0u);
}

TEST(CodecContext, ThreadsShareOne) {
  const auto model = OpenTinyModel();
  CompressContext context;
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      for (uint32_t k = 0; k < 4; ++k) {
        RoundTrip(Text(60 + 30 * i + k, i), k % 2 == 0 ? 1 : 6, *model,
                  context);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(CodecContext, KeepsPoolsAndTokenizers) {
  CompressContext context;
  const ThreadPool* first;
  {
    const auto pool = context.TakePool(2);
    first = &*pool;
    const auto other = context.TakePool(2);
    EXPECT_NE(&*other, first);
  }
  const auto again = context.TakePool(2);
  EXPECT_EQ(&*again, first);
  const auto of_other_size = context.TakePool(1);
  EXPECT_EQ(of_other_size->num_threads(), 1);

  const auto model = OpenTinyModel();
  const auto tokenizer = context.TokenizerOf(*model);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(*context.TokenizerOf(*model), *tokenizer);
}

TEST(CodecContext, PoolsAreSharedWhileInUse) {
  CodecContext context;
  const auto model = OpenTinyModel(), other_model = OpenTinyModel();
  const auto engine = context.EngineOf(*model, BestKernels());
  const auto other = context.EngineOf(*other_model, BestKernels());
  ASSERT_TRUE(engine && other);
  const auto first = context.SharePool(**engine, 2, 0);
  EXPECT_EQ(context.SharePool(**engine, 2, 0), first);
  EXPECT_NE(context.SharePool(**engine, 1, 0), first);
  EXPECT_NE(context.SharePool(**engine, 2, 1), first);
  EXPECT_NE(context.SharePool(**other, 2, 0), first);
  EXPECT_NE(&*context.TakePool(2), &**first);
}

struct Restored {
  std::string content, error;
  bool operator==(const Restored&) const = default;
};

Restored Restore(Bytes file, const Model& model,
                 const DecompressOptions& options) {
  const auto content = Decompress(file, &model, options);
  if (!content) return {"", content.error().what};
  return {std::string(AsStringView(*content)), ""};
}

// What one thread restores alone: files of different windows and models, some
// damaged, with and without a reference.
TEST(CodecContext, FilesOfThreadsShareWork) {
  const auto model = OpenTinyModel();
  const AlignedBuffer<uint8_t> second = SecondTinyModelFile();
  const auto other_model = *Model::FromBytes({second.data(), second.size()});
  const auto reference =
      Reference::Create(std::vector<uint8_t>(2000, static_cast<uint8_t>('a')));
  ASSERT_TRUE(reference);
  struct File {
    std::vector<uint8_t> bytes;
    const Model* model;
    Restored expected;
  };
  std::vector<File> files;
  DecompressOptions restore;
  restore.num_threads = 1;
  restore.reference = *reference;
  for (uint32_t i = 0; i < 12; ++i) {
    CompressOptions how;
    how.num_threads = 1;
    how.num_lanes = i == 7 || i == 9 ? 2 : 1;
    how.window_positions = i % 3 == 0 ? 16 : 64;
    if (i % 5 == 0) how.reference = *reference;
    if (i % 4 == 1) how.frame_bytes = 100;
    const Model* used = i % 6 == 5 ? other_model.get() : model.get();
    auto bytes = Compress(AsBytes(Text(60 + 25 * i, i)), used, how);
    ASSERT_TRUE(bytes) << bytes.error().what;
    if (i % 4 == 2) bytes->at(bytes->size() * 2 / 3) ^= 1;
    files.push_back({*bytes, used, Restore(*bytes, *used, restore)});
    EXPECT_EQ(files.back().expected.error.empty(), i % 4 != 2) << i;
  }
  for (const int num_threads : {1, 2, 7}) {
    SCOPED_TRACE(num_threads);
    CodecContext context;
    restore.context = &context;
    restore.num_threads = num_threads;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < files.size(); ++i) {
      threads.emplace_back([&, i] {
        const File& file = files[i];
        EXPECT_EQ(Restore(file.bytes, *file.model, restore), file.expected)
            << i;
        // Others go on when one is cancelled.
        DecompressOptions cancelled = restore;
        cancelled.progress = [num_calls = 0](const CodecProgress&) mutable {
          return ++num_calls < 5;
        };
        EXPECT_NE(Restore(file.bytes, *file.model, cancelled).error, "");
        EXPECT_EQ(Restore(file.bytes, *file.model, restore), file.expected)
            << i;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(CodecContext, KeepsEngines) {
  CompressContext context;
  const auto model = OpenTinyModel(), other = OpenTinyModel();
  const KernelTable& scalar = **FindKernels("scalar");
  const auto engine = context.EngineOf(*model, scalar);
  ASSERT_TRUE(engine);
  EXPECT_EQ(&(*engine)->model(), model.get());
  EXPECT_EQ(*context.EngineOf(*model, scalar), *engine);
  EXPECT_NE(*context.EngineOf(*other, scalar), *engine);
  for (const KernelTable* table : AllKernels()) {
    if (table == &scalar) continue;
    EXPECT_NE(*context.EngineOf(*model, *table), *engine);
  }
}

TEST(CodecContext, UnknownEnginesAreErrors) {
  const auto model = OpenTinyModel();
  const std::string text = Text(300, 1);
  const auto file = Compress(AsBytes(text), model.get(), {});
  ASSERT_TRUE(file);
  ::setenv("LLMA_ENGINE", "abacus", 1);
  const auto refused = Compress(AsBytes(text), model.get(), {});
  const auto not_restored = Decompress(*file, model.get(), {});
  ::setenv("LLMA_ENGINE", "cpu", 1);
  const auto same = Compress(AsBytes(text), model.get(), {});
  ::unsetenv("LLMA_ENGINE");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  ASSERT_FALSE(not_restored);
  EXPECT_EQ(not_restored.error().code, ErrorCode::kUsage);
  ASSERT_TRUE(same);
  EXPECT_EQ(*same, *file);
}

TEST(CodecContext, ModelsMayComeAndGo) {
  CompressContext context;
  for (int i = 0; i < 6; ++i) {
    // One may well be where another one was.
    const auto model = OpenTinyModel();
    RoundTrip(Text(200, 5), 6, *model, context);
    EXPECT_LE(context.TokenizerOf(*model)->use_count(), 2);
    EXPECT_EQ(&(*context.EngineOf(*model, **FindKernels("")))->model(),
              model.get());
  }
}

TEST(CodecContext, GivesMemoryBackWhereItIsScarce) {
  CompressContext context;
  const auto model = OpenTinyModel();
  RoundTrip(Text(300, 1), 2, *model, context);
  const size_t kept_bytes = context.pages().kept_bytes();
  ASSERT_GT(kept_bytes, 0u);
  const uint64_t max_bytes = kept_bytes + 1000;
  { const auto memory = context.Reserve(1000, max_bytes); }
  const auto memory = context.Reserve(600, max_bytes);
  EXPECT_EQ(context.pages().kept_bytes(), kept_bytes);
  const auto refused = context.Reserve(max_bytes + 1, max_bytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_EQ(context.pages().kept_bytes(), kept_bytes);
  const auto more = context.Reserve(401, max_bytes);
  EXPECT_EQ(context.pages().kept_bytes(), 0u);
}

TEST(CodecContext, ServesShortMessages) {
  const auto model = OpenTinyModel();
  CompressContext context;
  CompressOptions options;
  options.context = &context;
  DecompressOptions restore;
  restore.context = &context;
  for (uint32_t i = 0; i < 5; ++i) {
    const std::string text = Text(30 + i, i);
    const auto message = CompressShort(AsBytes(text), *model, options);
    ASSERT_TRUE(message);
    EXPECT_EQ(*message, *CompressShort(AsBytes(text), *model, {}));
    EXPECT_EQ(AsStringView(*DecompressShort(*message, model.get(), restore)),
              text);
  }
}

}  // namespace
}  // namespace llma
