// SPDX-License-Identifier: Apache-2.0
// The models that a compressed file brings along (docs/FORMAT.md section 5.2).
// One is loaded only if there is no other with its fingerprint.
#ifndef LLMA_CODEC_EMBEDDED_MODELS_H_
#define LLMA_CODEC_EMBEDDED_MODELS_H_

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/machine_limits.h"
#include "codec/decompress.h"
#include "container/frame_parser.h"
#include "container/model_frame.h"

namespace llma {

// Thread-compatible. The models live as long as this does.
class EmbeddedModels {
 public:
  // `others`: asked first. Of the options the limit of memory counts.
  EmbeddedModels(ModelProvider others, const DecompressOptions& options)
      : others_(std::move(others)),
        max_memory_bytes_(std::min(options.max_memory_bytes, kMaxObjectBytes)) {
  }

  // The model with this id; else what `others` says of it.
  Result<const Model*> Find(const ModelId& id);
  // Of the models that are loaded.
  uint64_t memory_bytes() const { return memory_bytes_; }

  // For a file that arrives in pieces.
  ModelTaker taker();
  // For one of which any part can be read: the model is loaded when it is
  // needed. `file` must outlive this. Does nothing if the header is of another
  // frame, and nothing about damage.
  void Note(const RandomAccess& file, const FrameHeader& header,
            uint64_t frame_ofs, size_t header_bytes);

 private:
  struct Loaded {
    AlignedBuffer<uint8_t> file;
    std::unique_ptr<Model> model;
  };
  struct Noted {
    const RandomAccess* file;
    EmbeddedModelLocation location;
    FrameHeader header;
  };
  bool IsElsewhere(const ModelFingerprint& fingerprint);
  Status CheckRoom(uint64_t needed_bytes) const;
  Status Load(const ModelFingerprint& fingerprint, AlignedBuffer<uint8_t> file);
  Status Load(const Noted& noted);

  const ModelProvider others_;
  const uint64_t max_memory_bytes_;
  uint64_t memory_bytes_ = 0;
  std::map<ModelId, Loaded> loaded_;
  std::map<ModelId, Noted> noted_;
};

}  // namespace llma

#endif  // LLMA_CODEC_EMBEDDED_MODELS_H_
