// SPDX-License-Identifier: Apache-2.0
#include "cm/hash_table.h"

#include <cstdlib>
#include <cstring>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace llma::cm {

void HashTable::Free::operator()(void* p) const { std::free(p); }

HashTable::HashTable(int log2_buckets) : shift_(32 - log2_buckets) {
  constexpr size_t kLine = 64;
  const size_t size_bytes = kLine << log2_buckets;
  memory_.reset(std::calloc(size_bytes + kLine, 1));
  if (memory_ == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  const size_t skip = (kLine - address % kLine) % kLine;
  auto* line = static_cast<uint8_t*>(memory_.get()) + skip;
#if defined(__linux__)
  // Large pages save most of the address translation; a refusal is harmless.
  constexpr size_t kPage = size_t{2} << 20;
  const size_t to_page = (kPage - (address + skip) % kPage) % kPage;
  if (size_bytes > to_page + kPage) {
    (void)madvise(line + to_page, size_bytes - to_page - kPage, MADV_HUGEPAGE);
  }
#endif
  buckets_ = reinterpret_cast<Bucket*>(line);
}

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
