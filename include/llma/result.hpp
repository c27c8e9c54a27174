// SPDX-License-Identifier: Apache-2.0
// Errors as values: Error, Result<T>, Status, and macros that forward them. The
// codes are those of <llma/llma.h>.
#ifndef LLMA_RESULT_HPP_
#define LLMA_RESULT_HPP_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace llma {

// What went wrong, in groups. Values are stable; gaps leave room.
enum class ErrorCode : int32_t {
  kTruncated = 10,      // the input ends too early
  kBadMagic = 12,       // not a file of this kind
  kUnsupported = 14,    // valid, but made by something newer or different
  kUsage = 16,          // the caller asked for something impossible
  kCorrupt = 20,        // a field has a value that no writer writes
  kChecksum = 22,       // the content does not match its checksum
  kModelMissing = 30,   // the model that the file needs is not installed
  kModelMismatch = 32,  // the model given is not the one that is needed
  kReference = 34,      // a reference is needed that was not given
  kLimit = 40,          // a size exceeds what is allowed
  kMemory = 42,         // memory could not be had
  kIo = 50,             // the operating system refused
  kInternal = 60,       // a defect of this program
  kCancelled = 70,      // the caller wanted no more
};

// An error with its place. `offset` is a byte offset into the input where one
// is known, else kNoOffset.
struct Error {
  static constexpr uint64_t kNoOffset = ~uint64_t{0};
  ErrorCode code;
  std::string what;
  uint64_t offset = kNoOffset;
};

// A value or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::move(value)) {}
  Result(Error error) : v_(std::move(error)) {}

  bool has_value() const { return v_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return *std::get_if<0>(&v_); }
  const T& operator*() const& { return *std::get_if<0>(&v_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&v_)); }
  T* operator->() { return std::get_if<0>(&v_); }
  const T* operator->() const { return std::get_if<0>(&v_); }
  const Error& error() const { return *std::get_if<1>(&v_); }

 private:
  std::variant<T, Error> v_;
};

// Success, or an Error.
using Status = Result<std::monostate>;
inline Status OkStatus() { return Status(std::monostate{}); }

}  // namespace llma

#define LLMA_CONCAT_INNER(a, b) a##b
#define LLMA_CONCAT(a, b) LLMA_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status or Result), if it has one.
#define LLMA_TRY(expr)                                   \
  do {                                                   \
    if (auto llma_try_result = (expr); !llma_try_result) \
      return llma_try_result.error();                    \
  } while (0)

// LLMA_ASSIGN(const auto x, Parse()): x, or return the error.
#define LLMA_ASSIGN(lhs, expr) \
  LLMA_ASSIGN_INNER(LLMA_CONCAT(llma_assign_, __LINE__), lhs, expr)
#define LLMA_ASSIGN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                      \
  if (!tmp) return tmp.error();           \
  lhs = *std::move(tmp)

#endif  // LLMA_RESULT_HPP_
