// SPDX-License-Identifier: Apache-2.0
#include "coder/binary_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace llma {
namespace {

struct Decision {
  bool bit;
  Probability p1;
};

std::vector<uint8_t> Encode(const std::vector<Decision>& decisions) {
  BinaryEncoder encoder;
  for (const Decision& d : decisions) {
    EXPECT_EQ(encoder.Code(d.bit, d.p1), d.bit);
  }
  return std::move(encoder).Finish();
}

// The number of wrong decisions in code; 0 also means a canonical end.
size_t CountErrors(const std::vector<Decision>& decisions, Bytes code) {
  BinaryDecoder decoder(code);
  size_t num_errors = 0;
  for (const Decision& d : decisions) {
    if (decoder.Code(false, d.p1) != d.bit) ++num_errors;
  }
  if (num_errors == 0) {
    EXPECT_FALSE(decoder.IsTruncated());
    EXPECT_TRUE(decoder.IsAtCanonicalEnd());
    EXPECT_EQ(decoder.consumed_bytes(), code.size());
  }
  return num_errors;
}

double IdealBits(const std::vector<Decision>& decisions) {
  double bits = 0;
  for (const Decision& d : decisions) {
    const double p1 = std::ldexp(d.p1, -kProbBits);
    bits -= std::log2(d.bit ? p1 : 1 - p1);
  }
  return bits;
}

// Bits that follow a fixed probability.
std::vector<Decision> Source(size_t size, Probability p1, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Decision> decisions(size);
  for (Decision& d : decisions) d = {random() >> 8 < p1, p1};
  return decisions;
}

TEST(BinaryCoder, NoDecisionsAreNoBytes) {
  EXPECT_TRUE(Encode({}).empty());
  BinaryDecoder decoder({});
  EXPECT_TRUE(decoder.IsAtCanonicalEnd());
  EXPECT_FALSE(decoder.IsTruncated());
  EXPECT_EQ(decoder.consumed_bytes(), 0u);
  const uint8_t extra = 0;
  EXPECT_FALSE(BinaryDecoder(Bytes(&extra, 1)).IsAtCanonicalEnd());
}

TEST(BinaryCoder, ClampsProbabilities) {
  EXPECT_EQ(ClampProbability(-5), kMinProbability);
  EXPECT_EQ(ClampProbability(0), kMinProbability);
  EXPECT_EQ(ClampProbability(77), 77u);
  EXPECT_EQ(ClampProbability(1 << 24), kMaxProbability);
  EXPECT_EQ(ClampProbability(int64_t{1} << 40), kMaxProbability);
}

TEST(BinaryCoder, RoundTripsEveryShortSequence) {
  for (const Probability p1 : {kMinProbability, 3u, 1u << 12, 1u << 23,
                               kMaxProbability - 2, kMaxProbability}) {
    for (uint32_t size = 1; size <= 8; ++size) {
      for (uint32_t bits = 0; bits < (1u << size); ++bits) {
        std::vector<Decision> decisions(size);
        for (uint32_t i = 0; i < size; ++i) {
          decisions[i] = {(bits >> i & 1) != 0, p1};
        }
        const auto code = Encode(decisions);
        ASSERT_EQ(CountErrors(decisions, code), 0u) << p1 << ' ' << bits;
        // At most one byte for rounding up, beside the window's.
        ASSERT_LE(static_cast<double>(code.size()),
                  IdealBits(decisions) / 8 + 2);
      }
    }
  }
}

TEST(BinaryCoder, RoundTripsMixedProbabilities) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Decision> decisions(random() % 2000);
    for (Decision& d : decisions) {
      // Spread evenly over magnitudes, on both sides; every kind of luck.
      const Probability p = ClampProbability(random() >> (8 + random() % 24));
      d.p1 = random() % 2 == 0 ? p : (1u << kProbBits) - p;
      d.bit = round % 3 == 0   ? random() % 2 == 0
              : round % 3 == 1 ? random() >> 8 < d.p1
                               : random() >> 8 >= d.p1;
    }
    const auto code = Encode(decisions);
    ASSERT_EQ(CountErrors(decisions, code), 0u);
    ASSERT_LE(static_cast<double>(code.size()),
              IdealBits(decisions) / 8 * (1 + 1e-6) + 2);
  }
}

// Steers low to just below a byte boundary, so that runs of 0xff pile up and
// the last decisions carry through them, or do not.
TEST(BinaryCoder, CarriesThroughLongRuns) {
  for (const size_t run : {1u, 7u, 8u, 9u, 100u, 5000u}) {
    for (const bool last : {false, true}) {
      std::vector<Decision> decisions;
      decisions.push_back({true, 1u << 23});  // the lower half: 0.0111...
      for (size_t i = 0; i < run; ++i) decisions.push_back({false, 1u << 16});
      for (size_t i = 0; i < 8 * run; ++i) {
        decisions.push_back({false, 1u << 23});  // the upper half, again
      }
      decisions.push_back({last, kMinProbability});
      decisions.push_back({last, kMaxProbability});
      ASSERT_EQ(CountErrors(decisions, Encode(decisions)), 0u) << run;
    }
  }
}

TEST(BinaryCoder, IsWithinAHairOfTheEntropy) {
  for (const Probability p1 :
       {16u, 1000u, 100000u, 1000000u, 8388608u, 16000000u, 16777000u}) {
    const auto decisions = Source(400000, p1, p1);
    const auto code = Encode(decisions);
    EXPECT_EQ(CountErrors(decisions, code), 0u);
    const double bits = 8.0 * static_cast<double>(code.size());
    EXPECT_LE(bits, IdealBits(decisions) * (1 + 1e-4) + 8) << p1;
    EXPECT_GE(bits, IdealBits(decisions) - 8) << p1;
  }
}

TEST(BinaryCoder, AllOnesKeepTheirLength) {
  // Every byte of the code is 0; only those of the last window are dropped.
  const std::vector<Decision> decisions(8000, {true, 1u << 23});
  const auto code = Encode(decisions);
  EXPECT_LE(code.size(), 1000u);
  EXPECT_GE(code.size(), 992u);
  EXPECT_EQ(CountErrors(decisions, code), 0u);
}

TEST(BinaryCoder, NoticesTruncation) {
  const auto decisions = Source(8000, 1u << 23, 3);
  const auto code = Encode(decisions);
  for (const size_t size : {code.size() - 1, code.size() - 9, size_t{0}}) {
    BinaryDecoder decoder(Bytes(code).first(size));
    for (const Decision& d : decisions) decoder.Code(false, d.p1);
    EXPECT_FALSE(decoder.IsAtCanonicalEnd()) << size;
    // One byte more or less can hide in the dropped part of the window.
    EXPECT_TRUE(decoder.IsTruncated() || size + 9 > code.size()) << size;
  }
}

TEST(BinaryCoder, OnlyOneCodeIsCanonical) {
  // All codes of up to 2 bytes for some sequences of 9 decisions: exactly
  // one canonical code each, the encoder's.
  for (uint32_t bits = 0; bits < 512; bits += 15) {
    std::vector<Decision> decisions;
    for (uint32_t i = 0; i < 9; ++i) {
      decisions.push_back({(bits >> i & 1) != 0, 5000000 + 900000 * i});
    }
    const auto right = Encode(decisions);
    ASSERT_LE(right.size(), 2u);
    int num_canonical = 0;
    for (uint32_t value = 0; value < 0x10101; ++value) {
      std::vector<uint8_t> code;
      if (value >= 1 && value <= 0x100) {
        code = {static_cast<uint8_t>(value - 1)};
      } else if (value > 0x100) {
        code = {static_cast<uint8_t>((value - 0x101) >> 8),
                static_cast<uint8_t>(value - 0x101)};
      }
      BinaryDecoder decoder(code);
      bool same = true;
      for (const Decision& d : decisions) {
        same = same && decoder.Code(false, d.p1) == d.bit;
      }
      if (!same || !decoder.IsAtCanonicalEnd()) continue;
      ++num_canonical;
      EXPECT_EQ(code, right);
    }
    ASSERT_EQ(num_canonical, 1) << bits;
  }
}

TEST(BinaryCoder, SurvivesGarbage) {
  std::mt19937 random(4);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint8_t> code(random() % 40);
    for (uint8_t& byte : code) {
      byte = round % 4 == 0 ? 0xff : static_cast<uint8_t>(random());
    }
    BinaryDecoder decoder(code);
    std::vector<Decision> decisions(random() % 400);
    for (Decision& d : decisions) {
      d.p1 = ClampProbability(random() >> (8 + random() % 24));
      d.bit = decoder.Code(false, d.p1);
    }
    // The end is canonical exactly if the encoder makes the same bytes.
    EXPECT_EQ(decoder.IsAtCanonicalEnd(), Encode(decisions) == code);
    EXPECT_LE(decoder.consumed_bytes(), code.size());
  }
}

}  // namespace
}  // namespace llma
