// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "py_support.h"

namespace llma_py {
namespace {

// llma_encoder or llma_decoder. Several threads of Python may use one object:
// they wait for each other, and the GIL is not held while they do.
// kContentFirst: output that a call made before it failed is returned, and the
// next call raises, for errors are final. Where there may be no next call, the
// exception holds it.
template <bool kContentFirst, class Handle,
          llma_status (*kCreate)(const llma_options*, Handle**, llma_error*),
          void (*kFree)(Handle*), void (*kCancel)(Handle*),
          llma_status (*kRun)(Handle*, llma_input*, llma_output*, llma_action,
                              llma_error*)>
class PyStream {
 public:
  PyStream(nb::handle level, nb::handle model, nb::handle threads,
           nb::handle memory_bytes, nb::handle max_size, bool one_file,
           nb::handle settings, nb::handle source, nb::handle reference) {
    const Options options =
        MakeOptions({level, model, threads, memory_bytes, max_size, one_file,
                     settings, source, reference});
    llma_error error;
    llma_status status;
    {
      nb::gil_scoped_release release;
      status = kCreate(options.get(), &handle_, &error);
    }
    Check(status, error);
  }
  PyStream(const PyStream&) = delete;
  PyStream& operator=(const PyStream&) = delete;
  ~PyStream() {
    nb::gil_scoped_release release;
    kFree(handle_);
  }

  // Takes all of `data` and returns the output that there is.
  nb::bytes Run(nb::handle data, int action) {
    // Before the lock, which a thread of the other process may hold for ever.
    if (::getpid() != pid_) RaiseForked();
    const View view(data);
    llma_input input{view.data(), view.size(), 0};
    std::vector<uint8_t> made;
    llma_error error;
    llma_status status;
    {
      const CallLockGuard guard(lock_);
      const nb::gil_scoped_release release;
      size_t used = 0;
      do {
        if (made.size() - used < kRoom / 2) made.resize(used * 2 + kRoom);
        llma_output output{made.data(), made.size(), used};
        status = kRun(handle_, &input, &output,
                      static_cast<llma_action>(action), &error);
        used = output.used_bytes;
      } while (status == LLMA_NEED_OUTPUT);
      made.resize(used);
    }
    if constexpr (kContentFirst) {
      // An exception of a signal handler must not wait.
      if (status > 0 && !made.empty() && PyErr_Occurred() == nullptr &&
          status != LLMA_ERROR_CANCELLED) {
        const nb::bytes content(made.data(), made.size());
        if (action == LLMA_FINISH) Raise(error, content);
        return content;
      }
    }
    Check(status, error);
    return nb::bytes(made.data(), made.size());
  }

  // At most `max_length` bytes of output (negative: all), how much of `data`
  // was taken, and the status: an error with output is raised by the next call.
  nb::tuple Step(nb::handle data, nb::handle max_length) {
    if (::getpid() != pid_) RaiseForked();
    const size_t limit = LimitOf(max_length);
    const View view(data);
    llma_input input{view.data(), view.size(), 0};
    std::vector<uint8_t> made;
    llma_error error;
    llma_status status;
    {
      const CallLockGuard guard(lock_);
      const nb::gil_scoped_release release;
      size_t used = 0;
      do {
        made.resize(std::min(limit, used * 2 + kRoom));
        llma_output output{made.data(), made.size(), used};
        status = kRun(handle_, &input, &output, LLMA_RUN, &error);
        used = output.used_bytes;
      } while (status == LLMA_NEED_OUTPUT && used < limit);
      made.resize(used);
    }
    if (status > 0 && !made.empty() && PyErr_Occurred() == nullptr &&
        status != LLMA_ERROR_CANCELLED) {
      status = LLMA_NEED_OUTPUT;
    } else {
      Check(status, error);
    }
    return nb::make_tuple(nb::bytes(made.data(), made.size()), input.used_bytes,
                          static_cast<int>(status));
  }
  void Cancel() { kCancel(handle_); }

  // Whole frames that were made elsewhere: what they allow to give out.
  nb::bytes AddFrames(nb::handle frames) {
    if (::getpid() != pid_) RaiseForked();
    {
      const View view(frames);
      llma_error error;
      llma_status status;
      {
        const CallLockGuard guard(lock_);
        const nb::gil_scoped_release release;
        status =
            llma_encoder_add_frames(handle_, view.data(), view.size(), &error);
      }
      Check(status, error);
    }
    return Run(nb::bytes("", 0), LLMA_RUN);
  }

 private:
  static size_t LimitOf(nb::handle max_length) {
    if (ToIndex(max_length) < nb::int_(0)) return SIZE_MAX;
    return static_cast<size_t>(
        ToNumber(max_length, "max_length", 0, PY_SSIZE_T_MAX));
  }
  static constexpr size_t kRoom = 1 << 14;  // bytes
  const pid_t pid_ = ::getpid();
  CallLock lock_;
  Handle* handle_ = nullptr;
};

using PyEncoder =
    PyStream<false, llma_encoder, llma_encoder_create, llma_encoder_free,
             llma_encoder_cancel, llma_encoder_run>;
using PyDecoder =
    PyStream<true, llma_decoder, llma_decoder_create, llma_decoder_free,
             llma_decoder_cancel, llma_decoder_run>;

using WholeFunction = llma_status(const void*, size_t, const llma_options*,
                                  void**, size_t*, llma_error*);

template <WholeFunction* kFunction>
nb::bytes Whole(nb::handle data, nb::handle level, nb::handle model,
                nb::handle threads, nb::handle memory_bytes,
                nb::handle max_size, nb::handle reference) {
  const View view(data);
  const Options options = MakeOptions({.level = level,
                                       .model = model,
                                       .threads = threads,
                                       .memory_bytes = memory_bytes,
                                       .max_size = max_size,
                                       .reference = reference});
  void* made = nullptr;
  size_t made_bytes = 0;
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = kFunction(view.data(), view.size(), options.get(), &made,
                       &made_bytes, &error);
  }
  Check(status, error);
  const LibraryMemory owner(made);
  return nb::bytes(made, made_bytes);
}

struct InspectionDeleter {
  void operator()(llma_inspection* i) const { llma_inspection_free(i); }
};

// Tuples (bytes, probability) of what the model thought likely at a piece.
nb::tuple AlternativesOf(const llma_inspection* inspection, uint64_t index,
                         uint32_t count) {
  nb::list found;
  for (uint32_t k = 0; k < count; ++k) {
    llma_error error;
    llma_alternative one{};
    one.struct_bytes = sizeof(one);
    Check(llma_inspection_get_alternative(inspection, index, k, &one, &error),
          error);
    found.append(
        nb::make_tuple(nb::bytes(one.bytes, one.size_bytes), one.probability));
  }
  return nb::tuple(found);
}

constexpr uint32_t kMaxAlternatives = 64;

// A list of (offset, bytes, bits, bits of the language model or None,
// alternatives).
nb::list Inspect(nb::handle data, nb::handle level, nb::handle model,
                 nb::handle threads, nb::handle memory_bytes,
                 nb::handle alternatives) {
  const auto num_alternatives = static_cast<uint32_t>(
      ToNumber(alternatives, "alternatives", 0, kMaxAlternatives));
  const View view(data);
  const Options options = MakeOptions({level, model, threads, memory_bytes});
  llma_inspection* made = nullptr;
  llma_error error;
  llma_status status;
  {
    nb::gil_scoped_release release;
    status = llma_inspect(view.data(), view.size(), num_alternatives,
                          options.get(), &made, &error);
  }
  Check(status, error);
  const std::unique_ptr<llma_inspection, InspectionDeleter> inspection(made);
  llma_inspection_info info{};
  info.struct_bytes = sizeof(info);
  Check(llma_inspection_get_info(made, &info, &error), error);
  nb::list pieces;
  const char* bytes = static_cast<const char*>(view.data());
  for (uint64_t i = 0; i < info.num_pieces; ++i) {
    llma_piece piece{};
    piece.struct_bytes = sizeof(piece);
    Check(llma_inspection_get_piece(made, i, &piece, &error), error);
    const nb::object model_bits =
        piece.model_bits < 0 ? nb::none()
                             : nb::object(nb::float_(piece.model_bits));
    pieces.append(nb::make_tuple(
        piece.content_ofs,
        nb::bytes(bytes + piece.content_ofs, piece.size_bytes), piece.bits,
        model_bits, AlternativesOf(made, i, piece.num_alternatives)));
  }
  return pieces;
}

// Where an encoder cuts a content into frames.
class PyCutter {
 public:
  PyCutter(nb::handle level, nb::handle model, nb::handle threads,
           nb::handle memory_bytes, nb::handle settings, nb::handle reference) {
    const Options options = MakeOptions({.level = level,
                                         .model = model,
                                         .threads = threads,
                                         .memory_bytes = memory_bytes,
                                         .settings = settings,
                                         .reference = reference});
    llma_cutter* made = nullptr;
    llma_error error;
    llma_status status;
    {
      nb::gil_scoped_release release;
      status = llma_cutter_create(options.get(), &made, &error);
    }
    Check(status, error);
    handle_.reset(made);
  }

  // Takes all of `data`. How much content each frame has that is known to end.
  nb::list Run(nb::handle data, int action) {
    const View view(data);
    std::vector<uint64_t> frames;
    llma_error error;
    llma_status status;
    {
      nb::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      llma_input input{view.data(), view.size(), 0};
      do {
        uint64_t frame_bytes = 0;
        status = llma_cutter_run(handle_.get(), &input,
                                 static_cast<llma_action>(action), &frame_bytes,
                                 &error);
        if (status == LLMA_OK || status == LLMA_NEED_OUTPUT) {
          frames.push_back(frame_bytes);
        }
      } while (status == LLMA_NEED_OUTPUT);
    }
    Check(status, error);
    nb::list sizes;
    for (const uint64_t size : frames) sizes.append(size);
    return sizes;
  }

 private:
  struct Deleter {
    void operator()(llma_cutter* cutter) const { llma_cutter_free(cutter); }
  };
  std::mutex mutex_;
  std::unique_ptr<llma_cutter, Deleter> handle_;
};

// Of a level with these options, for contents of this size: whether it needs a
// model, the content of a frame, and the memory that a frame takes, there and
// back.
nb::tuple LevelInfo(nb::handle level, nb::handle model, nb::handle threads,
                    nb::handle settings, uint64_t content_bytes,
                    nb::handle reference) {
  const Options options = MakeOptions({.level = level,
                                       .model = model,
                                       .threads = threads,
                                       .settings = settings,
                                       .reference = reference});
  llma_level_info info = LLMA_INIT(llma_level_info);
  llma_error error;
  Check(llma_level_get_info(options.get(), content_bytes, &info, &error),
        error);
  return nb::make_tuple(info.uses_model != 0, info.frame_bytes,
                        info.compress_bytes, info.decompress_bytes);
}

template <class Stream>
nb::class_<Stream> DefineStream(nb::module_& module, const char* name) {
  return nb::class_<Stream>(module, name)
      .def(nb::init<nb::handle, nb::handle, nb::handle, nb::handle, nb::handle,
                    bool, nb::handle, nb::handle, nb::handle>(),
           nb::arg("level"), nb::arg("model").none(), nb::arg("threads"),
           nb::arg("memory_bytes"), nb::arg("max_size") = 0,
           nb::arg("one_file") = false, nb::arg("settings").none() = nb::none(),
           nb::arg("source").none() = nb::none(),
           nb::arg("reference").none() = nb::none())
      .def("run", &Stream::Run, nb::arg("data"), nb::arg("action"))
      .def("step", &Stream::Step, nb::arg("data"), nb::arg("max_length"))
      .def("cancel", &Stream::Cancel);
}

}  // namespace

void DefineCodec(nb::module_& module) {
  nb::class_<CallLock>(module, "CallLock")
      .def(nb::init<>())
      .def("__enter__", &CallLock::Acquire)
      .def("__exit__", [](CallLock& lock, const nb::args&) { lock.Release(); });
  DefineStream<PyEncoder>(module, "Encoder")
      .def("add_frames", &PyEncoder::AddFrames, nb::arg("frames"));
  DefineStream<PyDecoder>(module, "Decoder");
  const auto whole = [&](const char* name, auto* function) {
    module.def(name, function, nb::arg("data"), nb::arg("level"),
               nb::arg("model").none(), nb::arg("threads"),
               nb::arg("memory_bytes"), nb::arg("max_size") = 0,
               nb::arg("reference").none() = nb::none());
  };
  whole("compress", &Whole<llma_compress>);
  whole("compress_short", &Whole<llma_compress_short>);
  whole("decompress", &Whole<llma_decompress>);
  nb::class_<PyCutter>(module, "Cutter")
      .def(nb::init<nb::handle, nb::handle, nb::handle, nb::handle, nb::handle,
                    nb::handle>(),
           nb::arg("level"), nb::arg("model").none(), nb::arg("threads"),
           nb::arg("memory_bytes"), nb::arg("settings").none(),
           nb::arg("reference").none() = nb::none())
      .def("run", &PyCutter::Run, nb::arg("data"), nb::arg("action"));
  module.def(
      "level_uses_model",
      [](nb::handle level) {
        const uint64_t number = ToNumber(level, "level", LLMA_OPTION_LEVEL);
        return llma_level_uses_model(static_cast<int>(number)) != 0;
      },
      nb::arg("level"));
  module.def("level_info", &LevelInfo, nb::arg("level"),
             nb::arg("model").none(), nb::arg("threads"),
             nb::arg("settings").none(), nb::arg("content_bytes"),
             nb::arg("reference").none() = nb::none());
  module.def("inspect", &Inspect, nb::arg("data"), nb::arg("level"),
             nb::arg("model").none(), nb::arg("threads"),
             nb::arg("memory_bytes"), nb::arg("num_alternatives"));
}

}  // namespace llma_py
