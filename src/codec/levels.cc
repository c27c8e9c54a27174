// SPDX-License-Identifier: Apache-2.0
#include "codec/levels.h"

#include <algorithm>
#include <array>

#include "base/status.h"

namespace llma {
namespace {

// A lane costs up to 50 bytes, because its first tokens lack context; it lets a
// decoder read the weights once for several tokens. At this many pieces a lane
// codes about 2 KB.
constexpr size_t kPiecesPerLane = 4096;

constexpr std::array<LevelSettings, kBestLevel> kLevels = {{
    {false, 1, 0, ContextModels::kLight},
    {false, 1, 0, ContextModels::kFull},
    {true, 16, 256, ContextModels::kLight},
    {true, 16, 384, ContextModels::kLight},
    {true, 8, 512, ContextModels::kLight},
    {true, 8, 768, ContextModels::kLight},
    {true, 8, 1024, ContextModels::kFull},
    {true, 4, 2048, ContextModels::kFull},
    {true, 1, 4096, ContextModels::kFull},
}};

}  // namespace

const LevelSettings& SettingsOfLevel(int level) {
  LLMA_DCHECK(level >= kFastestLevel && level <= kBestLevel);
  return kLevels[static_cast<size_t>(level - 1)];
}

uint32_t LanesForContent(size_t num_pieces, uint32_t max_lanes) {
  return static_cast<uint32_t>(
      std::clamp<size_t>(num_pieces / kPiecesPerLane, 1, max_lanes));
}

}  // namespace llma
