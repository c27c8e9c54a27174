// SPDX-License-Identifier: Apache-2.0
#include "codec/short/decompress_short.h"

#include <new>

#include "base/hex.h"
#include "cm/joint_predictor.h"
#include "codec/codec_context.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/frame_decoder.h"
#include "codec/frame/piece_coder.h"
#include "codec/frame/reference_start.h"
#include "codec/short/short_format.h"
#include "container/content_limit.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

Result<std::vector<uint8_t>> Decode(Bytes code, const Model& model,
                                    const Reference* reference,
                                    const DecompressOptions& options) {
  LLMA_ASSIGN(const KernelTable* kernels, ChooseKernels(options.kernels));
  BinaryDecoder coder(code);
  const uint64_t content_bytes = CodeShortSize(coder, 0);
  LLMA_TRY(ContentLimit(options.max_content_bytes).Take(content_bytes));
  // A token spells many bytes, but code that is too short is noticed.
  const GivenContext context(options.context);
  LLMA_ASSIGN(const auto engine, context->EngineOf(model, *kernels));
  const auto pool = context->TakePool(options.num_threads);
  const uint64_t needed_bytes =
      DecoderMemoryBytes(EngineToEstimate(), model.config(), 1,
                         kShortWindowPositions, pool->num_threads()) +
      ShortModelsMemoryBytes(model.config(), content_bytes, reference,
                             pool->num_threads());
  LLMA_ASSIGN(const auto memory,
              context->Reserve(needed_bytes, options.max_memory_bytes));
  return DecodeFrame({*engine,
                      *kernels,
                      *pool,
                      kShortWindowPositions,
                      kShortContextModels,
                      options.progress,
                      options.clock,
                      nullptr,
                      &context->pages(),
                      {reference, context.get()}},
                     std::move(coder), {&content_bytes, 1});
}

bool IsCoded(uint8_t marker) {
  return marker == kShortCoded || marker == kShortReferring;
}

// The one that is given must be the one that is asked for.
Result<const Reference*> FindReference(ByteReader& reader,
                                       const Reference* given) {
  LLMA_ASSIGN(const uint8_t needed, reader.LoadU8());
  if (given != nullptr && ShortReference(*given) == needed) return given;
  return Error{ErrorCode::kReference,
               "needs the reference with an XXH3 that ends in " +
                   ToHex({&needed, 1}) +
                   (given != nullptr ? ", not this one" : "")};
}

}  // namespace

uint64_t ShortModelsMemoryBytes(const ModelConfig& config,
                                uint64_t content_bytes,
                                const Reference* reference, int num_threads) {
  if (reference == nullptr) {
    return ContextModelsMemoryBytes(kShortContextModels, content_bytes);
  }
  return reference->text().size() +
         2 * ContextModelsMemoryBytes(
                 kShortContextModels,
                 reference->read_part().size() + content_bytes) +
         ReadingMemoryBytes(config, kShortWindowPositions, num_threads);
}

bool IsShortMessage(Bytes file) {
  return !file.empty() && (file[0] == kShortStored || IsCoded(file[0]));
}

std::optional<uint8_t> ModelOfShortMessage(Bytes file) {
  if (file.size() < 2 || !IsCoded(file[0])) return {};
  return file[1];
}

Result<std::vector<uint8_t>> DecompressShort(
    Bytes file, const Model* model, const DecompressOptions& options) try {
  ByteReader reader(file);
  LLMA_ASSIGN(const uint8_t marker, reader.LoadU8());
  const bool is_coded = IsCoded(marker);
  const Reference* reference = nullptr;
  if (is_coded) {
    LLMA_ASSIGN(const uint8_t model_byte, reader.LoadU8());
    if (model == nullptr || model->fingerprint()[0] != model_byte) {
      return Error{ErrorCode::kModelMissing, "needs a model that is not there"};
    }
  }
  if (marker == kShortReferring) {
    LLMA_ASSIGN(reference, FindReference(reader, options.reference.get()));
  }
  LLMA_ASSIGN(const uint16_t check, reader.LoadU16());
  const Bytes payload = *reader.Take(reader.remaining());
  std::vector<uint8_t> content;
  if (is_coded) {
    LLMA_ASSIGN(content, Decode(payload, *model, reference, options));
  } else {
    LLMA_TRY(ContentLimit(options.max_content_bytes).Take(payload.size()));
    content.assign(payload.begin(), payload.end());
  }
  if (content.size() > kMaxShortMessageBytes || ShortCheck(content) != check) {
    return Error{ErrorCode::kChecksum,
                 reference == nullptr
                     ? "the message is damaged, or was made with another model"
                     : "the message is damaged, or was made with another "
                       "model or reference"};
  }
  return content;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
