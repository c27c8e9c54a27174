// SPDX-License-Identifier: Apache-2.0
// Errors as values (<llma/result.hpp>), and checks of our own. Nothing in the
// library throws, prints or exits across its boundary.
#ifndef LLMA_BASE_STATUS_H_
#define LLMA_BASE_STATUS_H_

#include <cstdlib>
#include <llma/result.hpp>

// A defect of our own. In checked builds both abort; in release LLMA_ENSURE
// returns kInternal and LLMA_DCHECK is nothing.
#if defined(LLMA_CHECKED)
#define LLMA_DCHECK(cond) ((cond) ? (void)0 : std::abort())
#define LLMA_ENSURE(cond) LLMA_DCHECK(cond)
#else
#define LLMA_DCHECK(cond) ((void)0)
#define LLMA_ENSURE(cond)                                              \
  do {                                                                 \
    if (!(cond))                                                       \
      return ::llma::Error{::llma::ErrorCode::kInternal,               \
                           "internal check failed: " #cond, __LINE__}; \
  } while (0)
#endif

#endif  // LLMA_BASE_STATUS_H_
