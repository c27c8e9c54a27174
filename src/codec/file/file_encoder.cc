// SPDX-License-Identifier: Apache-2.0
#include "codec/file/file_encoder.h"

#include <algorithm>
#include <new>

#include "base/machine_limits.h"
#include "codec/reference.h"
#include "engine/engine_registry.h"

namespace llma {
namespace {

int NumThreads(int asked) { return asked > 0 ? asked : NumProcessors(); }

Error AfterLast() {
  return Error{ErrorCode::kUsage, "a frame beside one that ends the file"};
}

}  // namespace

FileEncoder::FileEncoder(const Model* model, const CompressOptions& options,
                         ByteSink sink)
    : context_(options.context),
      model_(model),
      options_(WithContext(options, *context_)),
      sink_(std::move(sink)),
      progress_(options.progress, options.total_bytes),
      num_threads_(NumThreads(options.num_threads)),
      cutter_(model, options) {
  const uint64_t frame_bytes = FrameCutter::FrameBytesOf(options);
  const int per_frame = SettingsOfLevel(options.level).uses_model
                            ? EngineToEstimate().threads_per_frame
                            : 1;
  uint64_t limit = static_cast<uint64_t>(std::max(1, num_threads_ / per_frame));
  // Frames of a model's levels may grow.
  uint64_t content_bytes =
      options.frame_bytes != 0 ? frame_bytes : kMaxFrameBytes;
  if (options.total_bytes > 0) {
    limit = std::min(limit, (options.total_bytes - 1) / frame_bytes + 1);
    content_bytes = std::min(content_bytes, options.total_bytes);
  }
  uint64_t needed = CompressMemoryBytes(content_bytes, model, options);
  for (const Model* other : options.other_models) {
    const uint64_t more = CompressMemoryBytes(content_bytes, other, options);
    if (more <= options.max_memory_bytes) needed = std::max(needed, more);
  }
  // Each frame needs the text of a reference, of which there is one.
  const uint64_t shared =
      options.reference ? options.reference->text().size() : 0;
  const uint64_t room =
      options.max_memory_bytes - std::min(options.max_memory_bytes, shared);
  limit = std::clamp<uint64_t>(room / (needed - shared), 1, limit);
  max_running_ = static_cast<size_t>(limit);
}

FileEncoder::~FileEncoder() { progress_.Cancel(); }

void FileEncoder::Resume(IndexBuilder index, uint64_t content_bytes,
                         std::set<ModelFingerprint> embedded_models) {
  index_ = std::move(index);
  embedded_models_ = std::move(embedded_models);
  cutter_.StartAfter(index_.num_content_frames());
  content_bytes_ = started_bytes_ = content_bytes;
  file_bytes_ = index_.frames_bytes();
  progress_.Start(content_bytes_, file_bytes_);
}

Status FileEncoder::Append(Bytes content) try {
  if (has_last_ && !content.empty()) return AfterLast();
  content_bytes_ += content.size();
  while (const size_t frame_bytes = cutter_.FindEnd(content)) {
    LLMA_TRY(StartFrame(frame_bytes, false));
  }
  return OkStatus();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::AddFrames(Bytes frames) try {
  LLMA_TRY(Flush());
  while (!frames.empty()) {
    ByteReader reader(frames);
    LLMA_ASSIGN(const FrameHeader header, ParseFrameHeader(reader));
    if (!header.has_content()) {
      return Error{ErrorCode::kUsage, "a frame without content"};
    }
    if (has_last_ || (header.is_last && has_frames())) return AfterLast();
    if (header.payload_bytes > frames.size() - reader.offset()) {
      return Error{ErrorCode::kTruncated, "a frame that is cut off"};
    }
    const size_t frame_bytes =
        reader.offset() + static_cast<size_t>(header.payload_bytes);
    if (!has_frames()) LLMA_TRY(WriteSourceInfo());
    LLMA_TRY(
        WriteFrame(header, frames.first(frame_bytes).subspan(reader.offset())));
    cutter_.StartAfter(cutter_.num_frames() + 1);
    has_last_ = header.is_last;
    content_bytes_ += header.content_bytes;
    started_bytes_ += header.content_bytes;
    frames = frames.subspan(frame_bytes);
  }
  return OkStatus();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::Flush() try {
  const size_t held_bytes = cutter_.held().size();
  if (held_bytes > 0) LLMA_TRY(StartFrame(held_bytes, false));
  while (tasks_.size() > 0) LLMA_TRY(WriteFirst());
  return OkStatus();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::Finish() try {
  const bool is_single = !has_frames();
  const size_t held_bytes = cutter_.held().size();
  if (is_single || held_bytes > 0) {
    LLMA_TRY(StartFrame(held_bytes, is_single));
  }
  while (tasks_.size() > 0) LLMA_TRY(WriteFirst());
  if (is_single || has_last_) return OkStatus();
  return WriteIndex();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

Status FileEncoder::StartFrame(size_t content_bytes, bool is_last) {
  if (!has_frames()) LLMA_TRY(WriteSourceInfo());
  while (tasks_.size() >= max_running_) LLMA_TRY(WriteFirst());
  CompressOptions options = options_;
  options.num_threads =
      is_last ? num_threads_
              : std::max(1, num_threads_ / static_cast<int>(max_running_));
  std::vector<uint8_t> content = cutter_.TakeFrame(content_bytes);
  const auto with_offset = [ofs = started_bytes_](const CostCallback& report) {
    if (!report) return CostCallback();
    return CostCallback([&report, ofs](std::vector<PieceCost> pieces) {
      for (PieceCost& piece : pieces) piece.content_ofs += ofs;
      report(std::move(pieces));
    });
  };
  options.on_costs = with_offset(options_.on_costs);
  options.on_new_costs = with_offset(options_.on_new_costs);
  started_bytes_ += content_bytes;
  tasks_.Start(max_running_ > 1,
               [content = std::move(content), is_last, model = model_,
                options = std::move(options),
                &progress = progress_](bool has_thread) mutable {
                 options.progress = progress.OfFrame(has_thread);
                 std::optional<StageClock> clock;
                 if (options.clock != nullptr) {
                   options.clock = &clock.emplace();
                 }
                 auto frame = CompressFrame(content, is_last, model, options);
                 EnterStage(options.clock, Stage::kOther);
                 Coded coded{std::move(content), std::move(frame), {}};
                 coded.clock = clock;
                 return coded;
               });
  if (max_running_ == 1) return WriteFirst();
  return OkStatus();
}

Status FileEncoder::WriteFirst() {
  LLMA_ASSIGN(const Coded coded, progress_.TakeFirst(tasks_));
  if (coded.clock) options_.clock->Add(*coded.clock);
  if (!coded.frame) return coded.frame.error();
  return WriteFrame(coded.frame->header, coded.frame->Payload(coded.content));
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
  const SourceInfoFrame frame = MakeSourceInfoFrame(*options_.source_info);
  return WriteFrame(frame.header, frame.payload);
}

Status FileEncoder::WriteFrame(const FrameHeader& header, Bytes payload) {
  if (header.has_content() &&
      index_.num_content_frames() >= options_.max_member_frames) {
    LLMA_TRY(WriteIndex());
  }
  if (options_.embeds_models && header.kind == FrameKind::kCoded) {
    LLMA_TRY(EmbedModel(header.model_id));
  }
  const std::vector<uint8_t> header_bytes = HeaderBytes(header);
  index_.Add(header_bytes, header);
  const uint64_t frame_bytes = header_bytes.size() + payload.size();
  file_bytes_ += frame_bytes;
  LLMA_TRY(sink_(header_bytes));
  LLMA_TRY(sink_(payload));
  if (options_.on_frame && header.has_content()) {
    options_.on_frame(header, frame_bytes);
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
