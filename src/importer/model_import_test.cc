// SPDX-License-Identifier: Apache-2.0
#include "importer/model_import.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

TEST(ModelNameTest, ComesFromTheFile) {
  EXPECT_EQ(ModelNameFromPath("/a.b/SmolLM2-135M-Instruct.Q4_1.gguf"),
            "smollm2-135m-instruct");
  EXPECT_EQ(ModelNameFromPath("Model-Q8_0.gguf"), "model");
  EXPECT_EQ(ModelNameFromPath("qwen2.5-0.5b-bf16.gguf"), "qwen2.5-0.5b");
  EXPECT_EQ(ModelNameFromPath("x/tiny.gguf"), "tiny");
  EXPECT_EQ(ModelNameFromPath("My Model (1).gguf"), "my-model--1-");
  EXPECT_EQ(ModelNameFromPath(std::string(100, 'a')), std::string(64, 'a'));
  EXPECT_EQ(ModelNameFromPath("m-Q4_K_M.gguf"), "m");
  EXPECT_EQ(ModelNameFromPath("m.IQ4_NL.gguf"), "m");
  EXPECT_EQ(ModelNameFromPath("m-MXFP4.gguf"), "m");
  EXPECT_EQ(ModelNameFromPath("m-iq.gguf"), "m-iq");
  EXPECT_EQ(ModelNameFromPath("models/SmolLM2-135M//"), "smollm2-135m");
  EXPECT_EQ(ModelNameFromPath("\u043c\u0438\u0440.gguf"), "");
  EXPECT_EQ(ModelNameFromPath("..gguf"), "");
  EXPECT_EQ(ModelNameFromPath(".."), "");
  EXPECT_EQ(ModelNameFromPath("./"), "");
  EXPECT_EQ(ModelNameFromPath("/"), "");
}

}  // namespace
}  // namespace llma
