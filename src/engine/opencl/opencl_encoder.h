// SPDX-License-Identifier: Apache-2.0
// An encoder on a device of OpenCL: the walk along tokens that are known is
// made there, too.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_ENCODER_H_
#define LLMA_ENGINE_OPENCL_OPENCL_ENCODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/opencl/device_pass.h"
#include "engine/opencl/opencl_engine.h"
#include "engine/opencl/session_streams.h"

namespace llma::opencl {

class OpenClEncodeSession : public EncodeSession {
 public:
  static Result<std::unique_ptr<OpenClEncodeSession>> Open(
      OpenClEngine& engine, const SessionOptions& options);

  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override;
  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override;

 private:
  // Says that it has ended.
  struct End {
    OpenClEngine* engine = nullptr;
    ~End() {
      if (engine != nullptr) engine->NoteEncoderEnd();
    }
  };

  OpenClEncodeSession(OpenClEngine& engine, const SessionOptions& options);
  Status Prepare(const SessionOptions& options);
  Status SetDecisions(std::span<const uint32_t> targets);
  void Decide(uint32_t row, uint32_t count);
  Status ShowMasses(uint32_t row, uint32_t count,
                    const MassesCallback& on_masses);

  End end_;  // when all else is gone
  OpenClEngine& engine_;
  const SessionShape shape_;
  StageClock* const clock_;
  KeyValues key_values_;
  std::unique_ptr<SessionStreams> streams_;
  std::unique_ptr<DevicePass> pass_;
  Buffer sums_before_;  // [row < logit_rows, num_blocks + 1]
  Buffer device_decisions_, device_rows_, probabilities_;
  size_t max_decisions_ = 0;  // that these have room for
  std::vector<RowInfo> rows_;
  std::vector<std::vector<DecisionRange>>
      decisions_of_;  // [token], when needed
  std::vector<DecisionRange> decisions_;
  std::vector<uint32_t> decision_rows_;   // [decision]: among rows of Weigh()
  std::vector<uint32_t> first_decision_;  // [row], and their end
  std::vector<Probability> found_;
  std::unique_ptr<Queue> queue_;  // ends before the memory goes
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_OPENCL_ENCODER_H_
