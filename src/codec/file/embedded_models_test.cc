// SPDX-License-Identifier: Apache-2.0
// Files that bring their models along.
#include "codec/file/embedded_models.h"

#include "codec/file/file_decoder.h"
#include "codec/file/file_encoder.h"
#include "codec/file/resume_point.h"
#include "codec/file/salvage.h"
#include "codec/testing/second_tiny_model.h"
#include "model/testing/model_editor.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

using File = std::vector<uint8_t>;

ByteSink AppendTo(File& to) {
  return [&to](Bytes bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
    return OkStatus();
  };
}

Result<const Model*> NoModels(const ModelId&) {
  return Error{ErrorCode::kModelMissing, "not installed"};
}

class EmbeddedModelsTest : public testing::Test {
 protected:
  EmbeddedModelsTest() : model_(OpenTinyModel()) {
    options_.num_threads = 1;
    options_.window_positions = 32;
    options_.embeds_models = true;
    for (int i = 0; i < 30; ++i) {
      for (const char c : std::string_view(" everyone saying return")) {
        content_.push_back(static_cast<uint8_t>(c));
      }
    }
    content_.resize(600);
    options_.frame_bytes = 200;
    file_ = Encode(content_);
  }

  File Encode(Bytes content) {
    File file;
    FileEncoder encoder(model_.get(), options_, AppendTo(file));
    EXPECT_TRUE(encoder.Append(content));
    EXPECT_TRUE(encoder.Finish());
    EXPECT_EQ(encoder.file_bytes(), file.size());
    return file;
  }
  static Result<File> Decode(Bytes file, const DecompressOptions& options = {},
                             const ModelProvider& models = NoModels,
                             size_t step_bytes = 100000) {
    File content;
    FileDecoder decoder(models, options, AppendTo(content));
    while (!file.empty()) {
      const Bytes part = file.first(std::min(step_bytes, file.size()));
      file = file.subspan(part.size());
      LLMA_TRY(decoder.Append(part));
    }
    LLMA_TRY(decoder.Finish());
    return content;
  }
  size_t model_bytes() const { return model_->file_bytes().size(); }
  // Where the model's bytes stand in the file.
  size_t model_ofs() const {
    const auto found = std::search(file_.begin(), file_.end(),
                                   kModelMagic.begin(), kModelMagic.end());
    return static_cast<size_t>(found - file_.begin());
  }

  std::unique_ptr<Model> model_;
  CompressOptions options_;
  File content_, file_;
};

TEST_F(EmbeddedModelsTest, AFileStandsAlone) {
  EXPECT_GT(file_.size(), model_bytes());
  EXPECT_LT(file_.size(), model_bytes() + content_.size());  // once
  for (const size_t step : {1000000u, 4099u, 7u}) {
    const auto decoded = Decode(file_, {}, NoModels, step);
    ASSERT_TRUE(decoded) << decoded.error().what;
    EXPECT_EQ(*decoded, content_);
  }
  const auto nothing = Decode(file_, {}, OneModel(nullptr));
  ASSERT_TRUE(nothing) << nothing.error().what;
}

TEST_F(EmbeddedModelsTest, AnotherModelIsNotInTheWay) {
  const auto file = SecondTinyModelFile();
  const auto other = *Model::FromBytes({file.data(), file.size()});
  EXPECT_TRUE(Decode(file_, {}, OneModel(other.get())));
}

TEST_F(EmbeddedModelsTest, MemoryIsBounded) {
  DecompressOptions options;
  options.max_memory_bytes = model_bytes() * 3 / 2 - 1;
  const auto failed = Decode(file_, options);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kLimit);
  // One that is here already is not loaded.
  uint64_t room = 0;  // for a frame
  const auto map = MapFrames(InMemory(file_));
  for (const FrameLocation& frame : map->frames) {
    const auto header = ReadFrameHeader(InMemory(file_), frame.frame_ofs);
    room = std::max(room, DecompressMemoryBytes(*header, model_.get(), 0));
  }
  options.max_memory_bytes = model_bytes() + room;
  EXPECT_TRUE(Decode(file_, options));
  options.max_memory_bytes = room;
  EXPECT_TRUE(Decode(file_, options, OneModel(model_.get())));
}

TEST_F(EmbeddedModelsTest, RangesAndSalvage) {
  File part;
  ASSERT_TRUE(
      DecompressRange(InMemory(file_), 250, 100, NoModels, {}, AppendTo(part)));
  EXPECT_EQ(part, File(content_.begin() + 250, content_.begin() + 350));
  File all;
  const SalvageSink sink = {AppendTo(all), [](uint64_t) { return OkStatus(); }};
  const auto report = Salvage(InMemory(file_), NoModels, {}, sink);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(all, content_);
  // Without its index.
  all.clear();
  const Bytes cut = Bytes(file_).first(file_.size() - 3);
  ASSERT_TRUE(Salvage(InMemory(cut), NoModels, {}, sink));
  EXPECT_EQ(all, content_);
}

TEST_F(EmbeddedModelsTest, ADamagedModelIsNoticed) {
  File damaged = file_;
  damaged[model_ofs() + model_bytes() / 2] ^= 1;
  auto decoded = Decode(damaged);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().code, ErrorCode::kModelMissing);
  DecompressOptions unchecked;
  unchecked.verify_checksums = false;
  EXPECT_FALSE(Decode(damaged, unchecked));
  File none;
  const SalvageSink sink = {AppendTo(none),
                            [](uint64_t) { return OkStatus(); }};
  const auto report = Salvage(InMemory(damaged), NoModels, {}, sink);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->num_restored, 0u);
  EXPECT_FALSE(report->lost.empty());
}

TEST_F(EmbeddedModelsTest, AFalseFingerprintIsRefused) {
  // A sound model that says it is another one.
  const Bytes sound = model_->file_bytes();
  ModelEditor editor(File(sound.begin(), sound.end()));
  editor.part(editor.num_parts() - 2)[0] ^= 1;
  editor.FixChecksum(editor.num_parts() - 2);
  editor.FixChecksum(0);
  const AlignedBuffer<uint8_t> edited = editor.AlignedFile();
  ASSERT_TRUE(Model::FromBytes({edited.data(), edited.size()}));
  const ModelFrameStart liar =
      StartModelFrame(model_->fingerprint(), editor.file());
  File lie = liar.header_bytes;
  ASSERT_TRUE(AppendTo(lie)(model_->fingerprint()));
  ASSERT_TRUE(AppendTo(lie)(editor.file()));
  const auto decoded = Decode(lie);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
  // Of the frame, not of the model.
  const ModelFrameStart start =
      StartModelFrame(ModelFingerprint{9}, model_->file_bytes());
  File file = start.header_bytes;
  file.push_back(9);
  file.resize(file.size() + 31);
  ASSERT_TRUE(AppendTo(file)(model_->file_bytes()));
  const auto refused = Decode(file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(refused.error().offset, 0u);
}

TEST_F(EmbeddedModelsTest, ItHoldsForWhatFollows) {
  options_.embeds_models = false;
  const File plain = Encode(content_);
  EXPECT_FALSE(Decode(plain));
  File joined = file_;
  joined.insert(joined.end(), plain.begin(), plain.end());
  const auto decoded = Decode(joined);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->size(), 2 * content_.size());
  File doubled = file_;
  doubled.insert(doubled.end(), file_.begin(), file_.end());
  EXPECT_TRUE(Decode(doubled));
}

TEST_F(EmbeddedModelsTest, MutationsGiveAnErrorOrTheContent) {
  TestRandom random(11);
  DecompressOptions options;
  options.num_threads = 1;
  options.max_memory_bytes = 64 << 20;
  for (int i = 0; i < 300; ++i) {
    File file = file_;
    // Mostly what stands around the model, and its header.
    const size_t range = i % 3 == 0 ? file.size() : model_ofs() + 600;
    const size_t ofs = random.Below(static_cast<uint32_t>(range));
    switch (i % 4) {
      case 0:
        file.resize(ofs);
        break;
      case 1:
        file.erase(file.begin() + static_cast<ptrdiff_t>(ofs));
        break;
      default:
        file[ofs] ^= static_cast<uint8_t>(1 + random.Below(255));
    }
    options.verify_checksums = i % 2 == 0;
    const auto content = Decode(file, options);
    if (content) {
      EXPECT_EQ(*content, content_) << i;
    } else {
      EXPECT_NE(content.error().code, ErrorCode::kInternal) << i;
    }
  }
}

TEST_F(EmbeddedModelsTest, AnInterruptedRunGoesOn) {
  for (const size_t cut :
       {size_t{0}, model_ofs(), model_ofs() + 5, model_ofs() + model_bytes(),
        model_ofs() + model_bytes() + 200}) {
    Xxh3Stream xxh3;
    auto point = FindResumePoint(InMemory(Bytes(file_).first(cut)),
                                 InMemory(content_), nullptr, xxh3);
    ASSERT_TRUE(point);
    File file(file_.begin(), file_.begin() + static_cast<ptrdiff_t>(
                                                 point->index.frames_bytes()));
    FileEncoder encoder(model_.get(), options_, AppendTo(file));
    const uint64_t done_bytes = point->content_bytes;
    encoder.Resume(std::move(point->index), done_bytes, point->embedded_models);
    ASSERT_TRUE(encoder.Append(Bytes(content_).subspan(done_bytes)));
    ASSERT_TRUE(encoder.Finish());
    EXPECT_EQ(file, file_) << cut;
  }
}

}  // namespace
}  // namespace llma
