// SPDX-License-Identifier: Apache-2.0
// Files with random access: what is in them, ranges, salvage.
#ifndef LLMA_FILES_HPP_
#define LLMA_FILES_HPP_

#include <algorithm>
#include <functional>
#include <llma/options.hpp>

namespace llma {
inline namespace api_v0 {

// A file in which any place can be read.
struct Reader {
  uint64_t file_bytes = 0;
  // Fills the buffer from this place on, and less only at the end of the file;
  // how many bytes it got.
  std::function<Result<size_t>(uint64_t, std::span<uint8_t>)> ReadAt;
};

// A file in memory, which must outlive the reader.
inline Reader MemoryReader(std::span<const uint8_t> file) {
  return {file.size(),
          [file](uint64_t ofs, std::span<uint8_t> buffer) -> Result<size_t> {
            const auto begin =
                static_cast<size_t>(std::min<uint64_t>(ofs, file.size()));
            const size_t size = std::min(buffer.size(), file.size() - begin);
            std::copy_n(file.begin() + static_cast<ptrdiff_t>(begin), size,
                        buffer.begin());
            return size;
          }};
}

namespace detail {

// A Reader for the time of a call.
class CReader {
 public:
  explicit CReader(const Reader& reader)
      : reader_(reader),
        c_{sizeof(llma_reader), this, reader.file_bytes, ReadAt} {}
  CReader(const CReader&) = delete;
  CReader& operator=(const CReader&) = delete;
  const llma_reader* get() const { return &c_; }
  // `status`, with the reader's own error if that is the cause.
  Status Whole(Status status) const {
    return !status && error_ ? Status(*error_) : status;
  }

 private:
  static llma_status ReadAt(void* user, uint64_t offset, void* buffer,
                            size_t size_bytes, size_t* got_bytes,
                            llma_error* error) {
    auto& self = *static_cast<CReader*>(user);
    return Protect(self.error_, error, [&]() -> Status {
      LLMA_ASSIGN(*got_bytes,
                  self.reader_.ReadAt(
                      offset, {static_cast<uint8_t*>(buffer), size_bytes}));
      return OkStatus();
    });
  }

  const Reader& reader_;
  std::optional<Error> error_;
  llma_reader c_;
};

}  // namespace detail

// Where a content goes; of llma_sink all but Write may be empty.
struct Sink {
  std::function<Status(std::span<const uint8_t>)> Write;
  std::function<Status(uint64_t)> Skip;
  std::function<void(uint64_t content_ofs, std::optional<uint64_t> lost_bytes)>
      Lost;
};

namespace detail {

class CSink {
 public:
  explicit CSink(const Sink& sink)
      : sink_(sink),
        c_{sizeof(llma_sink), this, Write, sink.Skip ? Skip : nullptr,
           sink.Lost ? Lost : nullptr} {}
  CSink(const CSink&) = delete;
  CSink& operator=(const CSink&) = delete;
  const llma_sink* get() const { return &c_; }
  Status Whole(Status status) const {
    return !status && error_ ? Status(*error_) : status;
  }

 private:
  static llma_status Write(void* user, const void* content,
                           size_t content_bytes, llma_error* error) {
    auto& self = *static_cast<CSink*>(user);
    return Protect(self.error_, error, [&] {
      return self.sink_.Write(
          {static_cast<const uint8_t*>(content), content_bytes});
    });
  }
  static llma_status Skip(void* user, uint64_t lost_bytes, llma_error* error) {
    auto& self = *static_cast<CSink*>(user);
    return Protect(self.error_, error,
                   [&] { return self.sink_.Skip(lost_bytes); });
  }
  static void Lost(void* user, uint64_t content_ofs, uint64_t lost_bytes) {
    ProtectNote([&] {
      static_cast<CSink*>(user)->sink_.Lost(
          content_ofs, lost_bytes == LLMA_NO_OFFSET
                           ? std::nullopt
                           : std::optional<uint64_t>(lost_bytes));
    });
  }

  const Sink& sink_;
  std::optional<Error> error_;
  llma_sink c_;
};

}  // namespace detail

// The sizes of a file, mostly from its index.
inline Result<llma_file_info> ReadFileInfo(const Reader& reader) {
  const detail::CReader file(reader);
  llma_file_info info = LLMA_INIT(llma_file_info);
  LLMA_TRY(file.Whole(detail::Call(llma_read_file_info, file.get(), &info)));
  return info;
}

// What a file says of its source; nothing if it does not.
inline Result<std::optional<SourceInfo>> ReadSourceInfo(const Reader& reader) {
  const detail::CReader file(reader);
  llma_source_info info = LLMA_INIT(llma_source_info);
  LLMA_TRY(file.Whole(detail::Call(llma_read_source_info, file.get(), &info)));
  auto source = detail::ToSourceInfo(info);
  llma_free(const_cast<char*>(info.name));
  return source;
}

// The frames of a file.
class FileMap {
 public:
  static Result<FileMap> Create(const Reader& reader) {
    const detail::CReader file(reader);
    llma_file_map* map = nullptr;
    LLMA_TRY(file.Whole(detail::Call(llma_file_map_create, file.get(), &map)));
    return FileMap(map);
  }
  llma_file_info info() const {
    return detail::Get<llma_file_info>(llma_file_map_get_info, get());
  }
  // index < info().num_frames.
  llma_frame_info frame(uint64_t index) const {
    return detail::Get<llma_frame_info>(llma_file_map_get_frame, get(), index);
  }
  // index < info().num_models.
  llma_embedded_model model(uint64_t index) const {
    return detail::Get<llma_embedded_model>(llma_file_map_get_model, get(),
                                            index);
  }
  std::optional<SourceInfo> source_info() const {
    return detail::ToSourceInfo(
        detail::Get<llma_source_info>(llma_file_map_get_source_info, get()));
  }
  llma_file_map* get() const { return handle_.get(); }

 private:
  explicit FileMap(llma_file_map* map) : handle_(map) {}
  detail::Owner<llma_file_map, llma_file_map_free> handle_;
};

// Content bytes [content_ofs, content_ofs + content_bytes), less what is beyond
// the end.
inline Status DecompressRange(const Reader& reader, uint64_t content_ofs,
                              uint64_t content_bytes, const Options& options,
                              const Sink& sink) {
  const detail::CReader file(reader);
  const detail::CSink to(sink);
  return to.Whole(
      file.Whole(detail::Call(llma_decompress_range, file.get(), content_ofs,
                              content_bytes, options.get(), to.get())));
}

// Everything that is intact in a damaged file.
inline Result<llma_salvage_report> Salvage(const Reader& reader,
                                           const Options& options,
                                           const Sink& sink) {
  const detail::CReader file(reader);
  const detail::CSink to(sink);
  llma_salvage_report report = LLMA_INIT(llma_salvage_report);
  LLMA_TRY(to.Whole(file.Whole(detail::Call(
      llma_salvage, file.get(), options.get(), to.get(), &report))));
  return report;
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_FILES_HPP_
