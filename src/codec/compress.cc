// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>
#include <optional>

#include "base/fp_env.h"
#include "codec/codec.h"
#include "codec/frame_codec.h"
#include "codec/levels.h"
#include "codec/model_choice.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

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

Result<std::vector<uint8_t>> CodeWithContexts(Bytes content,
                                              const CompressOptions& options,
                                              FrameHeader header) {
  header.kind = ContentKind::kContexts;
  LLMA_TRY(CheckFrameHeader(header));
  EnterStage(options.clock, Stage::kCoding);
  LLMA_ASSIGN(
      const std::vector<uint8_t> code,
      EncodeContextFrame(header.context_models, content, options.progress));
  EnterStage(options.clock, Stage::kOther);
  return Join(header, code);
}

// With the language model, unless it is not worth its time.
Result<std::vector<uint8_t>> CodeWithModel(Bytes content, const Model* model,
                                           const CompressOptions& options,
                                           const FrameHeader& contexts_header) {
  if (model == nullptr) {
    return Error{ErrorCode::kModelMissing, "this level needs a model"};
  }
  std::optional<std::vector<uint8_t>> light;
  if (content.size() >= kMinBytesToChoose) {
    FrameHeader header = contexts_header;
    header.context_models = ContextModels::kLight;
    LLMA_ASSIGN(light, CodeWithContexts(content, options, header));
    if (DoContextsSuffice(content.size(), light->size()))
      return *std::move(light);
  }
  const FpEnvGuard fp_env;
  LLMA_ASSIGN(const KernelTable* kernels, options.kernels.empty()
                                              ? KernelsFromEnvironment()
                                              : FindKernels(options.kernels));
  const LevelSettings& settings = SettingsOfLevel(options.level);
  FrameHeader header = contexts_header;
  header.kind = ContentKind::kCoded;
  header.numerics_id = kNumericsId;
  std::copy_n(model->fingerprint().begin(), header.model_id.size(),
              header.model_id.begin());
  header.window_positions = options.window_positions != 0
                                ? options.window_positions
                                : settings.window_positions;
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  const std::vector<TextPiece> pieces = tokenizer->Encode(content);
  header.lane_bytes = SplitIntoLanes(
      pieces, options.num_lanes != 0
                  ? options.num_lanes
                  : LanesForContent(pieces.size(), settings.max_lanes));
  LLMA_TRY(CheckFrameHeader(header));
  ThreadPool pool(options.num_threads);
  const FrameContext context = {*model,
                                *kernels,
                                pool,
                                header.window_positions,
                                header.context_models,
                                options.progress,
                                options.clock};
  if (light) {
    LLMA_ASSIGN(const bool is_worthwhile,
                IsModelWorthwhile(context, content, pieces, light->size()));
    if (!is_worthwhile) {
      if (header.context_models != ContextModels::kFull) {
        return *std::move(light);
      }
      return CodeWithContexts(content, options, contexts_header);
    }
  }
  LLMA_ASSIGN(const std::vector<uint8_t> code,
              EncodeFrame(context, content, pieces, header.lane_bytes));
  return Join(header, code);
}

}  // namespace

Result<std::vector<uint8_t>> Compress(Bytes content, const Model* model,
                                      const CompressOptions& options) try {
  if (options.level < kFastestLevel || options.level > kBestLevel) {
    return Error{ErrorCode::kUsage, "there is no such level"};
  }
  const FrameHeader stored = StoredHeader(content);
  if (content.empty()) return Join(stored, content);
  const LevelSettings& settings = SettingsOfLevel(options.level);
  FrameHeader header = stored;
  header.predictor_id = kPredictorId;
  header.context_models =
      options.context_models.value_or(settings.context_models);
  LLMA_ASSIGN(std::vector<uint8_t> coded,
              settings.uses_model
                  ? CodeWithModel(content, model, options, header)
                  : CodeWithContexts(content, options, header));
  if (coded.size() < content.size() + kMaxStoredHeaderBytes) return coded;
  return Join(stored, content);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
