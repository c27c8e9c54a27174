// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/commands.h"
#include "cli/model_lookup.h"
#include "cli/progress.h"
#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"

namespace llma::cli {
namespace {

std::string Line(const char* key, const std::string& value) {
  char padded[24];
  std::snprintf(padded, sizeof(padded), "%-16s", key);
  return padded + value + "\n";
}

// Where models are imported to; made if necessary.
Result<std::string> MakeUserModelFolder() {
  const std::string folder = UserModelFolder();
  if (folder.empty()) {
    return Error{ErrorCode::kUsage,
                 "neither HOME nor XDG_DATA_HOME is set; use -o"};
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{ErrorCode::kIo, folder + ": " + error.message()};
  return folder;
}

std::string Number(uint64_t value) { return std::to_string(value); }

}  // namespace

int RunModelImport(const Options& options, const Messages& messages) {
  const std::string& source = options.operands[0];
  ImportOptions how;
  how.name = options.import_name;
  how.start_token = options.start_token;
  how.overwrite = options.force;
  std::string target = options.output;
  if (target.empty()) {
    if (how.name.empty()) how.name = ModelNameFromPath(source);
    if (how.name.empty()) {
      return messages.ShowError(source + ": its name gives no model name",
                                "choose one with --name");
    }
    if (!IsValidModelName(how.name)) {
      return messages.ShowError(
          "'" + how.name + "' is no model name: 1 to 64 of a-z, 0-9, . _ -",
          "choose one with --name");
    }
    const auto folder = MakeUserModelFolder();
    if (!folder) return messages.ShowError(folder.error().what);
    target = *folder + "/" + how.name + ".llmm";
  }
  const auto fingerprint = ImportModel(source, target, how);
  if (!fingerprint) {
    return messages.ShowError(FormatError(source, fingerprint.error()));
  }
  if (messages.verbosity() < 1) return kExitSuccess;
  return PrintOut(messages,
                  target + "\nfingerprint " + Hex(*fingerprint) + "\n");
}

int RunModelList(const Options&, const Messages& messages) {
  const std::vector<std::string> places = ModelPlaces();
  const InstalledModels installed = ListInstalledModels(places);
  std::string text;
  for (const InstalledModel& model : installed.models) {
    char line[128];
    std::snprintf(line, sizeof(line), "%-32s %s  %8s  ", model.name.c_str(),
                  Hex(Bytes(model.fingerprint).first(8)).c_str(),
                  FormatBytes(static_cast<double>(model.file_bytes)).c_str());
    text += line + model.path + "\n";
  }
  int status = PrintOut(messages, text);
  for (const Error& problem : installed.problems) {
    status =
        WorseStatus(status, messages.ShowWarning(FormatError({}, problem)));
  }
  if (installed.models.empty() && messages.verbosity() >= 1) {
    std::string listed;
    for (const std::string& place : places) listed += " " + place;
    return WorseStatus(status, messages.ShowWarning("no models in" + listed));
  }
  return status;
}

int RunModelInfo(const Options& options, const Messages& messages) {
  const auto opened = OpenModel(options.operands[0]);
  if (!opened) return messages.ShowError(FormatError({}, opened.error()));
  const Model& model = **opened;
  const ModelConfig& config = model.config();
  return PrintOut(
      messages,
      Line("name", std::string(model.name())) +
          Line("license", std::string(model.license())) +
          Line("fingerprint", Hex(model.fingerprint())) +
          Line("source sha256", Hex(model.source_sha256())) +
          Line("importer", Number(model.importer_version())) +
          Line("pre-tokenizer", std::string(model.tokenizer().pre_tokenizer)) +
          Line("tokens", Number(config.num_tokens)) +
          Line("layers", Number(config.num_layers)) +
          Line("width", Number(config.dim)) +
          Line("heads", Number(config.num_heads) + " query, " +
                            Number(config.num_kv_heads) + " key and value") +
          Line("head width", Number(config.head_dim)) +
          Line("ffn width", Number(config.ffn_dim)) +
          Line("context", Number(config.context_length)));
}

}  // namespace llma::cli
