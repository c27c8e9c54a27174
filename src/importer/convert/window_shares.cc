// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/window_shares.h"

#include <span>

namespace llma {
namespace {

// SmolLM and SmolLM2 with 135 M weights, [layer, kv head], measured with
// bench/window_shares_study. Layers 7, 18, 20 and 23 have heads that look for
// what followed the same words before, however far back.
constexpr uint8_t kSmol135m[] = {
    16, 8,  2,   16, 4,  8,   16, 32, 8,  16, 16, 8,  16, 16, 16, 16, 16, 16,
    16, 16, 16,  16, 16, 128, 32, 16, 16, 16, 16, 16, 16, 16, 8,  4,  8,  4,
    16, 2,  2,   4,  2,  2,   16, 32, 4,  8,  8,  32, 8,  2,  2,  16, 32, 8,
    2,  2,  128, 16, 16, 2,   16, 32, 32, 4,  16, 16, 4,  8,  8,  64, 16, 32,
    32, 16, 32,  4,  2,  2,   16, 16, 2,  8,  4,  2,  32, 8,  8,  8,  8,  8,
};

struct KnownShape {
  uint32_t num_layers, dim, num_heads, num_kv_heads, head_dim, ffn_dim;
  std::span<const uint8_t> shares;
};
constexpr KnownShape kKnownShapes[] = {
    {30, 576, 9, 3, 64, 1536, kSmol135m},
};

}  // namespace

std::vector<uint8_t> KnownWindowShares(const ModelConfig& c) {
  for (const KnownShape& known : kKnownShapes) {
    if (known.num_layers == c.num_layers && known.dim == c.dim &&
        known.num_heads == c.num_heads &&
        known.num_kv_heads == c.num_kv_heads && known.head_dim == c.head_dim &&
        known.ffn_dim == c.ffn_dim) {
      return {known.shares.begin(), known.shares.end()};
    }
  }
  return {};
}

}  // namespace llma
