// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_STORE_ENVIRONMENT_H_
#define LLMA_STORE_ENVIRONMENT_H_

#include <cstdlib>
#include <string>

namespace llma::store {

// Empty if the variable is not set.
inline std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace llma::store

#endif  // LLMA_STORE_ENVIRONMENT_H_
