// SPDX-License-Identifier: Apache-2.0
#include "cli/args/option_values.h"

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
  std::string suffix(stop, end);
  for (char& c : suffix) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  int shift = suffix.empty() || suffix == "b" ? 0 : -1;
  for (const std::string_view tail : {"", "b", "ib"}) {
    if (suffix.empty() || suffix.substr(1) != tail) continue;
    const size_t power = std::string_view("kmgt").find(suffix[0]);
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
  const Error error = Usage(std::string(option) + ": '" + text +
                            "' is not a range such as 1M:64K, 500-999 or -100");
  // Unlike a size elsewhere, each may be 0: a script's range may be empty.
  const auto parse = [&](const std::string& part) {
    const bool is_zero =
        !part.empty() && part.find_first_not_of('0') == std::string::npos;
    return is_zero ? Result<uint64_t>(uint64_t{0}) : ParseSize(option, part);
  };
  ByteRange range = {0, ~uint64_t{0}, text.starts_with('-')};
  const size_t mark = text.find_first_of(":-", range.from_end ? 1 : 0);
  const std::string first = text.substr(0, mark).substr(range.from_end ? 1 : 0);
  const std::string second =
      mark == std::string::npos ? "" : text.substr(mark + 1);
  if (first.empty() && (second.empty() || text[mark] == '-')) return error;
  if (!first.empty()) {
    const auto offset = parse(first);
    if (!offset) return error;
    range.offset = *offset;
  }
  if (second.empty()) return range;
  const bool is_last = text[mark] == '-';
  const auto value = parse(second);
  if (!value || (is_last && (range.from_end || *value < range.offset))) {
    return error;
  }
  range.size = is_last ? *value - range.offset + 1 : *value;
  return range;
}

}  // namespace llma::cli
