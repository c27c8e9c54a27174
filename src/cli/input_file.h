// SPDX-License-Identifier: Apache-2.0
// What a command reads: a file, a pipe, standard input.
#ifndef LLMA_CLI_INPUT_FILE_H_
#define LLMA_CLI_INPUT_FILE_H_

#include <sys/stat.h>

#include <llma/llma.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace llma::cli {

inline constexpr size_t kReadBytes = size_t{1} << 18;

// A regular file, which stays open.
Reader FileReader(int fd, uint64_t file_bytes);

bool IsDirectory(const std::string& path);

class InputFile {
 public:
  // "-" is standard input.
  static Result<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& name() const { return name_; }  // for messages
  const struct stat& info() const { return info_; }  // when it was opened
  bool is_stdin() const { return is_stdin_; }
  bool is_regular() const { return S_ISREG(info_.st_mode); }
  // 0 if it is not known.
  uint64_t size_bytes() const {
    return is_regular() ? static_cast<uint64_t>(info_.st_size) : 0;
  }

  // The next bytes, as many as there are; none at the end.
  Result<std::span<const uint8_t>> Read();
  Status SeekTo(uint64_t offset);
  // Whether Read() would wait.
  bool IsIdle() const;

  // All of it, for any order. What cannot seek is read into memory. The input
  // must outlive it.
  Result<Reader> MakeReader(uint64_t max_memory_bytes);

  // Whether it is still as it was when it was opened.
  enum class Change { kNone, kTouched, kShrunk };
  Change FindChange() const;

 private:
  InputFile(std::string name, int fd, bool is_stdin, const struct stat& info)
      : name_(std::move(name)), fd_(fd), is_stdin_(is_stdin), info_(info) {}

  std::string name_;
  int fd_;
  bool is_stdin_;
  struct stat info_;
  std::vector<uint8_t> buffer_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_INPUT_FILE_H_
