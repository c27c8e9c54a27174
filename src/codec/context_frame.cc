// SPDX-License-Identifier: Apache-2.0
// A frame that the context models predict alone: one lane, no language model.
#include "cm/context_mixer.h"
#include "codec/frame_checks.h"
#include "codec/frame_codec.h"
#include "coder/binary_coder.h"

namespace llma {
namespace {

// How often progress is told.
constexpr uint64_t kBytesPerReport = 4096;

template <class Coder>
uint8_t CodeByte(Coder& coder, cm::ContextMixer& contexts, uint8_t known) {
  contexts.BeginByte(0);
  for (int i = 7; i >= 0; --i) {
    const bool bit = coder.Code((known >> i & 1) != 0, contexts.Predict());
    contexts.Update(bit ? 1 : 0);
  }
  return static_cast<uint8_t>(contexts.lane(0).c1());
}

cm::ContextMixerOptions Options(ContextModels models, uint64_t content_bytes) {
  return {.set = static_cast<cm::ModelSet>(models),
          .content_bytes = content_bytes};
}

}  // namespace

Result<std::vector<uint8_t>> EncodeContextFrame(
    ContextModels models, Bytes content, const ProgressCallback& progress,
    FrameCosts* costs, BinaryEncoder coder) {
  LLMA_ENSURE(models != ContextModels::kNone);
  cm::ContextMixer contexts(Options(models, content.size()));
  contexts.AddLane(0);
  for (uint64_t done_bytes = 0; done_bytes < content.size();) {
    if (costs == nullptr) {
      CodeByte(coder, contexts, content[done_bytes]);
    } else {
      MeteredEncoder metered(coder);
      CodeByte(metered, contexts, content[done_bytes]);
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

Result<std::vector<uint8_t>> DecodeContextFrame(
    ContextModels models, BinaryDecoder coder, uint64_t content_bytes,
    const ProgressCallback& progress) {
  LLMA_ENSURE(models != ContextModels::kNone);
  cm::ContextMixer contexts(Options(models, content_bytes));
  contexts.AddLane(0);
  std::vector<uint8_t> content;
  while (content.size() < content_bytes) {
    content.push_back(CodeByte(coder, contexts, 0));
    LLMA_TRY(CheckNotTruncated(coder));
    if (content.size() % kBytesPerReport == 0) {
      LLMA_TRY(ReportProgress(
          progress, {content.size(), content_bytes, coder.consumed_bytes()}));
    }
  }
  LLMA_TRY(CheckEndOfCode(coder));
  return content;
}

}  // namespace llma
