// SPDX-License-Identifier: Apache-2.0
// The models that a command needs.
#ifndef LLMA_CLI_COMMANDS_MODEL_LOOKUP_H_
#define LLMA_CLI_COMMANDS_MODEL_LOOKUP_H_

#include <functional>
#include <llma/llma.hpp>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cli/byte_text.h"
#include "platform/file_info.h"

namespace llma::cli {

// Opens each model once. Thread-safe.
class ModelCache {
 public:
  // `name_or_path`: used for everything, if not empty. "auto": what compresses
  // is chosen among the installed models.
  explicit ModelCache(const std::string& name_or_path);

  // What compresses. It must outlive what is done with the options. `on_note`
  // is told of models that cannot be opened and are not chosen from.
  Status SetToCompress(llma::Options& options,
                       std::function<void(const std::string&)> on_note);
  // What a file needs; the same.
  Status SetToDecompress(llma::Options& options);
  // The one that decompresses what needs a model of which this is known.
  Result<Model> StartsWith(Bytes id_start);
  // Whether this file is one of those that were found so far; with "auto", one
  // of those to choose from.
  bool Holds(const FileInfo& file);
  // kIo if one of those that were found was written to: with what is in memory
  // of it now, nothing can be restored.
  Status CheckUnchanged();

 private:
  Result<Model> Default();
  Result<Model> Find(Bytes id, uint32_t candidate);
  void AddFile(const Model& model);

  const bool is_auto_;
  const std::string name_or_path_;
  std::mutex mutex_;
  std::optional<Model> default_;
  std::vector<std::pair<std::string, FileInfo>> files_;  // as they were opened
  std::optional<Encoder> holder_;  // of the models to choose from
  std::map<std::pair<std::vector<uint8_t>, uint32_t>, Model> by_id_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_COMMANDS_MODEL_LOOKUP_H_
