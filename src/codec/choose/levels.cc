// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/levels.h"

#include <algorithm>
#include <array>

#include "base/status.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

// A lane costs up to 50 bytes, because its first tokens lack context; it lets a
// decoder read the weights once for several tokens. At this many pieces a lane
// codes about 2 KB. More than eight gain less and get twice as much each; each
// lane of the default level takes 10 MB.
constexpr size_t kPiecesPerLane = 4096;
constexpr size_t kPiecesPerLateLane = 8192;
constexpr size_t kEarlyLanes = 8;

// Damage costs a frame, a range is decoded from a frame's start, an interrupted
// run goes on at the last one: minutes of work. Frames know nothing of each
// other, so larger ones are smaller in sum.
constexpr uint64_t kModelFrameBytes = 2 << 20;
constexpr uint64_t kContextFrameBytes = kMaxFrameBytes;
constexpr uint64_t kFirstModelFrameBytes = 16 << 10;
constexpr uint64_t kFirstContextFrameBytes = 1 << 20;

constexpr LevelSettings OfContexts(ContextModels models) {
  return {.uses_model = false,
          .max_lanes = 1,
          .window_positions = 0,
          .context_models = models,
          .learns = false,
          .frame_bytes = kContextFrameBytes,
          .first_frame_bytes = kFirstContextFrameBytes,
          .price_of_work = 0};
}

constexpr LevelSettings OfModel(uint32_t max_lanes, uint32_t window_positions,
                                ContextModels models, uint64_t price_of_work,
                                bool learns = false) {
  return {.uses_model = true,
          .max_lanes = max_lanes,
          .window_positions = window_positions,
          .context_models = models,
          .learns = learns,
          .frame_bytes = kModelFrameBytes,
          .first_frame_bytes = kFirstModelFrameBytes,
          .price_of_work = price_of_work};
}

constexpr std::array<LevelSettings, kBestLevel> kLevels = {
    OfContexts(ContextModels::kLight),
    OfContexts(ContextModels::kFull),
    OfModel(16, 256, ContextModels::kLight, 80),
    OfModel(16, 384, ContextModels::kLight, 60),
    OfModel(12, 512, ContextModels::kLight, 45),
    OfModel(12, 768, ContextModels::kLight, 30),
    OfModel(8, 1024, ContextModels::kFull, 20),
    OfModel(4, 2048, ContextModels::kFull, 10),
    OfModel(1, 4096, ContextModels::kFull, 0, true),
};

}  // namespace

const LevelSettings& SettingsOfLevel(int level) {
  LLMA_DCHECK(level >= kFastestLevel && level <= kBestLevel);
  return kLevels[static_cast<size_t>(level - 1)];
}

uint32_t LanesForContent(size_t num_pieces, uint32_t max_lanes) {
  const size_t early = std::min(num_pieces / kPiecesPerLane, kEarlyLanes);
  const size_t lanes = std::max(early, num_pieces / kPiecesPerLateLane);
  return static_cast<uint32_t>(std::clamp<size_t>(lanes, 1, max_lanes));
}

uint32_t WindowForContent(const ModelConfig& config, uint32_t window_positions,
                          size_t num_pieces, uint64_t num_read) {
  uint32_t largest = num_pieces <= std::min(window_positions, kShortPieces)
                         ? kShortWindowPositions
                         : window_positions;
  while (!KvCache::IsSupported(config, largest)) largest -= kWindowGranularity;
  return config.WindowThatSees(num_read + num_pieces + 1, largest);
}

}  // namespace llma
