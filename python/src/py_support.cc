// SPDX-License-Identifier: Apache-2.0
#include "py_support.h"

#include <nanobind/stl/string_view.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace llma_py {
namespace {

// So that an interrupt from the keyboard ends long work. Signals are handled on
// the main thread alone; elsewhere this does nothing.
int CheckSignals(void*, const llma_progress*) {
  nb::gil_scoped_acquire gil;
  return PyErr_CheckSignals() == 0 ? 0 : 1;
}

// For all calls. A child of fork() needs one of its own.
llma_context* ThisContext() {
  static std::mutex mutex;
  static llma_context* context = nullptr;
  static pid_t pid = 0;
  const std::lock_guard lock(mutex);
  if (context == nullptr || pid != ::getpid()) {
    llma_error error;
    llma_context_free(context);
    context = nullptr;
    Check(llma_context_create(&context, &error), error);
    pid = ::getpid();
  }
  return context;
}

struct NamedOption {
  const char* name;
  llma_option option;
};
constexpr NamedOption kSettings[] = {
    {"lanes", LLMA_OPTION_LANES},
    {"window", LLMA_OPTION_WINDOW},
    {"context_models", LLMA_OPTION_CONTEXT_MODELS},
    {"frame_bytes", LLMA_OPTION_FRAME_BYTES},
    {"checksums", LLMA_OPTION_CHECKSUMS},
    {"embed_models", LLMA_OPTION_EMBED_MODELS},
    {"learn", LLMA_OPTION_LEARN},
};

void SetByName(llma_options* options, const nb::dict& settings) {
  for (const auto& [name, value] : settings) {
    const std::string_view wanted = nb::cast<std::string_view>(name);
    const auto* found =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const auto& one) { return one.name == wanted; });
    if (found == std::end(kSettings)) {
      throw nb::key_error(std::string(wanted).c_str());
    }
    llma_error error;
    Check(llma_options_set(options, found->option,
                           ToNumber(value, wanted, found->option), &error),
          error);
  }
}

void SetSource(llma_options* options, const nb::tuple& source) {
  const auto name = nb::cast<nb::bytes>(source[0]);
  llma_source_info info = LLMA_INIT(llma_source_info);
  info.name = name.c_str();
  info.mode = nb::cast<uint32_t>(source[1]);
  info.mtime_seconds = nb::cast<int64_t>(source[2]);
  info.mtime_nanoseconds = nb::cast<uint32_t>(source[3]);
  llma_error error;
  Check(llma_options_set_source_info(options, &info, &error), error);
}

}  // namespace

void Raise(const llma_error& error, const nb::bytes& content) {
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  const nb::object make_error =
      nb::module_::import_("llma._errors").attr("make_error");
  const nb::object offset =
      error.offset == LLMA_NO_OFFSET
          ? nb::none()
          : nb::steal(PyLong_FromUnsignedLongLong(error.offset));
  const nb::object text = nb::steal(PyUnicode_DecodeUTF8(
      error.text,
      static_cast<Py_ssize_t>(std::char_traits<char>::length(error.text)),
      "replace"));
  const nb::object exception =
      make_error(text, llma_status_name(error.status), offset, content);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())),
                  exception.ptr());
  throw nb::python_error();
}

void RaiseUsage(std::string_view text) {
  llma_error error{};
  error.status = LLMA_ERROR_USAGE;
  error.offset = LLMA_NO_OFFSET;
  std::copy_n(text.data(), std::min(text.size(), sizeof(error.text) - 1),
              error.text);
  Raise(error);
}

void RaiseForked() {
  // As the library says it.
  RaiseUsage(
      "the stream was made before a fork; this process needs one of its own");
}

void CallLock::Acquire() {
  if (owner_.load() == std::this_thread::get_id()) {
    RaiseUsage("in use by the call that this one interrupted");
  }
  bool is_locked = mutex_.try_lock();
  while (!is_locked) {
    // A thread of the other process may hold it for ever.
    if (::getpid() != pid_) RaiseForked();
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    nb::gil_scoped_release release;
    is_locked = mutex_.try_lock_for(std::chrono::milliseconds(100));
  }
  owner_ = std::this_thread::get_id();
}

void CallLock::Release() {
  owner_ = std::thread::id();
  mutex_.unlock();
}

nb::object ToIndex(nb::handle value) {
  PyObject* const index = PyNumber_Index(value.ptr());
  if (index == nullptr) throw nb::python_error();
  return nb::steal(index);
}

uint64_t ToNumber(nb::handle value, std::string_view name, uint64_t min,
                  uint64_t max) {
  const nb::object number = ToIndex(value);
  const uint64_t found = PyLong_AsUnsignedLongLong(number.ptr());
  const bool fits = PyErr_Occurred() == nullptr;
  PyErr_Clear();
  if (!fits || found < min || found > max) {
    RaiseUsage(std::string(name) + " must be from " + std::to_string(min) +
               " to " + std::to_string(max));
  }
  return found;
}

uint64_t ToNumber(nb::handle value, std::string_view name, llma_option option) {
  llma_error error;
  llma_option_bounds bounds = LLMA_INIT(llma_option_bounds);
  Check(llma_option_get_bounds(option, &bounds, &error), error);
  return ToNumber(value, name, bounds.min, bounds.max);
}

Options MakeOptions(const Tuning& tuning) {
  llma_error error;
  llma_options* created = nullptr;
  Check(llma_options_create(&created, &error), error);
  Options options(created);
  Check(llma_options_set_context(created, ThisContext(), &error), error);
  const auto set = [&](llma_option option, uint64_t value) {
    Check(llma_options_set(created, option, value, &error), error);
  };
  const auto set_number = [&](llma_option option, const char* name,
                              nb::handle value) {
    if (value.is_valid()) set(option, ToNumber(value, name, option));
  };
  set_number(LLMA_OPTION_LEVEL, "level", tuning.level);
  set_number(LLMA_OPTION_THREADS, "threads", tuning.threads);
  set_number(LLMA_OPTION_MEMORY_BYTES, "memory_bytes", tuning.memory_bytes);
  set_number(LLMA_OPTION_MAX_CONTENT_BYTES, "max_size", tuning.max_size);
  set(LLMA_OPTION_ONE_FILE, tuning.one_file ? 1 : 0);
  if (nb::isinstance<nb::str>(tuning.model)) {
    set(LLMA_OPTION_AUTO_MODEL, 1);  // the only text that arrives here
  } else if (!tuning.model.is_none()) {
    llma_model* model = nb::cast<const PyModel&>(tuning.model).get();
    Check(llma_options_set_model(created, model, &error), error);
  }
  if (tuning.settings.is_valid() && !tuning.settings.is_none()) {
    SetByName(created, nb::cast<nb::dict>(tuning.settings));
  }
  if (tuning.source.is_valid() && !tuning.source.is_none()) {
    SetSource(created, nb::cast<nb::tuple>(tuning.source));
  }
  if (tuning.reference.is_valid() && !tuning.reference.is_none()) {
    const View text(tuning.reference);
    Check(llma_options_set_reference(created, text.data(), text.size(), &error),
          error);
  }
  Check(llma_options_set_progress(created, CheckSignals, nullptr, &error),
        error);
  return options;
}

}  // namespace llma_py
