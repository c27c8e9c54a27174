// SPDX-License-Identifier: Apache-2.0
// The edge between errors as values and the C interface: nothing is thrown
// beyond it, and inside the floating-point environment is ours.
#ifndef LLMA_API_API_ERROR_H_
#define LLMA_API_API_ERROR_H_

#include <llma/llma.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "api/api_callback.h"
#include "base/bytes.h"
#include "base/status.h"

namespace llma::api {

// Writes `error` unless it is null; returns its status.
llma_status Fail(llma_error* error, const Error& what);

inline Error Usage(const char* what) { return Error{ErrorCode::kUsage, what}; }

// What a callback said.
Error FromCallback(llma_status status, const llma_error& error);
llma_error NoError();

inline llma_status StateOf(const Status&) { return LLMA_OK; }
inline llma_status StateOf(const Result<llma_status>& state) { return *state; }

// Runs `work`, which returns a Status or a Result<llma_status>.
template <class Work>
llma_status Guard(llma_error* error, const Work& work) noexcept {
  const InsideLibrary inside;
  try {
    const auto result = work();
    return result ? StateOf(result) : Fail(error, result.error());
  } catch (const std::bad_alloc&) {
    return Fail(error, Error{ErrorCode::kMemory, {}});
  } catch (...) {
    return Fail(error, Error{ErrorCode::kInternal, {}});
  }
}

// Fills as much of the caller's struct as it has room for.
template <class Struct>
Status Fill(Struct* to, Struct from) {
  if (to == nullptr || to->struct_bytes < sizeof(size_t)) {
    return Usage("a struct without its size");
  }
  from.struct_bytes = to->struct_bytes;
  std::memcpy(to, &from, std::min(from.struct_bytes, sizeof(Struct)));
  return OkStatus();
}

// No struct will be larger.
inline constexpr size_t kMaxStructBytes = 4096;

// The caller's struct, with zeros where it is of an older version. What is of a
// newer one must be zeros: it may not be ignored.
template <class Struct>
Result<Struct> Load(const Struct* from) {
  if (from == nullptr || from->struct_bytes < sizeof(size_t) ||
      from->struct_bytes > kMaxStructBytes) {
    return Usage("a struct without its size");
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(from);
  for (size_t i = sizeof(Struct); i < from->struct_bytes; ++i) {
    if (bytes[i] != 0) {
      return Error{ErrorCode::kUnsupported,
                   "a member of a struct that this version does not know is "
                   "set: a newer library may know it"};
    }
  }
  Struct loaded{};
  std::memcpy(&loaded, from, std::min(from->struct_bytes, sizeof(Struct)));
  return loaded;
}

inline Result<Bytes> LoadBytes(const void* data, size_t size_bytes) {
  if (data == nullptr && size_bytes > 0) return Usage("a buffer that is NULL");
  return Bytes(static_cast<const uint8_t*>(data), size_bytes);
}

// What is not used yet of an input, which may be null.
inline Result<Bytes> LoadUnused(const llma_input* input) {
  if (input == nullptr) return Bytes();
  if (input->used_bytes > input->size_bytes ||
      (input->data == nullptr && input->size_bytes > 0)) {
    return Usage("a buffer that makes no sense");
  }
  return Bytes(static_cast<const uint8_t*>(input->data), input->size_bytes)
      .subspan(input->used_bytes);
}

// A copy that llma_free() frees, where it goes out. Throws std::bad_alloc.
class OwnedString {
 public:
  explicit OwnedString(const std::string& text)
      : text_(::strdup(text.c_str())) {
    if (text_ == nullptr) throw std::bad_alloc();
  }
  OwnedString(const OwnedString&) = delete;
  OwnedString& operator=(const OwnedString&) = delete;
  ~OwnedString() { std::free(text_); }
  // `to` may be null.
  void ReleaseTo(char** to) {
    if (to != nullptr) *to = std::exchange(text_, nullptr);
  }

 private:
  char* text_;
};

#define LLMA_REQUIRE(pointer) \
  if ((pointer) == nullptr) return ::llma::api::Usage(#pointer " is NULL")

}  // namespace llma::api

#endif  // LLMA_API_API_ERROR_H_
