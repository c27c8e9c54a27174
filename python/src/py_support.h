// SPDX-License-Identifier: Apache-2.0
// What the parts of the extension share: errors, options, buffers.
#ifndef LLMA_PYTHON_SRC_PY_SUPPORT_H_
#define LLMA_PYTHON_SRC_PY_SUPPORT_H_

#include <nanobind/nanobind.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "llma/llma.h"

namespace llma_py {

namespace nb = nanobind;

// Throws what Python shall raise: llma.LlmaError, or the exception that is set
// already (a signal's). `content`: what was restored before. The GIL must be
// held.
[[noreturn]] void Raise(const llma_error& error,
                        const nb::bytes& content = nb::bytes("", 0));
inline void Check(llma_status status, const llma_error& error) {
  if (status > 0) Raise(error);
}

// Throws llma.UsageError. The GIL must be held.
[[noreturn]] void RaiseUsage(std::string_view text);
[[noreturn]] void RaiseForked();

// Of an object that one call uses at a time. Another thread waits, without the
// GIL, and looks for signals; a signal handler that interrupted the call, on
// the same thread, gets an error.
class CallLock {
 public:
  // With the GIL.
  void Acquire();
  void Release();

 private:
  const pid_t pid_ = ::getpid();
  std::timed_mutex mutex_;
  std::atomic<std::thread::id> owner_{};
};

class CallLockGuard {
 public:
  explicit CallLockGuard(CallLock& lock) : lock_(lock) { lock_.Acquire(); }
  CallLockGuard(const CallLockGuard&) = delete;
  CallLockGuard& operator=(const CallLockGuard&) = delete;
  ~CallLockGuard() { lock_.Release(); }

 private:
  CallLock& lock_;
};

// The bytes of any object that has some, as long as this lives.
class View {
 public:
  explicit View(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0) {
      throw nb::python_error();
    }
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() { PyBuffer_Release(&buffer_); }
  const void* data() const { return buffer_.buf; }
  size_t size() const { return static_cast<size_t>(buffer_.len); }

 private:
  Py_buffer buffer_;
};

// Shares a model with others.
class PyModel {
 public:
  // nullptr: the default model.
  explicit PyModel(const char* name_or_path);
  // The installed one whose fingerprint starts so.
  PyModel(const uint8_t* fingerprint, size_t fingerprint_bytes);
  PyModel(const PyModel&) = delete;
  PyModel& operator=(const PyModel&) = delete;
  ~PyModel() { llma_model_free(model_); }
  llma_model* get() const { return model_; }
  llma_model_info info() const;

 private:
  llma_model* model_ = nullptr;
};

struct OptionsDeleter {
  void operator()(llma_options* options) const { llma_options_free(options); }
};
using Options = std::unique_ptr<llma_options, OptionsDeleter>;

// An argument that is an integer, as one of Python's; else throws TypeError.
nb::object ToIndex(nb::handle value);
// An argument that is an integer, with the bounds of this option or these.
// Throws TypeError if it is none, llma.UsageError if it is out of bounds.
uint64_t ToNumber(nb::handle value, std::string_view name, llma_option option);
uint64_t ToNumber(nb::handle value, std::string_view name, uint64_t min,
                  uint64_t max);

// How every function of the package is tuned. Numbers that are not set: the
// defaults of the library.
struct Tuning {
  nb::handle level{};
  nb::handle model{};  // a Model, "auto" or None
  nb::handle threads{};
  nb::handle memory_bytes{};
  nb::handle max_size{};
  bool one_file = false;
  nb::handle settings{};  // a dictionary of further options by name, or nothing
  // What is known of the source: (name, mode, seconds, nanoseconds), or
  // nothing.
  nb::handle source{};
  nb::handle reference{};  // bytes-like, or nothing
};
// Work that goes by these options ends when a signal handler raises.
Options MakeOptions(const Tuning& tuning);

struct LibraryDeleter {
  void operator()(void* memory) const { llma_free(memory); }
};
using LibraryMemory = std::unique_ptr<void, LibraryDeleter>;

void DefineModel(nb::module_& module);
void DefineCodec(nb::module_& module);
void DefineReader(nb::module_& module);

}  // namespace llma_py

#endif  // LLMA_PYTHON_SRC_PY_SUPPORT_H_
