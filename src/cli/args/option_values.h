// SPDX-License-Identifier: Apache-2.0
// Values of options. Errors are kUsage, with a text for the user.
#ifndef LLMA_CLI_ARGS_OPTION_VALUES_H_
#define LLMA_CLI_ARGS_OPTION_VALUES_H_

#include <cstdint>
#include <llma/result.hpp>
#include <string>
#include <string_view>

namespace llma::cli {

// Of the content.
struct ByteRange {
  uint64_t offset;
  uint64_t size;
  bool from_end;  // the offset counts back from the end
};

// An error of the command line.
Error Usage(std::string what);

// A decimal number in [min, max]. `option` names it in errors.
Result<uint64_t> ParseNumber(std::string_view option, std::string_view text,
                             uint64_t min, uint64_t max);

// "4G", "512mib", "100000": bytes, suffixes are powers of 1024.
Result<uint64_t> ParseSize(std::string_view option, const std::string& text);

// "1M:64K": offset and size; without a size, up to the end; without an offset,
// from the start. "-100" are the last 100 bytes, "-100:10" the first 10 of
// them. "100-199" are offsets of the first and the last byte, as in HTTP.
Result<ByteRange> ParseRange(std::string_view option, const std::string& text);

}  // namespace llma::cli

#endif  // LLMA_CLI_ARGS_OPTION_VALUES_H_
