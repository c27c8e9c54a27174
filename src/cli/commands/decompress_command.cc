// SPDX-License-Identifier: Apache-2.0
// Decompressing and testing.
#include <algorithm>
#include <array>

#include "cli/commands/commands.h"
#include "cli/commands/decode_ahead.h"
#include "cli/files/file_job.h"
#include "cli/files/file_names.h"
#include "cli/progress.h"

namespace llma::cli {
namespace {

// One input; its content goes to the output, or nowhere.
class Decompression {
 public:
  Decompression(const FileJob& job, InputFile& input, Output* output)
      : job_(job), options_(job.options), input_(input), output_(output) {}

  int Run() {
    ProgressMeter meter(input_.name(), job_.messages);
    const Status status = Decode(meter);
    if (!status) {
      const ErrorCode code = status.error().code;
      const bool is_damaged = code == ErrorCode::kTruncated ||
                              code == ErrorCode::kCorrupt ||
                              code == ErrorCode::kChecksum;
      const int exit_status =
          Fail(job_.messages, input_.name(), status.error());
      const bool has_others = num_frames_ > 0 || num_known_frames_ > 1;
      if (is_damaged && has_others && output_ != nullptr &&
          job_.messages.verbosity() >= 1) {
        job_.messages.ShowError("-d --salvage restores what is intact");
      }
      return exit_status;
    }
    job_.messages.ShowDetail(
        FormatSummary(input_.name(), content_bytes_, file_bytes_, false,
                      seconds_.value_or(meter.elapsed_seconds())));
    return exit_status_;
  }

  const std::optional<SourceInfo>& source_info() const { return source_info_; }

 private:
  Status Write(Bytes bytes) {
    content_bytes_ += bytes.size();
    return output_ == nullptr ? OkStatus() : output_->WriteSparsely(bytes);
  }

  Status Decode(ProgressMeter& meter) {
    LLMA_ASSIGN(llma::Options how, MakeOptions(job_, meter));
    LLMA_TRY(job_.models.SetToDecompress(how));
    LLMA_TRY(how.SetOnFrame([this, &meter](const llma_frame_info& frame) {
      job_.messages.ShowFrame(FormatFrame(input_.name(), ++num_frames_, frame));
      meter.Redraw();
    }));
    if (!options_.salvage && !options_.range) return DecodeAll(how, meter);
    LLMA_ASSIGN(const Reader file, input_.MakeReader(MaxMemoryBytes(options_)));
    file_bytes_ = file.file_bytes;
    LLMA_TRY(CheckHasFrames(file));
    LLMA_TRY(options_.salvage ? SalvageAll(file, how) : DecodeRange(file, how));
    input_.MarkRead();
    return OkStatus();
  }

  Status DecodeAll(llma::Options& how, ProgressMeter& meter) {
    if (input_.is_regular()) {
      // For the progress; a file that is damaged is found out below.
      if (const auto info = ReadFileInfo(*input_.Peek())) {
        LLMA_TRY(how.Set(LLMA_OPTION_TOTAL_BYTES, info->content_bytes));
        num_known_frames_ = info->num_frames;
      }
    }
    LLMA_ASSIGN(Decoder decoder, Decoder::Create(how));
    const auto sink = [this](Bytes bytes) { return Write(bytes); };
    std::vector<uint8_t> start;
    const auto* const ahead = job_.ahead ? job_.ahead->file() : nullptr;
    if (ahead != nullptr) {
      LLMA_TRY(ReadStart(start, ahead->size() + 1));
      if (start == *ahead) return TakeDecoded(meter);
    }
    if (PassesPlainFiles()) {
      LLMA_TRY(ReadStart(start, kRecognizedBytes));
      if (llma_recognize(start.data(), start.size()) == LLMA_KIND_OTHER) {
        return CopyAll(start);
      }
    }
    LLMA_TRY(decoder.Append(start, sink));
    for (;;) {
      if (input_.IsIdle()) LLMA_TRY(decoder.Flush(sink));
      LLMA_ASSIGN(const Bytes bytes, input_.Read());
      if (bytes.empty()) break;
      file_bytes_ += bytes.size();
      LLMA_TRY(decoder.Append(bytes, sink));
    }
    LLMA_TRY(decoder.Finish(sink));
    source_info_ = decoder.source_info();
    return OkStatus();
  }

  // As gzip -dcf does: what is not compressed goes to standard output as it is.
  bool PassesPlainFiles() const {
    return options_.force && output_ != nullptr && output_->is_stdout();
  }

  // Until `start` has so many bytes, or all of the file.
  Status ReadStart(std::vector<uint8_t>& start, size_t min_bytes) {
    while (start.size() < min_bytes) {
      LLMA_ASSIGN(const Bytes bytes, input_.Read());
      if (bytes.empty()) break;
      start.insert(start.end(), bytes.begin(), bytes.end());
      file_bytes_ += bytes.size();
    }
    return OkStatus();
  }

  Status TakeDecoded(ProgressMeter& meter) {
    const DecodedFile& decoded = job_.ahead->Take(meter.callback());
    seconds_ = decoded.seconds;
    LLMA_TRY(Write(decoded.content));
    for (const llma_frame_info& frame : decoded.frames) {
      job_.messages.ShowFrame(FormatFrame(input_.name(), ++num_frames_, frame));
    }
    source_info_ = decoded.source_info;
    return decoded.status;
  }

  Status CopyAll(Bytes start) {
    LLMA_TRY(Write(start));
    for (;;) {
      LLMA_ASSIGN(const Bytes bytes, input_.Read());
      if (bytes.empty()) return OkStatus();
      file_bytes_ += bytes.size();
      LLMA_TRY(Write(bytes));
    }
  }

  // What has no frames is decoded as a whole or not at all.
  static Status CheckHasFrames(const Reader& file) {
    std::array<uint8_t, 3> start;
    LLMA_ASSIGN(const size_t got, file.ReadAt(0, start));
    if (llma_recognize(start.data(), got) != LLMA_KIND_SHORT_MESSAGE) {
      return OkStatus();
    }
    return Error{ErrorCode::kUnsupported,
                 "is a short message: leave --range and --salvage out"};
  }

  Status DecodeRange(const Reader& file, const llma::Options& how) {
    ByteRange range = *options_.range;
    if (range.from_end) {
      LLMA_ASSIGN(const llma_file_info info, ReadFileInfo(file));
      const uint64_t back = std::min(range.offset, info.content_bytes);
      // What would lie before the start is left out.
      range.size -= std::min(range.size, range.offset - back);
      range.offset = info.content_bytes - back;
    }
    return DecompressRange(
        file, range.offset, range.size, how,
        {[this](Bytes bytes) { return Write(bytes); }, {}, {}});
  }

  Status SalvageAll(const Reader& file, const llma::Options& how) {
    std::vector<LostRange> lost;
    const Sink sink = {
        [this](Bytes bytes) { return Write(bytes); },
        [this](uint64_t size_bytes) { return output_->Skip(size_bytes); },
        [&](uint64_t content_ofs, std::optional<uint64_t> lost_bytes) {
          lost.push_back({content_ofs, lost_bytes});
        }};
    LLMA_ASSIGN(const llma_salvage_report report, Salvage(file, how, sink));
    ShowReport(report, lost);
    return OkStatus();
  }

  // A part of the content that could not be restored.
  struct LostRange {
    uint64_t content_ofs;
    std::optional<uint64_t> content_bytes;  // nothing: not known
  };

  void ShowReport(const llma_salvage_report& report,
                  const std::vector<LostRange>& all_lost) {
    const std::string prefix = input_.name() + ": ";
    if (all_lost.empty()) return;
    bool has_unknown = false;
    uint64_t end = 0, total_bytes = report.restored_bytes;
    for (const LostRange& lost : all_lost) {
      const std::string begin = std::to_string(lost.content_ofs);
      has_unknown = has_unknown || !lost.content_bytes;
      total_bytes += lost.content_bytes.value_or(0);
      end = lost.content_ofs + lost.content_bytes.value_or(0);
      exit_status_ = job_.messages.ShowWarning(
          lost.content_bytes
              ? prefix + "lost: bytes " + begin + " to " +
                    std::to_string(lost.content_ofs + *lost.content_bytes - 1) +
                    " of the content"
              : prefix + "lost: what followed byte " + begin +
                    ", it is not known how much");
    }
    job_.messages.ShowWarning(
        prefix + "restored " + std::to_string(report.num_restored) +
        " frames, " + std::to_string(report.restored_bytes) + " bytes" +
        (has_unknown          ? ""
         : end == total_bytes ? "; zeros stand for what is lost before the end"
                              : "; zeros stand for what is lost"));
    if (report.num_restored == 0) exit_status_ = kExitError;
  }

  // What tells what a file is.
  static constexpr size_t kRecognizedBytes = 3;

  const FileJob& job_;
  const Options& options_;
  InputFile& input_;
  Output* output_;
  std::optional<double> seconds_;  // if it was decoded ahead
  std::optional<SourceInfo> source_info_;
  uint64_t content_bytes_ = 0, file_bytes_ = 0, num_frames_ = 0;
  uint64_t num_known_frames_ = 0;
  int exit_status_ = kExitSuccess;
};

// What the file says of its source, if it does so at its start. That it cannot
// be read is an error; what else is wrong with it shows when it is decoded.
Result<std::optional<SourceInfo>> PeekSourceInfo(const InputFile& input) {
  const auto file = input.Peek();
  if (!file) return std::optional<SourceInfo>();
  std::optional<Error> failure;
  const Reader reader = {
      file->file_bytes,
      [&](uint64_t ofs, std::span<uint8_t> buffer) -> Result<size_t> {
        auto got = file->ReadAt(ofs, buffer);
        if (!got) failure = got.error();
        return got;
      }};
  auto source = ReadSourceInfo(reader);
  if (failure) return *failure;
  return source ? *std::move(source) : std::optional<SourceInfo>();
}

// Opens what is to be read; null if that failed, with the exit status.
std::unique_ptr<InputFile> OpenCompressed(const FileJob& job,
                                          const std::string& in, int& status) {
  if (IsDirectory(in)) {
    status =
        job.messages.ShowWarning(in + ": is a directory, skipped without -r");
    return nullptr;
  }
  if (IsTerminal(in, kStandardInput)) {
    status =
        job.messages.ShowError("compressed data is not read from a terminal",
                               "try 'llma --help' for what there is");
    return nullptr;
  }
  auto input = OpenInput(in, job.options);
  if (!input) {
    status = job.messages.ShowError(input.error().what);
    return nullptr;
  }
  return *std::move(input);
}

int DecompressTo(const FileJob& job, std::unique_ptr<InputFile> input,
                 const FilePair& files) {
  auto output = Output::Open(files.out,
                             {.force = job.options.force,
                              .may_overwrite = files.may_overwrite,
                              .syncs = job.options.syncs},
                             *input);
  if (!output) return job.messages.ShowError(output.error().what);
  Decompression decompression(job, *input, output->get());
  const int status = decompression.Run();
  if (status == kExitError) return status;
  const auto source = job.options.keeps_name ? decompression.source_info()
                                             : std::optional<SourceInfo>();
  return WorseStatus(
      status, Deliver(job, *std::move(output), std::move(input), source));
}

int DecompressOne(const FileJob& job, const std::string& in) {
  const Options& options = job.options;
  if (const Status there = CheckThere(in); !there) {
    return job.messages.ShowError(there.error().what);
  }
  FilePair files = {in, options.output};
  const bool to_stdout =
      options.to_stdout || (in == "-" && options.output.empty());
  if (to_stdout) files.out = "-";
  if (!IsDirectory(in)) {
    if (Status status = CheckRemovable(in, options); !status) {
      return job.messages.ShowWarning(status.error().what);
    }
  }
  if (files.out.empty() && !IsDirectory(in)) {
    if (Status status = CheckRegular(in, options); !status) {
      return job.messages.ShowWarning(status.error().what);
    }
  }
  if (files.out.empty() && !options.keeps_name && !IsDirectory(in)) {
    const auto name =
        DecompressedName(PathInOutputDir(in, options), options.suffix);
    if (!name) return job.messages.ShowWarning(name.error().what);
    files.out = *name;
  }
  int status = kExitSuccess;
  auto input = OpenCompressed(job, in, status);
  if (!input) return status;
  if (files.out.empty()) {
    const auto source = PeekSourceInfo(*input);
    if (!source) return Fail(job.messages, in, source.error());
    const std::string path = PathInOutputDir(in, options);
    const auto name = DecompressedName(path, options.suffix);
    if (!*source && !name) return job.messages.ShowWarning(name.error().what);
    files.out =
        *source ? path.substr(0, path.rfind('/') + 1) + (*source)->name : *name;
  }
  if (Status prepared = PrepareResult(job, files); !prepared) {
    return job.messages.ShowError(prepared.error().what);
  }
  return DecompressTo(job, std::move(input), files);
}

// Whether it would be decoded if it were its turn, as far as that can be told
// without a word.
bool IsWanted(const Options& options, const std::string& in) {
  if (options.salvage || options.range || !CheckRemovable(in, options)) {
    return false;
  }
  if (options.force || options.to_stdout || !options.output.empty() ||
      options.keeps_name) {
    return true;
  }
  const auto name =
      DecompressedName(PathInOutputDir(in, options), options.suffix);
  return name && !InfoOf(*name);
}

int TestOne(const FileJob& job, const std::string& in) {
  int status = kExitSuccess;
  const auto input = OpenCompressed(job, in, status);
  if (!input) return status;
  return Decompression(job, *input, nullptr).Run();
}

int DecompressPair(const FileJob& job) {
  const Options& options = job.options;
  const auto files = OrderOperands(options.operands[0], options.operands[1]);
  if (!files) return job.messages.ShowError(files.error().what);
  int status = kExitSuccess;
  auto input = OpenCompressed(job, files->in, status);
  return input ? DecompressTo(job, std::move(input), *files) : status;
}

}  // namespace

int RunDecompress(const Options& options, const Messages& messages) {
  ModelCache models(options.model);
  SourceRemover remover(options.syncs, messages);
  std::map<ResultName, std::string> results;
  DecodeAhead ahead(options, models, [&options](const std::string& in) {
    return IsWanted(options, in);
  });
  const FileJob job = {options, messages, models, remover, results, &ahead};
  if (options.is_in_out) {
    const int status = DecompressPair(job);
    return WorseStatus(status, remover.RemoveAll());
  }
  return RunEach(job, DecompressOne,
                 [&ahead](auto inputs) { ahead.MoveTo(inputs); });
}

int RunTest(const Options& options, const Messages& messages) {
  ModelCache models(options.model);
  SourceRemover remover(options.syncs, messages);  // has nothing to do
  std::map<ResultName, std::string> results;
  DecodeAhead ahead(options, models, [&options](const std::string&) {
    return !options.salvage && !options.range;
  });
  const FileJob job = {options, messages, models, remover, results, &ahead};
  int status = kExitSuccess;
  const auto inputs = ListInputs(options, messages, status);
  for (size_t i = 0; i < inputs.size(); ++i) {
    ahead.MoveTo(std::span(inputs).subspan(i));
    status = WorseStatus(status, TestOne(job, inputs[i]));
  }
  return status;
}

}  // namespace llma::cli
