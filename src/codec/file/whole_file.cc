// SPDX-License-Identifier: Apache-2.0
// Whole files in memory.
#include "codec/file/whole_file.h"

#include "codec/callbacks.h"
#include "codec/file/file_decoder.h"
#include "codec/file/file_encoder.h"
#include "codec/short/decompress_short.h"

namespace llma {
namespace {

ByteSink AppendTo(std::vector<uint8_t>& buffer) {
  return [&buffer](Bytes bytes) {
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    return OkStatus();
  };
}

}  // namespace

Result<std::vector<uint8_t>> Compress(Bytes content, const Model* model,
                                      const CompressOptions& options) {
  std::vector<uint8_t> file;
  CompressOptions how = options;
  how.total_bytes = content.size();
  FileEncoder encoder(model, how, AppendTo(file));
  LLMA_TRY(encoder.Append(content));
  LLMA_TRY(encoder.Finish());
  return file;
}

Result<std::vector<uint8_t>> Decompress(Bytes file, const Model* model,
                                        const DecompressOptions& options) {
  if (IsShortMessage(file)) return DecompressShort(file, model, options);
  std::vector<uint8_t> content;
  FileDecoder decoder(OneModel(model), options, AppendTo(content));
  LLMA_TRY(decoder.Append(file));
  LLMA_TRY(decoder.Finish());
  return content;
}

}  // namespace llma
