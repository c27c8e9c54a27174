// SPDX-License-Identifier: Apache-2.0
// What a command reads: a file, a pipe, standard input.
#ifndef LLMA_CLI_FILES_INPUT_FILE_H_
#define LLMA_CLI_FILES_INPUT_FILE_H_

#include <llma/llma.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/descriptors.h"
#include "platform/file_place.h"

namespace llma::cli {

inline constexpr size_t kReadBytes = size_t{1} << 18;

// A regular file, which stays open, from a place on.
Reader FileReader(int fd, uint64_t start, uint64_t file_bytes);

class InputFile {
 public:
  // "-" is standard input, which starts where others have left it.
  // `may_remove`: for Remove().
  static Result<std::unique_ptr<InputFile>> Open(const std::string& path,
                                                 bool may_remove = false);

  const std::string& name() const { return name_; }  // for messages
  const FileInfo& info() const { return info_; }     // when it was opened
  bool is_stdin() const { return is_stdin_; }
  bool is_regular() const { return info_.is_regular(); }
  // As the file system has it, which may be wrong; 0 if it is not known.
  uint64_t size_bytes() const {
    const uint64_t end = info_.size_bytes;
    return is_regular() && end > start_ ? end - start_ : 0;
  }

  // The next bytes, as many as there are; none at the end.
  Result<std::span<const uint8_t>> Read();
  Status SeekTo(uint64_t offset);
  // Whether Read() would wait.
  bool IsIdle() const;

  // All of it, for any order. What cannot seek, or has no size, is read into
  // memory. The input must outlive it.
  Result<Reader> MakeReader(uint64_t max_memory_bytes);
  // The start of a file, without moving on; nothing of what cannot seek.
  std::optional<Reader> Peek() const;
  // Standard input, read by MakeReader(), was read to its end.
  void MarkRead();

  // Whether fewer bytes are there than when it was opened.
  bool HasShrunk() const;
  // Removes the name under which it was opened. kUsage with the reason if that
  // is another file's now, or the file has changed, or was not read to its end;
  // kIo if that failed. Between looking and removing, microseconds, a file that
  // takes the name is removed all the same: there is no call for both.
  Status Remove() const;

 private:
  explicit InputFile(std::string name) : name_(std::move(name)) {}
  int fd() const { return is_stdin_ ? kStandardInput : file_.get(); }

  std::string name_;
  Descriptor file_;
  bool is_stdin_ = false;
  FileInfo info_;
  uint64_t start_ = 0;  // of standard input, in its file
  uint64_t num_read_ = 0;
  std::optional<FilePlace> place_;  // if it may be removed
  FileInfo named_;                  // what the place was: the file, or a link
  std::vector<uint8_t> buffer_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_INPUT_FILE_H_
