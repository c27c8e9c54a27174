// SPDX-License-Identifier: Apache-2.0
#include "api/api_options.h"
#include "api/api_reader.h"
#include "api/api_stream.h"
#include "codec/file_encoder.h"

using namespace llma::api;

struct llma_encoder {
  explicit llma_encoder(const llma_options* given)
      : options(Copy(given)), models(options) {}

  llma::Status Start() {
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(static_cast<int>(options.level)));
    encoder.emplace(
        model,
        ForCompressing(options, &cancelled, options.stats ? &clock : nullptr),
        pending.sink());
    return llma::OkStatus();
  }
  llma::Status Add(llma::Bytes content) {
    xxh3.Update(content);
    return encoder->Append(content);
  }
  llma::Status Flush() { return encoder->Flush(); }
  llma::Status Finish() { return encoder->Finish(); }
  llma::Result<uint64_t> Resume(const llma::RandomAccess& part,
                                const llma::RandomAccess& content);

  const llma_options options;
  ModelSource models;
  std::atomic<bool> cancelled{false};
  llma::StageClock clock;
  llma::Xxh3Stream xxh3;
  Pending pending;
  StreamDriver<llma_encoder> driver;
  std::optional<llma::FileEncoder> encoder;  // destroyed first
};

llma::Result<uint64_t> llma_encoder::Resume(const llma::RandomAccess& part,
                                            const llma::RandomAccess& content) {
  llma::IndexBuilder index;
  uint64_t content_ofs = 0;
  for (uint64_t ofs = 0; ofs < part.file_bytes;) {
    size_t header_bytes = 0;
    const auto header = llma::ReadFrameHeader(part, ofs, &header_bytes);
    // What is cut off, or is not a frame, is written anew.
    if (!header || header->is_last || header->kind == llma::FrameKind::kIndex) {
      break;
    }
    const uint64_t frame_bytes = header_bytes + header->payload_bytes;
    if (frame_bytes > part.file_bytes - ofs) break;
    LLMA_ASSIGN(const auto bytes,
                content.ReadAt(content_ofs, header->content_bytes));
    if (header->has_content() && (bytes.size() != header->content_bytes ||
                                  llma::Checksum(bytes) != header->checksum)) {
      return Usage("is not what the interrupted run compressed");
    }
    LLMA_ASSIGN(const auto copy, part.ReadAt(ofs, header_bytes));
    index.Add(copy, *header);
    content_ofs += bytes.size();
    xxh3.Update(bytes);
    ofs += frame_bytes;
  }
  encoder->Resume(std::move(index), content_ofs);
  return content_ofs;
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
  if (encoder != nullptr) encoder->cancelled = true;
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

}  // extern "C"
