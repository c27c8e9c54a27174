// SPDX-License-Identifier: Apache-2.0
#include "base/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>

namespace llma {
namespace {

void Unmap(PageCache::Block block) { ::munmap(block.data, block.size_bytes); }

// Writes zeros where a page was ever touched, which Linux tells: an entry of
// 64 bits for each page, whose upper two say whether there is something. False
// if it cannot be known.
bool ClearTouchedPages(PageCache::Block block) {
  static const long kPageBytes = ::sysconf(_SC_PAGESIZE);
  constexpr uint64_t kIsThere = uint64_t{3} << 62;  // in memory, or swapped out
  if (kPageBytes <= 0) return false;
  const auto page_bytes = static_cast<size_t>(kPageBytes);
  // Opened each time: after a fork it would tell of the parent.
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const size_t num_pages = block.size_bytes / page_bytes;
  const auto first_page = reinterpret_cast<uintptr_t>(block.data) / page_bytes;
  auto* const data = static_cast<char*>(block.data);
  std::array<uint64_t, 1024> entries;
  bool is_known = true;
  for (size_t page = 0; page < num_pages && is_known;) {
    const size_t wanted = std::min(entries.size(), num_pages - page);
    const ssize_t got =
        ::pread(fd, entries.data(), wanted * sizeof(uint64_t),
                static_cast<off_t>((first_page + page) * sizeof(uint64_t)));
    is_known = got == static_cast<ssize_t>(wanted * sizeof(uint64_t));
    if (!is_known) break;
    for (size_t i = 0; i < wanted; ++i) {
      if ((entries[i] & kIsThere) == 0) continue;
      std::memset(data + (page + i) * page_bytes, 0, page_bytes);
    }
    page += wanted;
  }
  ::close(fd);
  return is_known;
}

}  // namespace

PageCache::Block PageCache::Take(size_t size_bytes) {
  Block block;
  {
    const std::lock_guard lock(mutex_);
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      if (it->size_bytes < size_bytes || it->size_bytes / 2 > size_bytes) {
        continue;
      }
      if (best == blocks_.end() || it->size_bytes < best->size_bytes) best = it;
    }
    if (best == blocks_.end()) return {};
    block = *best;
    kept_bytes_ -= block.size_bytes;
    blocks_.erase(best);
  }
  if (ClearTouchedPages(block)) return block;
  Unmap(block);
  return {};
}

void PageCache::Give(Block block) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(block);
    kept_bytes_ += block.size_bytes;
    while (kept_bytes_ > kMaxKeptBytes) {
      kept_bytes_ -= blocks_.front().size_bytes;
      Unmap(blocks_.front());
      blocks_.pop_front();
    }
  } catch (const std::bad_alloc&) {
    Unmap(block);
  }
}

void PageCache::Clear() noexcept {
  const std::lock_guard lock(mutex_);
  for (const Block& block : blocks_) Unmap(block);
  blocks_.clear();
  kept_bytes_ = 0;
}

size_t PageCache::kept_bytes() const {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

}  // namespace llma
