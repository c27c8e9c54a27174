// SPDX-License-Identifier: Apache-2.0
#include "cli/option_values.h"

#include <charconv>
#include <utility>

namespace llma::cli {

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

Result<uint64_t> ParseNumber(std::string_view option, std::string_view text,
                             uint64_t min, uint64_t max) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= min && value <= max) {
    return value;
  }
  return Usage(std::string(option) + ": '" + std::string(text) +
               "' is not a number from " + std::to_string(min) + " to " +
               std::to_string(max));
}

Result<uint64_t> ParseSize(std::string_view option, const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  std::string_view suffix(stop, static_cast<size_t>(end - stop));
  int shift = -1;
  if (suffix.empty()) shift = 0;
  for (const std::string_view tail : {"", "B", "iB"}) {
    if (suffix.empty() || suffix.substr(1) != tail) continue;
    const size_t power = std::string_view("KMGT").find(suffix[0]);
    if (power != std::string_view::npos)
      shift = 10 * static_cast<int>(power + 1);
  }
  if (error != std::errc() || value == 0 || shift < 0 ||
      value > (~uint64_t{0} >> shift)) {
    return Usage(std::string(option) + ": '" + text +
                 "' is not a size such as 512M or 4G");
  }
  return value << shift;
}

Result<ByteRange> ParseRange(std::string_view option, const std::string& text) {
  const size_t colon = text.find(':');
  const std::string offset = text.substr(0, colon);
  const std::string size =
      colon == std::string::npos ? "" : text.substr(colon + 1);
  ByteRange range = {0, ~uint64_t{0}};
  if (offset != "0" && !offset.empty()) {
    LLMA_ASSIGN(range.offset, ParseSize(option, offset));
  }
  if (!size.empty()) {
    LLMA_ASSIGN(range.size, ParseSize(option, size));
  }
  return range;
}

}  // namespace llma::cli
