// SPDX-License-Identifier: Apache-2.0
// Contents and files: in pieces, or whole in memory.
#ifndef LLMA_STREAMS_HPP_
#define LLMA_STREAMS_HPP_

#include <llma/files.hpp>
#include <vector>

namespace llma {
inline namespace api_v0 {
namespace detail {

// What encoders and decoders share. Each call gives its output to `sink`, which
// takes a std::span<const uint8_t> and returns a Status. Cancel() may be called
// by any thread; so do not move a stream that another one may cancel.
template <class Handle, auto kFree, auto kRun, auto kCancel, auto kGetTotals,
          auto kGetStats>
class Stream {
 public:
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
  void Cancel() { kCancel(get()); }
  llma_totals totals() const { return Get<llma_totals>(kGetTotals, get()); }
  llma_stats stats() const { return Get<llma_stats>(kGetStats, get()); }
  Handle* get() const { return handle_.get(); }

 protected:
  Stream(Handle* handle, const Options& options)
      : callbacks_(options.callbacks()),
        handle_(handle),
        room_(size_t{1} << 16) {}
  Stream(Stream&&) = default;
  // What it was ends first: its threads still call the callbacks.
  Stream& operator=(Stream&& other) noexcept {
    if (this != &other) {
      handle_ = std::move(other.handle_);
      callbacks_ = std::move(other.callbacks_);
      room_ = std::move(other.room_);
    }
    return *this;
  }

 private:
  template <class Sink>
  Status Drive(std::span<const uint8_t> bytes, llma_action action,
               const Sink& sink) {
    llma_input input = {bytes.data(), bytes.size(), 0};
    for (;;) {
      llma_output output = {room_.data(), room_.size(), 0};
      llma_error error{};
      const llma_status status = kRun(get(), &input, &output, action, &error);
      if (output.used_bytes > 0) {
        LLMA_TRY(
            sink(std::span<const uint8_t>(room_).first(output.used_bytes)));
      }
      if (status > 0) return ToError(status, error);
      if (status != LLMA_NEED_OUTPUT) return OkStatus();
    }
  }

  std::shared_ptr<const void> callbacks_;
  Owner<Handle, kFree> handle_;
  std::vector<uint8_t> room_;
};

using EncoderBase = Stream<llma_encoder, llma_encoder_free, llma_encoder_run,
                           llma_encoder_cancel, llma_encoder_get_totals,
                           llma_encoder_get_stats>;
using DecoderBase = Stream<llma_decoder, llma_decoder_free, llma_decoder_run,
                           llma_decoder_cancel, llma_decoder_get_totals,
                           llma_decoder_get_stats>;

}  // namespace detail

// Content in, compressed file out.
class Encoder : public detail::EncoderBase {
 public:
  // Where an interrupted compression goes on.
  struct ResumePoint {
    uint64_t content_bytes = 0;
    uint64_t file_bytes = 0;
  };

  static Result<Encoder> Create(const Options& options) {
    llma_encoder* encoder = nullptr;
    LLMA_TRY(detail::Call(llma_encoder_create, options.get(), &encoder));
    return Encoder(encoder, options);
  }
  // Of a new encoder: goes on after the whole frames of `partial_file`.
  Result<ResumePoint> Resume(const Reader& partial_file,
                             const Reader& content) {
    const detail::CReader part(partial_file), source(content);
    ResumePoint point;
    LLMA_TRY(part.Whole(source.Whole(
        detail::Call(llma_encoder_resume, get(), part.get(), source.get(),
                     &point.content_bytes, &point.file_bytes))));
    return point;
  }
  // Goes on with frames that were made elsewhere; see llma_cutter.
  template <class Sink>
  Status AddFrames(std::span<const uint8_t> frames, const Sink& sink) {
    LLMA_TRY(detail::Call(llma_encoder_add_frames, get(), frames.data(),
                          frames.size()));
    return Append({}, sink);
  }

 private:
  Encoder(llma_encoder* encoder, const Options& options)
      : detail::EncoderBase(encoder, options) {}
};

// Where an encoder with the same options cuts a content into frames.
class Cutter {
 public:
  static Result<Cutter> Create(const Options& options) {
    llma_cutter* cutter = nullptr;
    LLMA_TRY(detail::Call(llma_cutter_create, options.get(), &cutter));
    return Cutter(cutter);
  }
  // The frames that are known to end in the content so far: how much each has.
  Result<std::vector<uint64_t>> Append(std::span<const uint8_t> content) {
    return Drive(content, LLMA_RUN);
  }
  // The rest of them.
  Result<std::vector<uint64_t>> Finish() { return Drive({}, LLMA_FINISH); }
  llma_cutter* get() const { return handle_.get(); }

 private:
  explicit Cutter(llma_cutter* cutter) : handle_(cutter) {}

  Result<std::vector<uint64_t>> Drive(std::span<const uint8_t> content,
                                      llma_action action) {
    llma_input input = {content.data(), content.size(), 0};
    std::vector<uint64_t> frames;
    for (;;) {
      uint64_t frame_bytes = 0;
      llma_error error{};
      const llma_status status =
          llma_cutter_run(get(), &input, action, &frame_bytes, &error);
      if (status > 0) return detail::ToError(status, error);
      if (status == LLMA_NEED_INPUT) return frames;
      frames.push_back(frame_bytes);
      if (status == LLMA_OK) return frames;
    }
  }

  detail::Owner<llma_cutter, llma_cutter_free> handle_;
};

// Compressed file, or short message, in; content out.
class Decoder : public detail::DecoderBase {
 public:
  static Result<Decoder> Create(const Options& options) {
    llma_decoder* decoder = nullptr;
    LLMA_TRY(detail::Call(llma_decoder_create, options.get(), &decoder));
    return Decoder(decoder, options);
  }
  // Once a part of the content is there.
  std::optional<SourceInfo> source_info() const {
    return detail::ToSourceInfo(
        detail::Get<llma_source_info>(llma_decoder_get_source_info, get()));
  }

 private:
  Decoder(llma_decoder* decoder, const Options& options)
      : detail::DecoderBase(decoder, options) {}
};

namespace detail {

template <auto kFunction>
Result<std::vector<uint8_t>> Whole(std::span<const uint8_t> bytes,
                                   const Options& options) {
  void* data = nullptr;
  size_t size_bytes = 0;
  LLMA_TRY(Call(kFunction, bytes.data(), bytes.size(), options.get(), &data,
                &size_bytes));
  const Owner<void, llma_free> owner(data);
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
// Of a file, or of a short message.
inline Result<std::vector<uint8_t>> Decompress(std::span<const uint8_t> file,
                                               const Options& options) {
  return detail::Whole<llma_decompress>(file, options);
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_STREAMS_HPP_
