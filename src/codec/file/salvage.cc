// SPDX-License-Identifier: Apache-2.0
#include "codec/file/salvage.h"

#include <algorithm>

#include "cm/start_text.h"
#include "codec/codec_context.h"
#include "codec/file/embedded_models.h"
#include "container/content_limit.h"
#include "container/frame_parser.h"

namespace llma {
namespace {

constexpr uint64_t kSearchBytes = 1 << 20;
// Frames are searched within one that could not be restored, in case its size
// is wrong; where frames claim each other, this often at most. A file of files
// needs as many as they are nested.
constexpr uint64_t kMaxTriesOfAByte = 8;
// Where the full context models predict, they read a text first, which takes
// longer than many a frame. Frames that fail cost no more of it in sum than
// this, and so much for each byte of the file and each that was restored.
constexpr uint64_t kMaxLostText = 64 << 10;
constexpr uint64_t kMaxLostTextPerByte = 16;

// That of a reference is read once for many frames.
uint64_t MaxStartText(const FrameHeader& header) {
  return !header.reference_id && header.kind == FrameKind::kContexts &&
                 header.context_models == ContextModels::kFull
             ? cm::MaxStartTextBytes(header.content_bytes)
             : 0;
}

// What is wrong with the machine or the wish, not with the file.
bool IsDamage(const Error& error) {
  switch (error.code) {
    case ErrorCode::kModelMissing:
    case ErrorCode::kReference:
    case ErrorCode::kMemory:
    case ErrorCode::kIo:
    case ErrorCode::kUsage:
    case ErrorCode::kCancelled:
      return false;
    default:
      return true;
  }
}

// `location`: what an index says of the frame, or null.
Result<ContentFrame> ReadFrame(const RandomAccess& file, uint64_t frame_ofs,
                               const FrameLocation* location) {
  size_t header_bytes = 0;
  ContentFrame frame;
  LLMA_ASSIGN(frame.header, ReadFrameHeader(file, frame_ofs, &header_bytes));
  frame.frame_ofs = frame_ofs;
  frame.payload_ofs = frame_ofs + header_bytes;
  if (frame.header.payload_bytes > file.file_bytes - frame.payload_ofs) {
    return Error{ErrorCode::kTruncated, "the file is truncated",
                 file.file_bytes};
  }
  if (location != nullptr &&
      (location->frame_bytes != header_bytes + frame.header.payload_bytes ||
       location->content_bytes != frame.header.content_bytes)) {
    return Error{ErrorCode::kCorrupt, "the index does not fit its frames",
                 frame_ofs};
  }
  LLMA_ASSIGN(frame.payload,
              file.ReadAt(frame.payload_ofs, frame.header.payload_bytes));
  return frame;
}

Result<std::vector<uint8_t>> Decode(const ContentFrame& frame,
                                    EmbeddedModels& models,
                                    DecompressOptions options) {
  if (!frame.header.has_content()) return std::vector<uint8_t>();
  LLMA_ASSIGN(const Model* model,
              ModelOf(frame.header, [&models](const ModelId& id) {
                return models.Find(id);
              }));
  options.max_memory_bytes -= models.memory_bytes();
  auto content = DecompressFrame(frame.header, frame.payload, model, options);
  if (content) return content;
  return Error{content.error().code, content.error().what, frame.frame_ofs};
}

void NoteModel(const RandomAccess& file, uint64_t frame_ofs,
               EmbeddedModels& models) {
  size_t header_bytes = 0;
  const auto header = ReadFrameHeader(file, frame_ofs, &header_bytes);
  if (header) models.Note(file, *header, frame_ofs, header_bytes);
}

class Salvager {
 public:
  Salvager(const RandomAccess& file, const ModelProvider& models,
           const DecompressOptions& options, const SalvageSink& sink)
      : file_(file),
        context_(options.context),
        models_(models, options),
        options_(WithContext(options, *context_)),
        sink_(sink),
        limit_(options.max_content_bytes) {}

  Result<SalvageReport> Run() {
    LLMA_ASSIGN(const auto map,
                MapFramesByIndex(file_, options_.max_memory_bytes));
    if (map && FitsFrames(*map)) {
      for (const FrameLocation& frame : map->frames) LLMA_TRY(RestoreAt(frame));
    } else {
      LLMA_TRY(RestoreByHeaders());
    }
    return std::move(report_);
  }

 private:
  // Not if sound frames are there that have other sizes than the index says.
  bool FitsFrames(const FrameMap& map) const {
    for (const FrameLocation& location : map.frames) {
      size_t header_bytes = 0;
      const auto header =
          ReadFrameHeader(file_, location.frame_ofs, &header_bytes);
      if (!header) continue;  // damaged: the index knows better
      const uint64_t frame_bytes = header_bytes + header->payload_bytes;
      if (frame_bytes == location.frame_bytes &&
          header->content_bytes == location.content_bytes) {
        continue;
      }
      // A damaged header may look right; what it leads to does not.
      if (frame_bytes < file_.file_bytes - location.frame_ofs &&
          ReadFrameHeader(file_, location.frame_ofs + frame_bytes)) {
        return false;
      }
    }
    return true;
  }

  // True if the frame's content was written.
  Result<bool> Restore(uint64_t frame_ofs, const FrameLocation* location) {
    const auto frame = ReadFrame(file_, frame_ofs, location);
    if (!frame) {
      if (!IsDamage(frame.error())) return frame.error();
      return false;
    }
    const uint64_t start_text = MaxStartText(frame->header);
    if (lost_text_bytes_ + start_text >
        kMaxLostText +
            kMaxLostTextPerByte * (file_.file_bytes + report_.restored_bytes)) {
      return false;
    }
    const auto content = Decode(*frame, models_, options_);
    if (!content) {
      if (!IsDamage(content.error())) return content.error();
      lost_text_bytes_ += start_text;
      return false;
    }
    if (content->empty()) return true;
    // Only now, for nothing may follow what is lost at the end.
    if (pending_skip_bytes_ > 0) {
      LLMA_TRY(sink_.Skip(std::exchange(pending_skip_bytes_, 0)));
    }
    LLMA_TRY(sink_.Write(*content));
    ++report_.num_restored;
    report_.restored_bytes += content->size();
    content_ofs_ += content->size();
    return true;
  }

  Status RestoreAt(const FrameLocation& frame) {
    if (frame.content_bytes == 0) {
      NoteModel(file_, frame.frame_ofs, models_);
      return OkStatus();
    }
    LLMA_TRY(limit_.Take(frame.content_bytes, frame.frame_ofs));
    LLMA_ASSIGN(const bool is_restored, Restore(frame.frame_ofs, &frame));
    if (!is_restored) Lose(frame.content_bytes);
    return OkStatus();
  }

  void Lose(std::optional<uint64_t> content_bytes) {
    if (!report_.lost.empty() && !report_.lost.back().content_bytes &&
        !content_bytes) {
      return;
    }
    report_.lost.push_back({content_ofs_, content_bytes});
    pending_skip_bytes_ += content_bytes.value_or(0);
    content_ofs_ += content_bytes.value_or(0);
  }

  // Without an index.
  Status RestoreByHeaders() {
    bool is_complete = false;
    for (uint64_t ofs = 0; ofs < file_.file_bytes;) {
      size_t header_bytes = 0;
      const auto header = ReadFrameHeader(file_, ofs, &header_bytes);
      if (!header) {
        if (!IsDamage(header.error())) return header.error();
        if (is_complete) {
          LLMA_ASSIGN(const bool is_over, IsZeroFrom(file_, ofs));
          if (is_over) break;
        }
        Lose(std::nullopt);
        LLMA_ASSIGN(ofs, FindFrame(ofs + 1));
        continue;
      }
      models_.Note(file_, *header, ofs, header_bytes);
      const uint64_t frame_bytes = header_bytes + header->payload_bytes;
      const uint64_t left_bytes = file_.file_bytes - ofs;
      bool is_intact = frame_bytes <= left_bytes;
      if (header->has_content()) {
        LLMA_TRY(limit_.Take(header->content_bytes, ofs));
        is_intact = false;
        if (frame_bytes <= left_bytes && MayTry(ofs, frame_bytes)) {
          LLMA_ASSIGN(is_intact, Restore(ofs, nullptr));
        }
        if (!is_intact) Lose(header->content_bytes);
      }
      if (header->kind != FrameKind::kSkippable) {
        is_complete = header->is_last && frame_bytes <= left_bytes;
      }
      // A size that leads to no frame may be damaged itself.
      if (is_intact || frame_bytes == left_bytes ||
          (frame_bytes < left_bytes &&
           ReadFrameHeader(file_, ofs + frame_bytes))) {
        ofs += frame_bytes;
      } else {
        LLMA_ASSIGN(ofs, FindFrame(ofs + 1));
      }
    }
    if (!is_complete) Lose(std::nullopt);
    return OkStatus();
  }

  // Whether to try a frame that has at least a header: those within one that
  // was tried before only for so long.
  bool MayTry(uint64_t frame_ofs, uint64_t frame_bytes) {
    if (frame_ofs < tried_end_) {
      const uint64_t most = (kMaxTriesOfAByte - 1) * file_.file_bytes;
      // Large ones leave something for small ones.
      if (frame_bytes > (most - tried_again_bytes_) / 4) return false;
      tried_again_bytes_ += frame_bytes;
    }
    tried_end_ = std::max(tried_end_, frame_ofs + frame_bytes);
    return true;
  }

  // Where the next frame seems to start, from `ofs` on; else the end.
  Result<uint64_t> FindFrame(uint64_t ofs) {
    while (ofs < file_.file_bytes) {
      // What was read for the last search may do.
      if (ofs < part_ofs_ || ofs - part_ofs_ >= kSearchBytes) {
        LLMA_ASSIGN(part_,
                    file_.ReadAt(ofs, kSearchBytes + kFrameMagic.size()));
        part_ofs_ = ofs;
      }
      const auto begin =
          part_.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(
                              ofs - part_ofs_, part_.size()));
      for (auto found = begin;; ++found) {
        found = std::search(found, part_.end(), kFrameMagic.begin(),
                            kFrameMagic.end());
        if (found == part_.end()) break;
        const uint64_t candidate =
            part_ofs_ + static_cast<uint64_t>(found - part_.begin());
        if (ReadFrameHeader(file_, candidate)) return candidate;
      }
      // A file may have become shorter, or its size be a guess.
      if (part_.size() < kSearchBytes) break;
      ofs = part_ofs_ + kSearchBytes;
    }
    return file_.file_bytes;
  }

  const RandomAccess& file_;
  const GivenContext<CodecContext> context_;
  EmbeddedModels models_;
  const DecompressOptions options_;
  const SalvageSink& sink_;
  ContentLimit limit_;  // of what is restored, and of what is lost
  SalvageReport report_;
  uint64_t content_ofs_ = 0;
  uint64_t pending_skip_bytes_ = 0;
  uint64_t lost_text_bytes_ = 0;    // start texts of frames that failed
  uint64_t tried_end_ = 0;          // of all frames that were tried
  uint64_t tried_again_bytes_ = 0;  // of frames that start before it
  // What was searched last, and where it stands.
  std::vector<uint8_t> part_;
  uint64_t part_ofs_ = ~uint64_t{0};
};

}  // namespace

Result<SalvageReport> Salvage(const RandomAccess& file,
                              const ModelProvider& models,
                              const DecompressOptions& options,
                              const SalvageSink& sink) {
  return Salvager(file, models, options, sink).Run();
}

Status DecompressRange(const RandomAccess& file, uint64_t content_ofs,
                       uint64_t content_bytes, const ModelProvider& models,
                       const DecompressOptions& given, const ByteSink& sink) {
  const GivenContext context(given.context);
  const DecompressOptions options = WithContext(given, *context);
  LLMA_ASSIGN(const FrameMap map, MapFrames(file, options.max_memory_bytes));
  const uint64_t begin = std::min(content_ofs, map.content_bytes);
  const uint64_t end =
      begin + std::min(content_bytes, map.content_bytes - begin);
  EmbeddedModels with_embedded(models, options);
  ContentLimit limit(options.max_content_bytes);
  for (const FrameLocation& frame : map.frames) {
    const uint64_t frame_end = frame.content_ofs + frame.content_bytes;
    if (frame.content_ofs >= end) break;
    if (frame.content_bytes == 0) {
      NoteModel(file, frame.frame_ofs, with_embedded);
    }
    if (frame_end <= begin) continue;
    LLMA_TRY(limit.Take(frame.content_bytes, frame.frame_ofs));
    LLMA_ASSIGN(const ContentFrame read,
                ReadFrame(file, frame.frame_ofs, &frame));
    LLMA_ASSIGN(const std::vector<uint8_t> content,
                Decode(read, with_embedded, options));
    if (content.size() != frame.content_bytes) {
      return Error{ErrorCode::kCorrupt, "the index does not fit its frames",
                   frame.frame_ofs};
    }
    const uint64_t first = std::max(begin, frame.content_ofs);
    const uint64_t last = std::min(end, frame_end);
    LLMA_TRY(sink(
        Bytes(content).subspan(static_cast<size_t>(first - frame.content_ofs),
                               static_cast<size_t>(last - first))));
  }
  return OkStatus();
}

}  // namespace llma
