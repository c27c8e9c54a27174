// SPDX-License-Identifier: Apache-2.0
// llma inspect: what the model found hard in a text, as a page or as JSON.
#include <llma/llma.hpp>

#include "cli/commands/commands.h"
#include "cli/files/file_job.h"
#include "cli/files/output.h"
#include "cli/inspect/inspection.h"
#include "cli/progress.h"

namespace llma::cli {
namespace {

constexpr uint32_t kMaxAlternatives = 5;
// The page holds all of it, and a browser must draw it.
constexpr uint64_t kMaxInspectedBytes = 8 << 20;

Result<std::vector<uint8_t>> ReadAll(InputFile& input) {
  std::vector<uint8_t> content;
  for (;;) {
    LLMA_ASSIGN(const std::span<const uint8_t> bytes, input.Read());
    if (bytes.empty()) return content;
    content.insert(content.end(), bytes.begin(), bytes.end());
    if (content.size() > kMaxInspectedBytes) {
      return Error{ErrorCode::kUsage,
                   "larger than 8 MiB; inspect a part of it, such as "
                   "'head -c 1M FILE | llma inspect -o PAGE.html'"};
    }
  }
}

Result<llma::Options> OptionsFor(const Options& options, Inspection& about) {
  LLMA_ASSIGN(llma::Options how, MakeOptions(options));
  if (llma_level_uses_model(options.level) == 0) return how;
  LLMA_ASSIGN(const Model model, Model::Open(options.model));
  about.model = model.info().name;
  LLMA_TRY(how.SetModel(model));
  return how;
}

void AddPiece(const llma::Inspection& from, uint64_t index, Bytes content,
              Inspection& to) {
  const llma_piece piece = from.piece(index);
  InspectedPiece& added = to.pieces.emplace_back();
  added.content_ofs = piece.content_ofs;
  added.bytes = AsText(content.subspan(piece.content_ofs, piece.size_bytes));
  added.bits = piece.bits;
  added.model_bits = piece.model_bits;
  for (uint32_t i = 0; i < piece.num_alternatives; ++i) {
    const llma_alternative other = from.alternative(index, i);
    added.alternatives.push_back(
        {{static_cast<const char*>(other.bytes), other.size_bytes},
         other.probability});
  }
}

Result<Inspection> Inspect(const Options& options, const std::string& name,
                           Bytes content) {
  Inspection result;
  result.name = name;
  result.level = options.level;
  LLMA_ASSIGN(const llma::Options how, OptionsFor(options, result));
  LLMA_ASSIGN(const llma::Inspection inspection,
              llma::Inspection::Create(content, kMaxAlternatives, how));
  const llma_inspection_info info = inspection.info();
  result.content_bytes = info.content_bytes;
  result.file_bytes = info.file_bytes;
  result.payload_bytes = info.payload_bytes;
  result.bits = info.bits;
  for (uint64_t i = 0; i < info.num_pieces; ++i) {
    AddPiece(inspection, i, content, result);
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
  const bool is_page = options.list_format != ListFormat::kJson;
  const std::string text =
      is_page ? InspectionPage(*inspection) : InspectionJson(*inspection);
  if (const Status status = (*output)->Write(AsBytes(text)); !status) {
    return Fail(messages, {}, status.error());
  }
  const auto finished = (*output)->Finish();
  if (!finished) return Fail(messages, {}, finished.error());
  if (target != "-") {
    messages.ShowNote("wrote " + target + " (" +
                      FormatBytes(static_cast<double>(text.size())) + ")" +
                      (is_page ? "; open it in a browser" : ""));
  }
  return kExitSuccess;
}

}  // namespace llma::cli
