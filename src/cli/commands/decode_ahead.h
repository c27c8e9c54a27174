// SPDX-License-Identifier: Apache-2.0
// Small files are decoded some time before it is their turn, several side by
// side, because their passes of the language model are then the same.
#ifndef LLMA_CLI_COMMANDS_DECODE_AHEAD_H_
#define LLMA_CLI_COMMANDS_DECODE_AHEAD_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <llma/llma.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/files/file_job.h"

namespace llma::cli {

// What a file's bytes become.
struct DecodedFile {
  std::vector<uint8_t> content;  // up to an error
  std::vector<llma_frame_info> frames;
  std::optional<SourceInfo> source_info;
  Status status = OkStatus();
  double seconds = 0;
};

// Nothing is written, and nothing said: whoever takes a result does what
// follows from it in the order of the files. Used by one thread.
class DecodeAhead {
 public:
  // `is_wanted`: whether an input would be decoded at all if its turn came now.
  // What that needs must outlive this.
  DecodeAhead(const Options& options, ModelCache& models,
              std::function<bool(const std::string& in)> is_wanted);
  // Ends what nobody has taken.
  ~DecodeAhead();
  DecodeAhead(const DecodeAhead&) = delete;
  DecodeAhead& operator=(const DecodeAhead&) = delete;

  // It is the turn of the first of these, the inputs that are left; called for
  // each. What was decoded of those before is dropped.
  void MoveTo(std::span<const std::string> inputs);

  // The bytes of the file whose turn it is as they were when it was read; null
  // if it is not decoded here.
  const std::vector<uint8_t>* file() const;
  // What they become. Waits, and tells meanwhile how far the work is.
  const DecodedFile& Take(
      const std::function<bool(const llma_progress&)>& progress);

 private:
  struct Work {
    std::vector<uint8_t> file;
    uint64_t content_bytes = 0, memory_bytes = 0;
    std::atomic<uint64_t> done_bytes{0}, coded_bytes{0};
    std::atomic<bool> is_cancelled{false};
    DecodedFile decoded;
    std::future<void> done;
  };

  // Null if it is not for this.
  std::unique_ptr<Work> Read(const std::string& in);
  Result<uint64_t> MemoryBytes(const llma_frame_info& frame);
  Status Decode(Work& work);
  void Start(Work& work);
  void DropFirst();

  const Options& options_;
  ModelCache& models_;
  const std::function<bool(const std::string& in)> is_wanted_;
  const uint64_t max_memory_bytes_;
  uint64_t memory_bytes_ = 0;
  // Of the current input and those after it; null: not decoded here.
  std::deque<std::unique_ptr<Work>> works_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_COMMANDS_DECODE_AHEAD_H_
