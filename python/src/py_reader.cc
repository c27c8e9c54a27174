// SPDX-License-Identifier: Apache-2.0
// Files in which any frame can be read.
#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "py_support.h"

namespace llma_py {
namespace {

// A function of Python, read_at(offset, size) -> bytes, as the library calls
// it. What the function raises is kept, for the library knows only errors.
class PyRandomAccess {
 public:
  PyRandomAccess(nb::callable read_at, uint64_t file_bytes)
      : read_at_(std::move(read_at)), file_bytes_(file_bytes) {}

  llma_reader reader() {
    return {sizeof(llma_reader), this, file_bytes_, ReadAt};
  }
  // Instead of Check(). The GIL must be held.
  void CheckAfter(llma_status status, const llma_error& error) {
    if (raised_) {
      nb::python_error raised = std::move(*raised_);
      raised_.reset();
      throw raised;
    }
    Check(status, error);
  }

 private:
  static llma_status ReadAt(void* user, uint64_t offset, void* buffer,
                            size_t size_bytes, size_t* got_bytes, llma_error*) {
    auto& self = *static_cast<PyRandomAccess*>(user);
    nb::gil_scoped_acquire gil;
    try {
      const nb::object part = self.read_at_(offset, size_bytes);
      const View view(part);
      *got_bytes = std::min(view.size(), size_bytes);
      std::memcpy(buffer, view.data(), *got_bytes);
      return LLMA_OK;
    } catch (nb::python_error& raised) {
      self.raised_.emplace(std::move(raised));
      return LLMA_ERROR_IO;
    }
  }

  nb::callable read_at_;
  const uint64_t file_bytes_;
  std::optional<nb::python_error> raised_;
};

struct FileMapDeleter {
  void operator()(llma_file_map* map) const { llma_file_map_free(map); }
};

using FileMap = std::unique_ptr<llma_file_map, FileMapDeleter>;

FileMap MapOf(nb::callable read_at, uint64_t file_bytes) {
  PyRandomAccess access(std::move(read_at), file_bytes);
  const llma_reader reader = access.reader();
  llma_file_map* made = nullptr;
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_file_map_create(&reader, &made, &error);
  }
  FileMap map(made);
  access.CheckAfter(status, error);
  return map;
}

// [(offset in the content, size)] of the frames with content.
nb::list Frames(nb::callable read_at, uint64_t file_bytes) {
  const FileMap map = MapOf(std::move(read_at), file_bytes);
  llma_file_map* const made = map.get();
  llma_error error;
  llma_file_info info = LLMA_INIT(llma_file_info);
  Check(llma_file_map_get_info(made, &info, &error), error);
  nb::list frames;
  for (uint64_t i = 0; i < info.num_frames; ++i) {
    llma_frame_info frame = LLMA_INIT(llma_frame_info);
    Check(llma_file_map_get_frame(made, i, &frame, &error), error);
    if (frame.content_bytes == 0) continue;
    frames.append(nb::make_tuple(frame.content_ofs, frame.content_bytes));
  }
  return frames;
}

// Where the frames with content are, as tuples (offset in the file, size there,
// offset in the content, size of the content, the first bytes of the model's
// fingerprint or None, settings that a decoder needs as much memory for, size
// of the reference or 0); and those with models, as (offset, size).
nb::tuple FramePlaces(nb::callable read_at, uint64_t file_bytes) {
  const FileMap map = MapOf(std::move(read_at), file_bytes);
  llma_file_map* const made = map.get();
  llma_error error;
  llma_file_info info = LLMA_INIT(llma_file_info);
  Check(llma_file_map_get_info(made, &info, &error), error);
  nb::list frames, models;
  for (uint64_t i = 0; i < info.num_frames; ++i) {
    llma_frame_info frame = LLMA_INIT(llma_frame_info);
    Check(llma_file_map_get_frame(made, i, &frame, &error), error);
    if (frame.kind == LLMA_FRAME_EXTRA) continue;
    const bool has_model = frame.kind == LLMA_FRAME_MODEL;
    nb::dict settings;
    settings["context_models"] = static_cast<int>(frame.context_models);
    if (has_model) {
      settings["lanes"] = frame.num_lanes;
      settings["window"] = frame.window;
      settings["learn"] = static_cast<int>(
          frame.learns != 0 ? LLMA_LEARN_ALWAYS : LLMA_LEARN_NEVER);
    }
    const nb::object id =
        has_model
            ? nb::object(nb::bytes(frame.model_id, sizeof(frame.model_id)))
            : nb::none();
    frames.append(nb::make_tuple(frame.frame_ofs, frame.frame_bytes,
                                 frame.content_ofs, frame.content_bytes, id,
                                 settings, frame.reference_bytes));
  }
  for (uint64_t i = 0; i < info.num_models; ++i) {
    llma_embedded_model model = LLMA_INIT(llma_embedded_model);
    Check(llma_file_map_get_model(made, i, &model, &error), error);
    models.append(nb::make_tuple(model.frame_ofs, model.frame_bytes));
  }
  return nb::make_tuple(frames, models);
}

llma_status Append(void* user, const void* content, size_t content_bytes,
                   llma_error*) {
  auto& made = *static_cast<std::vector<uint8_t>*>(user);
  const auto* bytes = static_cast<const uint8_t*>(content);
  made.insert(made.end(), bytes, bytes + content_bytes);
  return LLMA_OK;
}

nb::bytes DecompressRange(nb::callable read_at, uint64_t file_bytes,
                          uint64_t offset, uint64_t size, nb::handle model,
                          nb::handle threads, nb::handle memory_bytes,
                          nb::handle reference) {
  const Options options = MakeOptions({.model = model,
                                       .threads = threads,
                                       .memory_bytes = memory_bytes,
                                       .reference = reference});
  PyRandomAccess access(std::move(read_at), file_bytes);
  const llma_reader reader = access.reader();
  std::vector<uint8_t> made;
  llma_sink sink = LLMA_INIT(llma_sink);
  sink.user = &made;
  sink.write = Append;
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_decompress_range(&reader, offset, size, options.get(), &sink,
                                   &error);
  }
  access.CheckAfter(status, error);
  return nb::bytes(made.data(), made.size());
}

}  // namespace

void DefineReader(nb::module_& module) {
  module.def("frames", &Frames, nb::arg("read_at"), nb::arg("file_bytes"));
  module.def("frame_places", &FramePlaces, nb::arg("read_at"),
             nb::arg("file_bytes"));
  module.def("decompress_range", &DecompressRange, nb::arg("read_at"),
             nb::arg("file_bytes"), nb::arg("offset"), nb::arg("size"),
             nb::arg("model").none(), nb::arg("threads"),
             nb::arg("memory_bytes"), nb::arg("reference").none() = nb::none());
}

}  // namespace llma_py
