// SPDX-License-Identifier: Apache-2.0
// Memory of tables that is kept when they are done, for the next ones. Tables
// of small contents are large and touched in few pages, so that asking the
// system for each page anew would take longer than the work itself.
#ifndef LLMA_BASE_PAGE_CACHE_H_
#define LLMA_BASE_PAGE_CACHE_H_

#include <cstddef>
#include <list>
#include <mutex>

namespace llma {

// Thread-safe. Must outlive all memory that comes from it.
class PageCache {
 public:
  struct Block {
    void* data = nullptr;
    size_t size_bytes = 0;  // whole pages
  };

  // Blocks are kept up to this sum: what the strongest context models take for
  // a small content, and then some.
  static constexpr size_t kMaxKeptBytes = size_t{64} << 20;

  PageCache() = default;
  ~PageCache() { Clear(); }
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  // A kept block of `size_bytes` or up to twice as much, all zeros; data is
  // null if there is none.
  Block Take(size_t size_bytes);
  // A block of MapPages(), for later; the oldest ones go back to
  // the system where there are too many.
  void Give(Block block) noexcept;
  // All kept blocks go back to the system.
  void Clear() noexcept;
  // What they take at most.
  size_t kept_bytes() const;

 private:
  mutable std::mutex mutex_;
  std::list<Block> blocks_;  // the oldest first
  size_t kept_bytes_ = 0;
};

}  // namespace llma

#endif  // LLMA_BASE_PAGE_CACHE_H_
