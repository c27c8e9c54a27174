// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/commands/memory_fit.h"
#include "cli/files/file_job.h"
#include "cli/files/file_names.h"
#include "cli/progress.h"
#include "cli/work_report.h"

namespace llma::cli {
namespace {

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

SourceInfo SourceOf(const std::string& path, const FileInfo& info) {
  return {BaseName(path), info.mode, info.written_time.seconds,
          static_cast<uint32_t>(info.written_time.nanoseconds)};
}

// One input to one output.
class Compression {
 public:
  Compression(const FileJob& job, const FilePair& files)
      : job_(job), options_(job.options), files_(files) {}

  int Run() {
    if (IsTerminal(files_.out, kStandardOutput) && !options_.force) {
      return job_.messages.ShowError(
          "compressed data is not written to a terminal",
          options_.operands.empty()
              ? "'llma FILE' compresses a file; 'llma --help' says more"
              : "use -f to do it nevertheless, or -o");
    }
    if (IsTerminal(files_.in, kStandardInput) && options_.verbosity >= 1) {
      job_.messages.ShowDetail("reading from the terminal; Ctrl-D ends it");
    }
    auto input = OpenInput(files_.in, options_);
    if (!input) return job_.messages.ShowError(input.error().what);
    input_ = *std::move(input);
    if (options_.reference_file &&
        IsSameFile(*options_.reference_file, input_->info())) {
      return job_.messages.ShowError(
          input_->name() + ": is the reference of -D, and not compressed");
    }
    auto output = Output::Open(files_.out,
                               {.force = options_.force,
                                .may_overwrite = files_.may_overwrite,
                                .is_resumable = true,
                                .resume = options_.resume,
                                .keeps_long_work = CanGoOn(),
                                .syncs = options_.syncs,
                                .reference = options_.reference_file},
                               *input_);
    if (!output) return job_.messages.ShowError(output.error().what);
    output_ = *std::move(output);
    if (verifies() && output_->readable_fd() < 0) {
      return job_.messages.ShowError(
          output_->name() + ": --verify cannot read this output again",
          "write to a file with -o");
    }
    auto how = MakeOptions(options_);
    if (!how) return Fail(job_.messages, {}, how.error());
    const Status found = job_.models.SetToCompress(
        *how,
        [this](const std::string& text) { job_.messages.ShowWarning(text); });
    if (!found) {
      return job_.messages.ShowError(
          FormatError({}, found.error()),
          options_.model.empty() ? "or use -2, which needs no model" : "");
    }
    if (const Status stay = CheckModelsStay(job_, *output_, *input_); !stay) {
      return job_.messages.ShowError(stay.error().what);
    }
    if (options_.adjusts && !options_.is_short) {
      const auto lowered = FitToMemory(*how, input_->size_bytes());
      if (!lowered) return Fail(job_.messages, files_.in, lowered.error());
      if (!lowered->empty()) {
        job_.messages.ShowNote(
            input_->name() + ": to need no more than " +
            FormatBytes(static_cast<double>(MaxMemoryBytes(options_))) +
            " of memory: " + *lowered);
      }
    }
    return options_.is_short ? EncodeShort(*how) : Encode(*how);
  }

 private:
  // --rm has no meaning for standard input.
  bool verifies() const {
    return options_.verify || (options_.remove_source && !input_->is_stdin());
  }

  // Whether another run can go on with what this one leaves.
  bool CanGoOn() const {
    return options_.has_checksums && !options_.is_short && input_->is_regular();
  }

  Status Complete(ProgressMeter& meter, llma::Options& how) {
    LLMA_TRY(how.SetProgress(meter.callback()));
    LLMA_TRY(how.Set(LLMA_OPTION_TOTAL_BYTES, input_->size_bytes()));
    if (!input_->is_regular()) LLMA_TRY(how.Set(LLMA_OPTION_QUICK_START, 1));
    if (options_.keeps_name && input_->is_regular() && !input_->is_stdin()) {
      LLMA_TRY(how.SetSourceInfo(SourceOf(files_.in, input_->info())));
    }
    return how.SetOnFrame([this, &meter](const llma_frame_info& frame) {
      job_.messages.ShowFrame(
          FormatFrame(input_->name(), ++num_frames_, frame));
      CountFrameInPart();
      meter.Redraw();
    });
  }

  int Encode(llma::Options& how) {
    ProgressMeter meter(input_->name(), job_.messages);
    const auto encoded = EncodeAll(meter, how);
    if (!encoded) {
      const int status = Fail(job_.messages, input_->name(), encoded.error());
      if (num_frames_ > 0 && KeepsPart()) {
        SafeLine line;
        DescribePart(line);
        job_.messages.ShowNote(line.text());
      }
      return status;
    }
    if (verifies()) {
      const Status status = Verify(*encoded);
      if (!status) output_->DropPart();
      if (!status) return Fail(job_.messages, output_->name(), status.error());
    }
    return Finish(meter, encoded->content_bytes, encoded->file_bytes);
  }

  Result<llma_totals> EncodeAll(ProgressMeter& meter, llma::Options& how) {
    LLMA_TRY(Complete(meter, how));
    LLMA_ASSIGN(Encoder encoder, Encoder::Create(how));
    if (options_.resume) LLMA_TRY(Resume(encoder));
    LLMA_TRY(ReadAndEncode(encoder));
    return encoder.totals();
  }

  int EncodeShort(llma::Options& how) {
    if (llma_level_uses_model(options_.level) == 0) {
      return job_.messages.ShowError("--short needs a level with a model");
    }
    std::vector<uint8_t> content;
    // One byte too many is enough to know that it is too much.
    while (content.size() <= LLMA_MAX_SHORT_MESSAGE_BYTES) {
      const auto bytes = input_->Read();
      if (!bytes) return Fail(job_.messages, input_->name(), bytes.error());
      if (bytes->empty()) break;
      content.insert(content.end(), bytes->begin(), bytes->end());
    }
    if (content.size() > LLMA_MAX_SHORT_MESSAGE_BYTES) {
      return job_.messages.ShowError(
          input_->name() + ": a short message has at most " +
              std::to_string(LLMA_MAX_SHORT_MESSAGE_BYTES) + " bytes",
          "leave --short out");
    }
    ProgressMeter meter(input_->name(), job_.messages);
    if (const Status status = Complete(meter, how); !status) {
      return Fail(job_.messages, input_->name(), status.error());
    }
    const auto file = CompressShort(content, how);
    if (!file) return Fail(job_.messages, input_->name(), file.error());
    if (Status status = output_->Write(*file); !status) {
      return Fail(job_.messages, output_->name(), status.error());
    }
    if (verifies()) {
      const auto decoded = Decompress(*file, how);
      const Status status = !decoded              ? Status(decoded.error())
                            : *decoded != content ? Status(NotTheInput())
                                                  : OkStatus();
      if (!status) return Fail(job_.messages, output_->name(), status.error());
    }
    return Finish(meter, content.size(), file->size());
  }

  static Error NotTheInput() {
    return Error{ErrorCode::kChecksum,
                 "what was written does not decode to the input"};
  }

  int Finish(const ProgressMeter& meter, uint64_t content_bytes,
             uint64_t file_bytes) {
    const std::string name = input_->name();
    const int exit_status =
        Deliver(job_, std::move(output_), std::move(input_), {});
    if (exit_status == kExitError) return exit_status;
    job_.messages.ShowDetail(FormatSummary(name, content_bytes, file_bytes,
                                           true, meter.elapsed_seconds()));
    return exit_status;
  }

  // Goes on with what an interrupted run left.
  Status Resume(Encoder& encoder) {
    const int fd = output_->readable_fd();
    const auto info = fd < 0 ? std::nullopt : InfoOf(fd);
    if (!info) {
      return Error{ErrorCode::kUsage, "--resume needs a file to go on with"};
    }
    if (info->size_bytes == 0) return OkStatus();
    if (!input_->is_regular()) {
      return Error{ErrorCode::kUsage, "--resume needs an input that can seek"};
    }
    LLMA_ASSIGN(const Reader content, input_->MakeReader(0));
    const auto point =
        encoder.Resume(FileReader(fd, 0, info->size_bytes), content);
    if (!point) {
      Error error = point.error();
      if (error.code == ErrorCode::kUsage) {
        error.what += "; -f without --resume starts anew";
      }
      return error;
    }
    LLMA_TRY(output_->TruncateTo(point->file_bytes));
    LLMA_TRY(input_->SeekTo(point->content_bytes));
    if (point->content_bytes > 0) {
      job_.messages.ShowDetail(input_->name() + ": goes on at byte " +
                               std::to_string(point->content_bytes) +
                               " of the content");
    }
    return OkStatus();
  }

  Status ReadAndEncode(Encoder& encoder) {
    const auto sink = [this](Bytes bytes) -> Status {
      LLMA_TRY(output_->Write(bytes));
      return options_.resume ? output_->Flush() : OkStatus();
    };
    for (;;) {
      if (options_.flush && input_->IsIdle()) LLMA_TRY(encoder.Flush(sink));
      LLMA_ASSIGN(const Bytes bytes, input_->Read());
      if (bytes.empty()) break;
      LLMA_TRY(encoder.Append(bytes, sink));
    }
    LLMA_TRY(encoder.Finish(sink));
    // Not where fewer bytes come than the size that the file system tells, as
    // in /sys; and who shortens standard input may mean it.
    if (!input_->is_stdin() && input_->HasShrunk()) {
      return Error{ErrorCode::kIo,
                   input_->name() + ": became shorter while it was read"};
    }
    return OkStatus();
  }

  // Decodes what was written.
  Status Verify(const llma_totals& written) {
    ProgressMeter meter(output_->name() + " (verifying)", job_.messages);
    LLMA_ASSIGN(llma::Options how, MakeOptions(job_, meter));
    LLMA_TRY(job_.models.SetToDecompress(how));
    LLMA_TRY(how.Set(LLMA_OPTION_TOTAL_BYTES, written.content_bytes));
    LLMA_ASSIGN(Decoder decoder, Decoder::Create(how));
    const auto sink = [](Bytes) { return OkStatus(); };
    std::vector<uint8_t> part(kReadBytes);
    for (uint64_t ofs = 0; ofs < written.file_bytes;) {
      LLMA_ASSIGN(const size_t got,
                  ReadFileAt(output_->readable_fd(), ofs, part));
      if (got == 0) break;
      LLMA_TRY(decoder.Append(Bytes(part).first(got), sink));
      ofs += got;
    }
    LLMA_TRY(decoder.Finish(sink));
    const llma_totals decoded = decoder.totals();
    if (decoded.content_bytes != written.content_bytes ||
        decoded.content_xxh3 != written.content_xxh3) {
      return NotTheInput();
    }
    return OkStatus();
  }

  const FileJob& job_;
  const Options& options_;
  const FilePair files_;
  std::unique_ptr<InputFile> input_;
  std::unique_ptr<Output> output_;
  uint64_t num_frames_ = 0;
};

int CompressOne(const FileJob& job, const std::string& in) {
  const Options& options = job.options;
  if (const Status there = CheckThere(in); !there) {
    return job.messages.ShowError(there.error().what);
  }
  if (IsDirectory(in)) {
    return job.messages.ShowWarning(in +
                                    ": is a directory, skipped without -r");
  }
  if (Status status = CheckRemovable(in, options); !status) {
    return job.messages.ShowWarning(status.error().what);
  }
  FilePair files = {in, options.output};
  if (options.to_stdout || (in == "-" && options.output.empty())) {
    files.out = "-";
  } else if (options.output.empty()) {
    if (Status status = CheckRegular(in, options); !status) {
      return job.messages.ShowWarning(status.error().what);
    }
    const auto name =
        CompressedName(PathInOutputDir(in, options), options.suffix);
    if (!name) return job.messages.ShowWarning(name.error().what);
    files.out = *name;
  }
  if (Status status = PrepareResult(job, files); !status) {
    return job.messages.ShowError(status.error().what);
  }
  return Compression(job, files).Run();
}

}  // namespace

int RunCompress(const Options& options, const Messages& messages) {
  ModelCache models(options.model);
  SourceRemover remover(options.syncs, messages);
  std::map<ResultName, std::string> results;
  const FileJob job = {options, messages, models, remover, results};
  if (options.is_in_out) {
    if (IsDirectory(options.operands[0])) {
      return messages.ShowWarning(options.operands[0] +
                                  ": is a directory, skipped without -r");
    }
    const int status =
        Compression(job, OrderToCompress(options.operands[0],
                                         options.operands[1], options.suffix))
            .Run();
    return WorseStatus(status, remover.RemoveAll());
  }
  return RunEach(job, CompressOne);
}

}  // namespace llma::cli
