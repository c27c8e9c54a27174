// SPDX-License-Identifier: Apache-2.0
#include "api/api_whole.h"

#include <cstdlib>

#include "codec/file_decoder.h"
#include "codec/file_encoder.h"
#include "codec/short_message.h"

static_assert(LLMA_MAX_SHORT_MESSAGE_BYTES == llma::kMaxShortMessageBytes);

namespace llma::api {
namespace {

// Memory that llma_free() frees; grows like a vector.
class FreeableBuffer {
 public:
  FreeableBuffer() = default;
  FreeableBuffer(const FreeableBuffer&) = delete;
  FreeableBuffer& operator=(const FreeableBuffer&) = delete;
  ~FreeableBuffer() { std::free(data_); }
  Status Append(Bytes bytes) {
    if (data_ == nullptr || bytes.size() > room_ - size_) {
      const size_t room = std::max(size_ + bytes.size(), 2 * room_);
      void* moved = std::realloc(data_, std::max<size_t>(room, 1));
      if (moved == nullptr) return Error{ErrorCode::kMemory, "out of memory"};
      data_ = moved;
      room_ = room;
    }
    if (!bytes.empty()) {
      std::memcpy(static_cast<uint8_t*>(data_) + size_, bytes.data(),
                  bytes.size());
    }
    size_ += bytes.size();
    return OkStatus();
  }
  ByteSink sink() {
    return [this](Bytes bytes) { return Append(bytes); };
  }
  Status Release(void** data, size_t* size_bytes) {
    LLMA_TRY(Append({}));  // so that there is something to free
    *data = std::exchange(data_, nullptr);
    *size_bytes = size_;
    return OkStatus();
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0, room_ = 0;
};

}  // namespace

Result<std::vector<uint8_t>> DecodeShort(Bytes message, ModelSource& models,
                                         const DecompressOptions& how) {
  const auto first_byte = ModelOfShortMessage(message);
  if (!first_byte) return DecompressShort(message, nullptr, how);
  std::optional<Error> error;
  for (uint32_t candidate = 0;; ++candidate) {
    const auto model = models.Find({&*first_byte, 1}, candidate);
    // Behind the last one, the error is that of the last one.
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

llma_status llma_compress(const void* content, size_t content_bytes,
                          const llma_options* options, void** file,
                          size_t* file_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(file);
    LLMA_REQUIRE(file_bytes);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(content, content_bytes));
    llma_options how = Copy(options);
    how.total_bytes = content_bytes;
    ModelSource models(how);
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
    ModelSource models(how);
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
