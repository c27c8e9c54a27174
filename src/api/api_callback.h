// SPDX-License-Identifier: Apache-2.0
// The floating-point environment at the edge: inside it is the one that all
// arithmetic of the library needs, for the caller and its callbacks it is the
// caller's.
#ifndef LLMA_API_API_CALLBACK_H_
#define LLMA_API_API_CALLBACK_H_

#include <utility>

#include "base/fp_env.h"

namespace llma::api {

// The environment of whoever called the library on this thread; null on threads
// of the library, where callbacks see the default one.
inline thread_local const FpEnv* caller_fp_env = nullptr;

// Held by every function of the C interface that computes.
class InsideLibrary {
 public:
  InsideLibrary() : outer_(std::exchange(caller_fp_env, &guard_.saved())) {}
  ~InsideLibrary() { caller_fp_env = outer_; }
  InsideLibrary(const InsideLibrary&) = delete;
  InsideLibrary& operator=(const InsideLibrary&) = delete;

 private:
  const FpEnvGuard guard_;
  const FpEnv* const outer_;  // where a callback calls the library
};

// Calls a function of the caller's.
template <class Function, class... Args>
auto CallBack(Function* function, Args... args) {
  const FpEnvGuard restored;  // a callback may change it
  if (caller_fp_env != nullptr) StoreFpEnv(*caller_fp_env);
  return function(args...);
}

}  // namespace llma::api

#endif  // LLMA_API_API_CALLBACK_H_
