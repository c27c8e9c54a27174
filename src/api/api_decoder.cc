// SPDX-License-Identifier: Apache-2.0
#include "api/api_decompress.h"
#include "api/api_model_source.h"
#include "api/api_reader.h"
#include "api/api_stream.h"
#include "codec/decompress.h"
#include "codec/file/file_decoder.h"
#include "codec/short/decompress_short.h"

using namespace llma::api;

struct llma_decoder {
  explicit llma_decoder(const llma_options* given)
      : options(Copy(given)),
        models(options),
        decoder(models.provider(), How(), Sink()) {}

  llma::DecompressOptions How() {
    auto how =
        ForDecompressing(options, &cancelled, options.stats ? &clock : nullptr);
    how.one_member = options.one_file != 0;
    return how;
  }
  llma::ByteSink Sink() {
    return [this](llma::Bytes content) {
      content_bytes += content.size();
      xxh3.Update(content);
      return pending.sink()(content);
    };
  }
  llma::Status Add(llma::Bytes file) {
    if (file_bytes == 0) is_short = llma::IsShortMessage(file);
    file_bytes += file.size();
    if (!is_short) {
      LLMA_TRY(decoder.Append(file));
      if (is_done()) file_bytes -= unread_bytes();
      return llma::OkStatus();
    }
    if (file_bytes >
        llma::kMaxShortMessageBytes + llma::kMaxShortOverheadBytes) {
      return llma::Error{llma::ErrorCode::kCorrupt,
                         "the short message is too long"};
    }
    message.insert(message.end(), file.begin(), file.end());
    return llma::OkStatus();
  }
  bool is_done() const { return decoder.is_done(); }
  size_t unread_bytes() const { return decoder.unread_bytes(); }
  llma::Status Flush() { return is_short ? llma::OkStatus() : decoder.Flush(); }
  llma::Status Finish() {
    if (!is_short) return decoder.Finish();
    LLMA_ASSIGN(const auto content, DecodeShort(message, models, How()));
    return Sink()(content);
  }

  const llma_options options;
  ModelSource models;
  std::atomic<bool> cancelled{false};
  llma::StageClock clock;
  llma::Xxh3Stream xxh3;
  Pending pending;
  StreamDriver<llma_decoder> driver;
  uint64_t content_bytes = 0, file_bytes = 0;
  bool is_short = false;
  std::vector<uint8_t> message;  // if it is short
  llma::FileDecoder decoder;     // destroyed first
};

extern "C" {

llma_status llma_decoder_create(const llma_options* options,
                                llma_decoder** decoder, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(decoder);
    *decoder = new llma_decoder(options);
    return llma::OkStatus();
  });
}

void llma_decoder_free(llma_decoder* decoder) {
  if (decoder == nullptr || !decoder->driver.is_of_this_process()) return;
  decoder->cancelled = true;
  delete decoder;
}

llma_status llma_decoder_run(llma_decoder* decoder, llma_input* input,
                             llma_output* output, llma_action action,
                             llma_error* error) {
  return Guard(error, [&]() -> llma::Result<llma_status> {
    LLMA_REQUIRE(decoder);
    return decoder->driver.Run(*decoder, decoder->pending, input, output,
                               action);
  });
}

void llma_decoder_cancel(llma_decoder* decoder) {
  if (decoder != nullptr) decoder->cancelled = true;
}

llma_status llma_decoder_get_totals(const llma_decoder* decoder,
                                    llma_totals* totals, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(decoder);
    return Fill(totals, {0, decoder->content_bytes, decoder->file_bytes,
                         decoder->xxh3.Digest()});
  });
}

llma_status llma_decoder_get_stats(const llma_decoder* decoder,
                                   llma_stats* stats, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(decoder);
    return Fill(stats, StatsOf(decoder->clock));
  });
}

llma_status llma_decoder_get_source_info(const llma_decoder* decoder,
                                         llma_source_info* info,
                                         llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(decoder);
    return Fill(info, SourceOf(decoder->decoder.source_info()));
  });
}

}  // extern "C"
