// SPDX-License-Identifier: Apache-2.0
// Errors as values, and the macros that forward them. Nothing in the library
// throws, prints or exits across its boundary.
#ifndef LLMA_BASE_STATUS_H_
#define LLMA_BASE_STATUS_H_

#include <cstdlib>
#include <llma/result.hpp>

#define LLMA_CONCAT_INNER(a, b) a##b
#define LLMA_CONCAT(a, b) LLMA_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status or Result), if it has one.
#define LLMA_TRY(expr)                                   \
  do {                                                   \
    if (auto llma_try_result = (expr); !llma_try_result) \
      return llma_try_result.error();                    \
  } while (0)

// LLMA_ASSIGN(const auto x, Parse()): x, or return the error.
#define LLMA_ASSIGN(lhs, expr) \
  LLMA_ASSIGN_INNER(LLMA_CONCAT(llma_assign_, __LINE__), lhs, expr)
#define LLMA_ASSIGN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                      \
  if (!tmp) return tmp.error();           \
  lhs = *std::move(tmp)

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
