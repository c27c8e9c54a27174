// SPDX-License-Identifier: Apache-2.0
// Files with random access: maps, ranges, salvage.
#include <cstdlib>

#include "api/api_model_source.h"
#include "api/api_reader.h"
#include "base/machine_limits.h"
#include "codec/callbacks.h"
#include "codec/file/salvage.h"
#include "codec/short/decompress_short.h"
#include "container/model_frame.h"
#include "model/model_header.h"

namespace llma::api {

Result<RandomAccess> Access(const llma_reader* reader) {
  if (reader == nullptr) return Usage("a reader that is NULL");
  LLMA_ASSIGN(const llma_reader copy, Load(reader));
  if (copy.read_at == nullptr) return Usage("a reader that cannot read");
  return RandomAccess{
      copy.file_bytes,
      [copy](uint64_t ofs,
             uint64_t size_bytes) -> Result<std::vector<uint8_t>> {
        const uint64_t left = copy.file_bytes - std::min(ofs, copy.file_bytes);
        const uint64_t wanted_bytes = std::min(size_bytes, left);
        if (wanted_bytes > kMaxObjectBytes) {
          return Error{ErrorCode::kLimit,
                       "a part of the file is larger than the address space"};
        }
        std::vector<uint8_t> bytes(static_cast<size_t>(wanted_bytes));
        if (bytes.empty()) return bytes;
        size_t got = 0;
        llma_error error = NoError();
        const llma_status status =
            CallBack(copy.read_at, copy.user, ofs, bytes.data(), bytes.size(),
                     &got, &error);
        if (status != LLMA_OK) return FromCallback(status, error);
        bytes.resize(std::min(got, bytes.size()));
        return bytes;
      }};
}

std::optional<SourceInfo> PeekSourceInfo(const RandomAccess& file) {
  size_t header_bytes = 0;
  const auto header = ReadFrameHeader(file, 0, &header_bytes);
  if (!header || header->skippable_type != kSourceInfoType ||
      header->payload_bytes > kMaxSourceInfoBytes) {
    return {};
  }
  const auto payload = file.ReadAt(header_bytes, header->payload_bytes);
  if (!payload || Checksum(*payload) != header->checksum) return {};
  auto info = ParseSourceInfo(*payload);
  return info ? std::optional(*std::move(info)) : std::nullopt;
}

namespace {

ByteSink WriteTo(const llma_sink& sink) {
  return [sink](Bytes content) -> Status {
    llma_error error = NoError();
    const llma_status status = CallBack(
        sink.write, sink.user, static_cast<const void*>(content.data()),
        content.size(), &error);
    if (status == LLMA_OK) return OkStatus();
    return FromCallback(status, error);
  };
}

Result<llma_sink> LoadSink(const llma_sink* given) {
  LLMA_ASSIGN(const llma_sink sink, Load(given));
  if (sink.write == nullptr) return Usage("a sink that cannot write");
  return sink;
}

// What has no frames is decoded as a whole or not at all.
Status RequireFrames(const RandomAccess& file, const char* what) {
  LLMA_ASSIGN(const auto first_byte, file.ReadAt(0, 1));
  if (!IsShortMessage(first_byte)) return OkStatus();
  return Error{ErrorCode::kUnsupported, what};
}

Result<FrameMap> MapFile(const RandomAccess& file) {
  LLMA_TRY(
      RequireFrames(file, "is a short message, which does not say its sizes"));
  return MapFrames(file, UsableMemoryBytes());
}

llma_status ReadMemory(void* user, uint64_t offset, void* buffer,
                       size_t size_bytes, size_t* got_bytes, llma_error*) {
  std::memcpy(buffer, static_cast<const uint8_t*>(user) + offset, size_bytes);
  *got_bytes = size_bytes;
  return LLMA_OK;
}

// Enough for the header of any model that is used.
constexpr uint64_t kMaxModelHeaderBytes = 1 << 20;

Result<std::string> ModelNameAt(const RandomAccess& file,
                                const EmbeddedModelLocation& location) {
  LLMA_ASSIGN(const std::vector<uint8_t> start,
              file.ReadAt(location.model_ofs, std::min(location.model_bytes,
                                                       kMaxModelHeaderBytes)));
  const auto header = ParseModelHeader(start);
  return header ? std::string(header->name) : std::string();
}

}  // namespace
}  // namespace llma::api

using namespace llma::api;

struct llma_file_map {
  llma_file_info info{};
  std::vector<llma_frame_info> frames;
  struct Model {
    llma::EmbeddedModelLocation location;
    uint64_t frame_bytes;
    std::string name;
  };
  std::vector<Model> models;
  std::optional<llma::SourceInfo> source;
};

extern "C" {

llma_reader llma_memory_reader(const void* file, size_t file_bytes) {
  return {sizeof(llma_reader), const_cast<void*>(file), file_bytes, ReadMemory};
}

llma_status llma_read_file_info(const llma_reader* file, llma_file_info* info,
                                llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const llma::RandomAccess access, Access(file));
    LLMA_ASSIGN(const llma::FrameMap map, MapFile(access));
    const auto num_frames = std::ranges::count_if(
        map.frames, [](const llma::FrameLocation& location) {
          return location.content_bytes > 0;
        });
    return Fill(info, {0, access.file_bytes, map.content_bytes, map.num_members,
                       static_cast<uint64_t>(num_frames), 0});
  });
}

llma_status llma_file_map_create(const llma_reader* reader, llma_file_map** map,
                                 llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(map);
    LLMA_ASSIGN(const llma::RandomAccess file, Access(reader));
    LLMA_ASSIGN(const llma::FrameMap found, MapFile(file));
    auto made = std::make_unique<llma_file_map>();
    for (const llma::FrameLocation& location : found.frames) {
      size_t header_bytes = 0;
      LLMA_ASSIGN(
          const llma::FrameHeader header,
          llma::ReadFrameHeader(file, location.frame_ofs, &header_bytes));
      if (llma::IsModelFrame(header)) {
        LLMA_ASSIGN(const llma::EmbeddedModelLocation model,
                    llma::FindEmbeddedModel(file, header, location.frame_ofs,
                                            header_bytes));
        LLMA_ASSIGN(std::string name, ModelNameAt(file, model));
        made->models.push_back({model, location.frame_bytes, std::move(name)});
      }
      if (!header.has_content()) continue;
      if (header.content_bytes != location.content_bytes) {
        return llma::Error{llma::ErrorCode::kCorrupt,
                           "the index does not fit its frames",
                           location.frame_ofs};
      }
      llma_frame_info frame = FrameInfo(header);
      frame.frame_ofs = location.frame_ofs;
      frame.frame_bytes = location.frame_bytes;
      frame.content_ofs = location.content_ofs;
      made->frames.push_back(frame);
    }
    made->source = PeekSourceInfo(file);
    made->info = {0,
                  file.file_bytes,
                  found.content_bytes,
                  found.num_members,
                  made->frames.size(),
                  made->models.size()};
    *map = made.release();
    return llma::OkStatus();
  });
}

void llma_file_map_free(llma_file_map* map) { delete map; }

llma_status llma_file_map_get_info(const llma_file_map* map,
                                   llma_file_info* info, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(map);
    return Fill(info, map->info);
  });
}

llma_status llma_file_map_get_frame(const llma_file_map* map, uint64_t index,
                                    llma_frame_info* frame, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(map);
    if (index >= map->frames.size()) return Usage("there is no such frame");
    return Fill(frame, map->frames[static_cast<size_t>(index)]);
  });
}

llma_status llma_file_map_get_model(const llma_file_map* map, uint64_t index,
                                    llma_embedded_model* model,
                                    llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(map);
    if (index >= map->models.size()) return Usage("there is no such model");
    const auto& found = map->models[static_cast<size_t>(index)];
    llma_embedded_model told = {
        0, found.location.frame_ofs, found.frame_bytes, found.name.c_str(), {}};
    std::ranges::copy(found.location.fingerprint, told.fingerprint);
    return Fill(model, told);
  });
}

llma_status llma_file_map_get_source_info(const llma_file_map* map,
                                          llma_source_info* info,
                                          llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(map);
    return Fill(info, SourceOf(map->source));
  });
}

llma_status llma_read_source_info(const llma_reader* file,
                                  llma_source_info* info, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const llma::RandomAccess access, Access(file));
    const auto source = PeekSourceInfo(access);
    llma_source_info found = SourceOf(source);
    LLMA_TRY(Fill(info, {}));
    if (!source) return llma::OkStatus();
    char* name = nullptr;
    OwnedString(source->name).ReleaseTo(&name);
    found.name = name;
    return Fill(info, found);
  });
}

llma_status llma_decompress_range(const llma_reader* file, uint64_t content_ofs,
                                  uint64_t content_bytes,
                                  const llma_options* options,
                                  const llma_sink* sink, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const llma::RandomAccess access, Access(file));
    LLMA_ASSIGN(const llma_sink to, LoadSink(sink));
    LLMA_TRY(RequireFrames(access, "is a short message, which has no parts"));
    const llma_options given = Copy(options);
    ModelSource models(given);
    return llma::DecompressRange(
        access, content_ofs, content_bytes, models.provider(),
        ForDecompressing(given, nullptr, nullptr), WriteTo(to));
  });
}

llma_status llma_salvage(const llma_reader* file, const llma_options* options,
                         const llma_sink* sink, llma_salvage_report* report,
                         llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const llma::RandomAccess access, Access(file));
    LLMA_ASSIGN(const llma_sink to, LoadSink(sink));
    LLMA_TRY(RequireFrames(access, "is a short message, which has no parts"));
    const llma_options given = Copy(options);
    ModelSource models(given);
    const llma::SalvageSink inner = {
        WriteTo(to), [&to](uint64_t lost_bytes) -> llma::Status {
          if (to.skip == nullptr) return llma::OkStatus();
          llma_error failed = NoError();
          const llma_status status =
              CallBack(to.skip, to.user, lost_bytes, &failed);
          if (status == LLMA_OK) return llma::OkStatus();
          return FromCallback(status, failed);
        }};
    LLMA_ASSIGN(
        const llma::SalvageReport found,
        llma::Salvage(access, models.provider(),
                      ForDecompressing(given, nullptr, nullptr), inner));
    for (const llma::LostRange& lost : found.lost) {
      if (to.lost == nullptr) break;
      CallBack(to.lost, to.user, lost.content_ofs,
               lost.content_bytes.value_or(LLMA_NO_OFFSET));
    }
    if (report == nullptr) return llma::OkStatus();
    return Fill(report, {0, found.num_restored, found.restored_bytes,
                         found.lost.size()});
  });
}

}  // extern "C"
