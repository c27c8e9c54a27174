// SPDX-License-Identifier: Apache-2.0
#include "api/api_compress_options.h"
#include "api/api_reader.h"
#include "api/api_stream.h"
#include "codec/file/file_encoder.h"
#include "codec/file/resume_point.h"

using namespace llma::api;

struct llma_encoder {
  explicit llma_encoder(const llma_options* given)
      : options(Copy(given)), models(options) {}

  llma::Status Start() {
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(static_cast<int>(options.level)));
    llma::CompressOptions how =
        ForCompressing(options, &cancelled, options.stats ? &clock : nullptr);
    how.other_models = models.others();
    encoder.emplace(model, how, pending.sink());
    return llma::OkStatus();
  }
  llma::Status Add(llma::Bytes content) {
    xxh3.Update(content);
    return encoder->Append(content);
  }
  // Its caller says where the end is.
  bool is_done() const { return false; }
  size_t unread_bytes() const { return 0; }
  llma::Status Flush() { return encoder->Flush(); }
  llma::Status Finish() { return encoder->Finish(); }
  llma::Result<uint64_t> Resume(const llma::RandomAccess& part,
                                const llma::RandomAccess& content);

  const llma_options options;
  CompressionModels models;
  std::atomic<bool> cancelled{false};
  llma::StageClock clock;
  llma::Xxh3Stream xxh3;
  Pending pending;
  StreamDriver<llma_encoder> driver;
  std::optional<llma::FileEncoder> encoder;  // destroyed first
};

llma::Result<uint64_t> llma_encoder::Resume(const llma::RandomAccess& part,
                                            const llma::RandomAccess& content) {
  LLMA_ASSIGN(
      llma::ResumePoint point,
      llma::FindResumePoint(part, content, options.reference.get(), xxh3));
  encoder->Resume(std::move(point.index), point.content_bytes,
                  std::move(point.embedded_models));
  return point.content_bytes;
}

extern "C" {

llma_status llma_encoder_create(const llma_options* options,
                                llma_encoder** encoder, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(encoder);
    auto made = std::make_unique<llma_encoder>(options);
    LLMA_TRY(made->Start());
    *encoder = made.release();
    return llma::OkStatus();
  });
}

void llma_encoder_free(llma_encoder* encoder) {
  if (encoder == nullptr || !encoder->driver.is_of_this_process()) return;
  encoder->cancelled = true;
  delete encoder;
}

llma_status llma_encoder_run(llma_encoder* encoder, llma_input* input,
                             llma_output* output, llma_action action,
                             llma_error* error) {
  return Guard(error, [&]() -> llma::Result<llma_status> {
    LLMA_REQUIRE(encoder);
    return encoder->driver.Run(*encoder, encoder->pending, input, output,
                               action);
  });
}

void llma_encoder_cancel(llma_encoder* encoder) {
  if (encoder != nullptr) encoder->cancelled = true;
}

llma_status llma_encoder_get_totals(const llma_encoder* encoder,
                                    llma_totals* totals, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(encoder);
    return Fill(totals,
                {0, encoder->encoder->content_bytes(),
                 encoder->encoder->file_bytes(), encoder->xxh3.Digest()});
  });
}

llma_status llma_encoder_get_stats(const llma_encoder* encoder,
                                   llma_stats* stats, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(encoder);
    return Fill(stats, StatsOf(encoder->clock));
  });
}

llma_status llma_encoder_resume(llma_encoder* encoder,
                                const llma_reader* partial_file,
                                const llma_reader* content,
                                uint64_t* content_bytes, uint64_t* file_bytes,
                                llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(encoder);
    LLMA_REQUIRE(content_bytes);
    LLMA_REQUIRE(file_bytes);
    if (encoder->driver.has_started() ||
        encoder->encoder->content_bytes() > 0) {
      return Usage("the encoder has begun already");
    }
    LLMA_ASSIGN(const llma::RandomAccess part, Access(partial_file));
    LLMA_ASSIGN(const llma::RandomAccess source, Access(content));
    LLMA_ASSIGN(*content_bytes, encoder->Resume(part, source));
    *file_bytes = encoder->encoder->file_bytes();
    return llma::OkStatus();
  });
}

llma_status llma_encoder_add_frames(llma_encoder* encoder, const void* frames,
                                    size_t frames_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(encoder);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(frames, frames_bytes));
    return encoder->driver.Do(
        [&] { return encoder->encoder->AddFrames(bytes); });
  });
}

}  // extern "C"
