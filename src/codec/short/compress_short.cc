// SPDX-License-Identifier: Apache-2.0
#include "codec/short/compress_short.h"

#include <new>

#include "codec/compress_context.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/frame_encoder.h"
#include "codec/frame/piece_coder.h"
#include "codec/short/decompress_short.h"
#include "codec/short/short_format.h"

namespace llma {
namespace {

std::vector<uint8_t> Store(Bytes content) {
  ByteWriter writer;
  writer.StoreU8(kShortStored);
  writer.StoreU16(ShortCheck(content));
  writer.StoreBytes(content);
  return std::move(writer).TakeBytes();
}

Result<std::vector<uint8_t>> Code(Bytes content, const Model& model,
                                  const CompressOptions& options) {
  LLMA_ASSIGN(const KernelTable* kernels, ChooseKernels(options.kernels));
  const GivenContext context(options.context);
  LLMA_ASSIGN(const auto tokenizer, context->TokenizerOf(model));
  const std::vector<TextPiece> pieces = tokenizer->Encode(content);
  LLMA_ASSIGN(const auto engine, context->EngineOf(model, *kernels));
  const auto pool = context->TakePool(options.num_threads);
  const uint64_t needed_bytes =
      EncoderMemoryBytes(EngineToEstimate(), model.config(), 1,
                         kShortWindowPositions, pool->num_threads()) +
      ShortModelsMemoryBytes(model.config(), content.size(),
                             options.reference.get(), pool->num_threads());
  LLMA_ASSIGN(const auto memory,
              context->Reserve(needed_bytes, options.max_memory_bytes));
  const uint64_t lane_bytes = content.size();
  BinaryEncoder coder;
  CodeShortSize(coder, static_cast<uint32_t>(content.size()));
  return EncodeFrame({*engine,
                      *kernels,
                      *pool,
                      kShortWindowPositions,
                      kShortContextModels,
                      options.progress,
                      options.clock,
                      nullptr,
                      &context->pages(),
                      {options.reference.get(), context.get()}},
                     content, pieces, {&lane_bytes, 1}, std::move(coder));
}

}  // namespace

Result<std::vector<uint8_t>> CompressShort(Bytes content, const Model& model,
                                           const CompressOptions& options) try {
  if (content.size() > kMaxShortMessageBytes) {
    return Error{ErrorCode::kLimit, "a short message has at most " +
                                        std::to_string(kMaxShortMessageBytes) +
                                        " bytes"};
  }
  if (content.empty()) return Store(content);
  LLMA_ASSIGN(const std::vector<uint8_t> code, Code(content, model, options));
  const Reference* reference = options.reference.get();
  if (code.size() + (reference != nullptr ? 2 : 1) >= content.size()) {
    return Store(content);
  }
  ByteWriter writer;
  writer.StoreU8(reference != nullptr ? kShortReferring : kShortCoded);
  writer.StoreU8(model.fingerprint()[0]);
  if (reference != nullptr) writer.StoreU8(ShortReference(*reference));
  writer.StoreU16(ShortCheck(content));
  writer.StoreBytes(code);
  return std::move(writer).TakeBytes();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
