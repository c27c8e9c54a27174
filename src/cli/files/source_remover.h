// SPDX-License-Identifier: Apache-2.0
// --rm: sources are removed when their results are safe.
#ifndef LLMA_CLI_FILES_SOURCE_REMOVER_H_
#define LLMA_CLI_FILES_SOURCE_REMOVER_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/files/input_file.h"
#include "cli/files/output.h"
#include "cli/messages.h"

namespace llma::cli {

// A power cut must not take both: so a result is on the device, and its name in
// its folder too, before its source is removed. Waiting for the device costs
// the same for many small files as for one; so they wait together, for a second
// at most.
class SourceRemover {
 public:
  // `syncs`: false removes at once.
  SourceRemover(bool syncs, const Messages& messages);
  ~SourceRemover();
  SourceRemover(const SourceRemover&) = delete;
  SourceRemover& operator=(const SourceRemover&) = delete;

  // The input may be removed once the output, which is finished, is safe.
  // Returns the exit status of what was removed now.
  int Add(std::unique_ptr<InputFile> input, std::unique_ptr<Output> output);
  // Before work on another input: of all that wait, unless that is so small
  // that they may wait for it, too.
  int RemoveBefore(const std::string& path);
  // Of all that wait.
  int RemoveAll();

 private:
  using Clock = std::chrono::steady_clock;
  struct Pair {
    std::unique_ptr<InputFile> input;
    std::unique_ptr<Output> output;
    bool is_safe = true;
  };
  int SyncAll();

  const bool syncs_;
  const Messages& messages_;
  size_t max_waiting_;
  Clock::time_point first_;
  std::vector<Pair> waiting_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_SOURCE_REMOVER_H_
