// SPDX-License-Identifier: Apache-2.0
// What a compression level means. docs/PERFORMANCE.md has what each costs and
// gives. Only the encoder knows levels: a file says what was used.
#ifndef LLMA_CODEC_LEVELS_H_
#define LLMA_CODEC_LEVELS_H_

#include <cstddef>
#include <cstdint>

#include "container/frame_header.h"
#include "model/model_config.h"

namespace llma {

inline constexpr int kFastestLevel = 1;
inline constexpr int kDefaultLevel = 6;
inline constexpr int kBestLevel = 9;

struct LevelSettings {
  // False: context models alone; the next two do not apply.
  bool uses_model;
  uint32_t max_lanes;
  uint32_t window_positions;
  ContextModels context_models;
  bool learns;  // the language model, while it reads
  // Content of a frame. It is the content without repetitions if that makes it
  // larger, up to kMaxFrameBytes.
  uint64_t frame_bytes;
  // Where a content comes from a pipe, its first frame has so much, so that its
  // reader has something within seconds; the next ones grow.
  uint64_t first_frame_bytes;
  // What a choice between models pays for time: thousandths of the code for
  // each time the work of the cheapest one.
  uint64_t price_of_work;
};

// No level's frames are larger.
inline constexpr uint64_t kMaxFrameBytes = 32 << 20;

// level: in [kFastestLevel, kBestLevel].
const LevelSettings& SettingsOfLevel(int level);

// Lanes for content of `num_pieces` pieces: a lane's first tokens lack context,
// so small content has few.
uint32_t LanesForContent(size_t num_pieces, uint32_t max_lanes);

// What is so short is seen whole at little cost, also by heads with a small
// share: it gets a larger window than the level's, up to what one byte of the
// header says.
inline constexpr uint32_t kShortPieces = 1024;

// A window that one byte of a header can say.
inline constexpr uint32_t kShortWindowPositions = 2048;

// The window for content of `num_pieces` pieces: the one asked for, unless each
// head sees a whole lane with a smaller one, or attention could not see as
// much. Content of few pieces, no more than were asked for, gets a larger
// window, up to kShortWindowPositions, where heads have shares.
// What was read before it is to be seen, too.
uint32_t WindowForContent(const ModelConfig& config, uint32_t window_positions,
                          size_t num_pieces, uint64_t num_read = 0);

}  // namespace llma

#endif  // LLMA_CODEC_LEVELS_H_
