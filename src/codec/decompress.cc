// SPDX-License-Identifier: Apache-2.0
#include "codec/decompress.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/hex.h"
#include "base/machine_limits.h"
#include "cm/joint_predictor.h"
#include "codec/codec_context.h"
#include "codec/frame/context_frame.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/frame_decoder.h"
#include "codec/frame/piece_coder.h"
#include "codec/frame/reference_start.h"
#include "codec/frame/repetitions.h"
#include "codec/reference.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

constexpr uint64_t kDraftBytesPerByte = 16;

Status CheckPredictor(const FrameHeader& header) {
  const bool is_predicted =
      header.kind == FrameKind::kCoded || header.kind == FrameKind::kContexts;
  if (!is_predicted || header.predictor_id == kPredictorId) return OkStatus();
  if (header.kind == FrameKind::kCoded && Learns(header)) return OkStatus();
  std::string text = "needs predictor " + std::to_string(header.predictor_id) +
                     ", which this version does not have";
  if (header.predictor_id > kLearningPredictorId) text += ": a newer one may";
  return Error{ErrorCode::kUnsupported, std::move(text)};
}

// Whether this is the model, and can be used.
Status CheckModel(const FrameHeader& header, const Model* model) {
  if (model == nullptr) {
    return Error{ErrorCode::kModelMissing,
                 "needs the model with fingerprint " + ToHex(header.model_id)};
  }
  if (!std::equal(header.model_id.begin(), header.model_id.end(),
                  model->fingerprint().begin())) {
    return Error{ErrorCode::kModelMismatch,
                 "needs the model with fingerprint " + ToHex(header.model_id) +
                     ", not " + std::string(model->name()) + " (" +
                     ToHex(std::span(model->fingerprint()).first(8)) + ")"};
  }
  if (!KvCache::IsSupported(model->config(), header.window_positions)) {
    return Error{ErrorCode::kUnsupported,
                 "needs a window of " +
                     std::to_string(header.window_positions) + " positions"};
  }
  return OkStatus();
}

// The reference, which was checked, if the frame has one.
ReferenceUse UseOf(const FrameHeader& header, const DecompressOptions& options,
                   CodecContext& context) {
  if (!header.reference_id) return {};
  return {options.reference.get(), &context, options.num_threads};
}

Result<std::vector<uint8_t>> DecodeCoded(const FrameHeader& header,
                                         BinaryDecoder coder,
                                         const Model& model,
                                         const KernelTable& kernels,
                                         CodecContext& context,
                                         const DecompressOptions& options) {
  LLMA_ASSIGN(const auto engine, context.EngineOf(model, kernels));
  const bool learns = Learns(header);
  const auto decode = [&](ThreadPool& pool, ThreadPool* joint_pool) {
    return DecodeFrame(
        {*engine, kernels, pool, header.window_positions, header.context_models,
         options.progress, options.clock, nullptr, &context.pages(),
         UseOf(header, options, context), joint_pool, learns},
        std::move(coder), header.lane_bytes);
  };
  // What a frame learns is its own.
  const bool shares_passes = !learns && (options.pass_group.has_value() ||
                                         header.lane_bytes.size() == 1);
  if (!shares_passes) {
    return decode(*context.TakePool(options.num_threads), nullptr);
  }
  const auto joint_pool = context.SharePool(*engine, options.num_threads,
                                            options.pass_group.value_or(0));
  ThreadPool own_pool(1);
  return decode(own_pool, &**joint_pool);
}

Result<std::vector<uint8_t>> DecodePayload(const FrameHeader& header,
                                           Bytes payload, const Model* model,
                                           const DecompressOptions& options) {
  LLMA_TRY(CheckPredictor(header));
  if (header.kind == FrameKind::kCoded) LLMA_TRY(CheckModel(header, model));
  const uint64_t needed_bytes =
      DecompressMemoryBytes(header, model, options.num_threads);
  const GivenContext context(options.context);
  LLMA_ASSIGN(const auto memory,
              context->Reserve(needed_bytes, options.max_memory_bytes));
  if (header.kind == FrameKind::kStored) {
    return std::vector<uint8_t>(payload.begin(), payload.end());
  }
  LLMA_ASSIGN(const KernelTable* kernels, ChooseKernels(options.kernels));
  BinaryDecoder coder(payload);
  LLMA_ASSIGN(const std::vector<Repetition> repetitions,
              DecodeRepetitions(header.repeated_bytes, coder));
  LLMA_ASSIGN(std::vector<uint8_t> predicted,
              header.kind == FrameKind::kCoded
                  ? DecodeCoded(header, std::move(coder), *model, *kernels,
                                *context, options)
                  : DecodeContextFrame(header.context_models, std::move(coder),
                                       header.predicted_bytes(), *kernels,
                                       options.progress, &context->pages(),
                                       UseOf(header, options, *context)));
  return PutBack(repetitions, std::move(predicted),
                 header.reference_id ? options.reference->text() : Bytes());
}

}  // namespace

ModelProvider OneModel(const Model* model) {
  return [model](const ModelId&) { return Result<const Model*>(model); };
}

Result<const Model*> ModelOf(const FrameHeader& header,
                             const ModelProvider& models) {
  LLMA_TRY(CheckPredictor(header));
  if (header.kind != FrameKind::kCoded) return nullptr;
  return models(header.model_id);
}

uint64_t DecompressMemoryBytes(const FrameHeader& header, const Model* model,
                               int num_threads) {
  // The payload grows as it arrives; the content is put together of lanes, and
  // given out.
  uint64_t bytes = header.payload_bytes + header.payload_bytes / 2 +
                   3 * header.content_bytes;
  // The predicted part beside the whole, and the list of repetitions, each of
  // which is larger than what is known of it.
  if (header.repeated_bytes > 0) bytes += header.content_bytes;
  const uint64_t reference_bytes =
      header.reference_id ? ReadBytes(*header.reference_id) : 0;
  const uint64_t models_bytes = ContextModelsMemoryBytes(
      header.context_models, reference_bytes + header.predicted_bytes());
  bytes += models_bytes;
  // They start as others that have read the reference.
  if (header.reference_id) {
    bytes += models_bytes + header.reference_id->size_bytes;
  }
  if (header.kind == FrameKind::kCoded && model != nullptr) {
    const int threads = num_threads > 0 ? num_threads : NumProcessors();
    if (header.reference_id) {
      bytes +=
          ReadingMemoryBytes(model->config(), header.window_positions, threads);
    }
    bytes +=
        DecoderMemoryBytes(EngineToEstimate(), model->config(),
                           static_cast<uint32_t>(header.lane_bytes.size()),
                           header.window_positions, threads, Learns(header)) +
        static_cast<uint64_t>(threads) * kBytesPerThread;
    // What a single lane guesses by: its tokens, and where they stood.
    if (header.lane_bytes.size() == 1) {
      bytes += kDraftBytesPerByte * header.predicted_bytes();
    }
  }
  return bytes;
}

Result<std::vector<uint8_t>> DecompressFrame(
    const FrameHeader& header, Bytes payload, const Model* model,
    const DecompressOptions& options) try {
  LLMA_ENSURE(header.has_content() && payload.size() == header.payload_bytes);
  if (header.reference_id) {
    LLMA_TRY(CheckReference(*header.reference_id, options.reference.get()));
  }
  LLMA_ASSIGN(std::vector<uint8_t> content,
              DecodePayload(header, payload, model, options));
  if (options.verify_checksums && header.has_checksum &&
      Checksum(content) != header.checksum) {
    return Error{
        ErrorCode::kChecksum,
        "the content does not match its checksum: the file is damaged"};
  }
  LLMA_TRY(ReportProgress(options.progress,
                          {content.size(), content.size(), payload.size()}));
  return content;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
