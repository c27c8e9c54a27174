// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>

#include "base/fp_env.h"
#include "codec/codec.h"
#include "codec/frame_codec.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

constexpr uint32_t kDefaultWindowPositions = 2048;

// A lane costs about 50 bytes, because its first tokens lack context; it lets a
// decoder read the weights once for several tokens. A lane for every 8,192
// pieces (about 4 KB of code) costs at most 1.2 % and makes decoding up to four
// times as fast; eight lanes of the default model take 190 MB.
constexpr uint32_t kDefaultPiecesPerLane = 8192;
constexpr uint32_t kMaxDefaultLanes = 8;

uint32_t DefaultLanes(size_t num_pieces) {
  return static_cast<uint32_t>(std::clamp<size_t>(
      num_pieces / kDefaultPiecesPerLane, 1, kMaxDefaultLanes));
}

FrameHeader StoredHeader(Bytes content) {
  FrameHeader header;
  header.kind = ContentKind::kStored;
  header.content_bytes = content.size();
  header.checksum = ContentChecksum(content);
  return header;
}

std::vector<uint8_t> Join(const FrameHeader& header, Bytes payload) {
  ByteWriter writer;
  WriteFrameHeader(header, writer);
  writer.StoreBytes(payload);
  return std::move(writer).TakeBytes();
}

// The coded file, or the stored one where that is much smaller.
std::vector<uint8_t> Smaller(std::vector<uint8_t> coded,
                             const FrameHeader& stored, Bytes content) {
  if (coded.size() < content.size() + kMaxStoredHeaderBytes) return coded;
  return Join(stored, content);
}

}  // namespace

Result<std::vector<uint8_t>> Compress(Bytes content, const Model& model,
                                      const CompressOptions& options) try {
  const FpEnvGuard fp_env;
  const FrameHeader stored = StoredHeader(content);
  if (content.empty()) return Join(stored, content);
  LLMA_ASSIGN(const KernelTable* kernels, options.kernels.empty()
                                              ? KernelsFromEnvironment()
                                              : FindKernels(options.kernels));
  FrameHeader header = stored;
  header.kind = ContentKind::kCoded;
  header.context_models = options.context_models;
  header.numerics_id = kNumericsId;
  header.predictor_id = kPredictorId;
  std::copy_n(model.fingerprint().begin(), header.model_id.size(),
              header.model_id.begin());
  header.window_positions = options.window_positions != 0
                                ? options.window_positions
                                : kDefaultWindowPositions;
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model.tokens(), model.tokenizer()));
  const std::vector<TextPiece> pieces = tokenizer->Encode(content);
  header.lane_bytes = SplitIntoLanes(pieces, options.num_lanes != 0
                                                 ? options.num_lanes
                                                 : DefaultLanes(pieces.size()));
  LLMA_TRY(CheckFrameHeader(header));

  ThreadPool pool(options.num_threads);
  LLMA_ASSIGN(const std::vector<uint8_t> code,
              EncodeFrame({model, *kernels, pool, header.window_positions,
                           header.context_models, options.progress},
                          content, pieces, header.lane_bytes));
  return Smaller(Join(header, code), stored, content);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Result<std::vector<uint8_t>> CompressWithoutModel(
    Bytes content, const CompressOptions& options) try {
  const FrameHeader stored = StoredHeader(content);
  if (content.empty()) return Join(stored, content);
  FrameHeader header = stored;
  header.kind = ContentKind::kContexts;
  header.predictor_id = kPredictorId;
  header.context_models = options.context_models;
  LLMA_TRY(CheckFrameHeader(header));
  LLMA_ASSIGN(
      const std::vector<uint8_t> code,
      EncodeContextFrame(header.context_models, content, options.progress));
  return Smaller(Join(header, code), stored, content);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
