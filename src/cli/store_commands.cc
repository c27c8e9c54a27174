// SPDX-License-Identifier: Apache-2.0
// Fetching, checking, removing and exporting models.
#include <llma/llma.hpp>

#include "cli/byte_text.h"
#include "cli/commands.h"
#include "cli/progress.h"

namespace llma::cli {

int RunModelPull(const Options& options, const Messages& messages) {
  const std::string& source = options.operands[0];
  const bool tells = messages.verbosity() >= 1;
  ProgressMeter meter(source, tells);
  PullOptions how;
  how.sha256 = options.sha256;
  how.name = options.import_name;
  how.start_token = options.start_token;
  how.keep_source = options.keeps_source;
  how.overwrite = options.force;
  how.progress = meter.callback();
  how.note = [&](const std::string& text) {
    if (!tells) return;
    PrintOut(messages, Printable(text) + "\n");
    meter.Redraw();
  };
  const auto pulled = PullModel(source, how);
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
  const Status status =
      ExportModel(options.operands[0], options.operands[1], options.force);
  if (!status) return messages.ShowError(FormatError({}, status.error()));
  messages.ShowDetail("wrote " + options.operands[1]);
  return kExitSuccess;
}

}  // namespace llma::cli
