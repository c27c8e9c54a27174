// SPDX-License-Identifier: Apache-2.0
// A frame that the context models predict alone: one lane, no language model.
#include "cm/context_mixer.h"
#include "codec/frame_codec.h"
#include "coder/binary_coder.h"

namespace llma {
namespace {

// How often progress is told and the end of the code is looked for.
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

bool IsCancelled(const ProgressCallback& progress, uint64_t done_bytes,
                 uint64_t total_bytes, uint64_t coded_bytes) {
  return progress && done_bytes % kBytesPerReport == 0 &&
         !progress({done_bytes, total_bytes, coded_bytes});
}

}  // namespace

Result<std::vector<uint8_t>> EncodeContextFrame(
    ContextModels models, Bytes content, const ProgressCallback& progress) {
  LLMA_ENSURE(models != ContextModels::kNone);
  cm::ContextMixer contexts(Options(models, content.size()));
  contexts.AddLane(0);
  BinaryEncoder coder;
  for (uint64_t done_bytes = 0; done_bytes < content.size();) {
    CodeByte(coder, contexts, content[done_bytes++]);
    if (IsCancelled(progress, done_bytes, content.size(), coder.size_bytes())) {
      return Error{ErrorCode::kUsage, "cancelled"};
    }
  }
  return std::move(coder).Finish();
}

Result<std::vector<uint8_t>> DecodeContextFrame(
    ContextModels models, Bytes code, uint64_t content_bytes,
    const ProgressCallback& progress) {
  LLMA_ENSURE(models != ContextModels::kNone);
  cm::ContextMixer contexts(Options(models, content_bytes));
  contexts.AddLane(0);
  BinaryDecoder coder(code);
  std::vector<uint8_t> content;
  while (content.size() < content_bytes) {
    content.push_back(CodeByte(coder, contexts, 0));
    if (coder.IsTruncated()) {
      return Error{ErrorCode::kTruncated, "the file is truncated"};
    }
    if (IsCancelled(progress, content.size(), content_bytes,
                    coder.consumed_bytes())) {
      return Error{ErrorCode::kUsage, "cancelled"};
    }
  }
  if (!coder.IsAtCanonicalEnd()) {
    return Error{ErrorCode::kCorrupt, "the code does not end where it should"};
  }
  return content;
}

}  // namespace llma
