// SPDX-License-Identifier: Apache-2.0
#include "api/api_decompress.h"

#include "api/api_freeable_buffer.h"
#include "codec/decompress.h"
#include "codec/file/file_decoder.h"
#include "codec/short/decompress_short.h"

static_assert(LLMA_MAX_SHORT_MESSAGE_BYTES == llma::kMaxShortMessageBytes);

namespace llma::api {

Result<std::vector<uint8_t>> DecodeShort(Bytes message, ModelSource& models,
                                         const DecompressOptions& how) {
  const auto first_byte = ModelOfShortMessage(message);
  if (!first_byte) return DecompressShort(message, nullptr, how);
  std::optional<Error> error;
  for (uint32_t candidate = 0;; ++candidate) {
    const auto model = models.Find({&*first_byte, 1}, candidate);
    // After the last frame, the error is that of the last one.
    if (!model) return error ? *error : model.error();
    auto content = DecompressShort(message, *model, how);
    if (content) return content;
    if (content.error().code == ErrorCode::kCancelled) return content;
    error = content.error();
  }
}

}  // namespace llma::api

using namespace llma::api;

extern "C" {

llma_status llma_decompress(const void* file, size_t file_bytes,
                            const llma_options* options, void** content,
                            size_t* content_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(content);
    LLMA_REQUIRE(content_bytes);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(file, file_bytes));
    const llma_options given = Copy(options);
    const auto how = ForDecompressing(given, nullptr, nullptr);
    ModelSource models(given);
    FreeableBuffer buffer;
    if (llma::IsShortMessage(bytes)) {
      LLMA_ASSIGN(const auto message, DecodeShort(bytes, models, how));
      LLMA_TRY(buffer.Append(message));
    } else {
      llma::FileDecoder decoder(models.provider(), how, buffer.sink());
      LLMA_TRY(decoder.Append(bytes));
      LLMA_TRY(decoder.Finish());
    }
    return buffer.Release(content, content_bytes);
  });
}

llma_file_kind llma_recognize(const void* start, size_t start_bytes) {
  const auto bytes = LoadBytes(start, start_bytes);
  if (!bytes) return LLMA_KIND_OTHER;
  if (llma::HasFrameMagic(*bytes)) return LLMA_KIND_FILE;
  return llma::IsShortMessage(*bytes) ? LLMA_KIND_SHORT_MESSAGE
                                      : LLMA_KIND_OTHER;
}

}  // extern "C"
