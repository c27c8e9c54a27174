// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_POSIX_HELD_FOLDER_H_
#define LLMA_PLATFORM_POSIX_HELD_FOLDER_H_

#include "platform/descriptors.h"
#include "platform/file_place.h"

namespace llma {

class HeldFolder {
 public:
  explicit HeldFolder(Descriptor folder) : folder_(std::move(folder)) {}
  int fd() const { return folder_.get(); }

 private:
  Descriptor folder_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_POSIX_HELD_FOLDER_H_
