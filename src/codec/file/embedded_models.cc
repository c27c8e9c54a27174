// SPDX-License-Identifier: Apache-2.0
#include "codec/file/embedded_models.h"

#include <algorithm>
#include <utility>

#include "base/checksum.h"
#include "model/fingerprint.h"

namespace llma {
namespace {

ModelId IdOf(const ModelFingerprint& fingerprint) {
  ModelId id;
  std::copy_n(fingerprint.begin(), id.size(), id.begin());
  return id;
}

}  // namespace

Result<const Model*> EmbeddedModels::Find(const ModelId& id) {
  if (const auto noted = noted_.find(id);
      noted != noted_.end() && !loaded_.contains(id) &&
      !IsElsewhere(noted->second.location.fingerprint)) {
    const Status loaded = Load(noted->second);
    if (!loaded) {
      return Error{loaded.error().code, loaded.error().what,
                   noted->second.location.frame_ofs};
    }
  }
  if (const auto found = loaded_.find(id); found != loaded_.end()) {
    return found->second.model.get();
  }
  return others_(id);
}

bool EmbeddedModels::IsElsewhere(const ModelFingerprint& fingerprint) {
  const auto model = others_(IdOf(fingerprint));
  return model && *model != nullptr && (*model)->fingerprint() == fingerprint;
}

Status EmbeddedModels::CheckRoom(uint64_t needed_bytes) const {
  if (needed_bytes <= max_memory_bytes_ - memory_bytes_) return OkStatus();
  return Error{ErrorCode::kLimit, "the embedded model needs " +
                                      std::to_string(needed_bytes >> 20) +
                                      " MiB of memory, more than is allowed"};
}

ModelTaker EmbeddedModels::taker() {
  return {
      [this](const ModelFingerprint& fingerprint,
             uint64_t model_bytes) -> Result<bool> {
        if (loaded_.contains(IdOf(fingerprint)) || IsElsewhere(fingerprint)) {
          return false;
        }
        LLMA_TRY(CheckRoom(model_bytes + model_bytes / 2));
        return true;
      },
      [this](const ModelFingerprint& fingerprint, AlignedBuffer<uint8_t> file) {
        return Load(fingerprint, std::move(file));
      }};
}

void EmbeddedModels::Note(const RandomAccess& file, const FrameHeader& header,
                          uint64_t frame_ofs, size_t header_bytes) {
  if (!IsModelFrame(header)) return;
  const auto location =
      FindEmbeddedModel(file, header, frame_ofs, header_bytes);
  if (!location) return;
  noted_.try_emplace(IdOf(location->fingerprint),
                     Noted{&file, *location, header});
}

Status EmbeddedModels::Load(const Noted& noted) {
  const EmbeddedModelLocation& location = noted.location;
  LLMA_TRY(CheckRoom(2 * location.model_bytes));
  LLMA_ASSIGN(const std::vector<uint8_t> bytes,
              noted.file->ReadAt(location.model_ofs, location.model_bytes));
  if (noted.header.has_checksum) {
    Xxh3Stream xxh3;
    xxh3.Update(location.fingerprint);
    xxh3.Update(bytes);
    if (NarrowChecksum(xxh3.Digest(), noted.header.payload_bytes) !=
        noted.header.checksum) {
      return Error{ErrorCode::kChecksum, "an embedded model is damaged"};
    }
  }
  AlignedBuffer<uint8_t> file(bytes.size());
  std::ranges::copy(bytes, file.data());
  return Load(location.fingerprint, std::move(file));
}

Status EmbeddedModels::Load(const ModelFingerprint& fingerprint,
                            AlignedBuffer<uint8_t> file) {
  auto model = Model::FromBytes({file.data(), file.size()});
  if (!model) {
    return Error{model.error().code,
                 "the embedded model: " + model.error().what};
  }
  if ((*model)->fingerprint() != fingerprint ||
      ComputeFingerprint(**model) != fingerprint) {
    return Error{
        ErrorCode::kCorrupt,
        "an embedded model does not have the fingerprint that it claims"};
  }
  memory_bytes_ += file.size();
  loaded_[IdOf(fingerprint)] = {std::move(file), *std::move(model)};
  return OkStatus();
}

}  // namespace llma
