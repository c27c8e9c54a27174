// SPDX-License-Identifier: Apache-2.0
// Compresses standard input to standard output, or back, in pieces of any size,
// and says on standard error how far it is.
//
//     compress_stream -c|-d [MODEL]     a name or a path; without it the
//     default
//                                       model, or the one that the file names
#include <cstdio>
#include <llma/llma.hpp>
#include <string_view>

namespace {

llma::Status WriteOut(std::span<const uint8_t> bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) {
    return llma::OkStatus();
  }
  return llma::Error{llma::ErrorCode::kIo, "standard output: cannot write"};
}

// All input through an encoder or a decoder.
template <class Stream>
llma::Status Drive(const llma::Options& options) {
  LLMA_ASSIGN(Stream stream, Stream::Create(options));
  std::vector<uint8_t> buffer(1 << 16);
  while (const size_t got =
             std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    LLMA_TRY(stream.Append({buffer.data(), got}, WriteOut));
  }
  if (std::ferror(stdin) != 0) {
    return llma::Error{llma::ErrorCode::kIo, "standard input: cannot read"};
  }
  LLMA_TRY(stream.Finish(WriteOut));
  std::fprintf(stderr, "%llu bytes of content, %llu of file\n",
               static_cast<unsigned long long>(stream.totals().content_bytes),
               static_cast<unsigned long long>(stream.totals().file_bytes));
  return llma::OkStatus();
}

llma::Status Run(bool compresses, const char* model_name) {
  LLMA_ASSIGN(llma::Options options, llma::Options::Create());
  if (model_name != nullptr) {
    LLMA_ASSIGN(const llma::Model model, llma::Model::Open(model_name));
    LLMA_TRY(options.SetModel(model));
  }
  // A reader of a pipe wants something soon.
  LLMA_TRY(options.Set(LLMA_OPTION_QUICK_START, 1));
  LLMA_TRY(options.SetProgress([](const llma_progress& progress) {
    std::fprintf(stderr, "%llu bytes\r",
                 static_cast<unsigned long long>(progress.done_bytes));
    return true;
  }));
  return compresses ? Drive<llma::Encoder>(options)
                    : Drive<llma::Decoder>(options);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if ((mode != "-c" && mode != "-d") || argc > 3) {
    std::fprintf(stderr, "usage: compress_stream -c|-d [MODEL]\n");
    return 2;
  }
  llma::Status status = Run(mode == "-c", argc > 2 ? argv[2] : nullptr);
  if (status && std::fflush(stdout) != 0) {
    status = llma::Error{llma::ErrorCode::kIo, "standard output: cannot write"};
  }
  if (status) return 0;
  std::fprintf(stderr, "compress_stream: %s\n", status.error().what.c_str());
  return 1;
}
