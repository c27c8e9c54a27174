// SPDX-License-Identifier: Apache-2.0
// A file that appears under its final name only when it is complete, and may be
// gone on with if it was interrupted.
#ifndef LLMA_CLI_NEW_FILE_H_
#define LLMA_CLI_NEW_FILE_H_

#include <llma/result.hpp>
#include <string>

namespace llma::cli {

struct NewFileOptions {
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
class NewFile {
 public:
  // Fails if `path` exists, unless `overwrite`.
  static Result<NewFile> Create(const std::string& path,
                                const NewFileOptions& options);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();
  // Flushes to the device and gives the file its final name.
  Status Commit();
  int fd() const { return fd_; }
  // Now, as if `keep_part` had been said.
  void KeepPart() { options_.keep_part = true; }
  const std::string& temporary_path() const { return temporary_path_; }
  // The temporary name, for a signal handler to unlink; empty after Commit(),
  // and if it is to stay.
  std::string path_to_unlink() const {
    return options_.keep_part ? std::string() : temporary_path_;
  }

 private:
  NewFile(int fd, std::string path, std::string temporary_path,
          const NewFileOptions& options);
  static Result<NewFile> CreatePart(const std::string& path,
                                    const NewFileOptions& options);
  int fd_ = -1;
  std::string path_, temporary_path_;
  NewFileOptions options_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_NEW_FILE_H_
