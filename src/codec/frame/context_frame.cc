// SPDX-License-Identifier: Apache-2.0
// A frame that the context models predict alone: one lane, no language model.
#include "codec/frame/context_frame.h"

#include "cm/context_mixer.h"
#include "cm/light_predictor.h"
#include "cm/start_text.h"
#include "codec/codec_context.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/piece_coder.h"
#include "coder/binary_coder.h"

namespace llma {
namespace {

// How often progress is reported: each 30 ms with the slowest set.
constexpr uint64_t kBytesPerReport = 512;

constexpr int kStartTextBits = 3;

// The full set, as LightPredictor is used.
class FullPredictor {
 public:
  // used_bytes: as far as is known.
  FullPredictor(uint64_t content_bytes, uint64_t used_bytes,
                std::string_view start_text, const KernelTable& kernels,
                PageCache* pages)
      : contexts_({.set = cm::ModelSet::kFull,
                   .content_bytes = content_bytes,
                   .start_text = start_text,
                   .pages = cm::PagesFor(used_bytes + start_text.size(), pages),
                   .kernels = kernels}),
        lane_(contexts_.AddLane(0)) {}
  // For a reference of this many bytes, which it reads first.
  FullPredictor(uint64_t reference_bytes, uint64_t table_bytes,
                const KernelTable& kernels, PageCache* pages)
      : contexts_({.set = cm::ModelSet::kFull,
                   .content_bytes = reference_bytes,
                   .table_bytes = table_bytes,
                   .pages = cm::PagesFor(table_bytes, pages),
                   .kernels = kernels}),
        lane_(contexts_.AddLane(0)) {}
  // For a content after that, with this many bytes in sum.
  FullPredictor(const FullPredictor& start, uint64_t all_bytes)
      : contexts_(start.contexts_) {
    const uint64_t reference_bytes = contexts_.lane(0).next_ofs;
    contexts_.Resize(all_bytes);
    lane_ = contexts_.AddLane(reference_bytes);
  }

  void BeginByte() { contexts_.BeginByte(lane_); }
  uint32_t Predict() { return contexts_.Predict(); }
  void Update(int bit) { contexts_.Update(bit); }
  uint8_t last_byte() const {
    return static_cast<uint8_t>(contexts_.lane(lane_).c1());
  }

 private:
  cm::ContextMixer contexts_;
  uint32_t lane_;
};

// What the full set reads first. The light one reads nothing: it would take as
// long for that as for half of a usual file.
template <class Coder>
cm::StartText CodeStartText(Coder& coder, cm::StartText known) {
  uint32_t value = 0;
  for (int i = kStartTextBits - 1; i >= 0; --i) {
    const bool bit = (static_cast<uint32_t>(known) >> i & 1) != 0;
    value = value << 1 | (coder.Code(bit, cm::kProbOne / 2) ? 1u : 0u);
  }
  return static_cast<cm::StartText>(value);
}

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
Result<std::vector<uint8_t>> Encode(Predictor& predictor, Bytes content,
                                    const ProgressCallback& progress,
                                    FrameCosts* costs, BinaryEncoder coder) {
  for (size_t done_bytes = 0; done_bytes < content.size();) {
    if (costs == nullptr) {
      CodeByte(coder, predictor, content[done_bytes]);
    } else {
      MeteredEncoder metered(coder);
      CodeByte(metered, predictor, content[done_bytes]);
      costs->pieces.push_back({done_bytes, 1, metered.bits(), -1, {}});
    }
    ++done_bytes;
    if (done_bytes % kBytesPerReport == 0) {
      if (costs != nullptr) costs->ReportNew();
      LLMA_TRY(ReportProgress(
          progress, {done_bytes, content.size(), coder.size_bytes()}));
    }
  }
  return std::move(coder).Finish();
}

template <class Predictor>
Result<std::vector<uint8_t>> Decode(Predictor& predictor, BinaryDecoder coder,
                                    uint64_t content_bytes,
                                    const ProgressCallback& progress) {
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

// What `start` makes knows after the reference.
template <class Predictor>
Result<std::shared_ptr<const Predictor>> ReadReference(
    std::shared_ptr<Predictor> predictor, Bytes text, uint64_t content_bytes,
    const ProgressCallback& progress) {
  NoCoder coder;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % kBytesPerReport == 0) {
      LLMA_TRY(ReportProgress(progress, {0, content_bytes, 0}));
    }
    CodeByte(coder, *predictor, text[i]);
  }
  return std::shared_ptr<const Predictor>(std::move(predictor));
}

// code(predictor), with one that has read the reference.
template <class Code>
Result<std::vector<uint8_t>> AfterReference(
    ContextModels models, uint64_t content_bytes, const KernelTable& kernels,
    const ProgressCallback& progress, PageCache* pages,
    const ReferenceUse& reference, const Code& code) {
  const Bytes text = reference.text->read_part();
  const uint64_t table_bytes = reference.text->TableBytes(content_bytes);
  const StartKey key = {.kind = StartKey::kContexts,
                        .reference = reference.text->id(),
                        .context_models = models,
                        .table_bytes = table_bytes};
  if (models == ContextModels::kLight) {
    LLMA_ASSIGN(const auto start,
                reference.kept->StartOf<cm::LightPredictor>(key, [&] {
                  return ReadReference(
                      std::make_shared<cm::LightPredictor>(
                          text.size(), cm::PagesFor(table_bytes, pages),
                          kernels, table_bytes),
                      text, content_bytes, progress);
                }));
    cm::LightPredictor predictor(*start, text.size() + content_bytes);
    return code(predictor);
  }
  LLMA_ASSIGN(
      const auto start, reference.kept->StartOf<FullPredictor>(key, [&] {
        return ReadReference(std::make_shared<FullPredictor>(
                                 text.size(), table_bytes, kernels, pages),
                             text, content_bytes, progress);
      }));
  FullPredictor predictor(*start, text.size() + content_bytes);
  return code(predictor);
}

}  // namespace

Result<std::vector<uint8_t>> EncodeContextFrame(
    ContextModels models, Bytes content, const KernelTable& kernels,
    const ProgressCallback& progress, FrameCosts* costs, BinaryEncoder coder,
    PageCache* pages, const ReferenceUse& reference) {
  LLMA_ENSURE(models != ContextModels::kNone);
  if (reference.text != nullptr) {
    return AfterReference(models, content.size(), kernels, progress, pages,
                          reference, [&](auto& predictor) {
                            return Encode(predictor, content, progress, costs,
                                          std::move(coder));
                          });
  }
  if (models == ContextModels::kLight) {
    cm::LightPredictor predictor(content.size(),
                                 cm::PagesFor(content.size(), pages), kernels);
    return Encode(predictor, content, progress, costs, std::move(coder));
  }
  const cm::StartText text = CodeStartText(coder, cm::ChooseStartText(content));
  FullPredictor predictor(content.size(), content.size(),
                          cm::GetStartText(text, content.size()), kernels,
                          pages);
  return Encode(predictor, content, progress, costs, std::move(coder));
}

Result<std::vector<uint8_t>> DecodeContextFrame(
    ContextModels models, BinaryDecoder coder, uint64_t content_bytes,
    const KernelTable& kernels, const ProgressCallback& progress,
    PageCache* pages, const ReferenceUse& reference) {
  LLMA_ENSURE(models != ContextModels::kNone);
  if (reference.text != nullptr) {
    return AfterReference(models, content_bytes, kernels, progress, pages,
                          reference, [&](auto& predictor) {
                            return Decode(predictor, std::move(coder),
                                          content_bytes, progress);
                          });
  }
  const uint64_t used_bytes = UsedBytes(content_bytes, coder.size_bytes());
  if (models == ContextModels::kLight) {
    cm::LightPredictor predictor(content_bytes, cm::PagesFor(used_bytes, pages),
                                 kernels);
    return Decode(predictor, std::move(coder), content_bytes, progress);
  }
  const cm::StartText text = CodeStartText(coder, cm::StartText::kNone);
  if (static_cast<uint32_t>(text) >= cm::kNumStartTexts) {
    return Error{ErrorCode::kCorrupt, "the start text is unknown"};
  }
  FullPredictor predictor(content_bytes, used_bytes,
                          cm::GetStartText(text, content_bytes), kernels,
                          pages);
  return Decode(predictor, std::move(coder), content_bytes, progress);
}

}  // namespace llma
