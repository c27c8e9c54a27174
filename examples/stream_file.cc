// SPDX-License-Identifier: Apache-2.0
// Compresses a file part by part, restores it part by part, and compares.
//
//     stream_file FILE [MODEL]    a name or a path; the default model without
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <llma/llma.hpp>
#include <utility>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

// Gives `input` to an encoder or a decoder in small parts.
template <class Stream>
llma::Result<Bytes> Convert(const llma::Options& options, const Bytes& input) {
  auto stream = Stream::Create(options);
  if (!stream) return stream.error();
  Bytes made;
  const auto keep = [&](std::span<const uint8_t> part) {
    made.insert(made.end(), part.begin(), part.end());
    return llma::OkStatus();
  };
  constexpr size_t kPartBytes = 1000;
  const std::span<const uint8_t> all = input;
  for (size_t ofs = 0; ofs < all.size(); ofs += kPartBytes) {
    const size_t size = std::min(kPartBytes, all.size() - ofs);
    const auto status = stream->Append(all.subspan(ofs, size), keep);
    if (!status) return status.error();
  }
  const auto status = stream->Finish(keep);
  if (!status) return status.error();
  return made;
}

// The sizes of a content and of its file.
llma::Result<std::pair<size_t, size_t>> RoundTrip(const char* path,
                                                  const char* model_name) {
  std::ifstream file(path, std::ios::binary);
  const Bytes content((std::istreambuf_iterator<char>(file)), {});
  if (!file.is_open()) {
    return llma::Error{llma::ErrorCode::kIo, "the file cannot be read"};
  }
  const auto model = llma::Model::Open(model_name);
  if (!model) return model.error();
  auto options = llma::Options::Create();
  if (!options) return options.error();
  const auto set = options->SetModel(*model);
  if (!set) return set.error();
  const auto packed = Convert<llma::Encoder>(*options, content);
  if (!packed) return packed.error();
  const auto restored = Convert<llma::Decoder>(*options, *packed);
  if (!restored) return restored.error();
  if (*restored != content) {
    return llma::Error{llma::ErrorCode::kInternal, "it was not restored"};
  }
  return std::pair(content.size(), packed->size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: stream_file FILE [MODEL]\n");
    return 1;
  }
  const auto sizes = RoundTrip(argv[1], argc > 2 ? argv[2] : "");
  if (!sizes) {
    std::fprintf(stderr, "stream_file: %s\n", sizes.error().what.c_str());
    return 1;
  }
  std::printf("%zu -> %zu bytes\n", sizes->first, sizes->second);
  return 0;
}
