// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/decode_ahead.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "cli/files/input_file.h"
#include "platform/interruptions.h"

namespace llma::cli {
namespace {

// As many as share passes.
constexpr size_t kMaxFiles = 64;
// Larger files have several lanes, mostly.
constexpr uint64_t kMaxFileBytes = 64 << 10, kMaxContentBytes = 64 << 10;
constexpr auto kProgressInterval = std::chrono::milliseconds(100);

}  // namespace

DecodeAhead::DecodeAhead(const Options& options, ModelCache& models,
                         std::function<bool(const std::string& in)> is_wanted)
    : options_(options),
      models_(models),
      is_wanted_(std::move(is_wanted)),
      max_memory_bytes_(MaxMemoryBytes(options)) {}

DecodeAhead::~DecodeAhead() {
  for (const auto& work : works_) {
    if (work) work->is_cancelled = true;
  }
  while (!works_.empty()) DropFirst();
}

void DecodeAhead::MoveTo(std::span<const std::string> inputs) {
  if (!works_.empty()) DropFirst();
  // What is not for this has the machine for itself.
  while (works_.size() < std::min(kMaxFiles, inputs.size()) &&
         (works_.empty() || works_.back())) {
    std::unique_ptr<Work> work = Read(inputs[works_.size()]);
    if (work && memory_bytes_ > max_memory_bytes_ - work->memory_bytes) break;
    if (work) memory_bytes_ += work->memory_bytes;
    works_.push_back(std::move(work));
  }
  // One alone is decoded when it is its turn.
  if (std::ranges::count_if(works_, [](const auto& work) { return !!work; }) <
      2) {
    return;
  }
  for (const auto& work : works_) {
    if (work && !work->done.valid()) Start(*work);
  }
}

const std::vector<uint8_t>* DecodeAhead::file() const {
  const bool is_here = !works_.empty() && works_[0] && works_[0]->done.valid();
  return is_here ? &works_[0]->file : nullptr;
}

const DecodedFile& DecodeAhead::Take(
    const std::function<bool(const llma_progress&)>& progress) {
  const Work& work = *works_[0];
  do {
    llma_progress now = LLMA_INIT(llma_progress);
    now.done_bytes = work.done_bytes;
    now.total_bytes = work.content_bytes;
    now.coded_bytes = work.coded_bytes;
    progress(now);
  } while (work.done.wait_for(kProgressInterval) != std::future_status::ready);
  return work.decoded;
}

std::unique_ptr<DecodeAhead::Work> DecodeAhead::Read(const std::string& in) {
  const auto info = in == "-" ? std::nullopt : InfoOf(in);
  if (!info || !info->is_regular() || info->size_bytes > kMaxFileBytes ||
      !is_wanted_(in)) {
    return nullptr;
  }
  // What is wrong with it is said when it is its turn.
  const auto input = InputFile::Open(in);
  if (!input || !(*input)->is_regular()) return nullptr;
  auto work = std::make_unique<Work>();
  while (work->file.size() <= kMaxFileBytes) {
    const auto bytes = (*input)->Read();
    if (!bytes) return nullptr;
    if (bytes->empty()) break;
    work->file.insert(work->file.end(), bytes->begin(), bytes->end());
  }
  const auto map = FileMap::Create(MemoryReader(work->file));
  if (!map || map->info().num_frames != 1 || map->info().num_models != 0) {
    return nullptr;
  }
  const llma_frame_info frame = map->frame(0);
  if (frame.kind != LLMA_FRAME_MODEL || frame.num_lanes != 1 ||
      frame.content_bytes > kMaxContentBytes) {
    return nullptr;
  }
  const auto memory_bytes = MemoryBytes(frame);
  if (!memory_bytes || *memory_bytes > max_memory_bytes_) return nullptr;
  work->content_bytes = frame.content_bytes;
  work->memory_bytes = *memory_bytes;
  return work;
}

// A bound, also of what is kept of it until it is its turn.
Result<uint64_t> DecodeAhead::MemoryBytes(const llma_frame_info& frame) {
  LLMA_ASSIGN(llma::Options how, MakeOptions(options_));
  LLMA_ASSIGN(const Model model, models_.StartsWith(frame.model_id));
  LLMA_TRY(how.SetModel(model));
  LLMA_TRY(how.Set(LLMA_OPTION_LEVEL, LLMA_LEVEL_DEFAULT));
  LLMA_TRY(how.Set(LLMA_OPTION_LANES, frame.num_lanes));
  LLMA_TRY(how.Set(LLMA_OPTION_WINDOW, frame.window));
  LLMA_TRY(how.Set(LLMA_OPTION_CONTEXT_MODELS,
                   static_cast<uint64_t>(frame.context_models)));
  LLMA_TRY(how.Set(LLMA_OPTION_LEARN,
                   frame.learns != 0 ? LLMA_LEARN_ALWAYS : LLMA_LEARN_NEVER));
  LLMA_ASSIGN(const llma_level_info info, LevelInfo(how, frame.content_bytes));
  return info.decompress_bytes + frame.frame_bytes + frame.content_bytes;
}

void DecodeAhead::Start(Work& work) {
  try {
    // Signals are for the thread that has outputs.
    const InterruptionBlock block;
    work.done = std::async(std::launch::async, [this, &work] {
      const auto start = std::chrono::steady_clock::now();
      try {
        work.decoded.status = Decode(work);
      } catch (const std::bad_alloc&) {
        work.decoded.status = Error{ErrorCode::kMemory, "out of memory"};
      }
      work.decoded.seconds = std::chrono::duration<double>(
                                 std::chrono::steady_clock::now() - start)
                                 .count();
    });
  } catch (const std::system_error&) {
    // No more threads: it is decoded when it is its turn.
  }
}

Status DecodeAhead::Decode(Work& work) {
  LLMA_ASSIGN(llma::Options how, MakeOptions(options_));
  LLMA_TRY(models_.SetToDecompress(how));
  LLMA_TRY(how.Set(LLMA_OPTION_TOTAL_BYTES, work.content_bytes));
  LLMA_TRY(how.SetOnFrame([&work](const llma_frame_info& frame) {
    work.decoded.frames.push_back(frame);
  }));
  LLMA_TRY(how.SetProgress([&work](const llma_progress& progress) {
    work.done_bytes = progress.done_bytes;
    work.coded_bytes = progress.coded_bytes;
    return !work.is_cancelled;
  }));
  LLMA_ASSIGN(Decoder decoder, Decoder::Create(how));
  const auto sink = [&work](Bytes bytes) {
    std::vector<uint8_t>& content = work.decoded.content;
    content.insert(content.end(), bytes.begin(), bytes.end());
    return OkStatus();
  };
  LLMA_TRY(decoder.Append(work.file, sink));
  LLMA_TRY(decoder.Finish(sink));
  work.decoded.source_info = decoder.source_info();
  return OkStatus();
}

void DecodeAhead::DropFirst() {
  const std::unique_ptr<Work> work = std::move(works_.front());
  works_.pop_front();
  if (!work) return;
  memory_bytes_ -= work->memory_bytes;
  work->is_cancelled = true;
  if (work->done.valid()) work->done.wait();
}

}  // namespace llma::cli
