// SPDX-License-Identifier: Apache-2.0
// llma inspect: what the model found hard in a text, as a page or as JSON.
#include <llma/llma.h>

#include <memory>

#include "cli/commands.h"
#include "cli/file_job.h"
#include "cli/inspection.h"
#include "cli/output.h"

namespace llma::cli {
namespace {

constexpr uint32_t kMaxAlternatives = 5;
// The page holds all of it, and a browser must draw it.
constexpr uint64_t kMaxInspectedBytes = 8 << 20;

struct FreeHandle {
  void operator()(llma_options* options) const { llma_options_free(options); }
  void operator()(llma_model* model) const { llma_model_free(model); }
  void operator()(llma_inspection* inspection) const {
    llma_inspection_free(inspection);
  }
};
template <class T>
using Handle = std::unique_ptr<T, FreeHandle>;

Status Check(llma_status status, const llma_error& error) {
  if (status == LLMA_OK) return OkStatus();
  return Error{static_cast<ErrorCode>(status), error.text, error.offset};
}

Result<std::vector<uint8_t>> ReadAll(InputFile& input) {
  std::vector<uint8_t> content;
  for (;;) {
    LLMA_ASSIGN(const std::span<const uint8_t> bytes, input.Read());
    if (bytes.empty()) return content;
    content.insert(content.end(), bytes.begin(), bytes.end());
    if (content.size() > kMaxInspectedBytes) {
      return Error{ErrorCode::kLimit,
                   "larger than 8 MiB; inspect a part of it, such as "
                   "'head -c 1M FILE | llma inspect -o PAGE.html'"};
    }
  }
}

Result<Handle<llma_options>> MakeOptions(const Options& options,
                                         Inspection& about) {
  llma_error error = {};
  llma_options* made = nullptr;
  LLMA_TRY(Check(llma_options_create(&made, &error), error));
  Handle<llma_options> how(made);
  const auto set = [&](llma_option option, uint64_t value) {
    return Check(llma_options_set(how.get(), option, value, &error), error);
  };
  LLMA_TRY(set(LLMA_OPTION_LEVEL, static_cast<uint64_t>(options.level)));
  LLMA_TRY(
      set(LLMA_OPTION_THREADS, static_cast<uint64_t>(options.num_threads)));
  LLMA_TRY(set(LLMA_OPTION_LANES, options.num_lanes));
  LLMA_TRY(set(LLMA_OPTION_WINDOW, options.window_positions));
  if (!SettingsOfLevel(options.level).uses_model) return how;
  llma_model* opened = nullptr;
  LLMA_TRY(
      Check(llma_model_open(options.model.c_str(), &opened, &error), error));
  const Handle<llma_model> model(opened);
  llma_model_info info = LLMA_INIT(llma_model_info);
  LLMA_TRY(Check(llma_model_get_info(model.get(), &info, &error), error));
  about.model = info.name;
  LLMA_TRY(
      Check(llma_options_set_model(how.get(), model.get(), &error), error));
  return how;
}

Status AddPiece(const llma_inspection* from, uint64_t index, Bytes content,
                Inspection& to) {
  llma_error error = {};
  llma_piece piece = LLMA_INIT(llma_piece);
  LLMA_TRY(
      Check(llma_inspection_get_piece(from, index, &piece, &error), error));
  InspectedPiece& added = to.pieces.emplace_back();
  added.content_ofs = piece.content_ofs;
  const Bytes bytes = content.subspan(piece.content_ofs, piece.size_bytes);
  added.bytes.assign(bytes.begin(), bytes.end());
  added.bits = piece.bits;
  added.model_bits = piece.model_bits;
  for (uint32_t i = 0; i < piece.num_alternatives; ++i) {
    llma_alternative other = LLMA_INIT(llma_alternative);
    LLMA_TRY(
        Check(llma_inspection_get_alternative(from, index, i, &other, &error),
              error));
    added.alternatives.push_back(
        {{static_cast<const char*>(other.bytes), other.size_bytes},
         other.probability});
  }
  return OkStatus();
}

Result<Inspection> Inspect(const Options& options, const std::string& name,
                           Bytes content) {
  Inspection result;
  result.name = name;
  result.level = options.level;
  LLMA_ASSIGN(const Handle<llma_options> how, MakeOptions(options, result));
  llma_error error = {};
  llma_inspection* made = nullptr;
  LLMA_TRY(Check(llma_inspect(content.data(), content.size(), kMaxAlternatives,
                              how.get(), &made, &error),
                 error));
  const Handle<llma_inspection> inspection(made);
  llma_inspection_info info = LLMA_INIT(llma_inspection_info);
  LLMA_TRY(
      Check(llma_inspection_get_info(inspection.get(), &info, &error), error));
  result.content_bytes = info.content_bytes;
  result.file_bytes = info.file_bytes;
  result.payload_bytes = info.payload_bytes;
  result.bits = info.bits;
  for (uint64_t i = 0; i < info.num_pieces; ++i) {
    LLMA_TRY(AddPiece(inspection.get(), i, content, result));
  }
  return result;
}

std::string OutputName(const Options& options, bool is_stdin) {
  if (!options.output.empty()) return options.output;
  if (options.list_format == ListFormat::kJson || is_stdin) return "-";
  return options.operands[0] + ".html";
}

}  // namespace

int RunInspect(const Options& options, const Messages& messages) {
  const std::string path = options.operands.empty() ? "-" : options.operands[0];
  auto input = InputFile::Open(path);
  if (!input) return Fail(messages, path, input.error());
  const std::string target = OutputName(options, (*input)->is_stdin());
  auto output = Output::Open(target, {.force = options.force}, **input);
  if (!output) return Fail(messages, {}, output.error());
  const auto content = ReadAll(**input);
  if (!content) return Fail(messages, path, content.error());
  const auto inspection = Inspect(options, (*input)->name(), *content);
  if (!inspection) return Fail(messages, path, inspection.error());
  const std::string text = options.list_format == ListFormat::kJson
                               ? InspectionJson(*inspection)
                               : InspectionPage(*inspection);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (const Status status = (*output)->Write({bytes, text.size()}); !status) {
    return Fail(messages, {}, status.error());
  }
  const auto finished = (*output)->Finish();
  if (!finished) return Fail(messages, {}, finished.error());
  if (target != "-") messages.ShowDetail(target + ": written");
  return kExitSuccess;
}

}  // namespace llma::cli
