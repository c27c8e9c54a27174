// SPDX-License-Identifier: Apache-2.0
// For tests: the tiny model, and one like it that predicts a little otherwise
// and has another fingerprint.
#ifndef LLMA_CODEC_SECOND_TINY_MODEL_H_
#define LLMA_CODEC_SECOND_TINY_MODEL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/aligned_buffer.h"
#include "model/model.h"
#include "model/model_header.h"
#include "platform/descriptors.h"

namespace llma {

inline std::unique_ptr<Model> OpenTinyModel() {
  auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  EXPECT_TRUE(model);
  return *std::move(model);
}

// Its file, aligned as Model::FromBytes() wants it.
inline AlignedBuffer<uint8_t> SecondTinyModelFile() {
  const auto file = ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm");
  EXPECT_TRUE(file);
  AlignedBuffer<uint8_t> buffer(file->size());
  std::ranges::copy(*file, buffer.data());
  auto header = ParseModelHeader(*file);
  EXPECT_TRUE(header);
  header->config.start_row = 5;
  header->fingerprint.fill(0x5a);
  std::ranges::copy(EncodeModelHeader(*header), buffer.data());
  return buffer;
}

}  // namespace llma

#endif  // LLMA_CODEC_SECOND_TINY_MODEL_H_
