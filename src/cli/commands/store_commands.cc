// SPDX-License-Identifier: Apache-2.0
// Fetching, checking, removing and exporting models.
#include <algorithm>
#include <cstdio>
#include <llma/llma.hpp>
#include <utility>

#include "cli/byte_text.h"
#include "cli/commands/bench_text.h"
#include "cli/commands/commands.h"
#include "cli/files/input_file.h"
#include "cli/progress.h"
#include "cli/work_report.h"

namespace llma::cli {
namespace {

// At most `max_bytes` of a file; "-" is standard input.
Result<std::vector<uint8_t>> ReadStart(const std::string& path,
                                       size_t max_bytes) {
  LLMA_ASSIGN(const auto input, InputFile::Open(path));
  std::vector<uint8_t> start;
  while (start.size() < max_bytes) {
    LLMA_ASSIGN(const auto part, input->Read());
    if (part.empty()) break;
    start.insert(start.end(), part.begin(), part.end());
  }
  start.resize(std::min(start.size(), max_bytes));
  return start;
}

}  // namespace

int RunModelPull(const Options& options, const Messages& messages) {
  const std::string& source = options.operands[0];
  const bool tells = messages.verbosity() >= 1;
  ProgressMeter meter(source, messages);
  PullOptions how;
  how.sha256 = options.sha256;
  how.name = options.import_name;
  how.start_token = options.start_token;
  how.adapter = options.adapter;
  how.keep_source = options.keeps_source;
  how.overwrite = options.force;
  how.progress = [show = meter.callback(),
                  is_kept = false](const llma_progress& progress) mutable {
    if (progress.done_bytes > 0 && !std::exchange(is_kept, true)) {
      SetRemains(Remains::kPart, "what was fetched");
    }
    return show(progress);
  };
  how.note = [&](const std::string& text) {
    if (!tells) return;
    PrintOut(messages, Printable(text) + "\n");
    meter.Redraw();
  };
  const auto pulled = PullModel(source, how);
  SetRemains(Remains::kUnsaid);
  if (!pulled) return messages.ShowError(FormatError({}, pulled.error()));
  if (!tells) return kExitSuccess;
  std::string text =
      pulled->path + "\nfingerprint " + ToHex(pulled->fingerprint) + "\n";
  if (!pulled->source_path.empty()) {
    text += pulled->source_path + " is kept\n";
  }
  return PrintOut(messages, text);
}

int RunModelVerify(const Options& options, const Messages& messages) {
  int status = kExitSuccess;
  for (const std::string& operand : options.operands) {
    const auto model = VerifyModel(operand);
    if (!model) {
      status = WorseStatus(status,
                           messages.ShowError(FormatError({}, model.error())));
    } else if (messages.verbosity() >= 1) {
      status = WorseStatus(
          status,
          PrintOut(messages, model->path + ": all is well, fingerprint " +
                                 ToHex(model->fingerprint) + "\n"));
    }
  }
  return status;
}

int RunModelCheck(const Options& options, const Messages& messages) {
  constexpr uint32_t kMaxTokens = 1024;
  std::vector<uint8_t> text;
  if (options.operands.size() < 2) {
    const std::string_view built_in = BenchText();
    text.assign(built_in.begin(), built_in.end());
  } else {
    auto start = ReadStart(options.operands[1], kMaxTokens * 64);
    if (!start) return messages.ShowError(FormatError({}, start.error()));
    text = *std::move(start);
  }
  const auto cost =
      MeasureModel(options.operands[0], options.adapter, text, kMaxTokens);
  if (!cost) return messages.ShowError(FormatError({}, cost.error()));
  const auto line = [&cost](const char* what, double bits) {
    char shown[100];
    std::snprintf(shown, sizeof(shown), "%-10s%12.1f bits, %.4f a byte", what,
                  bits, bits / static_cast<double>(cost->num_bytes));
    return std::string(shown);
  };
  std::string all = std::to_string(cost->num_tokens) + " tokens, " +
                    std::to_string(cost->num_bytes) + " bytes\n";
  if (cost->float_bits < 0) {
    all += line("model", cost->exact_bits) + "\n";
  } else {
    char loss[40];
    std::snprintf(loss, sizeof(loss), ", %+.2f %%\n",
                  100 * (cost->exact_bits / cost->float_bits - 1));
    all += line("float32", cost->float_bits) + "\n" +
           line("imported", cost->exact_bits) + loss;
  }
  return PrintOut(messages, all);
}

int RunModelRemove(const Options& options, const Messages& messages) {
  int status = kExitSuccess;
  for (const std::string& name : options.operands) {
    const auto path = RemoveModel(name);
    if (!path) {
      status = WorseStatus(status,
                           messages.ShowError(FormatError({}, path.error())));
    } else {
      messages.ShowDetail("removed " + *path);
    }
  }
  return status;
}

int RunModelExport(const Options& options, const Messages& messages) {
  if (options.operands[1] == "-") {
    return messages.ShowError("an archive is not written to standard output",
                              "name a file; ./- is one of that name");
  }
  const Status status =
      ExportModel(options.operands[0], options.operands[1], options.force);
  if (!status) return messages.ShowError(FormatError({}, status.error()));
  messages.ShowDetail("wrote " + options.operands[1]);
  return kExitSuccess;
}

}  // namespace llma::cli
