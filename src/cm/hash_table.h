// SPDX-License-Identifier: Apache-2.0
// The table of bit histories: a slot holds what one context has seen in one
// nibble of a byte. A bucket is a cache line of three slots with 16-bit
// checksums; the slot that has seen least is given up.
#ifndef LLMA_CM_HASH_TABLE_H_
#define LLMA_CM_HASH_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "cm/zeroed_array.h"

namespace llma::cm {

// 15 bit histories: node (1 << k) - 1 + b has seen the bit that follows the k
// bits b of the nibble. The rest belongs to the byte: what followed the context
// last and how often in a row (first nibble only).
struct HashSlot {
  uint8_t node[15];
  uint8_t last_byte;
  uint8_t run_count;  // 0: nothing followed yet
  uint8_t unused[2];
};
static_assert(sizeof(HashSlot) == 19);

class HashTable {
 public:
  // num_buckets lines of 64 bytes; an even number if there are pairs.
  HashTable(size_t num_buckets, PageSource pages)
      : buckets_(num_buckets, pages) {}

  void Prefetch(uint32_t hash) const {
    __builtin_prefetch(&buckets_[Index(hash)]);
  }

  // The slot of a context. The upper bits of the hash choose the bucket, the
  // lower 16 are the checksum; with 2^22 buckets they overlap by 6 bits.
  // Valid until the next call for the same bucket.
  HashSlot* Find(uint32_t hash) { return FindIn(buckets_[Index(hash)], hash); }

  // For contexts whose last bit is not known yet: the hash of the rest chooses
  // a pair of buckets, the bit one of the two.
  void PrefetchPair(uint32_t hash) const {
    __builtin_prefetch(&buckets_[PairIndex(hash)]);
    __builtin_prefetch(&buckets_[PairIndex(hash) + 1]);
  }
  HashSlot* FindInPair(uint32_t hash, uint32_t last_bit) {
    return FindIn(buckets_[PairIndex(hash) + last_bit], hash);
  }

  // Where they begin, for those that point into a copy.
  const void* buckets() const { return &buckets_[0]; }

 private:
  struct Bucket {
    uint16_t check[3];
    HashSlot slot[3];
    uint8_t unused;
  };
  static_assert(sizeof(Bucket) == 64);

  static HashSlot* FindIn(Bucket& bucket, uint32_t hash) {
    const auto check = static_cast<uint16_t>(hash);
    // Without branches, since any of them would be hard to foresee.
    int i = bucket.check[1] == check ? 1 : 2;
    i = bucket.check[0] == check ? 0 : i;
    if (bucket.check[i] == check) return &bucket.slot[i];
    return Replace(bucket, check);
  }
  static HashSlot* Replace(Bucket& bucket, uint16_t check);

  size_t Index(uint32_t hash) const {
    return static_cast<size_t>(uint64_t{hash} * buckets_.size() >> 32);
  }
  size_t PairIndex(uint32_t hash) const { return Index(hash) & ~size_t{1}; }

  ZeroedArray<Bucket> buckets_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_HASH_TABLE_H_
