// SPDX-License-Identifier: Apache-2.0
// Log odds over all that a probability of 24 bits can say, +-16.6: wider and
// finer than logistic.h, for inputs as sure as a language model. Integers only.
#ifndef LLMA_CM_WIDE_LOGISTIC_H_
#define LLMA_CM_WIDE_LOGISTIC_H_

#include <cstdint>

#include "cm/logistic.h"

namespace llma::cm {

// Log odds are natural logarithms with 16 fractional bits. 17 is beyond
// ln(2^24) = 16.64, the log odds of the extreme probabilities.
inline constexpr int32_t kMaxStretchQ16 = 17 << 16;

// Log odds, Q16, of a probability in [1, 2^24 - 1]. Odd: the log odds of
// 2^24 - p are those of p, negated.
int32_t StretchQ16(uint32_t p24);

// The probability in [1, 2^24 - 1] of any log odds; saturates.
uint32_t SquashQ16(int64_t x_q16);

}  // namespace llma::cm

#endif  // LLMA_CM_WIDE_LOGISTIC_H_
