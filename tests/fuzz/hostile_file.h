// SPDX-License-Identifier: Apache-2.0
// Files that are well formed and made to cost as much as they can: for tests
// and benchmarks of how much work little input may cause.
#ifndef LLMA_TESTS_FUZZ_HOSTILE_FILE_H_
#define LLMA_TESTS_FUZZ_HOSTILE_FILE_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma {

// Frames that are alike.
struct HostileFrames {
  FrameKind kind = FrameKind::kContexts;
  uint32_t count = 1;
  uint32_t words = 4;  // of the content that is coded
  // Coded so that it comes back; else the payload is random.
  bool is_valid = true;
  uint32_t payload_bytes = 5;     // if it is not
  uint64_t content_bytes = 1000;  // that the header then claims
  uint64_t repeated_bytes = 0;    // that the header then claims
  ContextModels context_models = ContextModels::kFull;
  uint32_t num_lanes = 1;          // of kCoded
  uint32_t window_positions = 32;  // of kCoded
  // Payloads reach over the frames that follow, as far as there are any.
  bool overlaps = false;
  bool is_member = false;  // each is a file of its own
};

struct HostileFile {
  std::vector<HostileFrames> parts;
  bool has_index = false;
};

// Changes something.
void Mutate(HostileFile& file, std::mt19937& random);

// For people.
std::string Describe(const HostileFile& file);

// Headers have the right checks. `model`: of coded frames.
std::vector<uint8_t> MakeHostileFile(const HostileFile& file,
                                     const Model& model);

// A file of each kind of frame that a header can say, and of each kind of short
// message, all of them valid: `count` small frames, alike, but for models and
// messages, of which there is one.
struct NamedFile {
  std::string name;
  std::vector<uint8_t> bytes;
};
std::vector<NamedFile> FilesOfAllKinds(uint32_t count, const Model& model);

enum class ReadBy { kStream, kRange, kSalvage, kList };
inline constexpr ReadBy kAllReaders[] = {ReadBy::kStream, ReadBy::kRange,
                                         ReadBy::kSalvage, ReadBy::kList};

struct ReadCost {
  double seconds = 0;          // of processors
  uint64_t content_bytes = 0;  // that came out
  bool is_right = false;       // nothing was wrong
};

// Reads a file with one thread, whatever becomes of it. `max_content_bytes`:
// that are allowed. Short messages are read by kStream alone.
ReadCost MeasureRead(Bytes file, ReadBy reader, const Model& model,
                     uint64_t max_content_bytes);

}  // namespace llma

#endif  // LLMA_TESTS_FUZZ_HOSTILE_FILE_H_
