// SPDX-License-Identifier: Apache-2.0
#include "container/frame_parser.h"

#include <algorithm>
#include <utility>

#include "base/machine_limits.h"

namespace llma {
namespace {

constexpr uint64_t kMinModelRoomBytes = 1 << 20;

}  // namespace

FrameParser::FrameParser(const FrameParserOptions& options)
    : options_(options),
      content_limit_(options.max_content_bytes),
      index_(std::make_unique<IndexBuilder>()) {
  options_.max_payload_bytes =
      std::min(options_.max_payload_bytes, kMaxObjectBytes);
}

void FrameParser::Append(Bytes file) {
  buffer_.erase(buffer_.begin(),
                buffer_.begin() + static_cast<ptrdiff_t>(used_));
  used_ = 0;
  buffer_.insert(buffer_.end(), file.begin(), file.end());
}

void FrameParser::Consume(size_t size_bytes) {
  used_ += size_bytes;
  file_ofs_ += size_bytes;
}

Error FrameParser::TruncatedError() const {
  return Error{ErrorCode::kTruncated, "the file is truncated",
               file_ofs_ + Unread().size()};
}

Result<std::optional<ContentFrame>> FrameParser::Next() {
  for (;;) {
    if (is_done()) return std::optional<ContentFrame>();
    if (step_ == Step::kHeader) {
      LLMA_TRY(SkipZeros());
      if (Unread().empty() && has_ended_) {
        // Between members, and there was one.
        if (num_members_ > 0 && index_->num_content_frames() == 0) {
          return std::optional<ContentFrame>();
        }
        return TruncatedError();
      }
      LLMA_ASSIGN(const bool is_read, ReadHeader());
      if (!is_read) return std::optional<ContentFrame>();
      LLMA_TRY(StartFrame());
    }
    LLMA_ASSIGN(const bool is_done, ReadStep());
    if (!is_done) {
      if (has_ended_) return TruncatedError();
      return std::optional<ContentFrame>();
    }
    step_ = Step::kHeader;
    if (frame_.header.has_content()) {
      if (frame_.header.is_last) EndMember();
      return std::optional<ContentFrame>(std::exchange(frame_, {}));
    }
  }
}

// Those that follow the last member, and then nothing else does.
Status FrameParser::SkipZeros() {
  if (Unread().empty() || num_members_ == 0 ||
      index_->num_content_frames() > 0) {
    return OkStatus();
  }
  is_over_ = is_over_ || Unread()[0] == 0;
  if (!is_over_) return OkStatus();
  const Bytes unread = Unread();
  const auto end = std::find_if(unread.begin(), unread.end(),
                                [](uint8_t byte) { return byte != 0; });
  Consume(static_cast<size_t>(end - unread.begin()));
  if (Unread().empty()) return OkStatus();
  return Error{ErrorCode::kCorrupt, "what follows is no part of an llma file",
               file_ofs_};
}

Result<bool> FrameParser::ReadStep() {
  if (step_ == Step::kModelStart) {
    LLMA_ASSIGN(const bool is_read, StartModel());
    if (!is_read) return false;
  }
  switch (step_) {
    case Step::kSkip:
      return Skip();
    case Step::kModel:
      return ReadModel();
    default:
      return ReadPayload();
  }
}

Result<bool> FrameParser::ReadHeader() {
  ByteReader reader(Unread());
  auto header = ParseFrameHeader(reader);
  if (!header) {
    Error error = header.error();
    if (error.code == ErrorCode::kTruncated) {
      if (has_ended_) return TruncatedError();
      return false;
    }
    if (error.offset != Error::kNoOffset) error.offset += file_ofs_;
    if (error.code == ErrorCode::kBadMagic && file_ofs_ > 0) {
      error = {ErrorCode::kCorrupt, "what follows is no part of an llma file",
               file_ofs_};
    }
    return error;
  }
  frame_.header = *std::move(header);
  frame_.frame_ofs = file_ofs_;
  frame_.payload_ofs = file_ofs_ + reader.offset();
  if (frame_.header.kind != FrameKind::kIndex) {
    if (std::exchange(is_new_member_, false)) source_info_.reset();
    index_->Add(Unread().first(reader.offset()), frame_.header);
  }
  Consume(reader.offset());
  return true;
}

// What to do with the payload, and whether the frame may stand here.
Status FrameParser::StartFrame() {
  const FrameHeader& header = frame_.header;
  if (index_->num_frames() > kMaxIndexEntries) {
    return Error{ErrorCode::kCorrupt, "too many frames", frame_.frame_ofs};
  }
  if (index_->num_frames() >
      kFreeIndexEntries + options_.max_payload_bytes / kMemoryPerIndexEntry) {
    return TooManyFrames(index_->num_frames(), frame_.frame_ofs);
  }
  step_ = Step::kPayload;
  if (header.has_content()) {
    if (header.is_last && index_->num_content_frames() > 1) {
      return Error{ErrorCode::kCorrupt, "an index is missing",
                   frame_.frame_ofs};
    }
    LLMA_TRY(content_limit_.Take(header.content_bytes, frame_.frame_ofs));
  } else if (IsModelFrame(header)) {
    if (header.payload_bytes < sizeof(ModelFingerprint)) {
      return Error{ErrorCode::kCorrupt, "an embedded model is too short",
                   frame_.frame_ofs};
    }
    step_ = Step::kModelStart;
    return OkStatus();
  } else if (header.kind == FrameKind::kSkippable &&
             (header.skippable_type != kSourceInfoType ||
              header.payload_bytes > kMaxSourceInfoBytes)) {
    step_ = Step::kSkip;
    skip_left_bytes_ = header.payload_bytes;
    skipped_.emplace();
    return OkStatus();
  } else if (header.kind == FrameKind::kIndex &&
             (index_->num_content_frames() == 0 ||
              header.payload_bytes > kMaxIndexPayloadBytes)) {
    return Error{ErrorCode::kCorrupt, "an index does not fit its frames",
                 frame_.frame_ofs};
  }
  if (header.payload_bytes > options_.max_payload_bytes) {
    return Error{ErrorCode::kLimit,
                 "a frame of " + std::to_string(header.payload_bytes) +
                     " bytes is larger than the memory that is allowed",
                 frame_.frame_ofs};
  }
  return OkStatus();
}

Result<bool> FrameParser::ReadPayload() {
  const FrameHeader& header = frame_.header;
  // Memory grows with what is there, not with what the header says.
  const size_t wanted =
      static_cast<size_t>(header.payload_bytes) - frame_.payload.size();
  const Bytes part = Unread().first(std::min(wanted, Unread().size()));
  frame_.payload.insert(frame_.payload.end(), part.begin(), part.end());
  Consume(part.size());
  if (part.size() < wanted) return false;
  if (header.has_content()) return true;
  if (options_.verify_checksums && header.has_checksum &&
      Checksum(frame_.payload) != header.checksum) {
    return Error{ErrorCode::kChecksum,
                 header.kind == FrameKind::kIndex
                     ? "the index is damaged"
                     : "what the file says of its source is damaged",
                 frame_.frame_ofs};
  }
  if (header.kind == FrameKind::kIndex) {
    LLMA_TRY(FinishIndex());
  } else {
    auto info = ParseSourceInfo(frame_.payload);
    if (!info) {
      return Error{info.error().code, info.error().what, frame_.frame_ofs};
    }
    source_info_ = *std::move(info);
  }
  frame_.payload.clear();
  return true;
}

Result<bool> FrameParser::Skip() {
  const Bytes part = Unread().first(static_cast<size_t>(
      std::min<uint64_t>(skip_left_bytes_, Unread().size())));
  skipped_->Update(part);
  Consume(part.size());
  skip_left_bytes_ -= part.size();
  if (skip_left_bytes_ > 0) return false;
  const FrameHeader& header = frame_.header;
  if (options_.verify_checksums && header.has_checksum &&
      NarrowChecksum(skipped_->Digest(), header.payload_bytes) !=
          header.checksum) {
    return Error{ErrorCode::kChecksum, "a skippable frame is damaged",
                 frame_.frame_ofs};
  }
  return true;
}

Result<bool> FrameParser::StartModel() {
  if (Unread().size() < fingerprint_.size()) return false;
  const Bytes start = Unread().first(fingerprint_.size());
  LLMA_ASSIGN(fingerprint_, ParseModelFingerprint(start));
  skipped_.emplace();
  skipped_->Update(start);
  Consume(start.size());
  skip_left_bytes_ = frame_.header.payload_bytes - start.size();
  step_ = Step::kSkip;
  if (!options_.model_taker.Wants) return true;
  const auto wanted =
      options_.model_taker.Wants(fingerprint_, skip_left_bytes_);
  if (!wanted) {
    return Error{wanted.error().code, wanted.error().what, frame_.frame_ofs};
  }
  if (*wanted) step_ = Step::kModel;
  model_ = {};
  model_bytes_ = 0;
  return true;
}

Result<bool> FrameParser::ReadModel() {
  const Bytes part = Unread().first(static_cast<size_t>(
      std::min<uint64_t>(skip_left_bytes_, Unread().size())));
  // Memory grows with what is there, not with what the header says.
  if (model_bytes_ + part.size() > model_.size()) {
    const uint64_t room = std::max<uint64_t>(
        {model_bytes_ + part.size(), 2 * model_.size(), kMinModelRoomBytes});
    AlignedBuffer<uint8_t> larger(static_cast<size_t>(
        std::min<uint64_t>(room, model_bytes_ + skip_left_bytes_)));
    std::copy_n(model_.data(), model_bytes_, larger.data());
    model_ = std::move(larger);
  }
  std::ranges::copy(part, model_.data() + model_bytes_);
  model_bytes_ += part.size();
  LLMA_ASSIGN(const bool is_done, Skip());
  if (!is_done) return false;
  const Status taken =
      options_.model_taker.Take(fingerprint_, std::exchange(model_, {}));
  if (!taken) {
    return Error{taken.error().code, taken.error().what, frame_.frame_ofs};
  }
  return true;
}

Status FrameParser::FinishIndex() {
  const auto index = ParseIndex(frame_.payload, file_ofs_ - frame_.frame_ofs);
  if (!index) {
    return Error{index.error().code, index.error().what, frame_.frame_ofs};
  }
  if (!(*index == index_->index())) {
    return Error{ErrorCode::kCorrupt,
                 "the frames are not those of the index: some are missing, "
                 "doubled or misplaced",
                 frame_.frame_ofs};
  }
  EndMember();
  return OkStatus();
}

void FrameParser::EndMember() {
  ++num_members_;
  index_ = std::make_unique<IndexBuilder>();
  is_new_member_ = true;
}

}  // namespace llma
