// SPDX-License-Identifier: Apache-2.0
#include "store/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace llma::store {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEntrySignature = 0x02014b50;
constexpr uint32_t kMemberSignature = 0x04034b50;
constexpr size_t kEndBytes = 22;
constexpr size_t kMaxCommentBytes = 0xffff;
constexpr uint32_t kIsInZip64 = 0xffffffff;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr size_t kPieceBytes = 1 << 18;

Error Damaged(const char* what, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::string("a ZIP archive: ") + what,
               offset};
}

uint32_t LittleEndian(Bytes archive, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i)
    value = value << 8 | archive[offset + i - 1];
  return value;
}

struct Directory {
  size_t begin = 0, end = 0;
  size_t num_entries = 0;
};

// By the record at the end, whose comment reaches to the end of the archive.
Result<Directory> FindDirectory(Bytes archive) {
  if (archive.size() < kEndBytes) return Damaged("it is too short", 0);
  const size_t last = archive.size() - kEndBytes;
  const size_t first = last - std::min(last, kMaxCommentBytes);
  for (size_t at = last + 1; at-- > first;) {
    if (LittleEndian(archive, at, 4) != kEndSignature ||
        LittleEndian(archive, at + 20, 2) != last - at) {
      continue;
    }
    const uint32_t size = LittleEndian(archive, at + 12, 4);
    const uint32_t begin = LittleEndian(archive, at + 16, 4);
    if (LittleEndian(archive, at + 4, 4) != 0) {
      return Error{ErrorCode::kUnsupported, "a ZIP archive: it is of parts"};
    }
    if (begin > at || size > at - begin) {
      return Damaged("its directory is not where it should be", at);
    }
    return Directory{begin, size_t{begin} + size,
                     LittleEndian(archive, at + 10, 2)};
  }
  return Damaged("its end is missing", archive.size());
}

struct Entry {
  uint16_t flags = 0, method = 0;
  uint32_t crc32 = 0;
  uint32_t packed_bytes = 0, content_bytes = 0;
  uint32_t offset = 0;
};

// The one entry of that name.
Result<Entry> FindEntry(Bytes archive, const Directory& directory,
                        std::string_view name) {
  constexpr size_t kHeaderBytes = 46;
  std::optional<Entry> found;
  size_t at = directory.begin;
  for (size_t i = 0; i < directory.num_entries; ++i) {
    if (directory.end - at < kHeaderBytes ||
        LittleEndian(archive, at, 4) != kEntrySignature) {
      return Damaged("its directory is damaged", at);
    }
    const size_t name_bytes = LittleEndian(archive, at + 28, 2);
    const size_t num_bytes = kHeaderBytes + name_bytes +
                             LittleEndian(archive, at + 30, 2) +
                             LittleEndian(archive, at + 32, 2);
    if (num_bytes > directory.end - at) {
      return Damaged("its directory is damaged", at);
    }
    const Bytes its_name = archive.subspan(at + kHeaderBytes, name_bytes);
    if (AsStringView(its_name) == name) {
      if (found) return Damaged("two members have one name", at);
      Entry entry;
      entry.flags = static_cast<uint16_t>(LittleEndian(archive, at + 8, 2));
      entry.method = static_cast<uint16_t>(LittleEndian(archive, at + 10, 2));
      entry.crc32 = LittleEndian(archive, at + 16, 4);
      entry.packed_bytes = LittleEndian(archive, at + 20, 4);
      entry.content_bytes = LittleEndian(archive, at + 24, 4);
      entry.offset = LittleEndian(archive, at + 42, 4);
      found = entry;
    }
    at += num_bytes;
  }
  if (!found) {
    return Error{ErrorCode::kCorrupt,
                 "a ZIP archive: it has no member " + std::string(name)};
  }
  return *found;
}

// What is packed, between the header of the member and the directory.
Result<Bytes> PackedContent(Bytes archive, const Directory& directory,
                            const Entry& entry, std::string_view name) {
  constexpr size_t kHeaderBytes = 30;
  const size_t at = entry.offset;
  if (at > directory.begin || directory.begin - at < kHeaderBytes ||
      LittleEndian(archive, at, 4) != kMemberSignature) {
    return Damaged("a member is not where it should be", at);
  }
  const size_t name_bytes = LittleEndian(archive, at + 26, 2);
  const size_t header_bytes =
      kHeaderBytes + name_bytes + LittleEndian(archive, at + 28, 2);
  if (header_bytes > directory.begin - at ||
      AsStringView(archive.subspan(at + kHeaderBytes, name_bytes)) != name) {
    return Damaged("a member is not the one that its directory says", at);
  }
  if (entry.packed_bytes > directory.begin - at - header_bytes) {
    return Damaged("a member reaches into the directory", at);
  }
  return archive.subspan(at + header_bytes, entry.packed_bytes);
}

struct EndInflating {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// To the sink, until it all came or the sink has had enough.
Status Inflate(Bytes packed, uint64_t content_bytes, uint64_t offset,
               const std::function<Status(Bytes)>& sink) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return Error{ErrorCode::kMemory, "out of memory"};
  }
  const std::unique_ptr<z_stream, EndInflating> end(&stream);
  std::vector<uint8_t> piece(kPieceBytes);
  // Not written to: zlib's interface is of C.
  stream.next_in = const_cast<uint8_t*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());  // from 32 bits
  uint64_t left = content_bytes;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    code = inflate(&stream, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) {
      return Error{ErrorCode::kMemory, "out of memory"};
    }
    const size_t got = piece.size() - stream.avail_out;
    if ((code != Z_OK && code != Z_STREAM_END) || got > left) {
      return Damaged("a member is damaged", offset);
    }
    left -= got;
    LLMA_TRY(sink(Bytes(piece).first(got)));
  }
  if (left != 0 || stream.avail_in != 0) {
    return Damaged("a member is damaged", offset);
  }
  return OkStatus();
}

Status Copy(Bytes content, const std::function<Status(Bytes)>& sink) {
  while (!content.empty()) {
    const size_t size = std::min(content.size(), kPieceBytes);
    LLMA_TRY(sink(content.first(size)));
    content = content.subspan(size);
  }
  return OkStatus();
}

}  // namespace

Status ExtractZipMember(Bytes archive, std::string_view name,
                        uint64_t max_bytes,
                        const std::function<Status(Bytes)>& sink) {
  LLMA_ASSIGN(const Directory directory, FindDirectory(archive));
  LLMA_ASSIGN(const Entry entry, FindEntry(archive, directory, name));
  if ((entry.flags & kEncrypted) != 0 || entry.packed_bytes == kIsInZip64 ||
      entry.content_bytes == kIsInZip64 || entry.offset == kIsInZip64 ||
      (entry.method != kStored && entry.method != kDeflated)) {
    return Error{ErrorCode::kUnsupported,
                 "a ZIP archive: a member is stored in a way that is not read"};
  }
  if (entry.content_bytes > max_bytes) {
    return Error{ErrorCode::kLimit, "a ZIP archive: a member is too large"};
  }
  LLMA_ASSIGN(const Bytes packed,
              PackedContent(archive, directory, entry, name));
  uint32_t crc = 0;
  const auto counted_sink = [&](Bytes piece) -> Status {
    // A null pointer would ask for the value to begin with.
    if (piece.empty()) return OkStatus();
    crc = static_cast<uint32_t>(
        ::crc32(crc, piece.data(), static_cast<uInt>(piece.size())));
    return sink(piece);
  };
  if (entry.method == kDeflated) {
    LLMA_TRY(Inflate(packed, entry.content_bytes, entry.offset, counted_sink));
  } else {
    if (packed.size() != entry.content_bytes) {
      return Damaged("a member is damaged", entry.offset);
    }
    LLMA_TRY(Copy(packed, counted_sink));
  }
  if (crc != entry.crc32) {
    return Error{ErrorCode::kChecksum,
                 "a ZIP archive: a member does not match its CRC-32",
                 entry.offset};
  }
  return OkStatus();
}

}  // namespace llma::store
