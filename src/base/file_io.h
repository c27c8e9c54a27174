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

// Up to `size_bytes` from a place of a regular file; fewer at its end.
Result<std::vector<uint8_t>> ReadFileAt(int fd, uint64_t offset,
                                        uint64_t size_bytes);

// Writes everything, or an error (kIo with the reason).
Status WriteAll(int fd, Bytes data);

struct OutputFileOptions {
  bool overwrite = false;
  // The name before it is complete is PATH.part, and no two processes write it
  // at once; else a name that nobody else has.
  bool is_resumable = false;
  // Of a resumable one: goes on with what PATH.part has, if it is there; else
  // that is an error, unless `overwrite` or it is empty.
  bool resume = false;
  // Leaves PATH.part behind if it is not committed.
  bool keep_part = false;
};

// A file that is written beside its final name and renamed in Commit(). If it
// is destroyed before that, nothing is left behind unless asked for.
class OutputFile {
 public:
  // Fails if `path` exists, unless `overwrite`.
  static Result<OutputFile> Create(const std::string& path,
                                   const OutputFileOptions& options);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();
  Status Write(Bytes data);
  // Flushes to the device and gives the file its final name.
  Status Commit();
  int fd() const { return fd_; }
  // The temporary name, for a signal handler to unlink; empty after Commit(),
  // and if it is to stay.
  std::string path_to_unlink() const {
    return options_.keep_part ? std::string() : temporary_path_;
  }

 private:
  OutputFile(int fd, std::string path, std::string temporary_path,
             const OutputFileOptions& options);
  static Result<OutputFile> CreatePart(const std::string& path,
                                       const OutputFileOptions& options);
  int fd_ = -1;
  std::string path_, temporary_path_;
  OutputFileOptions options_;
};

}  // namespace llma

#endif  // LLMA_BASE_FILE_IO_H_
