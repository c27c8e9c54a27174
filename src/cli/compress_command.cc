// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>

#include "base/checksum.h"
#include "base/file_io.h"
#include "cli/commands.h"
#include "cli/file_job.h"
#include "cli/file_names.h"
#include "cli/progress.h"
#include "cli/resume.h"
#include "codec/file_decoder.h"
#include "codec/file_encoder.h"
#include "codec/short_message.h"

namespace llma::cli {
namespace {

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

SourceInfo SourceOf(const std::string& path, const struct stat& info) {
  return {BaseName(path), info.st_mode & 07777u, info.st_mtim.tv_sec,
          static_cast<uint32_t>(info.st_mtim.tv_nsec)};
}

// One input to one output.
class Compression {
 public:
  Compression(const FileJob& job, const FilePair& files)
      : job_(job), options_(job.options), files_(files) {}

  int Run() {
    if (IsTerminal(files_.out, STDOUT_FILENO) && !options_.force) {
      return job_.messages.ShowError(
          "compressed data is not written to a terminal",
          "use -f to do it nevertheless, or -o");
    }
    if (IsTerminal(files_.in, STDIN_FILENO) && options_.verbosity >= 1) {
      job_.messages.ShowDetail("reading from the terminal; Ctrl-D ends it");
    }
    auto input = InputFile::Open(files_.in);
    if (!input) return job_.messages.ShowError(input.error().what);
    input_ = *std::move(input);
    auto output = Output::Open(files_.out,
                               {.force = options_.force,
                                .is_resumable = true,
                                .resume = options_.resume},
                               *input_);
    if (!output) return job_.messages.ShowError(output.error().what);
    output_ = *std::move(output);
    if (verifies() && output_->readable_fd() < 0) {
      return job_.messages.ShowError(
          output_->name() + ": --verify cannot read this output again",
          "write to a file with -o");
    }
    if (SettingsOfLevel(options_.level).uses_model) {
      const auto models = job_.models.ToCompress(
          MaxMemoryBytes(options_) / 2, [this](const Error& problem) {
            job_.messages.ShowWarning(FormatError({}, problem));
          });
      if (!models) {
        return job_.messages.ShowError(
            FormatError({}, models.error()),
            options_.model.empty() ? "or use -2, which needs no model" : "");
      }
      model_ = models->front();
      other_models_.assign(models->begin() + 1, models->end());
    }
    return options_.is_short ? EncodeShort() : Encode();
  }

 private:
  // --rm has no meaning for standard input.
  bool verifies() const {
    return options_.verify || (options_.remove_source && !input_->is_stdin());
  }

  CompressOptions MakeOptions(ProgressMeter& meter) const {
    CompressOptions how;
    how.level = options_.level;
    how.num_threads = options_.num_threads;
    how.num_lanes = options_.num_lanes;
    how.other_models = other_models_;
    how.window_positions = options_.window_positions;
    how.max_memory_bytes = MaxMemoryBytes(options_);
    how.has_checksums = options_.has_checksums;
    how.frame_bytes = options_.frame_bytes;
    how.total_bytes = input_->size_bytes();
    if (!input_->is_regular() && options_.frame_bytes == 0) {
      how.first_frame_bytes = FirstFrameBytes(options_.level);
    }
    if (options_.keeps_name && input_->is_regular() && !input_->is_stdin()) {
      how.source_info = SourceOf(files_.in, input_->info());
    }
    how.progress = meter.callback();
    how.on_frame = [this, &meter](const FrameHeader& header, uint64_t bytes) {
      job_.messages.ShowFrame(
          FormatFrame(input_->name(), ++num_frames_, header, bytes));
      meter.Redraw();
    };
    return how;
  }

  int Encode() {
    ProgressMeter meter(input_->name(), job_.messages.verbosity() >= 1);
    FileEncoder encoder(
        model_, MakeOptions(meter), [this](Bytes frame) -> Status {
          LLMA_TRY(output_->Write(frame));
          return options_.resume ? output_->Flush() : OkStatus();
        });
    Status status = options_.resume ? Resume(encoder) : OkStatus();
    if (status) status = ReadAndEncode(encoder);
    if (!status) return Fail(job_.messages, input_->name(), status.error());
    if (verifies()) {
      status = Verify(encoder.content_bytes(), encoder.file_bytes());
      if (!status) return Fail(job_.messages, output_->name(), status.error());
    }
    return Finish(meter, encoder.content_bytes(), encoder.file_bytes());
  }

  int EncodeShort() {
    if (model_ == nullptr) {
      return job_.messages.ShowError("--short needs a level with a model");
    }
    std::vector<uint8_t> content;
    // One byte too many is enough to know that it is too much.
    while (content.size() <= kMaxShortMessageBytes) {
      const auto bytes = input_->Read();
      if (!bytes) return Fail(job_.messages, input_->name(), bytes.error());
      if (bytes->empty()) break;
      content.insert(content.end(), bytes->begin(), bytes->end());
    }
    if (content.size() > kMaxShortMessageBytes) {
      return job_.messages.ShowError(
          input_->name() + ": a short message has at most " +
              std::to_string(kMaxShortMessageBytes) + " bytes",
          "leave --short out");
    }
    ProgressMeter meter(input_->name(), job_.messages.verbosity() >= 1);
    const CompressOptions how = MakeOptions(meter);
    auto file = CompressShort(content, *model_, how);
    for (const Model* other : other_models_) {
      if (!file) break;
      auto made = CompressShort(content, *other, how);
      if (made && made->size() >= file->size()) continue;
      file = std::move(made);
      model_ = other;
    }
    if (!file) return Fail(job_.messages, input_->name(), file.error());
    if (Status status = output_->Write(*file); !status) {
      return Fail(job_.messages, output_->name(), status.error());
    }
    if (verifies()) {
      const Status status = VerifyShort(*file, content);
      if (!status) return Fail(job_.messages, output_->name(), status.error());
    }
    return Finish(meter, content.size(), file->size());
  }

  Status VerifyShort(Bytes file, Bytes content) const {
    LLMA_ASSIGN(const auto decoded, DecompressShort(file, model_, {}));
    if (std::equal(decoded.begin(), decoded.end(), content.begin(),
                   content.end())) {
      return OkStatus();
    }
    return Error{ErrorCode::kChecksum,
                 "what was written does not decode to the input"};
  }

  int Finish(const ProgressMeter& meter, uint64_t content_bytes,
             uint64_t file_bytes) {
    const int exit_status = Deliver(job_, *output_, *input_, files_.in, {});
    if (exit_status == kExitError) return exit_status;
    job_.messages.ShowDetail(FormatSummary(input_->name(), content_bytes,
                                           file_bytes, true,
                                           meter.elapsed_seconds()));
    return exit_status;
  }

  Status Resume(FileEncoder& encoder) {
    if (output_->readable_fd() < 0) {
      return Error{ErrorCode::kUsage, "--resume needs a file to go on with"};
    }
    LLMA_ASSIGN(ResumePoint point, FindResumePoint(output_->readable_fd(),
                                                   *input_, content_xxh3_));
    LLMA_TRY(output_->TruncateTo(point.index.frames_bytes()));
    LLMA_TRY(input_->SeekTo(point.content_bytes));
    if (point.content_bytes > 0) {
      job_.messages.ShowDetail(input_->name() + ": goes on at byte " +
                               std::to_string(point.content_bytes) +
                               " of the content");
    }
    encoder.Resume(std::move(point.index), point.content_bytes);
    return OkStatus();
  }

  Status ReadAndEncode(FileEncoder& encoder) {
    for (;;) {
      if (options_.flush && input_->IsIdle()) LLMA_TRY(encoder.Flush());
      LLMA_ASSIGN(const Bytes bytes, input_->Read());
      if (bytes.empty()) break;
      if (verifies()) content_xxh3_.Update(bytes);
      LLMA_TRY(encoder.Append(bytes));
    }
    LLMA_TRY(encoder.Finish());
    // Somebody may have read from standard input before.
    if (!input_->is_stdin() &&
        (encoder.content_bytes() < input_->size_bytes() ||
         input_->FindChange() == InputFile::Change::kShrunk)) {
      return Error{ErrorCode::kIo,
                   input_->name() + ": became shorter while it was read"};
    }
    return OkStatus();
  }

  // Decodes what was written.
  Status Verify(uint64_t content_bytes, uint64_t file_bytes) {
    const int fd = output_->readable_fd();
    Xxh3Stream decoded;
    DecompressOptions how;
    how.num_threads = options_.num_threads;
    how.max_memory_bytes = MaxMemoryBytes(options_);
    how.total_bytes = content_bytes;
    ProgressMeter meter(output_->name() + " (verifying)",
                        job_.messages.verbosity() >= 1);
    how.progress = meter.callback();
    FileDecoder decoder(job_.models.provider(), how, [&](Bytes bytes) {
      decoded.Update(bytes);
      return OkStatus();
    });
    for (uint64_t ofs = 0; ofs < file_bytes; ofs += kReadBytes) {
      LLMA_ASSIGN(const auto part, ReadFileAt(fd, ofs, kReadBytes));
      LLMA_TRY(decoder.Append(part));
    }
    LLMA_TRY(decoder.Finish());
    if (decoder.content_bytes() != content_bytes ||
        decoded.Digest() != content_xxh3_.Digest()) {
      return Error{ErrorCode::kChecksum,
                   "what was written does not decode to the input"};
    }
    return OkStatus();
  }

  const FileJob& job_;
  const Options& options_;
  const FilePair files_;
  std::unique_ptr<InputFile> input_;
  std::unique_ptr<Output> output_;
  const Model* model_ = nullptr;
  std::vector<const Model*> other_models_;  // to choose from
  Xxh3Stream content_xxh3_;                 // if it is to be verified
  mutable uint64_t num_frames_ = 0;
};

int CompressOne(const FileJob& job, const std::string& in) {
  const Options& options = job.options;
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
    const auto name = CompressedName(in, options.suffix);
    if (!name) return job.messages.ShowWarning(name.error().what);
    files.out = *name;
  }
  return Compression(job, files).Run();
}

}  // namespace

int RunCompress(const Options& options, const Messages& messages) {
  ModelCache models(options.model);
  const FileJob job = {options, messages, models};
  if (options.is_in_out) {
    if (IsDirectory(options.operands[0])) {
      return messages.ShowWarning(options.operands[0] +
                                  ": is a directory, skipped without -r");
    }
    return Compression(job, {options.operands[0], options.operands[1]}).Run();
  }
  int status = kExitSuccess;
  for (const std::string& in : ListInputs(options, messages, status)) {
    status = WorseStatus(status, CompressOne(job, in));
  }
  return status;
}

}  // namespace llma::cli
