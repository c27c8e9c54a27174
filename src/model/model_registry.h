// SPDX-License-Identifier: Apache-2.0
// Finds installed models: .llmm files named by $LLMA_MODEL_PATH (folders or
// files, separated by ':'), then in $XDG_DATA_HOME/llma, then in
// /usr/share/llma. Reads headers only.
#ifndef LLMA_MODEL_MODEL_REGISTRY_H_
#define LLMA_MODEL_MODEL_REGISTRY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model.h"

namespace llma {

inline constexpr std::string_view kDefaultModelName = "smollm2-135m-text";
// A compressed file names its model by so much of the fingerprint.
inline constexpr size_t kModelIdBytes = 8;

struct InstalledModel {
  std::string name;
  std::string path;
  Fingerprint fingerprint;
  uint64_t file_bytes;
};

// A model file that cannot be read, or a folder that cannot be listed: not one
// that does not exist.
struct ModelProblem {
  std::string path;
  bool is_file;
  Error error;  // says the path

  // Whether the system refused: a sound model may be there.
  bool may_hide_model() const { return error.code == ErrorCode::kIo; }
};

struct InstalledModels {
  // In the order of the search path, then by file name. Of several with the
  // same name or fingerprint, the first one is meant.
  std::vector<InstalledModel> models;
  std::vector<ModelProblem> problems;

  // Null if there is none.
  const InstalledModel* FindName(std::string_view name) const;
  // id: the first bytes of a fingerprint, usually kModelIdBytes.
  const InstalledModel* FindId(Bytes id) const;
  // The default model, or the only one, which may be there several times.
  const InstalledModel* FindDefault() const;
};

// Folders and files in which models are looked for, in order, from the
// environment.
std::vector<std::string> ModelSearchPath();

// $XDG_DATA_HOME/llma, by default ~/.local/share/llma, where models are
// installed to. Empty if the environment names no home.
std::string UserModelFolder();

// What does not exist is left out.
InstalledModels ListInstalledModels(
    const std::vector<std::string>& search_path);

// The name that means: for each frame, the model that compresses it best.
inline constexpr std::string_view kAutoModelName = "auto";

// Those that it is chosen from: the default model, then the others from small
// to large, each fingerprint once. At most kMaxModelsToTry, and no more than
// `max_bytes` of files in all, but one in any case: all are mapped at once.
inline constexpr size_t kMaxModelsToTry = 4;
std::vector<InstalledModel> ModelsToTry(const InstalledModels& installed,
                                        uint64_t max_bytes);

// Whether it names a file and not an installed model: it has a '/' or ends in
// ".llmm".
bool IsModelPath(std::string_view name_or_path);

// Look in ModelSearchPath(). kModelMissing says what to do; kIo that files or
// folders which may have it cannot be read. An empty name means the default
// model, or the only one that is installed; so does kDefaultAlias.
inline constexpr std::string_view kDefaultAlias = "default";
Result<InstalledModel> FindModelByName(std::string_view name);
// The file of a model, first of one that is damaged.
Result<std::string> FindModelFile(std::string_view name);
// known_name: what `llma model pull` calls it, or empty.
Result<InstalledModel> FindModelById(Bytes id,
                                     std::string_view known_name = {});

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_REGISTRY_H_
