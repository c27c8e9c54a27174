// SPDX-License-Identifier: Apache-2.0
// A decoder on a device of OpenCL. Sums of blocks of weights come back, and the
// last hidden state, of which this machine computes the weights of the few
// blocks that a token's decisions ask for: less than fetching them would take.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_DECODER_H_
#define LLMA_ENGINE_OPENCL_OPENCL_DECODER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "engine/opencl/decode_passes.h"
#include "engine/opencl/opencl_engine.h"
#include "engine/opencl/session_streams.h"

namespace llma::opencl {

class OpenClDecodeSession : public DecodeSession {
 public:
  static Result<std::unique_ptr<DecodeSession>> Open(
      OpenClEngine& engine, const SessionOptions& options);

  Status Run(std::span<const StreamTokens> batch) override;
  void Weigh(uint32_t row, TokenMasses& masses) override;
  void Keep(uint32_t stream, std::span<const uint32_t> kept) override;

 private:
  OpenClDecodeSession(OpenClEngine& engine, const SessionOptions& options,
                      DecodePasses::Place place);

  const Model& model_;
  const KernelTable& kernels_;
  const DecodePasses::Place passes_;
  StageClock* const clock_;
  SessionStreams streams_;
  DecodePasses::Member member_;
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_OPENCL_DECODER_H_
