// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_STORE_PULL_CALLBACKS_H_
#define LLMA_STORE_PULL_CALLBACKS_H_

#include <cstdint>
#include <functional>
#include <string>

namespace llma::store {

struct PullCallbacks {
  // Bytes so far, and in all (0: not known). False ends the work.
  std::function<bool(uint64_t, uint64_t)> progress;
  // What is worth telling, a line each.
  std::function<void(const std::string&)> note;

  void Note(const std::string& text) const {
    if (note) note(text);
  }
};

}  // namespace llma::store

#endif  // LLMA_STORE_PULL_CALLBACKS_H_
