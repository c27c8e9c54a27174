// SPDX-License-Identifier: Apache-2.0
// An engine that the processor takes over from where it fails: what its streams
// have read is known, so they are read again and the frame goes on.
#ifndef LLMA_ENGINE_FALLBACK_ENGINE_H_
#define LLMA_ENGINE_FALLBACK_ENGINE_H_

#include <atomic>
#include <memory>
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
        first_(std::move(first)),
        cpu_(first_->model(), kernels) {}

  uint32_t encode_rows() const override { return first_->encode_rows(); }
  float extra_row_cost() const override { return first_->extra_row_cost(); }
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override;
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override;

  // The engine to ask; null once it has failed.
  Engine* first() const { return is_lost_ ? nullptr : first_.get(); }
  CpuEngine& cpu() { return cpu_; }
  // Of a running session: others do not try any more.
  void NoteLoss(const Error& error) {
    is_lost_ = true;
    NoteEngineFailure(error.what);
  }

 private:
  const std::unique_ptr<Engine> first_;
  CpuEngine cpu_;
  std::atomic<bool> is_lost_{false};
};

}  // namespace llma

#endif  // LLMA_ENGINE_FALLBACK_ENGINE_H_
