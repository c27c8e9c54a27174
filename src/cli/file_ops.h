// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs of a command: which file is meant, what must not be
// overwritten, and what an output inherits from its input.
#ifndef LLMA_CLI_FILE_OPS_H_
#define LLMA_CLI_FILE_OPS_H_

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_io.h"
#include "base/status.h"

namespace llma::cli {

inline constexpr char kSuffix[] = ".llma";

bool IsDirectory(const std::string& path);

// A whole input in memory.
struct Input {
  std::string name;  // for messages
  std::vector<uint8_t> bytes;
  struct stat info;
};

// "-" is standard input.
Result<Input> ReadInput(const std::string& path);

// Where a result goes. A regular file gets its name only in Finish(), when all
// is written; before that, signals and the destructor remove what there is.
class Output {
 public:
  // "-" is standard output. kUsage if it is the file that was read (always),
  // or exists (unless `force`). Devices and pipes are written to as they are.
  static Result<std::unique_ptr<Output>> Open(const std::string& path,
                                              bool force, const Input& input);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Writes everything and ends the output; false if it is there but its mode
  // or times could not be copied from the input.
  Result<bool> Finish(Bytes bytes, const Input& input);

  const std::string& name() const { return name_; }

 private:
  explicit Output(std::string name) : name_(std::move(name)) {}

  std::string name_;
  int fd_ = -1;  // of a device or pipe
  bool owns_fd_ = false;
  std::optional<OutputFile> file_;
};

// Input and output of a command; "-" for the standard streams.
struct FilePair {
  std::string in, out;
};

// `llma -c`: one operand (none is "-") and no output makes IN.llma.
Result<FilePair> CompressedPair(const std::vector<std::string>& operands,
                                const std::string& output);

// `llma -d`: one operand IN.llma and no output makes IN. Two operands are IN
// OUT; OUT IN if only the second one exists and carries the magic, or if both
// exist, only the second one carries the magic, and `force`. Both with the
// magic: an error.
Result<FilePair> DecompressedPair(const std::vector<std::string>& operands,
                                  const std::string& output, bool force);

}  // namespace llma::cli

#endif  // LLMA_CLI_FILE_OPS_H_
