// SPDX-License-Identifier: Apache-2.0
#include "api/api_compress_options.h"

#include "api/api_callback.h"
#include "codec/compress.h"
#include "model/model_registry.h"

namespace llma::api {

CompressOptions ForCompressing(const llma_options& options,
                               const std::atomic<bool>* cancelled,
                               StageClock* clock) {
  CompressOptions how;
  how.level = static_cast<int>(options.level);
  how.num_threads = NumThreads(options.threads);
  how.num_lanes = static_cast<uint32_t>(options.lanes);
  how.window_positions = static_cast<uint32_t>(options.window);
  if (options.context_models != LLMA_CONTEXTS_OF_LEVEL) {
    how.context_models = static_cast<ContextModels>(options.context_models - 1);
  }
  if (options.learn != LLMA_LEARN_AS_LEVEL) {
    how.learns = options.learn == LLMA_LEARN_ALWAYS;
  }
  how.max_memory_bytes = MemoryBytes(options);
  how.has_checksums = options.checksums != 0;
  how.progress = Progress(options, cancelled);
  how.kernels = options.kernels;
  how.clock = clock;
  how.frame_bytes = options.frame_bytes;
  if (options.quick_start != 0 && options.frame_bytes == 0) {
    how.first_frame_bytes = SettingsOfLevel(how.level).first_frame_bytes;
  }
  how.total_bytes = options.total_bytes;
  how.source_info = options.source_info;
  how.embeds_models = options.embed_models != 0;
  how.on_frame = OnFrame(options);
  how.context = ContextOf(options);
  how.reference = options.reference;
  return how;
}

CompressionModels::CompressionModels(const llma_options& options)
    : ModelSource(options),
      is_auto_(options.auto_model != 0),
      max_memory_bytes_(MemoryBytes(options)),
      note_(options.note),
      note_user_(options.note_user) {}

Result<const Model*> CompressionModels::ForCompressing(int level) {
  if (!SettingsOfLevel(level).uses_model) return nullptr;
  if (is_auto_) return FindCandidates();
  if (is_given()) return Find({}, 0);
  return Hold(OpenByName(""));
}

Result<const Model*> CompressionModels::FindCandidates() {
  if (is_given()) {
    return Usage("a model is given, or chosen, but not both");
  }
  const Model* first = nullptr;
  others_.clear();
  // A file that cannot be read must not be in the way.
  const auto note = [this](const Error& error) {
    if (note_ != nullptr) CallBack(note_, note_user_, error.what.c_str());
  };
  const InstalledModels all = ListInstalledModels(ModelSearchPath());
  for (const ModelProblem& problem : all.problems) {
    if (problem.is_file) note(problem.error);
  }
  for (const InstalledModel& installed :
       ModelsToTry(all, max_memory_bytes_ / 2)) {
    const auto model = Hold(OpenByName(installed.path));
    if (!model) {
      note(model.error());
      continue;
    }
    if (first == nullptr) {
      first = *model;
    } else {
      others_.push_back(*model);
    }
  }
  // Without a model, opening the usual one fails with the right message.
  return first != nullptr ? Result(first) : Hold(OpenByName(""));
}

}  // namespace llma::api

using namespace llma::api;

extern "C" {

llma_status llma_level_get_info(const llma_options* options,
                                uint64_t content_bytes, llma_level_info* info,
                                llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    const llma_options given = Copy(options);
    const llma::CompressOptions how = ForCompressing(given, nullptr, nullptr);
    const llma::LevelSettings& settings = llma::SettingsOfLevel(how.level);
    CompressionModels source(given);
    LLMA_ASSIGN(const llma::Model* model, source.ForCompressing(how.level));
    const uint64_t frame_bytes =
        how.frame_bytes != 0 ? how.frame_bytes : settings.frame_bytes;
    const uint64_t bytes =
        content_bytes == 0 ? frame_bytes : std::min(content_bytes, frame_bytes);
    const uint32_t max_lanes =
        how.num_lanes != 0 ? how.num_lanes : settings.max_lanes;
    const uint32_t window = how.window_positions != 0
                                ? how.window_positions
                                : settings.window_positions;
    const llma::ContextModels contexts =
        how.context_models.value_or(settings.context_models);
    return Fill(
        info,
        {0, settings.uses_model ? 1 : 0,
         static_cast<llma_context_models>(static_cast<int>(contexts) + 1),
         settings.uses_model ? max_lanes : 0, settings.uses_model ? window : 0,
         frame_bytes, llma::CompressMemoryBytes(bytes, model, how),
         llma::RestoreMemoryBytes(bytes, model, how),
         model == nullptr ? 0 : model->file_bytes().size(),
         how.learns.value_or(settings.learns) && settings.uses_model ? 1 : 0});
  });
}

int llma_level_uses_model(int level) {
  return level >= llma::kFastestLevel && level <= llma::kBestLevel &&
                 llma::SettingsOfLevel(level).uses_model
             ? 1
             : 0;
}

}  // extern "C"
