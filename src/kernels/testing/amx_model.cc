// SPDX-License-Identifier: Apache-2.0
#include "kernels/testing/amx_model.h"

#if defined(__x86_64__)
#include <cstring>

#include "kernels/amx-inl.h"
#include "kernels/kernel_sets.h"

namespace llma {
namespace {

// As Intel's manual describes the instructions ("Intel 64 and IA-32
// Architectures Software Developer's Manual", volume 2, TDPBSSD and others).
struct ModelTiles {
  static void Configure(const kernels::amx::TileShapes& to) {
    shapes = to;
    for (int tile = 0; tile < 8; ++tile) {
      if (to.rows[tile] > 16 || to.row_bytes[tile] > 64) ++counts.faults;
    }
    std::memset(bytes, 0, sizeof(bytes));
  }
  static void Release() { Configure({}); }

  template <int kTile>
  static void Zero() {
    CheckShape(kTile);
    std::memset(bytes[kTile], 0, sizeof(bytes[kTile]));
  }
  template <int kTile>
  static void Load(const void* from, size_t row_bytes) {
    Zero<kTile>();
    for (size_t row = 0; row < shapes.rows[kTile]; ++row) {
      std::memcpy(bytes[kTile][row],
                  static_cast<const char*>(from) + row * row_bytes,
                  shapes.row_bytes[kTile]);
    }
  }
  template <int kTile>
  static void Store(void* to, size_t row_bytes) {
    CheckShape(kTile);
    for (size_t row = 0; row < shapes.rows[kTile]; ++row) {
      std::memcpy(static_cast<char*>(to) + row * row_bytes, bytes[kTile][row],
                  shapes.row_bytes[kTile]);
    }
  }
  template <int kC, int kA, int kB>
  static void AddProducts() {
    for (const int tile : {kC, kA, kB}) CheckShape(tile);
    if (shapes.rows[kC] != shapes.rows[kA] ||
        shapes.row_bytes[kC] != shapes.row_bytes[kB] ||
        shapes.row_bytes[kA] != 4 * shapes.rows[kB]) {
      ++counts.faults;
    }
    ++counts.products;
    for (size_t i = 0; i < shapes.rows[kC]; ++i) {
      for (size_t j = 0; j < shapes.row_bytes[kC] / 4u; ++j) {
        int32_t sum;
        std::memcpy(&sum, &bytes[kC][i][4 * j], 4);
        for (size_t k = 0; k < shapes.row_bytes[kA]; ++k) {
          sum += bytes[kA][i][k] * bytes[kB][k / 4][4 * j + k % 4];
        }
        std::memcpy(&bytes[kC][i][4 * j], &sum, 4);
      }
    }
  }

  static void CheckShape(int tile) {
    if (shapes.rows[tile] == 0 || shapes.row_bytes[tile] == 0) ++counts.faults;
  }

  static inline thread_local kernels::amx::TileShapes shapes;
  static inline thread_local int8_t bytes[8][16][64];
  static inline thread_local AmxModelCounts counts;
};

KernelTable MakeTable() {
  KernelTable table = kernels::avx512vnni::kTable;
  table.name = "amx_model";
  table.description = "AMX, as a model in software";
  table.matmul = kernels::amx::Matmul<ModelTiles>;
  table.attention_scores = kernels::amx::AttentionScores<ModelTiles>;
  table.weighted_value_sums = kernels::amx::WeightedValueSums<ModelTiles>;
  return table;
}

}  // namespace

const KernelTable kAmxModel = MakeTable();

AmxModelCounts CountsOfAmxModel() { return ModelTiles::counts; }

}  // namespace llma
#endif  // defined(__x86_64__)
