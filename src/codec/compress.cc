// SPDX-License-Identifier: Apache-2.0
#include "codec/compress.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "base/machine_limits.h"
#include "cm/joint_predictor.h"
#include "codec/choose/content_cutter.h"
#include "codec/choose/levels.h"
#include "codec/choose/model_choice.h"
#include "codec/choose/model_contest.h"
#include "codec/choose/repetition_finder.h"
#include "codec/compress_context.h"
#include "codec/decompress.h"
#include "codec/frame/context_frame.h"
#include "codec/frame/frame_checks.h"
#include "codec/frame/frame_encoder.h"
#include "codec/frame/piece_coder.h"
#include "codec/frame/reference_start.h"
#include "codec/reference.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

// Of a frame that is being encoded: the content, also without repetitions, and
// its code, the frame, and how it would be stored; and what arrives meanwhile.
// What a language model predicts has pieces, too.
constexpr uint64_t kEncodeBytesPerContentByte = 7;
constexpr uint64_t kEncodeBytesPerPredictedByte = 16;
// Its tables of spellings and merges, and the compiled pattern.
constexpr uint64_t kTokenizerBytes = 1 << 20;
constexpr uint64_t kTokenizerBytesPerToken = 64;

FrameHeader StoredHeader(Bytes content, bool is_last, bool has_checksum) {
  FrameHeader header;
  header.is_last = is_last;
  header.content_bytes = header.payload_bytes = content.size();
  header.has_checksum = has_checksum;
  if (has_checksum) header.checksum = Checksum(content);
  return header;
}

uint32_t WindowPositions(const CompressOptions& options) {
  return options.window_positions != 0
             ? options.window_positions
             : SettingsOfLevel(options.level).window_positions;
}

bool Learns(const CompressOptions& options) {
  const LevelSettings& settings = SettingsOfLevel(options.level);
  return settings.uses_model && options.learns.value_or(settings.learns);
}

// What predictors read before a content.
uint64_t ReadReferenceBytes(const CompressOptions& options) {
  return options.reference ? options.reference->read_part().size() : 0;
}

// A content that is being compressed, and what is known of it.
class FrameCompressor {
 public:
  // The options have a context.
  FrameCompressor(Bytes content, bool is_last, const CompressOptions& options,
                  const KernelTable& kernels)
      : content_(content),
        options_(options),
        kernels_(kernels),
        shared_(*options.context),
        stored_(StoredHeader(content, is_last, options.has_checksums)),
        predicted_(content) {
    if (content.size() > kMaxContextContentBytes) return;
    RepetitionFinder finder(content.size(), options.reference
                                                ? options.reference->text()
                                                : Bytes());
    finder.Scan(content);
    repetitions_ = finder.Repetitions();
    if (repetitions_.empty()) return;
    // Something must be left to predict.
    if (finder.repeated_bytes() == content.size()) {
      --repetitions_.back().size_bytes;
    }
    rest_ = LeaveOut(repetitions_, content);
    predicted_ = rest_;
  }
  FrameCompressor(const FrameCompressor&) = delete;
  FrameCompressor& operator=(const FrameCompressor&) = delete;

  CompressedFrame Store() const { return {stored_, {}}; }

  // With the context models alone.
  Result<CompressedFrame> CodeWithContexts(ContextModels models,
                                           const ProgressCallback& progress,
                                           bool is_trial = false) {
    FrameHeader header = CodedHeader(FrameKind::kContexts, models);
    EnterStage(options_.clock, Stage::kCoding);
    LLMA_ASSIGN(std::vector<uint8_t> code,
                EncodeContextFrame(models, predicted_, kernels_, progress,
                                   NewCosts(is_trial), StartOfCode(),
                                   &shared_.pages(), reference()));
    EnterStage(options_.clock, Stage::kOther);
    return Coded(std::move(header), std::move(code));
  }

  // With the best of the language models, unless it is not worth its time.
  Result<CompressedFrame> CodeWithModel(
      std::span<const Model* const> candidates, ContextModels models) {
    std::optional<CompressedFrame> light;
    const bool is_large = predicted_.size() >= kMinBytesToChoose;
    if (predicted_.size() >= kMinBytesToTry) {
      LLMA_ASSIGN(light, CodeWithContexts(ContextModels::kLight,
                                          TrialProgress(), true));
      if (is_large ? DoContextsSuffice(predicted_, light->size_bytes())
                   : IsUnpredictable(predicted_, light->size_bytes())) {
        return *std::move(light);
      }
      if (!is_large) light.reset();
    }
    LLMA_ASSIGN(const Model* chosen,
                ChooseModel(candidates, predicted_, kernels_, options_,
                            TrialProgress()));
    const Model& model = *chosen;
    FrameHeader header = CodedHeader(FrameKind::kCoded, models);
    std::copy_n(model.fingerprint().begin(), header.model_id.size(),
                header.model_id.begin());
    LLMA_ASSIGN(const auto tokenizer, shared_.TokenizerOf(model));
    const std::vector<TextPiece> pieces = tokenizer->Encode(predicted_);
    header.lane_bytes = SplitIntoLanes(
        pieces,
        options_.num_lanes != 0
            ? options_.num_lanes
            : LanesForContent(pieces.size(),
                              SettingsOfLevel(options_.level).max_lanes));
    header.window_positions =
        WindowForContent(model.config(), WindowPositions(options_),
                         pieces.size(), ReadReferenceBytes(options_));
    LLMA_ASSIGN(const auto engine, shared_.EngineOf(model, kernels_));
    const auto pool = shared_.TakePool(options_.num_threads);
    FrameContext context = {
        *engine, kernels_,          *pool,         header.window_positions,
        models,  options_.progress, options_.clock};
    context.pages = &shared_.pages();
    context.reference = reference();
    if (light) {
      LLMA_ASSIGN(const uint64_t light_bytes,
                  LightBytesAlone(light->size_bytes()));
      LLMA_ASSIGN(const bool is_worthwhile,
                  IsModelWorthwhile(context, predicted_, pieces, light_bytes));
      if (!is_worthwhile) {
        // The full set is still several times as fast as a language model.
        if (options_.context_models == ContextModels::kLight) {
          return *std::move(light);
        }
        return CodeWithContexts(ContextModels::kFull, options_.progress);
      }
    }
    context.learns = LearnsFrom(pieces.size(), header.lane_bytes.size());
    if (context.learns) header.predictor_id = kLearningPredictorId;
    FrameCosts light_costs = std::move(costs_);
    context.costs = NewCosts();
    LLMA_ASSIGN(std::vector<uint8_t> code,
                EncodeFrame(context, predicted_, pieces, header.lane_bytes,
                            StartOfCode()));
    LLMA_ASSIGN(CompressedFrame coded,
                Coded(std::move(header), std::move(code)));
    if (!light || coded.size_bytes() < light->size_bytes()) return coded;
    costs_ = std::move(light_costs);
    return *std::move(light);
  }

  // Reports what each piece of the finished frame cost.
  void ReportCosts(const CompressedFrame& frame) {
    if (!options_.on_costs) return;
    if (frame.header.kind == FrameKind::kStored) {
      costs_.pieces.clear();
      for (size_t i = 0; i < content_.size(); ++i) {
        costs_.pieces.push_back({i, 1, 8, -1, {}});
      }
    } else if (!repetitions_.empty()) {
      AddRepetitionCosts();
    }
    options_.on_costs(std::move(costs_.pieces));
  }

 private:
  // Of so few pieces there would be no step. Of what is no text, models of
  // language learn what is soon wrong again: 2 % more for records of numbers.
  bool LearnsFrom(size_t num_pieces, size_t num_lanes) const {
    return Learns(options_) &&
           num_pieces > num_lanes * TurnsPerLearningStep(num_lanes) &&
           (options_.learns || LooksLikeText(predicted_));
  }

  FrameHeader CodedHeader(FrameKind kind, ContextModels models) const {
    FrameHeader header = stored_;
    header.kind = kind;
    header.predictor_id = kPredictorId;
    header.context_models = models;
    header.repeated_bytes = content_.size() - predicted_.size();
    if (options_.reference) header.reference_id = options_.reference->id();
    return header;
  }

  ReferenceUse reference() const {
    return {options_.reference.get(), &shared_};
  }

  // What the light set makes of it without the reference, which the language
  // model is not given either when the two are compared.
  Result<uint64_t> LightBytesAlone(uint64_t with_reference) const {
    if (!options_.reference) return with_reference;
    LLMA_ASSIGN(const std::vector<uint8_t> code,
                EncodeContextFrame(ContextModels::kLight, predicted_, kernels_,
                                   TrialProgress(), nullptr, StartOfCode(),
                                   &shared_.pages()));
    return code.size();
  }

  // The start of a code.
  BinaryEncoder StartOfCode() const {
    BinaryEncoder coder;
    EncodeRepetitions(repetitions_, coder);
    return coder;
  }

  // The coded frame, or the stored one if that is not larger.
  Result<CompressedFrame> Coded(FrameHeader header,
                                std::vector<uint8_t> code) const {
    if (code.size() >= content_.size()) return Store();
    header.payload_bytes = code.size();
    LLMA_TRY(CheckFrameHeader(header));
    CompressedFrame coded = {std::move(header), std::move(code)};
    if (coded.size_bytes() < Store().size_bytes()) return coded;
    return Store();
  }

  // Of what is coded next, if anybody wants to know.
  FrameCosts* NewCosts(bool is_trial = false) {
    if (!options_.on_costs) return nullptr;
    costs_ = {.max_alternatives = options_.max_alternatives, .pieces = {}};
    if (options_.on_new_costs && !is_trial) {
      costs_.on_new = [this](std::vector<PieceCost> pieces) {
        for (PieceCost& piece : pieces) {
          piece.content_ofs = ContentOffset(piece.content_ofs);
        }
        options_.on_new_costs(std::move(pieces));
      };
    }
    return &costs_;
  }

  // Where a byte of the predicted content is in all of it.
  uint64_t ContentOffset(uint64_t predicted_ofs) const {
    uint64_t ofs = predicted_ofs, gaps = 0;
    for (const Repetition& repetition : repetitions_) {
      gaps += repetition.gap_bytes;
      if (gaps > predicted_ofs) break;
      ofs += repetition.size_bytes;
    }
    return ofs;
  }

  // Pieces of the predicted content as pieces of all of it.
  void AddRepetitionCosts() {
    const double bits = 8.0 *
                        static_cast<double>(StartOfCode().Finish().size()) /
                        static_cast<double>(repetitions_.size());
    std::vector<PieceCost> located;
    auto next = repetitions_.begin();
    uint64_t ofs = 0, gap_bytes = next->gap_bytes;
    const auto add_repetitions = [&] {
      while (next != repetitions_.end() && gap_bytes == 0) {
        const auto size = static_cast<uint32_t>(next->size_bytes);
        located.push_back({ofs, size, bits, -1, {}});
        ofs += size;
        gap_bytes = ++next != repetitions_.end() ? next->gap_bytes : 0;
      }
    };
    for (PieceCost& piece : costs_.pieces) {
      add_repetitions();
      // One that goes on after a repetition is two.
      while (next != repetitions_.end() && piece.size_bytes > gap_bytes) {
        const auto size = static_cast<uint32_t>(gap_bytes);
        located.push_back({ofs, size, std::exchange(piece.bits, 0),
                           std::exchange(piece.model_bits, -1),
                           std::exchange(piece.alternatives, {})});
        ofs += size;
        piece.size_bytes -= size;
        gap_bytes = 0;
        add_repetitions();
      }
      piece.content_ofs = ofs;
      ofs += piece.size_bytes;
      if (next != repetitions_.end()) gap_bytes -= piece.size_bytes;
      located.push_back(std::move(piece));
    }
    add_repetitions();
    costs_.pieces = std::move(located);
  }

  // Asks whether to go on; what is done may have to be done again.
  ProgressCallback TrialProgress() const {
    if (!options_.progress) return {};
    return [this](const CodecProgress& progress) {
      return options_.progress({0, progress.total_bytes, 0});
    };
  }

  const Bytes content_;
  const CompressOptions& options_;
  const KernelTable& kernels_;
  CompressContext& shared_;
  const FrameHeader stored_;
  FrameCosts costs_;  // of the last code
  std::vector<Repetition> repetitions_;
  std::vector<uint8_t> rest_;  // without them
  Bytes predicted_;            // the content if there are none
};

// What the level asks for; not whether there is memory.
Status CheckOptions(const Model* model, const CompressOptions& options) {
  if (options.level < kFastestLevel || options.level > kBestLevel) {
    return Error{ErrorCode::kUsage, "there is no such level"};
  }
  if (SettingsOfLevel(options.level).uses_model && model == nullptr) {
    return Error{ErrorCode::kModelMissing, "this level needs a model"};
  }
  return OkStatus();
}

// What coding needs for the model: of few pieces in a wide window, or of as
// many as there may be.
uint64_t LanguageModelBytes(const Model& model, uint64_t predicted_bytes,
                            const CompressOptions& options, int num_threads) {
  uint64_t most = 0;
  for (const uint64_t pieces :
       {std::min<uint64_t>(predicted_bytes, kShortPieces), predicted_bytes}) {
    const uint32_t lanes =
        options.num_lanes != 0
            ? options.num_lanes
            : LanesForContent(static_cast<size_t>(pieces),
                              SettingsOfLevel(options.level).max_lanes);
    const uint32_t window = WindowForContent(
        model.config(), WindowPositions(options), static_cast<size_t>(pieces),
        ReadReferenceBytes(options));
    const uint64_t reading_bytes =
        options.reference
            ? ReadingMemoryBytes(model.config(), window, num_threads)
            : 0;
    most = std::max(
        most, EncoderMemoryBytes(EngineToEstimate(), model.config(), lanes,
                                 window, num_threads, Learns(options)) +
                  reading_bytes);
  }
  return most;
}

// The models that there is memory for, and what the largest needs.
struct Fitting {
  std::vector<const Model*> models;
  uint64_t needed_bytes = 0;
};

// An error if there is none.
Result<Fitting> FittingModels(uint64_t content_bytes, const Model* model,
                              const CompressOptions& options) {
  Fitting fitting;
  Status first = OkStatus();
  const auto add = [&](const Model* candidate) {
    const uint64_t needed_bytes =
        CompressMemoryBytes(content_bytes, candidate, options);
    const Status fits = CheckMemory(needed_bytes, options.max_memory_bytes);
    if (fits) {
      fitting.models.push_back(candidate);
      fitting.needed_bytes = std::max(fitting.needed_bytes, needed_bytes);
    }
    if (candidate == model) first = fits;
  };
  add(model);
  if (SettingsOfLevel(options.level).uses_model) {
    for (const Model* other : options.other_models) add(other);
  }
  if (fitting.models.empty()) return first.error();
  return fitting;
}

}  // namespace

uint64_t CompressMemoryBytes(uint64_t content_bytes, const Model* model,
                             const CompressOptions& options) {
  const LevelSettings& settings = SettingsOfLevel(options.level);
  const int num_threads =
      options.num_threads > 0 ? options.num_threads : NumProcessors();
  // Frames larger than the level's have so many repetitions.
  const uint64_t predicted_bytes =
      options.frame_bytes != 0 ? content_bytes
                               : std::min(content_bytes, settings.frame_bytes);
  const uint64_t read_bytes = ReadReferenceBytes(options) + predicted_bytes;
  uint64_t bytes = ContextModelsMemoryBytes(
      options.context_models.value_or(settings.context_models), read_bytes);
  if (settings.uses_model && model != nullptr) {
    bytes += kEncodeBytesPerPredictedByte * predicted_bytes + kTokenizerBytes +
             kTokenizerBytesPerToken * model->config().num_tokens +
             static_cast<uint64_t>(num_threads) * kBytesPerThread +
             LanguageModelBytes(*model, predicted_bytes, options, num_threads);
    // Before it the light set predicts, or instead of it either set.
    bytes = std::max(bytes, ContextModelsMemoryBytes(
                                options.context_models == ContextModels::kLight
                                    ? ContextModels::kLight
                                    : ContextModels::kFull,
                                read_bytes));
  }
  if (options.reference) {
    // Models start as others that have read it, alone or with the language
    // model; repetitions are found in all of it.
    bytes += options.reference->text().size() +
             ContextModelsMemoryBytes(ContextModels::kLight, read_bytes) +
             ContextModelsMemoryBytes(
                 options.context_models.value_or(settings.context_models),
                 read_bytes) +
             RepetitionFinder::MemoryBytes(content_bytes,
                                           options.reference->text().size());
  }
  return bytes + kEncodeBytesPerContentByte * content_bytes;
}

uint64_t RestoreMemoryBytes(uint64_t content_bytes, const Model* model,
                            const CompressOptions& options) {
  const LevelSettings& settings = SettingsOfLevel(options.level);
  FrameHeader header;
  header.kind = FrameKind::kContexts;
  header.content_bytes = header.payload_bytes = content_bytes;
  header.context_models =
      options.context_models.value_or(settings.context_models);
  if (options.reference) header.reference_id = options.reference->id();
  if (!settings.uses_model || model == nullptr) {
    return DecompressMemoryBytes(header, nullptr, options.num_threads);
  }
  header.kind = FrameKind::kCoded;
  header.predictor_id = Learns(options) ? kLearningPredictorId : kPredictorId;
  header.lane_bytes.resize(
      options.num_lanes != 0
          ? options.num_lanes
          : LanesForContent(static_cast<size_t>(content_bytes),
                            settings.max_lanes));
  header.window_positions = WindowForContent(
      model->config(), WindowPositions(options),
      static_cast<size_t>(content_bytes), ReadReferenceBytes(options));
  return DecompressMemoryBytes(header, model, options.num_threads);
}

Result<CompressedFrame> CompressFrame(Bytes content, bool is_last,
                                      const Model* model,
                                      const CompressOptions& given) try {
  LLMA_TRY(CheckOptions(model, given));
  const GivenContext context(given.context);
  const CompressOptions options = WithContext(given, *context);
  LLMA_ASSIGN(const Fitting fitting,
              FittingModels(content.size(), model, options));
  const LevelSettings& settings = SettingsOfLevel(options.level);
  LLMA_ASSIGN(const auto memory,
              context->Reserve(fitting.needed_bytes, options.max_memory_bytes));
  LLMA_ASSIGN(const KernelTable* kernels, ChooseKernels(options.kernels));
  FrameCompressor frame(content, is_last, options, *kernels);
  if (content.empty()) return frame.Store();
  const ContextModels models =
      options.context_models.value_or(settings.context_models);
  LLMA_ASSIGN(CompressedFrame coded,
              settings.uses_model
                  ? frame.CodeWithModel(fitting.models, models)
                  : frame.CodeWithContexts(models, options.progress));
  frame.ReportCosts(coded);
  LLMA_TRY(ReportProgress(
      options.progress, {content.size(), content.size(), coded.size_bytes()}));
  return coded;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kMemory, "out of memory"};
}

}  // namespace llma
