// SPDX-License-Identifier: Apache-2.0
// What encoders, decoders and functions for whole files go by.
#ifndef LLMA_OPTIONS_HPP_
#define LLMA_OPTIONS_HPP_

#include <functional>
#include <llma/models.hpp>

namespace llma {
inline namespace api_v0 {

// What a file says of its source.
struct SourceInfo {
  std::string name;           // without folders
  uint32_t mode = 0;          // permission bits of POSIX
  int64_t mtime_seconds = 0;  // since 1970, UTC
  uint32_t mtime_nanoseconds = 0;
};

namespace detail {

inline std::optional<SourceInfo> ToSourceInfo(const llma_source_info& info) {
  if (info.name == nullptr) return std::nullopt;
  return SourceInfo{info.name, info.mode, info.mtime_seconds,
                    info.mtime_nanoseconds};
}

}  // namespace detail

// Threads, tables, tokenizers and open models that calls keep for the next
// ones. Thread-safe.
class Context {
 public:
  static Result<Context> Create() {
    llma_context* context = nullptr;
    LLMA_TRY(detail::Call(llma_context_create, &context));
    return Context(context);
  }
  llma_context* get() const { return handle_.get(); }

 private:
  explicit Context(llma_context* context) : handle_(context) {}
  detail::Owner<llma_context, llma_context_free> handle_;
};

// Callbacks live as long as the options, and what was made with them. One that
// throws ends the work with an error: kCancelled of Progress; but what OnFrame
// and Note throw is dropped.
class Options {
 public:
  using Progress = std::function<bool(const llma_progress&)>;  // false cancels
  using OnFrame = std::function<void(const llma_frame_info&)>;
  using Note = std::function<void(const std::string&)>;
  using FindModel =
      std::function<Result<Model>(std::span<const uint8_t>, uint32_t)>;

  static Result<llma_option_bounds> Bounds(llma_option option) {
    llma_option_bounds bounds = LLMA_INIT(llma_option_bounds);
    LLMA_TRY(detail::Call(llma_option_get_bounds, option, &bounds));
    return bounds;
  }
  static Result<Options> Create() {
    llma_options* options = nullptr;
    LLMA_TRY(detail::Call(llma_options_create, &options));
    return Options(options);
  }
  Status Set(llma_option option, uint64_t value) {
    return detail::Call(llma_options_set, get(), option, value);
  }
  Result<uint64_t> Get(llma_option option) const {
    uint64_t value = 0;
    LLMA_TRY(detail::Call(llma_options_get, get(), option, &value));
    return value;
  }
  Status SetModel(const Model& model) {
    return detail::Call(llma_options_set_model, get(), model.get());
  }
  Status SetContext(const Context& context) {
    return detail::Call(llma_options_set_context, get(), context.get());
  }
  // A text that both sides read first, of which the options have a copy.
  Status SetReference(std::span<const uint8_t> text) {
    return detail::Call(llma_options_set_reference, get(), text.data(),
                        text.size());
  }
  // That of others, without a copy.
  Status ShareReference(const Options& from) {
    return detail::Call(llma_options_share_reference, get(), from.get());
  }
  Status SetKernels(const std::string& name) {
    return detail::Call(llma_options_set_kernels, get(), name.c_str());
  }
  Status SetSourceInfo(const SourceInfo& source) {
    const llma_source_info info = {
        sizeof(llma_source_info), source.name.c_str(), source.mode,
        source.mtime_seconds, source.mtime_nanoseconds};
    return detail::Call(llma_options_set_source_info, get(), &info);
  }
  Status SetProgress(Progress progress) {
    Change().progress = std::move(progress);
    return SetCallbacks();
  }
  Status SetOnFrame(OnFrame on_frame) {
    Change().on_frame = std::move(on_frame);
    return SetCallbacks();
  }
  Status SetNote(Note note) {
    Change().note = std::move(note);
    return SetCallbacks();
  }
  Status SetModelFinder(FindModel find) {
    Change().find = std::move(find);
    return SetCallbacks();
  }
  llma_options* get() const { return handle_.get(); }
  // Whoever works with the options holds their callbacks.
  std::shared_ptr<const void> callbacks() const { return callbacks_; }

 private:
  struct Callbacks {
    Progress progress;
    OnFrame on_frame;
    Note note;
    FindModel find;
  };

  explicit Options(llma_options* options) : handle_(options) {}

  // A copy, for others may use the callbacks that were set before.
  Callbacks& Change() {
    const auto changed = callbacks_ == nullptr
                             ? std::make_shared<Callbacks>()
                             : std::make_shared<Callbacks>(*callbacks_);
    callbacks_ = changed;
    return *changed;
  }
  Status SetCallbacks() {
    const Callbacks& c = *callbacks_;
    void* user = const_cast<Callbacks*>(callbacks_.get());
    LLMA_TRY(detail::Call(llma_options_set_progress, get(),
                          c.progress ? TellProgress : nullptr, user));
    LLMA_TRY(detail::Call(llma_options_set_frame_callback, get(),
                          c.on_frame ? TellFrame : nullptr, user));
    LLMA_TRY(detail::Call(llma_options_set_note, get(),
                          c.note ? TellNote : nullptr, user));
    return detail::Call(llma_options_set_model_finder, get(),
                        c.find ? AskForModel : nullptr, user);
  }

  static const Callbacks& Of(void* user) {
    return *static_cast<const Callbacks*>(user);
  }
  static int TellProgress(void* user, const llma_progress* progress) {
    return detail::ProtectProgress(
        [&] { return Of(user).progress(*progress); });
  }
  static void TellFrame(void* user, const llma_frame_info* frame) {
    detail::ProtectNote([&] { Of(user).on_frame(*frame); });
  }
  static void TellNote(void* user, const char* text) {
    detail::ProtectNote([&] { Of(user).note(text); });
  }
  static llma_status AskForModel(void* user, const uint8_t* id, size_t id_bytes,
                                 uint32_t candidate, llma_model** model,
                                 llma_error* error) {
    std::optional<Error> kept;
    return detail::Protect(kept, error, [&]() -> Status {
      LLMA_ASSIGN(Model found, Of(user).find({id, id_bytes}, candidate));
      *model = found.release();
      return OkStatus();
    });
  }

  detail::Owner<llma_options, llma_options_free> handle_;
  std::shared_ptr<const Callbacks> callbacks_;
};

// What the level of the options means, and the memory that a frame of
// `content_bytes` needs; 0: of a whole frame.
inline Result<llma_level_info> LevelInfo(const Options& options,
                                         uint64_t content_bytes = 0) {
  llma_level_info info = LLMA_INIT(llma_level_info);
  LLMA_TRY(
      detail::Call(llma_level_get_info, options.get(), content_bytes, &info));
  return info;
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_OPTIONS_HPP_
