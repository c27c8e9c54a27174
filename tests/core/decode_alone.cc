// SPDX-License-Identifier: Apache-2.0
// Decodes files from memory to memory, with a model in memory, and links
// nothing but the core. This program has no exceptions; the core has, for that
// is how the standard library says that memory ran out, and makes errors of
// them.
//
//     decode_alone MODEL CONTENT FILE...
#include <llma/llma.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "container/frame_header.h"
#include "numerics/linear_weights.h"

namespace {

using Buffer = std::vector<uint8_t>;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "decode_alone: %s\n", what.c_str());
  std::exit(1);
}

void Check(bool is_right, const std::string& what) {
  if (!is_right) Fail(what);
}

Buffer ReadFile(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) Fail(std::string("cannot open ") + path);
  Buffer bytes;
  uint8_t part[4096];
  while (const size_t got = std::fread(part, 1, sizeof(part), file)) {
    bytes.insert(bytes.end(), part, part + got);
  }
  std::fclose(file);
  return bytes;
}

class Decoding {
 public:
  explicit Decoding(const Buffer& model_file) {
    llma_error error{};
    Check(llma_model_open_memory(model_file.data(), model_file.size(), &model_,
                                 &error) == LLMA_OK &&
              llma_options_create(&options_, &error) == LLMA_OK &&
              llma_options_set_model(options_, model_, &error) == LLMA_OK,
          error.text);
  }
  ~Decoding() {
    llma_options_free(options_);
    llma_model_free(model_);
  }
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  llma_status Whole(const Buffer& file, Buffer& content) const {
    void* made = nullptr;
    size_t made_bytes = 0;
    const llma_status status = llma_decompress(
        file.data(), file.size(), options_, &made, &made_bytes, nullptr);
    if (status != LLMA_OK) return status;
    const auto* bytes = static_cast<const uint8_t*>(made);
    content.assign(bytes, bytes + made_bytes);
    llma_free(made);
    return LLMA_OK;
  }

  // Input and output in small parts.
  llma_status InParts(const Buffer& file, Buffer& content) const {
    llma_decoder* decoder = nullptr;
    Check(llma_decoder_create(options_, &decoder, nullptr) == LLMA_OK,
          "no decoder");
    content.clear();
    size_t used = 0;
    for (;;) {
      llma_input input = {file.data() + used,
                          std::min<size_t>(7, file.size() - used), 0};
      uint8_t part[100];
      llma_output output = {part, sizeof(part), 0};
      const llma_action action =
          used + input.size_bytes == file.size() ? LLMA_FINISH : LLMA_RUN;
      const llma_status status =
          llma_decoder_run(decoder, &input, &output, action, nullptr);
      content.insert(content.end(), part, part + output.used_bytes);
      used += input.used_bytes;
      if (status >= LLMA_OK) {
        llma_decoder_free(decoder);
        return status;
      }
    }
  }

 private:
  llma_model* model_ = nullptr;
  llma_options* options_ = nullptr;
};

// A file whose header speaks of sizes that 32 bits do not hold.
Buffer HugeFile(llma::FrameKind kind, uint64_t content_bytes,
                uint64_t payload_bytes) {
  llma::FrameHeader header;
  header.kind = kind;
  header.is_last = true;
  header.has_checksum = false;
  header.content_bytes = content_bytes;
  header.payload_bytes = payload_bytes;
  if (kind == llma::FrameKind::kContexts) {
    header.context_models = llma::ContextModels::kLight;
    header.predictor_id = llma_predictor_version();
  }
  Check(llma::CheckFrameHeader(header).has_value(), "a header that is wrong");
  llma::ByteWriter writer;
  llma::WriteFrameHeader(header, writer);
  Buffer file(writer.bytes().begin(), writer.bytes().end());
  file.resize(file.size() + 100);
  return file;
}

void CheckHugeSizes(const Decoding& decoding) {
  using llma::FrameKind;
  constexpr uint64_t k4Gi = uint64_t{1} << 32;
  Buffer content;
  // Stored content, modulo 2^32 as much as there is.
  const llma_status stored = decoding.Whole(
      HugeFile(FrameKind::kStored, k4Gi + 100, k4Gi + 100), content);
  Check(stored == (sizeof(size_t) == 4 ? LLMA_ERROR_LIMIT : stored) &&
            stored > LLMA_OK,
        "4 GiB of stored content");
  const llma_status coded = decoding.Whole(
      HugeFile(FrameKind::kContexts, llma::kMaxContextContentBytes, 100),
      content);
  Check(coded == (sizeof(size_t) == 4 ? LLMA_ERROR_LIMIT : coded) &&
            coded > LLMA_OK,
        "2 GiB of content by context models");
  // The largest matrix that a model's header may speak of.
  llma::LinearWeights largest;
  largest.num_rows = 1u << 20;
  largest.num_cols = 1u << 14;
  Check(largest.values_bytes() == uint64_t{1} << 34 &&
            largest.num_scales() == uint64_t{1} << 28,
        "the size of a large matrix");
}

void CheckFile(const Decoding& decoding, const char* path,
               const Buffer& expected) {
  const std::string name = path;
  const Buffer file = ReadFile(path);
  Buffer content;
  Check(decoding.Whole(file, content) == LLMA_OK && content == expected,
        name + " has another content");
  Check(decoding.InParts(file, content) == LLMA_OK && content == expected,
        name + " has another content in parts");
  Buffer cut = file;
  cut.pop_back();
  Check(decoding.Whole(cut, content) > LLMA_OK, name + " may be cut");
  for (size_t i = 0; i < file.size(); i += 1 + file.size() / 4) {
    Buffer damaged = file;
    damaged[i] ^= 0x10;
    Check(decoding.Whole(damaged, content) > LLMA_OK || content == expected,
          name + " may be damaged");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) Fail("expected MODEL CONTENT FILE...");
  const Buffer model_file = ReadFile(argv[1]);
  const Buffer expected = ReadFile(argv[2]);
  const Decoding decoding(model_file);
  for (int i = 3; i < argc; ++i) CheckFile(decoding, argv[i], expected);
  CheckHugeSizes(decoding);
  void* made;
  size_t made_bytes;
  const Buffer file = ReadFile(argv[3]);
  Check(llma_decompress(file.data(), file.size(), nullptr, &made, &made_bytes,
                        nullptr) == LLMA_ERROR_MODEL_MISSING,
        "a model from nowhere");
  std::printf("%d files, addresses of %zu bits\n", argc - 3,
              8 * sizeof(size_t));
}
