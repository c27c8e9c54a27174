// SPDX-License-Identifier: Apache-2.0
// A frame that the context models predict alone: one lane, no language model.
#include "cm/context_mixer.h"
#include "cm/light_predictor.h"
#include "codec/frame_checks.h"
#include "codec/frame_codec.h"
#include "coder/binary_coder.h"

namespace llma {
namespace {

// How often progress is told.
constexpr uint64_t kBytesPerReport = 4096;

// The full set, as LightPredictor is used.
class FullPredictor {
 public:
  explicit FullPredictor(uint64_t content_bytes)
      : contexts_(
            {.set = cm::ModelSet::kFull, .content_bytes = content_bytes}) {
    contexts_.AddLane(0);
  }

  void BeginByte() { contexts_.BeginByte(0); }
  uint32_t Predict() { return contexts_.Predict(); }
  void Update(int bit) { contexts_.Update(bit); }
  uint8_t last_byte() const {
    return static_cast<uint8_t>(contexts_.lane(0).c1());
  }

 private:
  cm::ContextMixer contexts_;
};

template <class Coder, class Predictor>
uint8_t CodeByte(Coder& coder, Predictor& predictor, uint8_t known) {
  predictor.BeginByte();
  for (int i = 7; i >= 0; --i) {
    const bool bit = coder.Code((known >> i & 1) != 0, predictor.Predict());
    predictor.Update(bit ? 1 : 0);
  }
  return predictor.last_byte();
}

template <class Predictor>
Result<std::vector<uint8_t>> Encode(Bytes content,
                                    const ProgressCallback& progress,
                                    FrameCosts* costs, BinaryEncoder coder) {
  Predictor predictor(content.size());
  for (uint64_t done_bytes = 0; done_bytes < content.size();) {
    if (costs == nullptr) {
      CodeByte(coder, predictor, content[done_bytes]);
    } else {
      MeteredEncoder metered(coder);
      CodeByte(metered, predictor, content[done_bytes]);
      costs->pieces.push_back({done_bytes, 1, metered.bits(), -1, {}});
    }
    ++done_bytes;
    if (done_bytes % kBytesPerReport == 0) {
      LLMA_TRY(ReportProgress(
          progress, {done_bytes, content.size(), coder.size_bytes()}));
    }
  }
  return std::move(coder).Finish();
}

template <class Predictor>
Result<std::vector<uint8_t>> Decode(BinaryDecoder coder, uint64_t content_bytes,
                                    const ProgressCallback& progress) {
  Predictor predictor(content_bytes);
  std::vector<uint8_t> content;
  while (content.size() < content_bytes) {
    content.push_back(CodeByte(coder, predictor, 0));
    LLMA_TRY(CheckNotTruncated(coder));
    if (content.size() % kBytesPerReport == 0) {
      LLMA_TRY(ReportProgress(
          progress, {content.size(), content_bytes, coder.consumed_bytes()}));
    }
  }
  LLMA_TRY(CheckEndOfCode(coder));
  return content;
}

}  // namespace

Result<std::vector<uint8_t>> EncodeContextFrame(
    ContextModels models, Bytes content, const ProgressCallback& progress,
    FrameCosts* costs, BinaryEncoder coder) {
  LLMA_ENSURE(models != ContextModels::kNone);
  return models == ContextModels::kLight
             ? Encode<cm::LightPredictor>(content, progress, costs,
                                          std::move(coder))
             : Encode<FullPredictor>(content, progress, costs,
                                     std::move(coder));
}

Result<std::vector<uint8_t>> DecodeContextFrame(
    ContextModels models, BinaryDecoder coder, uint64_t content_bytes,
    const ProgressCallback& progress) {
  LLMA_ENSURE(models != ContextModels::kNone);
  return models == ContextModels::kLight
             ? Decode<cm::LightPredictor>(std::move(coder), content_bytes,
                                          progress)
             : Decode<FullPredictor>(std::move(coder), content_bytes, progress);
}

}  // namespace llma
