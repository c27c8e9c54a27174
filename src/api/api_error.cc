// SPDX-License-Identifier: Apache-2.0
#include "api/api_error.h"

#include <cstdlib>

namespace llma::api {

llma_status Fail(llma_error* error, const Error& what) {
  const auto status = static_cast<llma_status>(what.code);
  if (error == nullptr) return status;
  *error = NoError();
  error->status = status;
  error->offset = what.offset;
  // Where memory is short, no text was made.
  std::string_view text = what.what;
  if (text.empty()) {
    text = what.code == ErrorCode::kMemory ? "out of memory" : "internal error";
  }
  const size_t size = std::min(text.size(), sizeof(error->text) - 1);
  std::memcpy(error->text, text.data(), size);
  return status;
}

Error FromCallback(llma_status status, const llma_error& error) {
  const std::string text(error.text, ::strnlen(error.text, sizeof(error.text)));
  return Error{status > 0 ? static_cast<ErrorCode>(status) : ErrorCode::kUsage,
               text.empty() ? "a callback failed" : text, error.offset};
}

llma_error NoError() {
  llma_error error{};
  error.offset = LLMA_NO_OFFSET;
  return error;
}

}  // namespace llma::api

extern "C" {

const char* llma_status_name(llma_status status) {
#define LLMA_NAME_CASE(name) \
  case name:                 \
    return #name
  switch (status) {
    LLMA_NAME_CASE(LLMA_OK);
    LLMA_NAME_CASE(LLMA_NEED_INPUT);
    LLMA_NAME_CASE(LLMA_NEED_OUTPUT);
    LLMA_NAME_CASE(LLMA_ERROR_TRUNCATED);
    LLMA_NAME_CASE(LLMA_ERROR_FORMAT);
    LLMA_NAME_CASE(LLMA_ERROR_UNSUPPORTED);
    LLMA_NAME_CASE(LLMA_ERROR_USAGE);
    LLMA_NAME_CASE(LLMA_ERROR_CORRUPT);
    LLMA_NAME_CASE(LLMA_ERROR_CHECKSUM);
    LLMA_NAME_CASE(LLMA_ERROR_MODEL_MISSING);
    LLMA_NAME_CASE(LLMA_ERROR_MODEL_MISMATCH);
    LLMA_NAME_CASE(LLMA_ERROR_REFERENCE);
    LLMA_NAME_CASE(LLMA_ERROR_LIMIT);
    LLMA_NAME_CASE(LLMA_ERROR_MEMORY);
    LLMA_NAME_CASE(LLMA_ERROR_IO);
    LLMA_NAME_CASE(LLMA_ERROR_INTERNAL);
    LLMA_NAME_CASE(LLMA_ERROR_CANCELLED);
  }
#undef LLMA_NAME_CASE
  return "?";
}

void llma_free(void* memory) { std::free(memory); }

}  // extern "C"
