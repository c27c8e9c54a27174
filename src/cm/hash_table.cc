// SPDX-License-Identifier: Apache-2.0
#include "cm/hash_table.h"

#include <cstring>

namespace llma::cm {

HashSlot* HashTable::Replace(Bucket& bucket, uint16_t check) {
  // States are ordered by how much they have seen; node 0 has seen the most
  // of its slot.
  int victim = 0;
  for (const int i : {1, 2}) {
    if (bucket.slot[i].node[0] < bucket.slot[victim].node[0]) victim = i;
  }
  bucket.check[victim] = check;
  std::memset(&bucket.slot[victim], 0, sizeof(HashSlot));
  return &bucket.slot[victim];
}

}  // namespace llma::cm
