// SPDX-License-Identifier: Apache-2.0
#include "codec/file/file_decoder.h"

#include <algorithm>
#include <memory>
#include <new>

#include "base/machine_limits.h"
#include "codec/frame/frame_context.h"
#include "engine/engine_registry.h"

namespace llma {
namespace {

// Frames share passes, since each pass reads all weights: of so many streams
// together, as far as these bytes go. Those of a single lane are small.
constexpr size_t kMaxJointStreams = 64, kMaxJointLanes = 48;
constexpr uint64_t kMaxJointBytes = uint64_t{1} << 30;

// Of frames that share passes: a pass has some 300 steps, after each of which
// its threads meet, so that many threads are better in several groups.
int NumGroups(int num_threads) {
  const int threads_per_frame = EngineToEstimate().threads_per_frame;
  return threads_per_frame == 1 ? 1
                                : std::max(1, num_threads / threads_per_frame);
}

// The error with its offset in the file.
Error WithFileOffset(Error error, const ContentFrame& frame) {
  if (error.offset != Error::kNoOffset) {
    error.offset += frame.payload_ofs;
  } else if (error.code == ErrorCode::kCorrupt ||
             error.code == ErrorCode::kChecksum ||
             error.code == ErrorCode::kTruncated) {
    error.offset = frame.frame_ofs;
  }
  return error;
}

}  // namespace

FrameSequenceDecoder::FrameSequenceDecoder(ModelProvider models,
                                           const DecompressOptions& options,
                                           ByteSink sink)
    : context_(options.context),
      models_(std::move(models)),
      options_(WithContext(options, *context_)),
      sink_(std::move(sink)),
      progress_(options.progress, options.total_bytes),
      num_threads_(options.num_threads > 0 ? options.num_threads
                                           : NumProcessors()) {}

FrameSequenceDecoder::Group FrameSequenceDecoder::GroupOf(
    const FrameHeader& header) {
  if (header.kind != FrameKind::kCoded) {
    return {static_cast<size_t>(num_threads_),
            header.is_last ? num_threads_ : 1,
            false,
            {}};
  }
  const int threads_per_frame = EngineToEstimate().threads_per_frame;
  const size_t num_lanes = header.lane_bytes.size();
  const bool learns = Learns(header);
  const size_t max_joint =
      num_lanes == 1 ? kMaxJointStreams : kMaxJointLanes / num_lanes;
  // A device joins passes by itself, and threads help a frame that is alone.
  // So it is where frames learn, which cannot join.
  if (learns || (num_lanes > 1 &&
                 (header.is_last || threads_per_frame == 1 || max_joint < 2))) {
    const int max_running = std::max(1, num_threads_ / threads_per_frame);
    return {static_cast<size_t>(max_running),
            header.is_last ? num_threads_ : num_threads_ / max_running,
            false,
            {}};
  }
  // A small file joins others of its context, with all threads.
  if (header.is_last) return {max_joint, num_threads_, true, {}};
  const int num_groups = NumGroups(num_threads_);
  return {static_cast<size_t>(num_groups) * max_joint,
          num_threads_ / num_groups, true,
          num_joint_++ % static_cast<uint32_t>(num_groups)};
}

uint64_t FrameSequenceDecoder::MaxJointBytes() {
  if (!max_joint_bytes_) {
    // Not all memory of a small machine or container.
    max_joint_bytes_ = std::min(
        static_cast<uint64_t>(NumGroups(num_threads_)) * kMaxJointBytes,
        UsableMemoryBytes() / 4);
  }
  return *max_joint_bytes_;
}

Status FrameSequenceDecoder::Add(ContentFrame frame) {
  LLMA_ASSIGN(const Model* model, ModelOf(frame.header, models_));
  const Group group = GroupOf(frame.header);
  // All frames that need the text of a reference share it.
  const uint64_t shared_bytes =
      frame.header.reference_id ? frame.header.reference_id->size_bytes : 0;
  const uint64_t needed_bytes =
      DecompressMemoryBytes(frame.header, model, group.num_threads) -
      shared_bytes;
  const uint64_t max_memory_bytes =
      options_.max_memory_bytes -
      std::min(options_.max_memory_bytes, reserved_bytes_);
  const uint64_t room_bytes =
      max_memory_bytes - std::min(max_memory_bytes, shared_bytes);
  const uint64_t max_running_bytes = group.is_joint && tasks_.size() > 0
                                         ? std::min(room_bytes, MaxJointBytes())
                                         : room_bytes;
  while (tasks_.size() > 0 &&
         (tasks_.size() >= group.max_running ||
          needed_bytes > max_running_bytes - std::min(max_running_bytes,
                                                      running_memory_bytes_))) {
    LLMA_TRY(WriteFirst());
  }
  DecompressOptions options = options_;
  options.max_memory_bytes = max_memory_bytes;
  options.num_threads = group.num_threads;
  options.pass_group = group.number;
  running_memory_bytes_ += std::min(needed_bytes, max_memory_bytes);
  // One that is alone needs no thread.
  const bool in_background =
      group.max_running > 1 &&
      !(frame.header.is_last && (!group.is_joint || tasks_.size() == 0));
  tasks_.Start(
      in_background,
      [frame = std::make_shared<const ContentFrame>(std::move(frame)), model,
       options = std::move(options), needed_bytes,
       &progress = progress_](bool has_thread) mutable {
        options.progress = progress.OfFrame(has_thread);
        std::optional<StageClock> clock;
        if (options.clock != nullptr) options.clock = &clock.emplace();
        Decoded decoded = {
            DecompressFrame(frame->header, frame->payload, model, options),
            frame->header,
            frame->payload_ofs - frame->frame_ofs + frame->payload.size(),
            std::min(needed_bytes, options.max_memory_bytes),
            {}};
        EnterStage(options.clock, Stage::kOther);
        decoded.clock = clock;
        if (!decoded.content) {
          decoded.content = WithFileOffset(decoded.content.error(), *frame);
        }
        return decoded;
      });
  if (!in_background) return Finish();
  // Who reads a stream should not wait for what is there.
  while (tasks_.IsFirstDone()) LLMA_TRY(WriteFirst());
  return OkStatus();
}

Status FrameSequenceDecoder::Finish() {
  while (tasks_.size() > 0) LLMA_TRY(WriteFirst());
  return OkStatus();
}

Status FrameSequenceDecoder::WriteFirst() {
  LLMA_ASSIGN(const Decoded decoded, progress_.TakeFirst(tasks_));
  running_memory_bytes_ -= decoded.memory_bytes;
  if (decoded.clock) options_.clock->Add(*decoded.clock);
  if (!decoded.content) return decoded.content.error();
  content_bytes_ += decoded.content->size();
  LLMA_TRY(sink_(*decoded.content));
  if (options_.on_frame) options_.on_frame(decoded.header, decoded.frame_bytes);
  return OkStatus();
}

FileDecoder::FileDecoder(ModelProvider models, const DecompressOptions& options,
                         ByteSink sink)
    : models_(std::move(models), options),
      parser_({.max_payload_bytes = options.max_memory_bytes,
               .max_content_bytes = options.max_content_bytes,
               .verify_checksums = options.verify_checksums,
               .one_member = options.one_member,
               .model_taker = models_.taker()}),
      frames_([this](const ModelId& id) { return models_.Find(id); }, options,
              std::move(sink)) {}

Status FileDecoder::Append(Bytes file) try {
  parser_.Append(file);
  return DecodeReady();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileDecoder::Flush() try {
  return frames_.Finish();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileDecoder::Finish() try {
  parser_.MarkEnd();
  // What is intact comes out first.
  const Status status = DecodeReady();
  LLMA_TRY(frames_.Finish());
  return status;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileDecoder::DecodeReady() {
  for (;;) {
    auto frame = parser_.Next();
    if (!frame) {
      LLMA_TRY(frames_.Finish());
      return frame.error();
    }
    if (!*frame) return OkStatus();
    if (parser_.num_members() <= 1 && parser_.source_info()) {
      source_info_ = parser_.source_info();
    }
    frames_.set_reserved_bytes(models_.memory_bytes());
    LLMA_TRY(frames_.Add(**std::move(frame)));
  }
}

}  // namespace llma
