// SPDX-License-Identifier: Apache-2.0
// The structure of a GGUF file; after it are zeros, which are its weights.
// What is imported can be opened, and has the fingerprint that was told.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/fuzz_support.h"
#include "importer/gguf/import_gguf.h"
#include "model/fingerprint.h"
#include "model/model.h"

namespace llma {
namespace {

constexpr size_t kWeightBytes = 256 << 10;

// Where the model goes: in memory if possible. Removed at the end.
class ScratchFile {
 public:
  ScratchFile()
      : path_(
            (std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") +
            std::string("/llma_gguf_fuzzer_") + std::to_string(getpid())) {}
  ~ScratchFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llma;
  std::vector<uint8_t> source(data, data + size);
  source.resize(size + kWeightBytes);
  const ScratchFile scratch;
  const auto imported =
      ImportGgufBytes(source, scratch.path(), {"x", "", true});
  if (!imported) {
    FUZZ_CHECK(imported.error().code != ErrorCode::kInternal);
    FUZZ_CHECK(imported.error().code != ErrorCode::kIo);
    FUZZ_CHECK(!std::filesystem::exists(scratch.path()));
    return 0;
  }
  const auto model = Model::Open(scratch.path());
  FUZZ_CHECK(model.has_value());
  FUZZ_CHECK(ComputeFingerprint(**model) == *imported);
  FUZZ_CHECK((*model)->fingerprint() == *imported);
  return 0;
}
