// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/reference_start.h"

#include <algorithm>
#include <numeric>

#include "codec/codec_context.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/frame_encoder.h"
#include "codec/reference.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

// The language model reads no more pieces of a reference, whatever its window.
constexpr uint32_t kMaxReadPieces = 4096;
// How often cancelling is asked for.
constexpr size_t kPiecesPerReport = 4096;

// Decisions that the language model is not asked for, as if it knew them.
void ReadPiece(cm::JointPredictor& joint, const TextPiece& piece, Bytes bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    joint.BeginByte(0);
    for (int place = 7; place >= 0; --place) {
      const bool bit = (bytes[i] >> place & 1) != 0;
      joint.PredictBit(bit ? kCertainlyOne : kCertainlyZero);
      joint.UpdateBit(bit ? 1 : 0);
    }
    if (piece.token == TextPiece::kEscape) {
      joint.EndEscape();
    } else {
      const bool ends = i + 1 == bytes.size();
      joint.PredictEnd(ends ? kCertainlyOne : kCertainlyZero);
      joint.UpdateEnd(ends);
    }
  }
}

struct Paths : ReadTokens {
  std::vector<std::vector<Probability>> paths;  // [token]
};

// Pieces that the language model reads.
std::span<const TextPiece> LastPieces(std::span<const TextPiece> pieces,
                                      uint32_t window_positions) {
  return pieces.last(
      std::min<size_t>(pieces.size(), MaxReadPieces(window_positions)));
}

Result<std::shared_ptr<const Paths>> ReadTokensOf(
    const FrameContext& context, std::span<const TextPiece> pieces,
    uint64_t content_bytes) {
  auto read = std::make_shared<Paths>();
  for (const TextPiece& piece : pieces) {
    if (piece.token != TextPiece::kEscape) read->tokens.push_back(piece.token);
  }
  if (read->tokens.empty()) return std::shared_ptr<const Paths>(read);
  std::vector<uint32_t> fed = {context.engine.model().config().start_row};
  fed.insert(fed.end(), read->tokens.begin(), read->tokens.end() - 1);
  const uint32_t step = static_cast<uint32_t>(
      std::min<size_t>(context.engine.encode_rows(), fed.size()));
  const uint64_t stream_bytes = kMaxReadReferenceBytes;
  std::unique_ptr<CodecContext::PoolLease> pool;
  if (context.joint_pool != nullptr) {
    pool.reset(new CodecContext::PoolLease(
        context.reference.kept->TakePool(context.reference.num_threads)));
  }
  LLMA_ASSIGN(const auto session,
              context.engine.OpenEncoder({{1, context.window_positions, step},
                                          {&stream_bytes, 1},
                                          pool ? **pool : context.pool,
                                          context.clock,
                                          context.pages}));
  read->paths.resize(fed.size());
  for (size_t begin = 0; begin < fed.size(); begin += step) {
    LLMA_TRY(ReportProgress(context.progress, {0, content_bytes, 0}));
    const size_t count = std::min<size_t>(step, fed.size() - begin);
    const StreamTokens batch = {0, std::span(fed).subspan(begin, count)};
    LLMA_TRY(session->Run({&batch, 1},
                          std::span(read->tokens).subspan(begin, count),
                          std::span(read->paths).subspan(begin, count), {}));
  }
  LLMA_ASSIGN(read->stream, session->Share(0));
  return std::shared_ptr<const Paths>(std::move(read));
}

Result<std::shared_ptr<const FrameModels>> ReadModels(
    const FrameContext& context, Bytes text, std::span<const TextPiece> pieces,
    const Paths& read, uint32_t num_lanes, uint64_t table_bytes,
    uint64_t content_bytes) {
  auto models = std::make_shared<FrameModels>(
      context.engine.index(), context.context_models, num_lanes, text.size(),
      table_bytes, context.kernels, context.pages);
  const size_t num_unread =
      pieces.size() - LastPieces(pieces, context.window_positions).size();
  // It is never complete, so its last token ends as any other.
  LanePosition lane = {.remaining_bytes = text.size() + 1};
  size_t ofs = 0, token = 0;
  NoCoder coder;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i % kPiecesPerReport == 0) {
      LLMA_TRY(ReportProgress(context.progress, {0, content_bytes, 0}));
    }
    const Bytes bytes = text.subspan(ofs, pieces[i].size_bytes);
    ofs += bytes.size();
    if (i < num_unread) {
      if (models->joint) ReadPiece(*models->joint, pieces[i], bytes);
      continue;
    }
    const bool is_escape = pieces[i].token == TextPiece::kEscape;
    RecordedWalk walk(is_escape ? std::span<const Probability>()
                                : read.paths[token++]);
    LLMA_TRY(CodePiece(coder, *models, lane, walk, bytes, is_escape,
                       [](uint8_t) {}));
  }
  return std::shared_ptr<const FrameModels>(std::move(models));
}

}  // namespace

uint32_t MaxReadPieces(uint32_t window_positions) {
  return std::min(window_positions, kMaxReadPieces);
}

uint64_t ReadingMemoryBytes(const ModelConfig& config,
                            uint32_t window_positions, int num_threads) {
  // A stream that reads, and what it leaves for others; pieces and paths.
  return EncoderMemoryBytes(EngineToEstimate(), config, 1, window_positions,
                            num_threads) +
         KvCache::SizeBytes(config, window_positions, 1) +
         kMaxReadReferenceBytes * (sizeof(TextPiece) + sizeof(uint32_t)) +
         MaxReadPieces(window_positions) * kPathBytes;
}

std::vector<TextPiece> CutGreedily(const TokenIndex& index, Bytes text) {
  const TokenTable& tokens = index.tokens();
  std::vector<TextPiece> pieces;
  while (!text.empty()) {
    TextPiece piece = {TextPiece::kEscape, 1};
    uint32_t begin = index.FirstToken(text[0]);
    uint32_t end = index.FirstToken(text[0] + 1u);
    for (uint32_t depth = 1; begin < end; ++depth) {
      // One that is spelled by these bytes alone comes first.
      if (tokens.spelling(begin).size() == depth) {
        piece = {begin++, depth};
      }
      if (depth == text.size()) break;
      begin = index.LowerBound(begin, end, depth, text[depth]);
      end = index.LowerBound(begin, end, depth, text[depth] + 1u);
    }
    pieces.push_back(piece);
    text = text.subspan(piece.size_bytes);
  }
  return pieces;
}

FrameModels StartModels(const FrameContext& context,
                        const std::optional<ReferenceStart>& start,
                        std::span<const uint64_t> lane_bytes,
                        uint64_t code_bytes) {
  if (start) {
    return {*start->models, context.reference.text->read_part().size(),
            lane_bytes};
  }
  return {
      context.engine.index(), context.context_models, lane_bytes, code_bytes,
      context.kernels,        context.pages};
}

Result<std::optional<ReferenceStart>> ReadReference(
    const FrameContext& context, std::span<const uint64_t> lane_bytes) {
  if (context.reference.text == nullptr) return std::optional<ReferenceStart>();
  const Reference& reference = *context.reference.text;
  CodecContext& kept = *context.reference.kept;
  const Bytes text = reference.read_part();
  const uint64_t content_bytes =
      std::accumulate(lane_bytes.begin(), lane_bytes.end(), uint64_t{0});
  // Cut only if something is to be read.
  std::vector<TextPiece> pieces;
  const auto cut = [&] {
    if (pieces.empty()) pieces = CutGreedily(context.engine.index(), text);
  };
  StartKey key = {.kind = StartKey::kTokens,
                  .reference = reference.id(),
                  .engine = std::type_index(typeid(context.engine)),
                  .model = context.engine.model().fingerprint(),
                  .window_positions = context.window_positions};
  LLMA_ASSIGN(const auto read, kept.StartOf<Paths>(key, [&] {
    cut();
    return ReadTokensOf(context, LastPieces(pieces, context.window_positions),
                        content_bytes);
  }));
  key.kind = StartKey::kModels;
  key.context_models = context.context_models;
  key.num_lanes = static_cast<uint32_t>(lane_bytes.size());
  key.table_bytes = reference.TableBytes(content_bytes);
  LLMA_ASSIGN(const auto models, kept.StartOf<FrameModels>(key, [&] {
    cut();
    return ReadModels(context, text, pieces, *read, key.num_lanes,
                      key.table_bytes, content_bytes);
  }));
  return std::optional(ReferenceStart{read, models});
}

}  // namespace llma
