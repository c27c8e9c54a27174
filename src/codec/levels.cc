// SPDX-License-Identifier: Apache-2.0
#include "codec/levels.h"

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

constexpr std::array<LevelSettings, kBestLevel> kLevels = {{
    {false, 1, 0, ContextModels::kLight, kContextFrameBytes},
    {false, 1, 0, ContextModels::kFull, kContextFrameBytes},
    {true, 16, 256, ContextModels::kLight, kModelFrameBytes},
    {true, 16, 384, ContextModels::kLight, kModelFrameBytes},
    {true, 12, 512, ContextModels::kLight, kModelFrameBytes},
    {true, 12, 768, ContextModels::kLight, kModelFrameBytes},
    {true, 8, 1024, ContextModels::kFull, kModelFrameBytes},
    {true, 4, 2048, ContextModels::kFull, kModelFrameBytes},
    {true, 1, 4096, ContextModels::kFull, kModelFrameBytes},
}};

}  // namespace

const LevelSettings& SettingsOfLevel(int level) {
  LLMA_DCHECK(level >= kFastestLevel && level <= kBestLevel);
  return kLevels[static_cast<size_t>(level - 1)];
}

uint64_t FirstFrameBytes(int level) {
  return SettingsOfLevel(level).uses_model ? kFirstModelFrameBytes
                                           : kFirstContextFrameBytes;
}

uint32_t LanesForContent(size_t num_pieces, uint32_t max_lanes) {
  const size_t early = std::min(num_pieces / kPiecesPerLane, kEarlyLanes);
  const size_t lanes = std::max(early, num_pieces / kPiecesPerLateLane);
  return static_cast<uint32_t>(std::clamp<size_t>(lanes, 1, max_lanes));
}

uint32_t WindowForContent(const ModelConfig& config, uint32_t window_positions,
                          size_t num_pieces) {
  uint32_t largest = num_pieces <= std::min(window_positions, kShortPieces)
                         ? kShortWindowPositions
                         : window_positions;
  while (!KvCache::IsSupported(config, largest)) largest -= kWindowGranularity;
  return config.WindowThatSees(uint64_t{num_pieces} + 1, largest);
}

}  // namespace llma
