// SPDX-License-Identifier: Apache-2.0
// Kernels for x86-64 processors with AMX: the matrix products of amx-inl.h, the
// others as avx512vnni.cc has them.
#include "kernels/kernel_sets.h"

#if defined(__x86_64__)
#include <cstring>

#include "kernels/amx-inl.h"
#include "kernels/avx512_shared.h"
#include "kernels/target_region.h"
#include "platform/machine/processors.h"

LLMA_TARGET_BEGIN(LLMA_AMX_TARGET)

namespace llma::kernels::amx {
namespace {

// As text, since intrinsics take no template's number for a tile, and those of
// GCC 12 do not say that a load reads memory.
struct HardwareTiles {
  static void Configure(const TileShapes& shapes) {
    __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
  }
  static void Release() { __asm__ volatile("tilerelease"); }

  template <int kTile>
  [[gnu::always_inline]] static void Zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  [[gnu::always_inline]] static void Load(const void* from, size_t row_bytes) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2"
                     :
                     : "r"(from), "r"(row_bytes), "i"(kTile)
                     : "memory");
  }
  template <int kTile>
  [[gnu::always_inline]] static void Store(void* to, size_t row_bytes) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)"
                     :
                     : "r"(to), "r"(row_bytes), "i"(kTile)
                     : "memory");
  }
  template <int kC, int kA, int kB>
  [[gnu::always_inline]] static void AddProducts() {
    __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0"
                     :
                     : "i"(kC), "i"(kA), "i"(kB));
  }
};

// One product of each kind, as the definition has it. The instructions are the
// only ones here whose meaning is set by a register of shapes, and the system
// has to keep that register for each thread.
bool ProductsAreRight() {
  constexpr uint32_t kRows = 19, kCols = 128, kPanels = 2;
  alignas(64) int8_t w_values[kPanels * kPanelRows * kCols];
  alignas(64) int8_t x_values[kRows * kCols];
  float w_scales[kPanels * kPanelRows * 2], x_scales[kRows * 2];
  int32_t x_starts[kRows * 2] = {};
  uint32_t state = 1;
  const auto random = [&state] {
    state = state * 1664525 + 1013904223;
    return static_cast<int>(state >> 24) - 128;
  };
  for (int8_t& v : w_values) v = static_cast<int8_t>(random() | 1);
  for (size_t i = 0; i < sizeof(x_values); ++i) {
    x_values[i] = static_cast<int8_t>(random() | 1);
    x_starts[i / kGroupSize] -= 128 * x_values[i];
  }
  for (float& v : w_scales) v = static_cast<float>(random() + 129) * 0x1p-9f;
  for (float& v : x_scales) v = static_cast<float>(random() + 129) * 0x1p-9f;
  const LinearWeights w = {w_values, w_scales, kPanels * kPanelRows, kCols};
  const QuantizedRows x = {x_values, x_scales, x_starts, kRows, kCols, 2};
  float expected[kRows * kPanels * kPanelRows];
  float actual[kRows * kPanels * kPanelRows];
  constexpr size_t kStride = kPanels * kPanelRows;
  reference::Matmul(w, 0, kPanels, x, expected, kStride);
  Matmul<HardwareTiles>(w, 0, kPanels, x, actual, kStride);
  if (std::memcmp(expected, actual, sizeof(expected)) != 0) return false;

  const KeyPanels keys = {w_values, nullptr, w_scales, kPanels, kCols};
  int32_t q_starts[kRows];
  for (uint32_t i = 0; i < kRows; ++i) {
    q_starts[i] = x_starts[2 * i] + x_starts[2 * i + 1];
  }
  const QuantizedRows queries = {x_values, x_scales, q_starts, kRows, kCols, 1};
  reference::AttentionScores(keys, queries, expected, kStride);
  AttentionScores<HardwareTiles>(keys, queries, actual, kStride);
  if (std::memcmp(expected, actual, sizeof(expected)) != 0) return false;

  // The bytes of x without their signs serve as weights of positions.
  constexpr uint32_t kHeadDim = kPanels * kPanelRows;
  uint8_t weights[kRows * kCols];
  for (size_t i = 0; i < sizeof(weights); ++i) {
    weights[i] = static_cast<uint8_t>(x_values[i] & 127);
  }
  const ValuePanels v = {w_values, kCols, kHeadDim};
  int32_t sums[4][kRows * kHeadDim] = {};
  reference::WeightedValueSums(v, weights, weights, kCols, kRows, sums[0],
                               sums[1]);
  WeightedValueSums<HardwareTiles>(v, weights, weights, kCols, kRows, sums[2],
                                   sums[3]);
  return std::memcmp(sums[0], sums[2], 2 * sizeof(sums[0])) == 0;
}

bool IsSupported() {
  static const bool is_supported = avx512vnni::kTable.is_supported() &&
                                   MayUseAmxTiles() && ProductsAreRight();
  return is_supported;
}

}  // namespace

constinit const KernelTable kTable =
    avx512::MakeTable("amx", "AMX, and AVX-512 with VNNI", IsSupported, 0.03f,
                      Matmul<HardwareTiles>, AttentionScores<HardwareTiles>,
                      WeightedValueSums<HardwareTiles>);

}  // namespace llma::kernels::amx

LLMA_TARGET_END
#endif  // defined(__x86_64__)
