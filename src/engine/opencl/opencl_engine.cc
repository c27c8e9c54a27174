// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_engine.h"

#include <utility>

#include "engine/opencl/opencl_decoder.h"
#include "engine/opencl/opencl_encoder.h"

namespace llma {

using opencl::DecodePasses;
using opencl::Device;
using opencl::DeviceWeights;
using opencl::OpenClDecodeSession;
using opencl::OpenClEncodeSession;

Result<std::unique_ptr<OpenClEngine>> OpenClEngine::Create(
    const Model& model, const KernelTable& kernels,
    const opencl::DeviceInfo& info) {
  LLMA_ASSIGN(auto device, Device::Open(info));
  std::unique_ptr<OpenClEngine> engine(
      new OpenClEngine(model, kernels, std::move(device)));
  LLMA_ASSIGN(engine->weights_, DeviceWeights::Upload(engine->device(), model));
  LLMA_ASSIGN(engine->decode_passes_,
              DecodePasses::Create(engine->device(), model, engine->weights_));
  return engine;
}

uint32_t OpenClEngine::encode_rows() const {
  constexpr uint32_t kProcessorRows = 256;
  return device_->info().is_gpu ? kMaxEncodeRows : kProcessorRows;
}

float OpenClEngine::extra_row_cost() const {
  return device_->info().is_gpu ? 0.02f : 0.9f;
}

Result<std::unique_ptr<EncodeSession>> OpenClEngine::OpenEncoder(
    const SessionOptions& options) {
  LLMA_ENSURE(!options.learns);
  std::unique_lock lock(mutex_);
  for (;;) {
    auto session = OpenClEncodeSession::Open(*this, options);
    if (session) {
      ++num_encoders_;
      return std::unique_ptr<EncodeSession>(*std::move(session));
    }
    if (session.error().code != ErrorCode::kMemory || num_encoders_ == 0) {
      return session.error();
    }
    encoder_ended_.wait(lock);
  }
}

void OpenClEngine::NoteEncoderEnd() {
  const std::lock_guard lock(mutex_);
  --num_encoders_;
  encoder_ended_.notify_all();
}

Result<std::unique_ptr<DecodeSession>> OpenClEngine::OpenDecoder(
    const SessionOptions& options) {
  LLMA_ENSURE(!options.learns);
  return OpenClDecodeSession::Open(*this, options);
}

uint64_t OpenClEngine::EncoderBytes(const ModelConfig& config,
                                    const SessionShape& shape) {
  // Some 64 decisions of each row, and what is known of tokens.
  constexpr uint64_t kPathDecisions = 64;
  return shape.max_rows() * kPathDecisions *
             (sizeof(DecisionRange) + sizeof(uint32_t) + sizeof(Probability)) +
         config.num_tokens * kPathDecisions * sizeof(DecisionRange);
}

uint64_t OpenClEngine::DecoderBytes(const ModelConfig& config,
                                    const SessionShape& shape) {
  // Of the pass that it uses, and of one that it does not use any more.
  return 2 * shape.max_rows() * DecodePasses::RowBytes(config);
}

}  // namespace llma
