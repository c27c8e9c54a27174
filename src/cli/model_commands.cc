// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/hex.h"
#include "cli/commands.h"
#include "cli/model_lookup.h"
#include "cli/progress.h"
#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ToText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

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
                  target + "\nfingerprint " + ToHex(*fingerprint) + "\n");
}

int RunModelList(const Options& options, const Messages& messages) {
  const std::vector<std::string> places = ModelPlaces();
  const InstalledModels installed = ListInstalledModels(places);
  Json all = Json::array();
  std::string text;
  for (const InstalledModel& model : installed.models) {
    switch (options.list_format) {
      case ListFormat::kJson:
        all.push_back({{"name", model.name},
                       {"fingerprint", ToHex(model.fingerprint)},
                       {"bytes", model.file_bytes},
                       {"path", model.path}});
        break;
      case ListFormat::kRobot:
        text += "model\t" + model.name + "\t" + ToHex(model.fingerprint) +
                "\t" + Number(model.file_bytes) + "\t" + Printable(model.path) +
                "\n";
        break;
      case ListFormat::kTable:
        char line[128];
        std::snprintf(
            line, sizeof(line), "%-32s %s  %8s  ", model.name.c_str(),
            ToHex(Bytes(model.fingerprint).first(8)).c_str(),
            FormatBytes(static_cast<double>(model.file_bytes)).c_str());
        text += line + model.path + "\n";
        break;
    }
  }
  if (options.list_format == ListFormat::kJson) text = ToText(all);
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
  const Json fields = {{"name", model.name()},
                       {"license", model.license()},
                       {"fingerprint", ToHex(model.fingerprint())},
                       {"source sha256", ToHex(model.source_sha256())},
                       {"importer", model.importer_version()},
                       {"pre-tokenizer", model.tokenizer().pre_tokenizer},
                       {"tokens", config.num_tokens},
                       {"layers", config.num_layers},
                       {"width", config.dim},
                       {"query heads", config.num_heads},
                       {"key heads", config.num_kv_heads},
                       {"head width", config.head_dim},
                       {"ffn width", config.ffn_dim},
                       {"context", config.context_length}};
  if (options.list_format == ListFormat::kJson) {
    return PrintOut(messages, ToText(fields));
  }
  const bool is_robot = options.list_format == ListFormat::kRobot;
  std::string text;
  for (const auto& [key, value] : fields.items()) {
    const std::string shown =
        value.is_string() ? value.get<std::string>() : value.dump();
    text += is_robot ? key + "\t" + shown + "\n" : Line(key.c_str(), shown);
  }
  return PrintOut(messages, text);
}

}  // namespace llma::cli
