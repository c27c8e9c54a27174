// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace llma {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64
// primes, and of the square roots of the first 8.
alignas(16) constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr Sha256State kStart = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void AddBlock(const uint8_t* block, Sha256State& state) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    w[i] = uint32_t{block[4 * i]} << 24 | uint32_t{block[4 * i + 1]} << 16 |
           uint32_t{block[4 * i + 2]} << 8 | block[4 * i + 3];
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] +
           (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  const auto round = [&w](int i, uint32_t a, uint32_t b, uint32_t c,
                          uint32_t& d, uint32_t e, uint32_t f, uint32_t g,
                          uint32_t& h) {
    h += (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
         (g ^ (e & (f ^ g))) + kRounds[i] + w[i];
    d += h;
    h += (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
         ((a & b) | (c & (a | b)));
  };
  auto [a, b, c, d, e, f, g, h] = state;
  for (int i = 0; i < 64; i += 8) {  // then each is where it was
    round(i, a, b, c, d, e, f, g, h);
    round(i + 1, h, a, b, c, d, e, f, g);
    round(i + 2, g, h, a, b, c, d, e, f);
    round(i + 3, f, g, h, a, b, c, d, e);
    round(i + 4, e, f, g, h, a, b, c, d);
    round(i + 5, d, e, f, g, h, a, b, c);
    round(i + 6, c, d, e, f, g, h, a, b);
    round(i + 7, b, c, d, e, f, g, h, a);
  }
  const uint32_t sums[] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += sums[i];
}

void AddBlocksPlain(const uint8_t* blocks, size_t num_blocks,
                    Sha256State& state) {
  for (size_t i = 0; i < num_blocks; ++i) AddBlock(blocks + 64 * i, state);
}

#if defined(__x86_64__) || defined(__i386__)

bool HasShaInstructions() {
  static const bool has = [] {
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 &&
           (ecx & bit_SSSE3) != 0 &&
           __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 &&
           (ebx & 1u << 29) != 0;
  }();
  return has;
}

// The instructions hold a state as two vectors, {a, b, e, f} and {c, d, g, h}
// from the highest 32 bits to the lowest; each pair of rounds makes one of the
// other.
__attribute__((target("sha,ssse3"))) void AddBlocksSha(const uint8_t* blocks,
                                                       size_t num_blocks,
                                                       Sha256State& state) {
  const auto word = [&state](int i) { return static_cast<int>(state[i]); };
  __m128i abef = _mm_set_epi32(word(0), word(1), word(4), word(5));
  __m128i cdgh = _mm_set_epi32(word(2), word(3), word(6), word(7));
  const __m128i big_endian =
      _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  for (; num_blocks > 0; --num_blocks, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[16];  // four words of the schedule each
    for (int i = 0; i < 16; ++i) {
      if (i < 4) {
        w[i] = _mm_shuffle_epi8(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i),
            big_endian);
      } else {
        w[i] = _mm_sha256msg2_epu32(
            _mm_add_epi32(_mm_sha256msg1_epu32(w[i - 4], w[i - 3]),
                          _mm_alignr_epi8(w[i - 1], w[i - 2], 4)),
            w[i - 1]);
      }
      const __m128i added = _mm_add_epi32(
          w[i], _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds) + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  alignas(16) uint32_t low_first[8];
  _mm_store_si128(reinterpret_cast<__m128i*>(low_first), abef);
  _mm_store_si128(reinterpret_cast<__m128i*>(low_first + 4), cdgh);
  state = {low_first[3], low_first[2], low_first[7], low_first[6],
           low_first[1], low_first[0], low_first[5], low_first[4]};
}

#endif

constexpr Sha256Code kAllCode[] = {
    {"plain", [] { return true; }, AddBlocksPlain},
#if defined(__x86_64__) || defined(__i386__)
    // Worth their lines: importing or verifying a model of 144 MB hashes all of
    // it, in a third of the time.
    {"sha", HasShaInstructions, AddBlocksSha},
#endif
};

}  // namespace

std::span<const Sha256Code> AllSha256Code() { return kAllCode; }

const Sha256Code& BestSha256Code() {
  const Sha256Code* best = kAllCode;
  for (const Sha256Code& code : kAllCode) {
    if (code.is_supported()) best = &code;
  }
  return *best;
}

Sha256::Sha256(const Sha256Code& code) : code_(&code), state_(kStart) {}

void Sha256::Update(Bytes data) {
  size_t rest_bytes = num_bytes_ % kBlockBytes;
  num_bytes_ += data.size();
  while (!data.empty()) {
    if (rest_bytes == 0 && data.size() >= kBlockBytes) {
      const size_t num_blocks = data.size() / kBlockBytes;
      code_->add_blocks(data.data(), num_blocks, state_);
      data = data.subspan(num_blocks * kBlockBytes);
      continue;
    }
    const size_t taken = std::min(data.size(), kBlockBytes - rest_bytes);
    std::memcpy(rest_.data() + rest_bytes, data.data(), taken);
    data = data.subspan(taken);
    rest_bytes = (rest_bytes + taken) % kBlockBytes;
    if (rest_bytes == 0) code_->add_blocks(rest_.data(), 1, state_);
  }
}

std::array<uint8_t, 32> Sha256::Digest() {
  // A bit 1, zeros, and the number of bits in the last 8 bytes of a block.
  const uint64_t num_bits = num_bytes_ * 8;
  std::array<uint8_t, 2 * kBlockBytes> end = {0x80};
  const size_t num_zeros =
      (2 * kBlockBytes - 9 - num_bytes_ % kBlockBytes) % kBlockBytes;
  for (size_t i = 0; i < 8; ++i) {
    end[1 + num_zeros + i] = static_cast<uint8_t>(num_bits >> (56 - 8 * i));
  }
  Update(Bytes(end).first(num_zeros + 9));
  std::array<uint8_t, 32> digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - i % 4 * 8));
  }
  return digest;
}

}  // namespace llma
