// SPDX-License-Identifier: Apache-2.0
// In place of libFuzzer: runs saved inputs, with any compiler.
//   NAME_fuzzer FILE_OR_FOLDER...
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/fuzz_support.h"
#include "platform/descriptors.h"

namespace {

namespace fs = std::filesystem;

std::vector<std::string> ListInputs(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  int num_inputs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const std::string& file : ListInputs(argv[i])) {
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);
      const auto input = llma::ReadFile(file);
      if (!input) {
        std::fprintf(stderr, "%s: %s\n", file.c_str(),
                     input.error().what.c_str());
        return 1;
      }
      LLVMFuzzerTestOneInput(input->data(), input->size());
      ++num_inputs;
    }
  }
  if (num_inputs == 0) std::fprintf(stderr, "no inputs\n");
  return num_inputs == 0 ? 1 : 0;
}
