// SPDX-License-Identifier: Apache-2.0
// Where a result goes, what must not be overwritten, and what an output
// inherits from its input.
#ifndef LLMA_CLI_FILES_OUTPUT_H_
#define LLMA_CLI_FILES_OUTPUT_H_

#include <memory>
#include <optional>
#include <string>

#include "cli/byte_text.h"
#include "cli/files/input_file.h"
#include "platform/output_file.h"

namespace llma::cli {

struct OutputOptions {
  bool force = false;
  bool may_overwrite = true;  // a file, with `force`
  // Compressed output, written to NAME.part: what an interrupted run left there
  // can be gone on with.
  bool is_resumable = false;
  bool resume = false;
  // What took long is left there if it is interrupted; only where another run
  // can go on with it.
  bool keeps_long_work = false;
  // False: nothing waits for the device.
  bool syncs = true;
  // A file that restoring the result will need: not overwritten either.
  std::optional<FileInfo> reference = {};
};

// A regular file gets its name only in Finish(), when all is written; before
// that, signals and the destructor remove what there is, and nobody else can
// read it.
class Output {
 public:
  // "-" is standard output. kUsage if it is the file that is read or the
  // reference (always), or exists (unless `force` and `may_overwrite`). Devices
  // and pipes are written to as they are.
  static Result<std::unique_ptr<Output>> Open(const std::string& path,
                                              const OutputOptions& options,
                                              const InputFile& input);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Status Write(Bytes bytes);
  // The same, but blocks of zeros become holes where the file system has them.
  Status WriteSparsely(Bytes bytes);
  // So many zeros.
  Status Skip(uint64_t size_bytes);

  bool is_file() const { return file_.has_value(); }
  // The descriptor of a file that can be read again; -1 if it cannot.
  int readable_fd() const { return file_ ? file_->fd() : -1; }
  // Resumable output: what follows goes after this place.
  Status TruncateTo(uint64_t size_bytes);
  // What was written is on the device.
  Status Flush();
  // It is of no use if it is not finished.
  void DropPart();

  // Ends the output; false if it is there but its owner, mode or times could
  // not be set: those of the input, or what `source` says instead. If it cannot
  // have its name, it stays, and the error says where.
  Result<bool> Finish(const std::optional<SourceInfo>& source);
  // The same of a result that inherits only who may read it.
  Status Finish();

  // Of a file that is finished: begins to write it to the device; waits for
  // that; whether its name is still its own.
  void StartSync() const;
  bool Sync() const;
  bool IsInPlace() const;
  const FilePlace& place() const { return file_->place(); }

  bool is_stdout() const { return is_stdout_; }
  const std::string& name() const { return name_; }

 private:
  explicit Output(std::string name) : name_(std::move(name)) {}
  Status FillHole();
  Status WriteZeros(uint64_t size_bytes);
  Status Commit();
  int fd() const { return file_ ? file_->fd() : fd_; }

  std::string name_;
  bool is_stdout_ = false;
  int fd_ = -1;        // of a device or pipe
  Descriptor opened_;  // the same, if it is not standard output
  std::optional<OutputFile> file_;
  FileInfo input_;  // what was read
  bool syncs_ = true;
  bool replaces_ = false;    // a file that was there
  bool is_current_ = false;  // signals remove it
  uint64_t size_bytes_ = 0;
  uint64_t hole_bytes_ = 0;  // at the end, not yet there
};

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_OUTPUT_H_
