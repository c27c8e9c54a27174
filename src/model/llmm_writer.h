// SPDX-License-Identifier: Apache-2.0
// Writes a .llmm file section by section, so that a model never has to be in
// memory as a whole, and computes its fingerprint on the way.
#ifndef LLMA_MODEL_LLMM_WRITER_H_
#define LLMA_MODEL_LLMM_WRITER_H_

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "model/fingerprint.h"
#include "model/model.h"
#include "model/model_header.h"
#include "platform/interruptions.h"
#include "platform/output_file.h"

namespace llma {

// Call the functions in the order of the sections of docs/MODEL_FILE.md; any
// other order is kInternal. Nothing is left behind without Finish.
class LlmmWriter {
 public:
  // header: configuration, strings, source hash and importer version; the
  // writer fills in the rest. Its views must outlive the writer.
  static Result<LlmmWriter> Create(const std::string& path, bool overwrite,
                                   const ModelHeader& header);

  // offsets, spellings: the arrays of a TokenTable.
  Status AddTokenizer(std::span<const uint32_t> offsets, Bytes spellings,
                      std::span<const uint32_t> merges);
  Status AddRopeSteps(std::span<const uint64_t> steps);
  Status AddFloats(std::span<const float> values);  // a norm or biases
  Status AddLinear(const LinearWeights& weights);

  // Writes the header and gives the file its name. Returns the fingerprint.
  Result<Fingerprint> Finish();

 private:
  LlmmWriter(OutputFile file, const ModelHeader& header);
  Status AddSection(Bytes content);
  template <class T>
  Status AddNumbers(std::span<const T> numbers);
  Status PadTo(uint64_t offset_bytes);

  std::unique_ptr<RemovalAtEnd> at_end_;  // of what file_ leaves otherwise
  OutputFile file_;
  ModelHeader header_;
  FingerprintBuilder fingerprint_;
  uint64_t end_ = 0;         // bytes written
  size_t next_section_ = 0;  // in header_.sections
};

}  // namespace llma

#endif  // LLMA_MODEL_LLMM_WRITER_H_
