// SPDX-License-Identifier: Apache-2.0
#include "codec/piece_coder.h"

#include <bitset>

namespace llma {

bool FrameModels::HasUnspelledByte(const TokenTable& tokens) {
  std::bitset<256> spelled;
  for (uint32_t row = 0; row < tokens.num_tokens(); ++row) {
    const Bytes bytes = tokens.spelling(row);
    if (bytes.size() == 1) spelled.set(bytes[0]);
  }
  return !spelled.all();
}

}  // namespace llma
