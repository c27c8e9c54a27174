// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_API_API_FREEABLE_BUFFER_H_
#define LLMA_API_API_FREEABLE_BUFFER_H_

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "codec/callbacks.h"

namespace llma::api {

// Memory that llma_free() frees; grows like a vector.
class FreeableBuffer {
 public:
  FreeableBuffer() = default;
  FreeableBuffer(const FreeableBuffer&) = delete;
  FreeableBuffer& operator=(const FreeableBuffer&) = delete;
  ~FreeableBuffer() { std::free(data_); }
  Status Append(Bytes bytes) {
    if (data_ == nullptr || bytes.size() > room_ - size_) {
      if (bytes.size() > PTRDIFF_MAX - size_) {
        return Error{ErrorCode::kMemory, "out of memory"};
      }
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

}  // namespace llma::api

#endif  // LLMA_API_API_FREEABLE_BUFFER_H_
