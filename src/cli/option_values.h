// SPDX-License-Identifier: Apache-2.0
// Values of options. Errors are kUsage, with a text for the user.
#ifndef LLMA_CLI_OPTION_VALUES_H_
#define LLMA_CLI_OPTION_VALUES_H_

#include <cstdint>
#include <llma/result.hpp>
#include <string>
#include <string_view>

namespace llma::cli {

// Of the content.
struct ByteRange {
  uint64_t offset;
  uint64_t size;
};

// An error of the command line.
Error Usage(std::string what);

// A decimal number in [min, max]. `option` names it in errors.
Result<uint64_t> ParseNumber(std::string_view option, std::string_view text,
                             uint64_t min, uint64_t max);

// "4G", "512MiB", "100000": bytes, suffixes are powers of 1024.
Result<uint64_t> ParseSize(std::string_view option, const std::string& text);

// "1M:64K": offset and size. Without a size: up to the end.
Result<ByteRange> ParseRange(std::string_view option, const std::string& text);

}  // namespace llma::cli

#endif  // LLMA_CLI_OPTION_VALUES_H_
