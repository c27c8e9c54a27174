// SPDX-License-Identifier: Apache-2.0
// Low-rank adapters, merged into a model while it is imported: the folder that
// Hugging Face's PEFT saves (adapter_config.json, adapter_model.safetensors),
// or a GGUF file whose general.type is "adapter".
#ifndef LLMA_IMPORTER_CONVERT_ADAPTER_H_
#define LLMA_IMPORTER_CONVERT_ADAPTER_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "importer/convert/low_rank_update.h"
#include "importer/source_model.h"
#include "platform/mapped_file.h"

namespace llma {

// What the files of a PEFT folder hold, where there is no folder.
struct PeftFiles {
  std::string_view name;  // stands for the folder
  Bytes config;           // adapter_config.json
  Bytes weights;          // adapter_model.safetensors
};

// Movable; what it is attached to points into it.
class Adapter {
 public:
  // Reads and checks a folder or a file. What would change the model and is not
  // understood is kUnsupported and named: DoRA, LoRA of embeddings, modules
  // that are saved whole (other than norms and biases), and so on. Errors name
  // the file.
  static Result<Adapter> Open(const std::string& path);
  // The same of files in memory, which must outlive the adapter.
  static Result<Adapter> Read(const PeftFiles& files);

  // Lets the tensors of `source` be what the adapter makes of them. The adapter
  // must outlive the source. kUnsupported if it changes a tensor that the
  // source does not have, or of another shape.
  Status AttachTo(SourceModel& source);

  // Of the GGUF file; of a folder, of the lines that sha256sum prints for
  // adapter_config.json and adapter_model.safetensors.
  const std::array<uint8_t, 32>& sha256() const { return sha256_; }

 private:
  // Matrices by the name of their tensor.
  using Updates = std::map<std::string, LowRankUpdate, std::less<>>;
  // Norms and biases by the name of their tensor.
  using Replacements = std::map<std::string, std::vector<float>, std::less<>>;

  Status ReadFolder();
  // Errors name files of the folder `path_`.
  Status ReadPeft(Bytes config_text, Bytes weights);
  Status ReadGguf();
  // The bytes of a file of the folder, or of the file; stays mapped.
  Result<Bytes> Map(const std::string& path);

  std::string path_;
  std::array<uint8_t, 32> sha256_{};
  bool is_gguf_ = false;
  std::string architecture_;  // of a GGUF file
  std::vector<MappedFile> files_;
  Updates updates_;
  Replacements replacements_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_ADAPTER_H_
