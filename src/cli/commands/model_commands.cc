// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <llma/llma.hpp>
#include <nlohmann/json.hpp>

#include "cli/byte_text.h"
#include "cli/commands/commands.h"
#include "cli/progress.h"

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

std::string Hex32(const uint8_t* hash) { return ToHex({hash, 32}); }

std::string Number(uint64_t value) { return std::to_string(value); }

}  // namespace

int RunModelImport(const Options& options, const Messages& messages) {
  const std::string& source = options.operands[0];
  ImportOptions how;
  how.name = options.import_name;
  how.start_token = options.start_token;
  how.adapter = options.adapter;
  how.overwrite = options.force;
  how.path = options.output;
  how.note = [&](const std::string& text) {
    messages.ShowNote(source + ": note: " + text);
  };
  if (how.path.empty()) {
    if (how.name.empty()) how.name = ModelNameFromPath(source);
    if (how.name.empty()) {
      return messages.ShowError(source + ": its name gives no model name",
                                "choose one with --name");
    }
    if (llma_is_model_name(how.name.c_str()) == 0) {
      return messages.ShowError(
          "'" + how.name +
              "' is no model name: 1 to 64 of a-z, 0-9, . _ -; not auto, "
              "default, . or .., nor with .llmm at its end",
          "choose one with --name");
    }
  }
  const auto made = ImportModel(source, how);
  if (!made && made.error().what.ends_with(" exists already")) {
    return messages.ShowError(FormatError(source, made.error()),
                              "use -f to overwrite it, or choose another name "
                              "with --name");
  }
  if (!made) return messages.ShowError(FormatError(source, made.error()));
  if (messages.verbosity() < 1) return kExitSuccess;
  return PrintOut(messages, made->path + "\nfingerprint " +
                                ToHex(made->fingerprint) + "\n");
}

int RunModelList(const Options& options, const Messages& messages) {
  const auto installed = ModelList::Create();
  if (!installed) {
    return messages.ShowError(FormatError({}, installed.error()));
  }
  Json all = Json::array();
  std::string text;
  for (size_t i = 0; i < installed->size(); ++i) {
    const llma_installed_model model = (*installed)[i];
    const std::string name = model.name;
    const Bytes fingerprint(model.fingerprint, LLMA_FINGERPRINT_BYTES);
    switch (options.list_format) {
      case ListFormat::kJson:
        all.push_back({{"name", name},
                       {"fingerprint", ToHex(fingerprint)},
                       {"bytes", model.file_bytes},
                       {"path", model.path},
                       {"default", model.is_default != 0}});
        break;
      case ListFormat::kRobot:
        text += "model\t" + name + "\t" + ToHex(fingerprint) + "\t" +
                Number(model.file_bytes) + "\t" + Printable(model.path) + "\n";
        break;
      case ListFormat::kTable:
        char line[128];
        std::snprintf(
            line, sizeof(line), "%-32s %s  %8s  ", model.name,
            ToHex(fingerprint.first(8)).c_str(),
            FormatBytes(static_cast<double>(model.file_bytes)).c_str());
        text += std::string(line) + model.path +
                (model.is_default != 0 ? " (default)" : "") + "\n";
        break;
    }
  }
  if (options.list_format == ListFormat::kJson) text = ToText(all);
  int status = PrintOut(messages, text);
  for (const std::string& problem : installed->problems()) {
    status = WorseStatus(status, messages.ShowWarning(problem));
  }
  if (installed->size() == 0 && messages.verbosity() >= 1) {
    std::string listed;
    for (const std::string& path : installed->search_path())
      listed += " " + path;
    return WorseStatus(status, messages.ShowWarning("no models in" + listed));
  }
  return status;
}

int RunModelInfo(const Options& options, const Messages& messages) {
  const auto opened = Model::Open(options.operands[0]);
  if (!opened) return messages.ShowError(FormatError({}, opened.error()));
  const llma_model_info model = opened->info();
  Json fields = {{"name", model.name},
                 {"license", model.license},
                 {"fingerprint", Hex32(model.fingerprint)},
                 {"source sha256", Hex32(model.source_sha256)},
                 {"importer", model.importer_version},
                 {"pre-tokenizer", model.pre_tokenizer},
                 {"tokens", model.num_tokens},
                 {"layers", model.num_layers},
                 {"width", model.dim},
                 {"query heads", model.num_heads},
                 {"key heads", model.num_kv_heads},
                 {"head width", model.head_dim},
                 {"ffn width", model.ffn_dim},
                 {"context", model.context_length}};
  if (*model.adapter != '\0') {
    fields["adapter"] = model.adapter;
    fields["adapter sha256"] = Hex32(model.adapter_sha256);
  }
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
