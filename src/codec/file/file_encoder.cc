// SPDX-License-Identifier: Apache-2.0
#include "codec/file/file_encoder.h"

#include <algorithm>
#include <new>

#include "base/machine_limits.h"

namespace llma {
namespace {

// How fast frames grow that start small.
constexpr uint64_t kGrowth = 4;

// Below this a frame with repetitions is not worth going on with.
constexpr uint64_t kMinGrowthShare = 16;

int NumThreads(int asked) { return asked > 0 ? asked : NumProcessors(); }

}  // namespace

FileEncoder::FileEncoder(const Model* model, const CompressOptions& options,
                         ByteSink sink)
    : context_(options.context),
      model_(model),
      options_(WithContext(options, *context_)),
      sink_(std::move(sink)),
      progress_(options.progress, options.total_bytes),
      frame_bytes_(options.frame_bytes != 0
                       ? options.frame_bytes
                       : SettingsOfLevel(options.level).frame_bytes),
      num_threads_(NumThreads(options.num_threads)) {
  const auto per_frame =
      SettingsOfLevel(options.level).uses_model ? kThreadsPerModelFrame : 1;
  uint64_t limit = static_cast<uint64_t>(std::max(1, num_threads_ / per_frame));
  // Frames of a model's levels may grow.
  uint64_t content_bytes =
      options.frame_bytes != 0 ? frame_bytes_ : kMaxFrameBytes;
  if (options.total_bytes > 0) {
    limit = std::min(limit, (options.total_bytes - 1) / frame_bytes_ + 1);
    content_bytes = std::min(content_bytes, options.total_bytes);
  }
  uint64_t needed = CompressMemoryBytes(content_bytes, model, options);
  for (const Model* other : options.other_models) {
    const uint64_t more = CompressMemoryBytes(content_bytes, other, options);
    if (more <= options.max_memory_bytes) needed = std::max(needed, more);
  }
  limit = std::clamp<uint64_t>(options.max_memory_bytes / needed, 1, limit);
  max_running_ = static_cast<size_t>(limit);
}

FileEncoder::~FileEncoder() { progress_.Cancel(); }

void FileEncoder::Resume(IndexBuilder index, uint64_t content_bytes,
                         std::set<ModelFingerprint> embedded_models) {
  index_ = std::move(index);
  embedded_models_ = std::move(embedded_models);
  num_started_ = index_.num_content_frames();
  content_bytes_ = started_bytes_ = content_bytes;
  file_bytes_ = index_.frames_bytes();
  progress_.Start(content_bytes_, file_bytes_);
}

uint64_t FileEncoder::NextFrameBytes() const {
  if (grown_frame_bytes_ > 0) return grown_frame_bytes_;
  if (options_.first_frame_bytes == 0) return frame_bytes_;
  uint64_t size = options_.first_frame_bytes;
  for (uint64_t i = 0; i < num_started_ && size < frame_bytes_; ++i) {
    size *= kGrowth;
  }
  return std::min(size, frame_bytes_);
}

bool FileEncoder::GrowsFrame() {
  const LevelSettings& settings = SettingsOfLevel(options_.level);
  if (options_.frame_bytes != 0 || !settings.uses_model ||
      buffer_.size() < settings.frame_bytes ||
      buffer_.size() >= kMaxFrameBytes) {
    return false;
  }
  if (!finder_) finder_.emplace(kMaxFrameBytes);
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

Status FileEncoder::Append(Bytes content) try {
  content_bytes_ += content.size();
  while (!content.empty()) {
    // A full frame waits for what follows: it may be the only one.
    const uint64_t frame_bytes = NextFrameBytes();
    if (buffer_.size() == frame_bytes) {
      if (GrowsFrame()) continue;
      LLMA_TRY(StartFrame(buffer_.size(), false));
      continue;
    }
    const Bytes part = content.first(static_cast<size_t>(
        std::min<uint64_t>(content.size(), frame_bytes - buffer_.size())));
    buffer_.insert(buffer_.end(), part.begin(), part.end());
    content = content.subspan(part.size());
    LLMA_TRY(CutFrames());
  }
  return OkStatus();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::CutFrames() {
  if (!SettingsOfLevel(options_.level).uses_model) return OkStatus();
  while (const auto cut = cutter_.FindCut(buffer_)) {
    LLMA_TRY(StartFrame(*cut, false));
  }
  return OkStatus();
}

Status FileEncoder::Flush() try {
  if (!buffer_.empty()) LLMA_TRY(StartFrame(buffer_.size(), false));
  while (tasks_.size() > 0) LLMA_TRY(WriteFirst());
  return OkStatus();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::Finish() try {
  const bool is_single = !has_frames();
  if (is_single || !buffer_.empty()) {
    LLMA_TRY(StartFrame(buffer_.size(), is_single));
  }
  while (tasks_.size() > 0) LLMA_TRY(WriteFirst());
  if (is_single) return OkStatus();
  return WriteIndex();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::StartFrame(size_t content_bytes, bool is_last) {
  if (!has_frames()) LLMA_TRY(WriteSourceInfo());
  while (tasks_.size() >= max_running_) LLMA_TRY(WriteFirst());
  CompressOptions options = options_;
  options.progress = progress_.OfFrame();
  options.num_threads =
      is_last ? num_threads_
              : std::max(1, num_threads_ / static_cast<int>(max_running_));
  ++num_started_;
  std::vector<uint8_t> content(
      buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(content_bytes));
  buffer_.erase(buffer_.begin(),
                buffer_.begin() + static_cast<ptrdiff_t>(content_bytes));
  cutter_ = {};
  finder_.reset();
  grown_frame_bytes_ = 0;
  if (options_.on_costs) {
    options.on_costs = [this, ofs = started_bytes_](auto pieces) {
      for (PieceCost& piece : pieces) piece.content_ofs += ofs;
      options_.on_costs(std::move(pieces));
    };
  }
  started_bytes_ += content_bytes;
  tasks_.Start(
      max_running_ > 1, [content = std::move(content), is_last, model = model_,
                         options = std::move(options)]() mutable {
        std::optional<StageClock> clock;
        if (options.clock != nullptr) {
          options.clock = &clock.emplace();
        }
        Coded coded{CompressFrame(content, is_last, model, options), {}};
        EnterStage(options.clock, Stage::kOther);
        coded.clock = clock;
        return coded;
      });
  if (max_running_ == 1) return WriteFirst();
  return OkStatus();
}

Status FileEncoder::WriteFirst() {
  const Coded coded = tasks_.TakeFirst();
  if (coded.clock) options_.clock->Add(*coded.clock);
  if (!coded.frame) return coded.frame.error();
  return WriteFrame(*coded.frame);
}

// Ends a member.
Status FileEncoder::WriteIndex() {
  const std::vector<uint8_t> index = WriteIndexFrame(index_.index());
  index_ = {};
  file_bytes_ += index.size();
  return sink_(index);
}

Status FileEncoder::WriteSourceInfo() {
  if (!options_.source_info) return OkStatus();
  return WriteFrame(WriteSourceInfoFrame(*options_.source_info));
}

Status FileEncoder::WriteFrame(Bytes frame) {
  ByteReader reader(frame);
  LLMA_ASSIGN(const FrameHeader header, ParseFrameHeader(reader));
  if (header.has_content() &&
      index_.num_content_frames() >= options_.max_member_frames) {
    LLMA_TRY(WriteIndex());
  }
  if (options_.embeds_models && header.kind == FrameKind::kCoded) {
    LLMA_TRY(EmbedModel(header.model_id));
  }
  index_.Add(frame.first(reader.offset()), header);
  file_bytes_ += frame.size();
  LLMA_TRY(sink_(frame));
  if (options_.on_frame && header.has_content()) {
    options_.on_frame(header, frame.size());
  }
  return OkStatus();
}

Status FileEncoder::EmbedModel(const ModelId& id) {
  std::vector<const Model*> models = options_.other_models;
  models.push_back(model_);
  const auto model = std::ranges::find_if(models, [&](const Model* m) {
    return std::equal(id.begin(), id.end(), m->fingerprint().begin());
  });
  LLMA_ENSURE(model != models.end());
  const ModelFingerprint& fingerprint = (*model)->fingerprint();
  if (!embedded_models_.insert(fingerprint).second) return OkStatus();
  const Bytes file = (*model)->file_bytes();
  const ModelFrameStart start = StartModelFrame(fingerprint, file);
  index_.Add(start.header_bytes, start.header);
  std::vector<uint8_t> before = start.header_bytes;
  before.insert(before.end(), fingerprint.begin(), fingerprint.end());
  LLMA_TRY(sink_(before));
  LLMA_TRY(sink_(file));
  file_bytes_ += before.size() + file.size();
  return OkStatus();
}

}  // namespace llma
