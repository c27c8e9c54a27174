// SPDX-License-Identifier: Apache-2.0
// The identity of a model: SHA-256 over its canonical content, in the order
// and form of docs/MODEL_FILE.md, whatever the layout of the file.
#ifndef LLMA_MODEL_FINGERPRINT_H_
#define LLMA_MODEL_FINGERPRINT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/status.h"
#include "model/model.h"

namespace llma {

// Call the functions once each in this order: AddConfig, AddTokenizer,
// AddRopeSteps; then AddFloats and AddLinear in the order of the sections of
// the file; Digest.
class FingerprintBuilder {
 public:
  FingerprintBuilder();
  void AddConfig(const ModelConfig& config);
  void AddTokenizer(const TokenTable& tokens, const TokenizerSpec& tokenizer);
  void AddRopeSteps(std::span<const uint64_t> steps);
  void AddFloats(std::span<const float> values);  // norms and biases
  // Row by row: all values, then all scales.
  void AddLinear(const LinearWeights& weights);
  Fingerprint Digest() { return hash_.Digest(); }

 private:
  Sha256 hash_;
};

// The same of a whole model, to check the one that its file states.
Fingerprint ComputeFingerprint(const Model& model);

}  // namespace llma

#endif  // LLMA_MODEL_FINGERPRINT_H_
