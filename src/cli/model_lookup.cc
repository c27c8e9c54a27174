// SPDX-License-Identifier: Apache-2.0
#include "cli/model_lookup.h"

#include "cli/installed_models.h"
#include "cli/messages.h"

namespace llma::cli {
namespace {

Result<std::unique_ptr<Model>> OpenPath(const std::string& path) {
  auto model = Model::Open(path);
  if (!model) {
    return Error{model.error().code, FormatError(path, model.error())};
  }
  return model;
}

Error Missing(std::string what) {
  return Error{ErrorCode::kModelMissing, std::move(what)};
}

}  // namespace

std::string Hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Result<std::unique_ptr<Model>> OpenModel(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos ||
      name_or_path.ends_with(".llmm")) {
    return OpenPath(name_or_path);
  }
  const InstalledModels installed = ListInstalledModels();
  if (!name_or_path.empty()) {
    const InstalledModel* found = installed.FindName(name_or_path);
    if (found != nullptr) return OpenPath(found->path);
    return Missing("no model is called " + name_or_path);
  }
  const InstalledModel* found = installed.FindName(kDefaultModel);
  if (found != nullptr) return OpenPath(found->path);
  if (installed.models.size() == 1) return OpenPath(installed.models[0].path);
  return Missing(installed.models.empty()
                     ? std::string("no model is installed")
                     : std::string("the default model ") + kDefaultModel +
                           " is not installed; choose one with --model");
}

Result<std::unique_ptr<Model>> OpenModelFor(const FrameHeader& header,
                                            const std::string& name_or_path) {
  if (header.kind == ContentKind::kStored) return std::unique_ptr<Model>();
  if (!name_or_path.empty()) return OpenModel(name_or_path);
  const InstalledModels installed = ListInstalledModels();
  const InstalledModel* found = installed.FindId(header.model_id);
  if (found != nullptr) return OpenPath(found->path);
  return Missing("needs the model with fingerprint " + Hex(header.model_id) +
                 "..., which is not installed");
}

}  // namespace llma::cli
