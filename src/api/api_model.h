// SPDX-License-Identifier: Apache-2.0
// Models behind the C interface: opened once for all handles.
#ifndef LLMA_API_API_MODEL_H_
#define LLMA_API_API_MODEL_H_

#include <llma/llma.h>

#include <memory>
#include <string>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "model/model.h"
#include "platform/mapped_file.h"

namespace llma::api {

struct OpenedModel {
  // Ended by a zero.
  std::string path, name, license, pre_tokenizer, adapter;
  // What the model is a view of, unless that is the caller's.
  MappedFile file;
  AlignedBuffer<uint8_t> copy;
  std::unique_ptr<const Model> model;
};
using SharedModel = std::shared_ptr<const OpenedModel>;

// A handle of what was opened.
SharedModel ShareModel(const std::string& path, MappedFile file,
                       AlignedBuffer<uint8_t> copy,
                       std::unique_ptr<Model> model);

// As llma_model_open() and llma_model_find(), in api_model_files.cc; or always
// an error, in api_model_files_none.cc. Thread-safe.
Result<SharedModel> OpenByName(const std::string& name_or_path);
Result<SharedModel> FindByPrefix(Bytes id, uint32_t candidate);
// As llma_model_open_memory().
Result<SharedModel> OpenInMemory(Bytes file);

}  // namespace llma::api

struct llma_model {
  llma::api::SharedModel opened;
};

#endif  // LLMA_API_API_MODEL_H_
