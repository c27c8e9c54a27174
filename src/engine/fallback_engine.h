// SPDX-License-Identifier: Apache-2.0
// An engine that the processor takes over from where it fails: what its streams
// have read is known, so they are read again and the frame goes on. Once it has
// failed, it ends with the last of its sessions and starts.
#ifndef LLMA_ENGINE_FALLBACK_ENGINE_H_
#define LLMA_ENGINE_FALLBACK_ENGINE_H_

#include <memory>
#include <mutex>
#include <string>

#include "engine/cpu_engine.h"
#include "engine/engine.h"

namespace llma {

// The first reason why a processor took over from an engine in this process;
// empty if none did. Whoever reports it takes it. Thread-safe.
void NoteEngineFailure(const std::string& reason);
std::string TakeEngineFailure();

class FallbackEngine : public Engine {
 public:
  FallbackEngine(std::unique_ptr<Engine> first, const KernelTable& kernels)
      : Engine(first->model()),
        encode_rows_(first->encode_rows()),
        extra_row_cost_(first->extra_row_cost()),
        first_(std::move(first)),
        cpu_(model(), kernels) {}

  uint32_t encode_rows() const override { return encode_rows_; }
  float extra_row_cost() const override { return extra_row_cost_; }
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override;
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override;

  // The engine to ask; null once it has failed.
  std::shared_ptr<Engine> first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }
  CpuEngine& cpu() { return cpu_; }
  // Of a running session: others do not try any more.
  void NoteLoss(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      first_ = nullptr;  // the session has it still
    }
    NoteEngineFailure(error.what);
  }

 private:
  const uint32_t encode_rows_;
  const float extra_row_cost_;
  mutable std::mutex mutex_;
  std::shared_ptr<Engine> first_;
  CpuEngine cpu_;
};

}  // namespace llma

#endif  // LLMA_ENGINE_FALLBACK_ENGINE_H_
