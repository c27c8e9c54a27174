// SPDX-License-Identifier: Apache-2.0
// A file that appears under its final name only when it is complete, and may be
// gone on with if it was interrupted.
#ifndef LLMA_PLATFORM_OUTPUT_FILE_H_
#define LLMA_PLATFORM_OUTPUT_FILE_H_

#include <cstdint>
#include <llma/result.hpp>
#include <optional>
#include <span>
#include <string>

#include "platform/descriptors.h"
#include "platform/file_place.h"

namespace llma {

struct OutputFileOptions {
  bool overwrite = false;
  // The name before it is complete is PATH.part, and no two processes write it
  // at once; else a name that no other process has.
  bool is_resumable = false;
  // Starts it anew if it is there, also without `overwrite`.
  bool replace_part = false;
  // Of a resumable one: goes on with what PATH.part has, if it is there; else
  // that is an error, unless one of these or it is empty.
  bool resume = false;
  // Leaves PATH.part behind if it is not committed.
  bool keep_part = false;
  // Leaves a complete file under its temporary name if it cannot have the
  // final one; the error says so.
  bool keep_complete = false;
  // Who writes it calls SetMode().
  bool has_own_mode = false;
};

// A file that is written beside its final name, where others cannot read it,
// and renamed in Commit(). If it is destroyed before that, nothing is left
// behind unless asked for. All names are in the folder as it was found, even if
// that is moved meanwhile. Where the name and its ending are too long together,
// the temporary name has the start of the name only.
class OutputFile {
 public:
  // Fails if `path` exists, unless `overwrite`.
  static Result<OutputFile> Create(const std::string& path,
                                   const OutputFileOptions& options);
  static Result<OutputFile> Create(const FilePlace& place,
                                   const OutputFileOptions& options);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Status Write(std::span<const uint8_t> data);
  // Instead of what the file starts with; after the last Write().
  Status WriteStart(std::span<const uint8_t> data);
  // What the file may have in the end; false if that failed, which leaves it to
  // its owner.
  bool SetMode(uint32_t mode);
  // What was written is on the device.
  Status Sync();
  // Gives the file its final name. Without `overwrite` never that of another
  // file: where the file system cannot do that in one step, another one that
  // comes between looking and renaming may be lost.
  Status Commit();
  // Both, and the folder too.
  Status SyncAndCommit();
  // Instead: it stays under its temporary name, if `keep_complete`. The error,
  // which then says so.
  Error KeepUnnamed(Error error);

  // Now, as if `keep_part` had been said.
  void KeepPart() { options_.keep_part = true; }

  int fd() const { return fd_.get(); }
  const FilePlace& place() const { return place_; }
  // For messages.
  std::string temporary_path() const { return temporary_->path(); }
  // The temporary name, for a signal handler to unlink; none after Commit(),
  // and if it is to stay.
  const FilePlace* place_to_unlink() const;

 private:
  OutputFile(Descriptor fd, FilePlace place, FilePlace temporary,
             const OutputFileOptions& options)
      : fd_(std::move(fd)),
        place_(std::move(place)),
        temporary_(std::move(temporary)),
        options_(options) {}
  static Result<OutputFile> CreatePart(const FilePlace& place,
                                       const OutputFileOptions& options);
  static Result<OutputFile> CreateUnnamed(const FilePlace& place,
                                          const OutputFileOptions& options);
  Status Rename();

  Descriptor fd_;
  FilePlace place_;
  std::optional<FilePlace> temporary_;  // none once it has its name
  OutputFileOptions options_;
  std::optional<uint32_t> mode_;  // of a file that has no own one
};

}  // namespace llma

#endif  // LLMA_PLATFORM_OUTPUT_FILE_H_
