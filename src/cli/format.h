// SPDX-License-Identifier: Apache-2.0
// Text as printf() makes it.
#ifndef LLMA_CLI_FORMAT_H_
#define LLMA_CLI_FORMAT_H_

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <string>

namespace llma::cli {

// GCC takes Windows' printf() for that of its system, which knows less.
#if defined(__MINGW_PRINTF_FORMAT)
#define LLMA_PRINTF_FORMAT __MINGW_PRINTF_FORMAT
#else
#define LLMA_PRINTF_FORMAT printf
#endif

[[gnu::format(LLMA_PRINTF_FORMAT, 1, 2)]] inline std::string Format(
    const char* format, ...) {
  std::va_list once, again;
  va_start(once, format);
  va_copy(again, once);
  const int size = std::vsnprintf(nullptr, 0, format, once);
  std::string text(static_cast<size_t>(std::max(size, 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(once);
  return text;
}

}  // namespace llma::cli

#endif  // LLMA_CLI_FORMAT_H_
