// SPDX-License-Identifier: Apache-2.0
#include "codec/file/frame_cutter.h"

#include <algorithm>
#include <utility>

#include "codec/reference.h"

namespace llma {
namespace {

// How fast frames grow that start small.
constexpr uint64_t kGrowth = 4;

// Below this a frame with repetitions is not worth going on with.
constexpr uint64_t kMinGrowthShare = 16;

}  // namespace

uint64_t FrameCutter::NextFrameBytes() const {
  if (grown_frame_bytes_ > 0) return grown_frame_bytes_;
  if (options_.first_frame_bytes == 0) return frame_bytes_;
  uint64_t size = options_.first_frame_bytes;
  for (uint64_t i = 0; i < num_frames_ && size < frame_bytes_; ++i) {
    size *= kGrowth;
  }
  return std::min(size, frame_bytes_);
}

bool FrameCutter::GrowsFrame() {
  const LevelSettings& settings = SettingsOfLevel(options_.level);
  if (options_.frame_bytes != 0 || !settings.uses_model ||
      buffer_.size() < settings.frame_bytes ||
      buffer_.size() >= kMaxFrameBytes) {
    return false;
  }
  if (!finder_) {
    finder_.emplace(kMaxFrameBytes,
                    options_.reference ? options_.reference->text() : Bytes());
  }
  finder_->Scan(buffer_);
  const uint64_t predicted_bytes = buffer_.size() - finder_->repeated_bytes();
  const uint64_t room =
      settings.frame_bytes - std::min(settings.frame_bytes, predicted_bytes);
  if (room < settings.frame_bytes / kMinGrowthShare) return false;
  const uint64_t grown = std::min(buffer_.size() + room, kMaxFrameBytes);
  if (CompressMemoryBytes(grown, model_, options_) >
      options_.max_memory_bytes) {
    return false;
  }
  grown_frame_bytes_ = grown;
  return true;
}

size_t FrameCutter::FindEnd(Bytes& content) {
  for (;;) {
    if (SettingsOfLevel(options_.level).uses_model) {
      if (const auto cut = cutter_.FindCut(buffer_)) return *cut;
    }
    if (content.empty()) return 0;
    // A full frame waits for what follows: it may be the only one.
    const uint64_t frame_bytes = NextFrameBytes();
    if (buffer_.size() == frame_bytes) {
      if (GrowsFrame()) continue;
      return buffer_.size();
    }
    if (buffer_.empty()) {
      buffer_.reserve(
          static_cast<size_t>(std::min(frame_bytes, options_.total_bytes)));
    }
    const Bytes part = content.first(static_cast<size_t>(
        std::min<uint64_t>(content.size(), frame_bytes - buffer_.size())));
    buffer_.insert(buffer_.end(), part.begin(), part.end());
    content = content.subspan(part.size());
  }
}

std::vector<uint8_t> FrameCutter::TakeFrame(size_t content_bytes) {
  // Mostly there is no rest.
  std::vector<uint8_t> rest(
      buffer_.begin() + static_cast<ptrdiff_t>(content_bytes), buffer_.end());
  std::vector<uint8_t> frame = std::exchange(buffer_, std::move(rest));
  frame.resize(content_bytes);
  cutter_ = {};
  finder_.reset();
  grown_frame_bytes_ = 0;
  ++num_frames_;
  return frame;
}

}  // namespace llma
