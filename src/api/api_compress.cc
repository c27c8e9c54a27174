// SPDX-License-Identifier: Apache-2.0
// Whole buffers.
#include "api/api_compress_options.h"
#include "api/api_freeable_buffer.h"
#include "codec/compress.h"
#include "codec/file/file_encoder.h"
#include "codec/short/compress_short.h"

using namespace llma::api;

extern "C" {

llma_status llma_compress(const void* content, size_t content_bytes,
                          const llma_options* options, void** file,
                          size_t* file_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(file);
    LLMA_REQUIRE(file_bytes);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(content, content_bytes));
    llma_options how = Copy(options);
    how.total_bytes = content_bytes;
    CompressionModels models(how);
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(static_cast<int>(how.level)));
    FreeableBuffer buffer;
    llma::CompressOptions compressing = ForCompressing(how, nullptr, nullptr);
    compressing.other_models = models.others();
    llma::FileEncoder encoder(model, compressing, buffer.sink());
    LLMA_TRY(encoder.Append(bytes));
    LLMA_TRY(encoder.Finish());
    return buffer.Release(file, file_bytes);
  });
}

llma_status llma_compress_short(const void* content, size_t content_bytes,
                                const llma_options* options, void** file,
                                size_t* file_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(file);
    LLMA_REQUIRE(file_bytes);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(content, content_bytes));
    const llma_options how = Copy(options);
    CompressionModels models(how);
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(llma::kDefaultLevel));
    const auto compressing = ForCompressing(how, nullptr, nullptr);
    LLMA_ASSIGN(auto message, llma::CompressShort(bytes, *model, compressing));
    for (const llma::Model* other : models.others()) {
      LLMA_ASSIGN(auto made, llma::CompressShort(bytes, *other, compressing));
      if (made.size() < message.size()) message = std::move(made);
    }
    FreeableBuffer buffer;
    LLMA_TRY(buffer.Append(message));
    return buffer.Release(file, file_bytes);
  });
}

}  // extern "C"
