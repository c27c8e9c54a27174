// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_STORE_TRIM_H_
#define LLMA_STORE_TRIM_H_

#include <string_view>

namespace llma::store {

// A text without the blanks and control characters at its ends.
inline std::string_view Trim(std::string_view text) {
  const auto is_blank = [](char c) {
    return static_cast<signed char>(c) >= 0 && c <= ' ';
  };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace llma::store

#endif  // LLMA_STORE_TRIM_H_
