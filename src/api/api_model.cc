// SPDX-License-Identifier: Apache-2.0
#include "api/api_model.h"

#include <algorithm>
#include <cstdint>

#include "api/api_error.h"

namespace llma::api {

SharedModel ShareModel(const std::string& path, MappedFile file,
                       AlignedBuffer<uint8_t> copy,
                       std::unique_ptr<Model> model) {
  const Model& opened = *model;
  return std::make_shared<const OpenedModel>(OpenedModel{
      path, std::string(opened.name()), std::string(opened.license()),
      std::string(opened.tokenizer().pre_tokenizer),
      std::string(opened.adapter()), std::move(file), std::move(copy),
      std::move(model)});
}

Result<SharedModel> OpenInMemory(Bytes file) {
  AlignedBuffer<uint8_t> copy;
  if (reinterpret_cast<uintptr_t>(file.data()) % kVectorAlignment != 0) {
    copy = AlignedBuffer<uint8_t>(file.size());
    std::ranges::copy(file, copy.data());
    file = {copy.data(), copy.size()};
  }
  LLMA_ASSIGN(std::unique_ptr<Model> model, Model::FromBytes(file));
  return ShareModel({}, {}, std::move(copy), std::move(model));
}

}  // namespace llma::api

using namespace llma::api;

extern "C" {

llma_status llma_model_open_memory(const void* file, size_t file_bytes,
                                   llma_model** model, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(model);
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(file, file_bytes));
    LLMA_ASSIGN(SharedModel opened, OpenInMemory(bytes));
    *model = new llma_model{std::move(opened)};
    return llma::OkStatus();
  });
}

llma_model* llma_model_share(llma_model* model) {
  return model == nullptr ? nullptr : new (std::nothrow) llma_model(*model);
}

void llma_model_free(llma_model* model) { delete model; }

llma_status llma_model_get_info(const llma_model* model, llma_model_info* info,
                                llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(model);
    const llma::Model& m = *model->opened->model;
    const llma::ModelConfig& config = m.config();
    return Fill(
        info,
        {0, model->opened->name.c_str(), model->opened->license.c_str(),
         model->opened->pre_tokenizer.c_str(), model->opened->path.c_str(),
         m.fingerprint().data(), m.source_sha256().data(), m.importer_version(),
         config.num_tokens, config.num_layers, config.dim, config.num_heads,
         config.num_kv_heads, config.head_dim, config.ffn_dim,
         config.context_length, model->opened->adapter.c_str(),
         m.adapter_sha256().data()});
  });
}

}  // extern "C"
