// SPDX-License-Identifier: Apache-2.0
// How far back the heads of known models look.
#ifndef LLMA_IMPORTER_CONVERT_WINDOW_SHARES_H_
#define LLMA_IMPORTER_CONVERT_WINDOW_SHARES_H_

#include <cstdint>
#include <vector>

#include "model/model_config.h"

namespace llma {

// ModelConfig::window_shares of models of this shape, their mean no more than
// kWholeShare; empty if nothing is known of it. What a head does is the work of
// the first training: models that were tuned later share it. Shares that do not
// fit cost some bytes, no more.
std::vector<uint8_t> KnownWindowShares(const ModelConfig& config);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_WINDOW_SHARES_H_
