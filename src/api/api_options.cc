// SPDX-License-Identifier: Apache-2.0
#include "api/api_options.h"

#include <climits>

#include "api/api_progress.h"
#include "base/machine_limits.h"
#include "codec/choose/levels.h"
#include "codec/frame/frame_context.h"
#include "kernels/kernel_table.h"

namespace llma::api {
namespace {

// Where an option is, and its bounds.
struct OptionRule {
  llma_option option;
  uint64_t llma_options::*value;
  uint64_t min, max;
  uint64_t granularity = 1;
};

constexpr OptionRule kRules[] = {
    {LLMA_OPTION_LEVEL, &llma_options::level, kFastestLevel, kBestLevel},
    {LLMA_OPTION_LANES, &llma_options::lanes, 0, kMaxLanes},
    {LLMA_OPTION_WINDOW, &llma_options::window, 0, kMaxWindowPositions,
     kWindowGranularity},
    {LLMA_OPTION_CONTEXT_MODELS, &llma_options::context_models, 0,
     LLMA_CONTEXTS_FULL},
    {LLMA_OPTION_FRAME_BYTES, &llma_options::frame_bytes, 0, kMaxContentBytes},
    {LLMA_OPTION_QUICK_START, &llma_options::quick_start, 0, 1},
    {LLMA_OPTION_CHECKSUMS, &llma_options::checksums, 0, 1},
    {LLMA_OPTION_AUTO_MODEL, &llma_options::auto_model, 0, 1},
    {LLMA_OPTION_EMBED_MODELS, &llma_options::embed_models, 0, 1},
    {LLMA_OPTION_LEARN, &llma_options::learn, 0, LLMA_LEARN_ALWAYS},
    {LLMA_OPTION_THREADS, &llma_options::threads, 0, kMaxThreads},
    {LLMA_OPTION_MEMORY_BYTES, &llma_options::memory_bytes, 0, UINT64_MAX},
    {LLMA_OPTION_TOTAL_BYTES, &llma_options::total_bytes, 0, UINT64_MAX},
    {LLMA_OPTION_MAX_CONTENT_BYTES, &llma_options::max_content_bytes, 0,
     UINT64_MAX},
    {LLMA_OPTION_STATS, &llma_options::stats, 0, 1},
    {LLMA_OPTION_ONE_FILE, &llma_options::one_file, 0, 1},
};
static_assert(LLMA_LEVEL_DEFAULT == kDefaultLevel);
static_assert(LLMA_LEVEL_FASTEST == kFastestLevel);
static_assert(LLMA_LEVEL_BEST == kBestLevel);
static_assert(LLMA_MAX_LANES == kMaxLanes);
static_assert(LLMA_MAX_REFERENCE_BYTES == kMaxReferenceBytes);
static_assert(LLMA_MAX_WINDOW == kMaxWindowPositions);
static_assert(LLMA_WINDOW_GRANULARITY == kWindowGranularity);

Result<const OptionRule*> FindRule(llma_option option) {
  for (const OptionRule& rule : kRules) {
    if (rule.option == option) return &rule;
  }
  return Usage("there is no such option");
}

uint64_t OrAll(uint64_t limit) { return limit == 0 ? ~uint64_t{0} : limit; }

}  // namespace

uint64_t MemoryBytes(const llma_options& options) {
  return options.memory_bytes == 0 ? UsableMemoryBytes() : options.memory_bytes;
}

ProgressCallback Progress(const llma_options& options,
                          const std::atomic<bool>* cancelled) {
  if (cancelled == nullptr && options.progress == nullptr) return {};
  // One for all copies of the callback.
  const auto teller =
      std::make_shared<ProgressTeller>(options.progress, options.progress_user);
  return [cancelled, teller](const CodecProgress& progress) {
    if (cancelled != nullptr && cancelled->load()) return false;
    return teller->Tell(progress.done_bytes, progress.total_bytes,
                        progress.coded_bytes);
  };
}

CompressContext* ContextOf(const llma_options& options) {
  return options.context && options.context->is_of_this_process()
             ? &options.context->codec()
             : nullptr;
}

FrameCallback OnFrame(const llma_options& options) {
  if (options.on_frame == nullptr) return {};
  return [tell = options.on_frame, user = options.frame_user](
             const FrameHeader& header, uint64_t frame_bytes) {
    llma_frame_info info = FrameInfo(header);
    info.frame_bytes = frame_bytes;
    CallBack(tell, user, &info);
  };
}

int NumThreads(uint64_t asked) {
  return asked == 0 ? NumProcessors()
                    : static_cast<int>(std::min<uint64_t>(
                          asked, static_cast<uint64_t>(NumAffineProcessors())));
}

llma_options Copy(const llma_options* options) {
  return options == nullptr ? llma_options() : *options;
}

DecompressOptions ForDecompressing(const llma_options& options,
                                   const std::atomic<bool>* cancelled,
                                   StageClock* clock) {
  DecompressOptions how;
  how.num_threads = NumThreads(options.threads);
  how.max_memory_bytes = MemoryBytes(options);
  how.verify_checksums = options.checksums != 0;
  how.total_bytes = options.total_bytes;
  how.max_content_bytes = OrAll(options.max_content_bytes);
  how.progress = Progress(options, cancelled);
  how.on_frame = OnFrame(options);
  how.kernels = options.kernels;
  how.clock = clock;
  how.context = ContextOf(options);
  how.reference = options.reference;
  return how;
}

llma_frame_info FrameInfo(const FrameHeader& header) {
  llma_frame_info info = LLMA_INIT(llma_frame_info);
  info.kind = header.has_content() ? static_cast<llma_frame_kind>(header.kind)
                                   : LLMA_FRAME_EXTRA;
  info.context_models = static_cast<llma_context_models>(
      static_cast<int>(header.context_models) + 1);
  info.content_bytes = header.content_bytes;
  info.has_checksum = header.has_checksum ? 1 : 0;
  std::copy(header.model_id.begin(), header.model_id.end(), info.model_id);
  info.num_lanes = static_cast<uint32_t>(header.lane_bytes.size());
  info.window = header.window_positions;
  if (header.reference_id) {
    info.reference_bytes = header.reference_id->size_bytes;
    info.reference_xxh3 = header.reference_id->xxh3;
  }
  info.learns = Learns(header) ? 1 : 0;
  return info;
}

}  // namespace llma::api

using namespace llma::api;

extern "C" {

llma_status llma_options_create(llma_options** options, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    *options = new llma_options;
    return llma::OkStatus();
  });
}

void llma_options_free(llma_options* options) { delete options; }

llma_status llma_options_set(llma_options* options, llma_option option,
                             uint64_t value, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    LLMA_ASSIGN(const OptionRule* rule, FindRule(option));
    if (value < rule->min || value > rule->max ||
        value % rule->granularity != 0) {
      return Usage("the value of an option is out of bounds");
    }
    options->*rule->value = value;
    return llma::OkStatus();
  });
}

llma_status llma_options_get(const llma_options* options, llma_option option,
                             uint64_t* value, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    LLMA_REQUIRE(value);
    LLMA_ASSIGN(const OptionRule* rule, FindRule(option));
    *value = options->*rule->value;
    return llma::OkStatus();
  });
}

llma_status llma_option_get_bounds(llma_option option,
                                   llma_option_bounds* bounds,
                                   llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const OptionRule* rule, FindRule(option));
    return Fill(bounds, {0, rule->min, rule->max, rule->granularity,
                         llma_options().*rule->value});
  });
}

llma_status llma_options_set_model(llma_options* options, llma_model* model,
                                   llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->model = model == nullptr ? nullptr : model->opened;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_context(llma_options* options,
                                     llma_context* context, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->context = context == nullptr ? nullptr : context->shared;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_reference(llma_options* options, const void* text,
                                       size_t text_bytes, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(text, text_bytes));
    LLMA_ASSIGN(options->reference,
                llma::Reference::Create({bytes.begin(), bytes.end()}));
    return llma::OkStatus();
  });
}

llma_status llma_options_share_reference(llma_options* options,
                                         const llma_options* from,
                                         llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    LLMA_REQUIRE(from);
    options->reference = from->reference;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_model_finder(llma_options* options,
                                          llma_find_model_fn find, void* user,
                                          llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->find = find;
    options->find_user = user;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_kernels(llma_options* options, const char* name,
                                     llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    const std::string kernels = name == nullptr ? "" : name;
    LLMA_TRY(llma::FindKernels(kernels));
    options->kernels = kernels;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_source_info(llma_options* options,
                                         const llma_source_info* info,
                                         llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    if (info == nullptr) {
      options->source_info.reset();
      return llma::OkStatus();
    }
    LLMA_ASSIGN(const llma_source_info given, Load(info));
    if (given.name == nullptr || !llma::IsPlainFileName(given.name)) {
      return Usage("the name of the source is not a plain file name");
    }
    if (given.mode > 07777 || given.mtime_nanoseconds > 999999999) {
      return Usage("mode or time of the source are out of bounds");
    }
    options->source_info = {given.name, given.mode, given.mtime_seconds,
                            given.mtime_nanoseconds};
    return llma::OkStatus();
  });
}

llma_status llma_options_set_progress(llma_options* options,
                                      llma_progress_fn callback, void* user,
                                      llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->progress = callback;
    options->progress_user = user;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_note(llma_options* options, llma_note_fn callback,
                                  void* user, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->note = callback;
    options->note_user = user;
    return llma::OkStatus();
  });
}

llma_status llma_options_set_frame_callback(llma_options* options,
                                            llma_frame_fn callback, void* user,
                                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(options);
    options->on_frame = callback;
    options->frame_user = user;
    return llma::OkStatus();
  });
}

}  // extern "C"
