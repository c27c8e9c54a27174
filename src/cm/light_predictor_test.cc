// SPDX-License-Identifier: Apache-2.0
#include "cm/light_predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "coder/binary_coder.h"

namespace llma::cm {
namespace {

template <class Coder>
void CodeContent(Coder& coder, const KernelTable& kernels,
                 std::vector<uint8_t>& content) {
  LightPredictor predictor(content.size(), PageSize::kLarge, kernels);
  for (uint8_t& byte : content) {
    predictor.BeginByte();
    for (int k = 7; k >= 0; --k) {
      const uint32_t p = predictor.Predict();
      ASSERT_GE(p, 1u);
      ASSERT_LT(p, 1u << 24);
      predictor.Update(coder.Code((byte >> k & 1) != 0, p) ? 1 : 0);
    }
    byte = predictor.last_byte();
  }
}

std::vector<uint8_t> Encode(std::vector<uint8_t> content,
                            const KernelTable& kernels) {
  BinaryEncoder encoder;
  CodeContent(encoder, kernels, content);
  return std::move(encoder).Finish();
}

// The size of the code. Encodes with the fastest kernels, decodes with the
// definition.
size_t RoundTrip(const std::vector<uint8_t>& content) {
  const std::vector<uint8_t> code = Encode(content, BestKernels());
  std::vector<uint8_t> decoded(content.size());
  BinaryDecoder decoder(code);
  CodeContent(decoder, **FindKernels("scalar"), decoded);
  EXPECT_EQ(decoded, content);
  return code.size();
}

std::vector<uint8_t> Random(size_t size, int shift) {
  std::mt19937 random(static_cast<uint32_t>(size));
  std::vector<uint8_t> bytes(size);
  for (auto& b : bytes) b = static_cast<uint8_t>((random() & 0xff) >> shift);
  return bytes;
}

std::vector<uint8_t> Text(size_t size) {
  std::string text;
  std::mt19937 random(3);
  while (text.size() < size) {
    const auto number = static_cast<uint32_t>(random());
    text += number % 4 == 0
                ? "{\"id\": " + std::to_string(number >> 20) + "},\n"
            : number % 4 == 1 ? "Stra\xc3\x9f"
                                "e [1]; @ZEBRA "
                              : "words (and more) zoom ";
  }
  text.resize(size);
  return {text.begin(), text.end()};
}

TEST(LightPredictor, RoundTripsAnyBytes) {
  for (const size_t size : {0, 1, 2, 3, 5, 6, 7, 100, 5000}) {
    for (const int shift : {0, 4, 7}) RoundTrip(Random(size, shift));
    RoundTrip(std::vector<uint8_t>(size));
    RoundTrip(Text(size));
  }
}

TEST(LightPredictor, LearnsTextAndRecords) {
  EXPECT_LT(RoundTrip(Text(10000)), 1500u);
  std::vector<uint8_t> records;
  for (uint32_t i = 0; i < 3000; ++i) {
    for (const uint32_t b : {0u, i / 16, i * 4, 1u}) {
      records.push_back(static_cast<uint8_t>(b));
    }
  }
  EXPECT_LT(RoundTrip(records), 1300u);
}

TEST(LightPredictor, FindsRepetitions) {
  const std::vector<uint8_t> part = Random(3000, 0);
  std::vector<uint8_t> content = part;
  content.insert(content.end(), part.begin(), part.end());
  EXPECT_LT(RoundTrip(content), 3200u);
}

TEST(LightPredictor, PredictableDataCostsNearlyNothing) {
  EXPECT_LT(RoundTrip(std::vector<uint8_t>(30000)), 40u);
  EXPECT_LT(RoundTrip(std::vector<uint8_t>(30000, 0xff)), 40u);
}

TEST(LightPredictor, RandomDataCostsLittleMore) {
  EXPECT_LT(RoundTrip(Random(8000, 0)), 8400u);
}

}  // namespace
}  // namespace llma::cm
