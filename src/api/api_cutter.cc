// SPDX-License-Identifier: Apache-2.0
// Where encoders cut a content into frames.
#include "api/api_compress_options.h"
#include "codec/file/frame_cutter.h"

using namespace llma::api;

struct llma_cutter {
  explicit llma_cutter(const llma_options* given)
      : options(Copy(given)), models(options) {}

  llma::Status Start() {
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(static_cast<int>(options.level)));
    cutter.emplace(model, ForCompressing(options, nullptr, nullptr));
    return llma::OkStatus();
  }
  llma::Result<llma_status> Run(llma_input* input, llma_action action,
                                uint64_t* frame_bytes);

  const llma_options options;
  CompressionModels models;
  std::optional<llma::FrameCutter> cutter;
  bool has_ended = false;
};

llma::Result<llma_status> llma_cutter::Run(llma_input* input,
                                           llma_action action,
                                           uint64_t* frame_bytes) {
  if (action != LLMA_RUN && action != LLMA_FINISH) {
    return Usage("a cutter has no such action");
  }
  LLMA_ASSIGN(llma::Bytes left, LoadUnused(input));
  if (has_ended) return Usage("the content has ended");
  size_t size_bytes = cutter->FindEnd(left);
  if (input != nullptr) input->used_bytes = input->size_bytes - left.size();
  llma_status status = LLMA_NEED_OUTPUT;
  if (size_bytes == 0) {
    if (action == LLMA_RUN) return LLMA_NEED_INPUT;
    has_ended = true;
    size_bytes = cutter->held().size();
    status = LLMA_OK;
  }
  cutter->TakeFrame(size_bytes);
  *frame_bytes = size_bytes;
  return status;
}

extern "C" {

llma_status llma_cutter_create(const llma_options* options,
                               llma_cutter** cutter, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(cutter);
    auto made = std::make_unique<llma_cutter>(options);
    LLMA_TRY(made->Start());
    *cutter = made.release();
    return llma::OkStatus();
  });
}

void llma_cutter_free(llma_cutter* cutter) { delete cutter; }

llma_status llma_cutter_run(llma_cutter* cutter, llma_input* input,
                            llma_action action, uint64_t* frame_bytes,
                            llma_error* error) {
  return Guard(error, [&]() -> llma::Result<llma_status> {
    LLMA_REQUIRE(cutter);
    LLMA_REQUIRE(frame_bytes);
    return cutter->Run(input, action, frame_bytes);
  });
}

}  // extern "C"
