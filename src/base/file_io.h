// SPDX-License-Identifier: Apache-2.0
// Files: read-only maps, and output that appears under its final name only
// when it is complete. The only place that knows of EINTR and short writes.
#ifndef LLMA_BASE_FILE_IO_H_
#define LLMA_BASE_FILE_IO_H_

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

// A file mapped read-only. Movable; unmapped when destroyed.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  Bytes bytes() const { return {data_, size_}; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// All bytes of a descriptor (a pipe, standard input) or of a regular file, at
// most `max_bytes` (kLimit beyond).
Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes);
Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes = ~uint64_t{0});

// Writes everything, or an error (kIo with the reason).
Status WriteAll(int fd, Bytes data);

// A file that is written beside its final name and renamed in Commit(). If it
// is destroyed before that, nothing is left behind.
class OutputFile {
 public:
  // Fails if `path` exists, unless `overwrite`.
  static Result<OutputFile> Create(const std::string& path, bool overwrite);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();
  Status Write(Bytes data);
  // Flushes to the device and gives the file its final name.
  Status Commit();
  int fd() const { return fd_; }
  // The temporary name, for a signal handler to unlink; empty after Commit().
  const std::string& temporary_path() const { return temporary_path_; }

 private:
  OutputFile(int fd, std::string path, std::string temporary_path,
             bool overwrite);
  int fd_ = -1;
  std::string path_, temporary_path_;
  bool overwrite_ = false;
};

}  // namespace llma

#endif  // LLMA_BASE_FILE_IO_H_
