// SPDX-License-Identifier: Apache-2.0
#include "api/api_context.h"

#include "api/api_error.h"

using namespace llma::api;

extern "C" {

llma_status llma_context_create(llma_context** context, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(context);
    auto owned = std::make_unique<Context>();
    *context =
        new llma_context{SharedContext(owned.release(), [](Context* ended) {
          // Its threads are the parent's, and cannot be waited for here.
          if (ended->is_of_this_process()) delete ended;
        })};
    return llma::OkStatus();
  });
}

void llma_context_free(llma_context* context) { delete context; }

}  // extern "C"
