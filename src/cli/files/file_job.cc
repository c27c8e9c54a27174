// SPDX-License-Identifier: Apache-2.0
#include "cli/files/file_job.h"

#include <tuple>
#include <utility>

namespace llma::cli {
namespace {

std::string_view NextStep(const Error& error) {
  switch (error.code) {
    case ErrorCode::kModelMismatch:
      return "leave --model out to use the model that the file names";
    case ErrorCode::kReference:
      return "-D FILE gives the reference";
    case ErrorCode::kLimit:
      return error.what.find("memory") != std::string::npos
                 ? "-M raises the limit"
                 : "--max-size raises the limit";
    default:
      return {};
  }
}

}  // namespace

Result<llma::Options> MakeOptions(const Options& options) {
  LLMA_ASSIGN(llma::Options how, llma::Options::Create());
  // One for all files. Never destroyed, for work may go on when main() returns.
  static const auto* const context =
      new Result<llma::Context>(llma::Context::Create());
  if (!*context) return context->error();
  LLMA_TRY(how.SetContext(**context));
  const std::pair<llma_option, uint64_t> values[] = {
      {LLMA_OPTION_LEVEL, static_cast<uint64_t>(options.level)},
      {LLMA_OPTION_LANES, options.num_lanes},
      {LLMA_OPTION_LEARN, static_cast<uint64_t>(options.learn)},
      {LLMA_OPTION_WINDOW, options.window_positions},
      {LLMA_OPTION_FRAME_BYTES, options.frame_bytes},
      {LLMA_OPTION_EMBED_MODELS, options.embeds_models ? 1 : 0},
      {LLMA_OPTION_CHECKSUMS, options.has_checksums ? 1 : 0},
      {LLMA_OPTION_THREADS, static_cast<uint64_t>(options.num_threads)},
      {LLMA_OPTION_MEMORY_BYTES, MaxMemoryBytes(options)},
      {LLMA_OPTION_MAX_CONTENT_BYTES, options.max_content_bytes},
  };
  for (const auto& [option, value] : values) LLMA_TRY(how.Set(option, value));
  if (options.read_reference) {
    LLMA_TRY(how.ShareReference(*options.read_reference));
  }
  return how;
}

Result<llma::Options> MakeOptions(const FileJob& job, ProgressMeter& meter) {
  LLMA_ASSIGN(llma::Options how, MakeOptions(job.options));
  LLMA_TRY(how.SetProgress(meter.callback()));
  return how;
}

int Fail(const Messages& messages, std::string_view name, const Error& error) {
  // The system's errors name the file already.
  return messages.ShowError(
      error.code == ErrorCode::kIo ? error.what : FormatError(name, error),
      NextStep(error));
}

uint64_t MaxMemoryBytes(const Options& options) {
  return options.max_memory_bytes != 0 ? options.max_memory_bytes
                                       : llma_usable_memory_bytes();
}

bool IsTerminal(const std::string& path, int fd) {
  return path == "-" && llma::IsTerminal(fd);
}

Status CheckThere(const std::string& path) {
  if (path == "-" || InfoOf(path)) return OkStatus();
  return SystemError(path);
}

Status CheckRemovable(const std::string& path, const Options& options) {
  if (!options.remove_source || path == "-") return OkStatus();
  const auto info = options.force ? InfoOf(path) : InfoOfLink(path);
  if (!info) return OkStatus();
  if (info->is_regular() && (options.force || info->num_names == 1)) {
    return OkStatus();
  }
  const bool is_link = info->kind == FileKind::kLink;
  return Error{
      ErrorCode::kUsage,
      path +
          (info->is_regular() ? ": has several names"
           : is_link          ? ": is a link"
                              : ": is not a regular file") +
          (info->is_regular() || is_link ? ", not removed without -f; skipped"
                                         : ", not removed; skipped")};
}

Status CheckRegular(const std::string& path, const Options& options) {
  const auto info = options.force ? std::nullopt : InfoOf(path);
  if (!info || info->is_regular()) return OkStatus();
  return Error{
      ErrorCode::kUsage,
      path + ": is not a regular file, skipped; -o OUT or -c reads it"};
}

Status PrepareResult(const FileJob& job, const FilePair& files) {
  if (files.out == "-" || files.out == job.options.output) return OkStatus();
  if (!job.options.output_dir.empty()) LLMA_TRY(MakeFoldersOf(files.out));
  LLMA_ASSIGN(FilePlace place, FilePlace::Find(files.out));
  if (auto target = place.FollowLinks()) place = *std::move(target);
  const auto folder = place.FolderInfo();
  if (!folder) return SystemError(files.out);
  const auto [known, is_new] = job.results.emplace(
      ResultName(folder->device, folder->number, place.name()), files.in);
  if (is_new || known->second == files.in) return OkStatus();
  return Error{ErrorCode::kUsage, files.in + ": " + files.out +
                                      " is the result of " + known->second};
}

Result<std::unique_ptr<InputFile>> OpenInput(const std::string& path,
                                             const Options& options) {
  return InputFile::Open(path, options.remove_source);
}

int RunEach(
    const FileJob& job, int (*one)(const FileJob& job, const std::string& in),
    const std::function<void(std::span<const std::string> inputs)>& before) {
  int status = kExitSuccess;
  const auto inputs = ListInputs(job.options, job.messages, status);
  if (const Status names = CheckResultNames(inputs, job.options); !names) {
    return job.messages.ShowError(names.error().what);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (before) before(std::span(inputs).subspan(i));
    status = WorseStatus(status, job.remover.RemoveBefore(inputs[i]));
    status = WorseStatus(status, one(job, inputs[i]));
  }
  return WorseStatus(status, job.remover.RemoveAll());
}

Status CheckModelsStay(const FileJob& job, const Output& output,
                       const InputFile& input) {
  LLMA_TRY(job.models.CheckUnchanged());
  if (job.options.embeds_models || !output.is_file()) return OkStatus();
  const auto target = output.place().Info();
  if (target && job.models.Holds(*target)) {
    return Error{ErrorCode::kUsage,
                 output.name() + ": the output would overwrite the model"};
  }
  if (job.options.remove_source && job.models.Holds(input.info())) {
    return Error{ErrorCode::kUsage,
                 input.name() +
                     ": is the model that the result needs, and not "
                     "removed"};
  }
  return OkStatus();
}

int Deliver(const FileJob& job, std::unique_ptr<Output> output,
            std::unique_ptr<InputFile> input,
            const std::optional<SourceInfo>& source) {
  if (const Status stay = CheckModelsStay(job, *output, *input); !stay) {
    output->DropPart();
    return job.messages.ShowError(stay.error().what);
  }
  const auto finished = output->Finish(source);
  if (!finished) return Fail(job.messages, output->name(), finished.error());
  int status = kExitSuccess;
  if (!*finished) {
    status = job.messages.ShowWarning(
        output->name() + ": cannot set the owner, mode or time of the input");
  }
  if (!job.options.remove_source || input->is_stdin()) return status;
  if (!output->is_file()) {
    return job.messages.ShowWarning(
        input->name() + ": its result is not in a file, so it is kept");
  }
  return WorseStatus(status,
                     job.remover.Add(std::move(input), std::move(output)));
}

}  // namespace llma::cli
