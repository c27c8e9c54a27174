// SPDX-License-Identifier: Apache-2.0
// Fetching, checking, removing and exporting models.
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/model_lookup.h"
#include "cli/progress.h"
#include "store/check_model.h"
#include "store/export_model.h"
#include "store/pull_model.h"

namespace llma::cli {

int RunModelPull(const Options& options, const Messages& messages) {
  store::PullRequest request;
  request.source = options.operands[0];
  request.sha256 = options.sha256;
  request.name = options.import_name;
  request.start_token = options.start_token;
  request.keeps_source = options.keeps_source;
  request.overwrite = options.force;
  ProgressMeter meter(request.source, messages.verbosity() >= 1);
  const ProgressCallback show = meter.callback();
  const bool tells = messages.verbosity() >= 1;
  store::PullCallbacks callbacks;
  callbacks.progress = [&show](uint64_t done_bytes, uint64_t total_bytes) {
    return !show || show({done_bytes, total_bytes, 0});
  };
  callbacks.note = [&](const std::string& text) {
    if (!tells) return;
    PrintOut(messages, Printable(text) + "\n");
    meter.Redraw();
  };
  const auto pulled = store::PullModel(request, callbacks);
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
    const auto path = store::FindModelPath(operand);
    const auto model = path ? store::VerifyModel(*path)
                            : Result<std::unique_ptr<Model>>(path.error());
    if (!model) {
      status = WorseStatus(status,
                           messages.ShowError(FormatError({}, model.error())));
    } else if (messages.verbosity() >= 1) {
      status = WorseStatus(
          status,
          PrintOut(messages, *path + ": all is well, fingerprint " +
                                 ToHex((*model)->fingerprint()) + "\n"));
    }
  }
  return status;
}

int RunModelRemove(const Options& options, const Messages& messages) {
  int status = kExitSuccess;
  for (const std::string& name : options.operands) {
    const auto path = store::RemoveModel(name);
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
  const auto path = store::FindModelPath(options.operands[0]);
  if (!path) return messages.ShowError(FormatError({}, path.error()));
  const Status status =
      store::ExportModel(*path, options.operands[1], options.force);
  if (!status) return messages.ShowError(FormatError({}, status.error()));
  messages.ShowDetail("wrote " + options.operands[1]);
  return kExitSuccess;
}

}  // namespace llma::cli
