// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <new>

#include "base/fp_env.h"
#include "cm/joint_predictor.h"
#include "codec/codec.h"
#include "codec/frame_codec.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

std::string Hex(std::span<const uint8_t> bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    hex += digits;
  }
  return hex;
}

Status CheckPredictor(const FrameHeader& header) {
  if (header.predictor_id == kPredictorId) return OkStatus();
  return Error{ErrorCode::kUnsupported,
               "needs predictor " + std::to_string(header.predictor_id) +
                   ", which this version does not have: a newer one may"};
}

uint64_t ContextMemoryBytes(const FrameHeader& header) {
  return header.context_models == ContextModels::kNone
             ? 0
             : cm::JointPredictor::MaxMemoryBytes(header.content_bytes);
}

Status CheckMemory(uint64_t needed_bytes, uint64_t max_memory_bytes) {
  if (needed_bytes <= max_memory_bytes) return OkStatus();
  return Error{ErrorCode::kLimit, "needs " +
                                      std::to_string(needed_bytes >> 20) +
                                      " MiB of memory, more than is allowed"};
}

// Whether this program and this model can read the frame, and in how much
// memory.
Status CheckReadable(const FrameHeader& header, const Model* model,
                     uint64_t max_memory_bytes) {
  if (header.numerics_id != kNumericsId) {
    return Error{ErrorCode::kUnsupported,
                 "needs numerics " + std::to_string(header.numerics_id) +
                     ", which this version does not have: a newer one may"};
  }
  LLMA_TRY(CheckPredictor(header));
  if (model == nullptr) {
    return Error{ErrorCode::kModelMissing,
                 "needs the model with fingerprint " + Hex(header.model_id)};
  }
  if (!std::equal(header.model_id.begin(), header.model_id.end(),
                  model->fingerprint().begin())) {
    return Error{ErrorCode::kModelMismatch,
                 "needs the model with fingerprint " + Hex(header.model_id) +
                     ", not " + std::string(model->name()) + " (" +
                     Hex(std::span(model->fingerprint()).first(8)) + ")"};
  }
  if (header.window_positions + kNumSinks >= kMaxAttendedPositions) {
    return Error{ErrorCode::kUnsupported,
                 "needs a window of " +
                     std::to_string(header.window_positions) + " positions"};
  }
  const uint64_t needed_bytes =
      header.lane_bytes.size() *
      KvCache::SizeBytes(model->config(), header.window_positions, 1);
  return CheckMemory(needed_bytes + ContextMemoryBytes(header),
                     max_memory_bytes);
}

Result<std::vector<uint8_t>> DecodeContexts(const FrameHeader& header,
                                            Bytes code,
                                            const DecompressOptions& options) {
  LLMA_TRY(CheckPredictor(header));
  LLMA_TRY(CheckMemory(ContextMemoryBytes(header), options.max_memory_bytes));
  return DecodeContextFrame(header.context_models, code, header.content_bytes,
                            options.progress);
}

Result<std::vector<uint8_t>> DecodeCoded(const FrameHeader& header, Bytes code,
                                         const Model* model,
                                         const DecompressOptions& options) {
  LLMA_TRY(CheckReadable(header, model, options.max_memory_bytes));
  LLMA_ASSIGN(const KernelTable* kernels, options.kernels.empty()
                                              ? KernelsFromEnvironment()
                                              : FindKernels(options.kernels));
  ThreadPool pool(options.num_threads);
  return DecodeFrame({*model, *kernels, pool, header.window_positions,
                      header.context_models, options.progress, options.clock},
                     code, header.lane_bytes);
}

}  // namespace

Result<FrameHeader> PeekHeader(Bytes file) {
  ByteReader reader(file);
  return ParseFrameHeader(reader);
}

Result<std::vector<uint8_t>> Decompress(Bytes file, const Model* model,
                                        const DecompressOptions& options) try {
  const FpEnvGuard fp_env;
  ByteReader reader(file);
  LLMA_ASSIGN(const FrameHeader header, ParseFrameHeader(reader));
  const uint64_t payload_ofs = reader.offset();
  LLMA_ASSIGN(const Bytes payload, reader.Take(reader.remaining()));
  std::vector<uint8_t> content;
  if (header.kind == ContentKind::kStored) {
    if (payload.size() != header.content_bytes) {
      const bool is_short = payload.size() < header.content_bytes;
      return Error{is_short ? ErrorCode::kTruncated : ErrorCode::kCorrupt,
                   is_short ? "the file is truncated"
                            : "there is more behind the end of the content",
                   payload_ofs + std::min<uint64_t>(payload.size(),
                                                    header.content_bytes)};
    }
    content.assign(payload.begin(), payload.end());
  } else {
    auto decoded = header.kind == ContentKind::kContexts
                       ? DecodeContexts(header, payload, options)
                       : DecodeCoded(header, payload, model, options);
    if (!decoded) return decoded.error();
    content = *std::move(decoded);
  }
  if (ContentChecksum(content) != header.checksum) {
    return Error{ErrorCode::kChecksum,
                 "the content does not match its checksum: the file is damaged",
                 payload_ofs};
  }
  return content;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
