// SPDX-License-Identifier: Apache-2.0
#include "cli/model_lookup.h"

#include "cli/messages.h"
#include "model/model_registry.h"

namespace llma::cli {
namespace {

Result<std::unique_ptr<Model>> OpenPath(const std::string& path) {
  auto model = Model::Open(path);
  if (!model) {
    return Error{model.error().code, FormatError(path, model.error())};
  }
  return model;
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
  LLMA_ASSIGN(const InstalledModel found, FindModelByName(name_or_path));
  return OpenPath(found.path);
}

Result<std::unique_ptr<Model>> OpenModelFor(const FrameHeader& header,
                                            const std::string& name_or_path) {
  if (header.kind != ContentKind::kCoded) return std::unique_ptr<Model>();
  if (!name_or_path.empty()) return OpenModel(name_or_path);
  LLMA_ASSIGN(const InstalledModel found, FindModelById(header.model_id));
  return OpenPath(found.path);
}

}  // namespace llma::cli
