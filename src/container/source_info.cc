// SPDX-License-Identifier: Apache-2.0
#include "container/source_info.h"

namespace llma {
namespace {

constexpr uint32_t kMaxMode = 07777;
constexpr uint32_t kNanosecondsPerSecond = 1000000000;

Error CorruptSource(const char* what) {
  return Error{ErrorCode::kCorrupt, what, Error::kNoOffset};
}

}  // namespace

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxSourceNameBytes && name != "." &&
         name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

SourceInfoFrame MakeSourceInfoFrame(const SourceInfo& info) {
  LLMA_DCHECK(IsPlainFileName(info.name));
  ByteWriter payload;
  payload.StoreVarint(info.name.size());
  payload.StoreBytes(AsBytes(info.name));
  payload.StoreVarint(info.mode & kMaxMode);
  payload.StoreU64(static_cast<uint64_t>(info.mtime_seconds));
  payload.StoreVarint(info.mtime_nanoseconds);
  FrameHeader header;
  header.kind = FrameKind::kSkippable;
  header.skippable_type = kSourceInfoType;
  header.payload_bytes = payload.size();
  header.checksum = Checksum(payload.bytes());
  return {header, std::move(payload).TakeBytes()};
}

Result<SourceInfo> ParseSourceInfo(Bytes payload) {
  ByteReader reader(payload);
  SourceInfo info;
  LLMA_ASSIGN(const uint64_t name_bytes, reader.LoadVarint());
  LLMA_ASSIGN(const Bytes name, reader.Take(name_bytes));
  info.name = AsStringView(name);
  if (!IsPlainFileName(info.name)) {
    return CorruptSource("the name of the source is not a file name");
  }
  LLMA_ASSIGN(const uint64_t mode, reader.LoadVarint());
  LLMA_ASSIGN(const uint64_t seconds, reader.LoadU64());
  LLMA_ASSIGN(const uint64_t nanoseconds, reader.LoadVarint());
  if (mode > kMaxMode || nanoseconds >= kNanosecondsPerSecond ||
      reader.remaining() != 0) {
    return CorruptSource("the mode or time of the source is wrong");
  }
  info.mode = static_cast<uint32_t>(mode);
  info.mtime_seconds = static_cast<int64_t>(seconds);
  info.mtime_nanoseconds = static_cast<uint32_t>(nanoseconds);
  return info;
}

}  // namespace llma
