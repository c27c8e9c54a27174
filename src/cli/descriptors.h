// SPDX-License-Identifier: Apache-2.0
// Reading and writing all of something, whatever signals arrive.
#ifndef LLMA_CLI_DESCRIPTORS_H_
#define LLMA_CLI_DESCRIPTORS_H_

#include <llma/result.hpp>
#include <string>
#include <vector>

#include "cli/byte_text.h"

namespace llma::cli {

// "NAME: what errno says".
Error SystemError(const std::string& name);

// For reading; the caller closes it. -1 and errno if that fails.
int OpenForReading(const std::string& path);

// All bytes of a descriptor, or of a file; at most `max_bytes` (kLimit beyond).
Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes);
Result<std::vector<uint8_t>> ReadFile(const std::string& path);

// Fills the buffer from a place of a regular file; less only at its end.
Result<size_t> ReadFileAt(int fd, uint64_t offset, std::span<uint8_t> buffer);

// Writes everything, or an error (kIo with the reason).
Status WriteAll(int fd, Bytes data);

}  // namespace llma::cli

#endif  // LLMA_CLI_DESCRIPTORS_H_
