// SPDX-License-Identifier: Apache-2.0
// <llma/llma.h> for C++20, header only: handles that free themselves, errors as
// values (llma::Result). What functions mean is said there. Handles are
// movable; their thread contract is that of the C interface.
#ifndef LLMA_LLMA_HPP_
#define LLMA_LLMA_HPP_

#include <llma/llma.h>

#include <cstddef>
#include <cstdint>
#include <llma/result.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace llma {
inline namespace api_v0 {

namespace detail {

inline Error ToError(llma_status status, const llma_error& error) {
  return Error{static_cast<ErrorCode>(status), error.text, error.offset};
}

template <auto kFree>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const {
    kFree(handle);
  }
};
template <class Handle, auto kFree>
using Owner = std::unique_ptr<Handle, Deleter<kFree>>;

}  // namespace detail

class Model {
 public:
  // Empty: the default model.
  static Result<Model> Open(const std::string& name_or_path = {}) {
    llma_error error;
    llma_model* model = nullptr;
    const llma_status status =
        llma_model_open(name_or_path.c_str(), &model, &error);
    if (status != LLMA_OK) return detail::ToError(status, error);
    return Model(model);
  }
  llma_model* get() const { return handle_.get(); }

 private:
  explicit Model(llma_model* model) : handle_(model) {}
  detail::Owner<llma_model, llma_model_free> handle_;
};

class Options {
 public:
  static Result<Options> Create() {
    llma_error error;
    llma_options* options = nullptr;
    const llma_status status = llma_options_create(&options, &error);
    if (status != LLMA_OK) return detail::ToError(status, error);
    return Options(options);
  }
  Status Set(llma_option option, uint64_t value) {
    llma_error error;
    const llma_status status = llma_options_set(get(), option, value, &error);
    if (status != LLMA_OK) return detail::ToError(status, error);
    return OkStatus();
  }
  Status SetModel(const Model& model) {
    llma_error error;
    const llma_status status =
        llma_options_set_model(get(), model.get(), &error);
    if (status != LLMA_OK) return detail::ToError(status, error);
    return OkStatus();
  }
  // For what has no function here.
  llma_options* get() const { return handle_.get(); }

 private:
  explicit Options(llma_options* options) : handle_(options) {}
  detail::Owner<llma_options, llma_options_free> handle_;
};

namespace detail {

// Encoder and Decoder. Each call gives its output to `sink`, which takes a
// std::span<const uint8_t> and returns a Status.
template <class Handle, auto kCreate, auto kFree, auto kRun, auto kCancel>
class Stream {
 public:
  static Result<Stream> Create(const Options& options) {
    llma_error error;
    Handle* handle = nullptr;
    const llma_status status = kCreate(options.get(), &handle, &error);
    if (status != LLMA_OK) return ToError(status, error);
    return Stream(handle);
  }
  template <class Sink>
  Status Append(std::span<const uint8_t> bytes, const Sink& sink) {
    return Drive(bytes, LLMA_RUN, sink);
  }
  template <class Sink>
  Status Flush(const Sink& sink) {
    return Drive({}, LLMA_FLUSH, sink);
  }
  template <class Sink>
  Status Finish(const Sink& sink) {
    return Drive({}, LLMA_FINISH, sink);
  }
  // From any thread.
  void Cancel() { kCancel(get()); }
  Handle* get() const { return handle_.get(); }

 private:
  explicit Stream(Handle* handle) : handle_(handle), room_(size_t{1} << 16) {}

  template <class Sink>
  Status Drive(std::span<const uint8_t> bytes, llma_action action,
               const Sink& sink) {
    llma_input input = {bytes.data(), bytes.size(), 0};
    for (;;) {
      llma_output output = {room_.data(), room_.size(), 0};
      llma_error error;
      const llma_status status = kRun(get(), &input, &output, action, &error);
      if (output.used_bytes > 0) {
        const Status taken =
            sink(std::span<const uint8_t>(room_).first(output.used_bytes));
        if (!taken) return taken;
      }
      if (status > 0) return ToError(status, error);
      if (status != LLMA_NEED_OUTPUT) return OkStatus();
    }
  }

  Owner<Handle, kFree> handle_;
  std::vector<uint8_t> room_;
};

}  // namespace detail

using Encoder =
    detail::Stream<llma_encoder, llma_encoder_create, llma_encoder_free,
                   llma_encoder_run, llma_encoder_cancel>;
using Decoder =
    detail::Stream<llma_decoder, llma_decoder_create, llma_decoder_free,
                   llma_decoder_run, llma_decoder_cancel>;

namespace detail {

template <auto kFunction>
Result<std::vector<uint8_t>> Whole(std::span<const uint8_t> bytes,
                                   const Options& options) {
  llma_error error;
  void* data = nullptr;
  size_t size_bytes = 0;
  const llma_status status = kFunction(
      bytes.data(), bytes.size(), options.get(), &data, &size_bytes, &error);
  if (status != LLMA_OK) return ToError(status, error);
  const std::unique_ptr<void, Deleter<llma_free>> owner(data);
  const auto* begin = static_cast<const uint8_t*>(data);
  return std::vector<uint8_t>(begin, begin + size_bytes);
}

}  // namespace detail

inline Result<std::vector<uint8_t>> Compress(std::span<const uint8_t> content,
                                             const Options& options) {
  return detail::Whole<llma_compress>(content, options);
}
inline Result<std::vector<uint8_t>> CompressShort(
    std::span<const uint8_t> content, const Options& options) {
  return detail::Whole<llma_compress_short>(content, options);
}
inline Result<std::vector<uint8_t>> Decompress(std::span<const uint8_t> file,
                                               const Options& options) {
  return detail::Whole<llma_decompress>(file, options);
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_LLMA_HPP_
