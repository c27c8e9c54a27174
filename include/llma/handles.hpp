// SPDX-License-Identifier: Apache-2.0
// What the other headers for C++ share: handles that free themselves, and
// errors on their way through the C interface.
#ifndef LLMA_HANDLES_HPP_
#define LLMA_HANDLES_HPP_

#include <llma/llma.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <llma/result.hpp>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace llma {
inline namespace api_v0 {

using Fingerprint = std::array<uint8_t, LLMA_FINGERPRINT_BYTES>;

namespace detail {

inline Error ToError(llma_status status, const llma_error& error) {
  return Error{static_cast<ErrorCode>(status), error.text, error.offset};
}

// Calls a function of the C interface with a place for its error at the end.
template <class Function, class... Args>
Status Call(Function function, Args... args) {
  llma_error error{};
  const llma_status status = function(args..., &error);
  if (status != LLMA_OK) return ToError(status, error);
  return OkStatus();
}

// The same, of a function that cannot fail with valid handles: fills a struct.
template <class Struct, class Function, class... Args>
Struct Get(Function function, Args... args) {
  Struct filled = LLMA_INIT(Struct);
  function(args..., &filled, nullptr);
  return filled;
}

inline llma_status ToC(const Error& from, llma_error* to) {
  to->offset = from.offset;
  const size_t size = std::min(from.what.size(), sizeof(to->text) - 1);
  std::memcpy(to->text, from.what.data(), size);
  to->text[size] = '\0';
  return static_cast<llma_status>(from.code);
}

// A callback: its error is kept whole, for the C interface cuts long texts;
// nothing is thrown through it.
template <class Work>
llma_status Protect(std::optional<Error>& kept, llma_error* error,
                    const Work& work) noexcept {
#if defined(__cpp_exceptions)
  try {
#endif
    const Status status = work();
    if (status) return LLMA_OK;
    kept = status.error();
    return ToC(*kept, error);
#if defined(__cpp_exceptions)
  } catch (const std::bad_alloc&) {
    return LLMA_ERROR_MEMORY;
  } catch (...) {
    return LLMA_ERROR_INTERNAL;
  }
#endif
}

// The same, of callbacks that have no error to give: one that throws cancels
// the work if it can, else what it threw is dropped.
template <class Work>
int ProtectProgress(const Work& goes_on) noexcept {
#if defined(__cpp_exceptions)
  try {
    return goes_on() ? 0 : 1;
  } catch (...) {
    return 1;
  }
#else
  return goes_on() ? 0 : 1;
#endif
}
template <class Work>
void ProtectNote(const Work& work) noexcept {
#if defined(__cpp_exceptions)
  try {
    work();
  } catch (...) {
  }
#else
  work();
#endif
}

template <auto kFree>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const {
    kFree(handle);
  }
};
template <class Handle, auto kFree>
using Owner = std::unique_ptr<Handle, Deleter<kFree>>;
using OwnedText = Owner<char, llma_free>;

inline std::string ToString(const OwnedText& text) {
  return text == nullptr ? std::string() : std::string(text.get());
}
// NULL for an empty text.
inline const char* OrNull(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace detail
}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_HANDLES_HPP_
