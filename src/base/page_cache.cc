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

size_t PageBytes() {
  static const auto bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

// Calls visit(page, is_touched) for each page of a block, by what Linux tells:
// an entry of 64 bits for each page, whose upper two say whether it is in
// memory or swapped out. False if that cannot be known.
template <class Visitor>
bool VisitPages(PageCache::Block block, const Visitor& visit) {
  constexpr uint64_t kIsThere = uint64_t{3} << 62;
  // Opened each time: after a fork it would tell of the parent.
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const size_t num_pages = block.size_bytes / PageBytes();
  const auto first_page = reinterpret_cast<uintptr_t>(block.data) / PageBytes();
  std::array<uint64_t, 1024> entries;
  bool is_known = true;
  for (size_t page = 0; page < num_pages && is_known; page += entries.size()) {
    const size_t count = std::min(entries.size(), num_pages - page);
    const auto bytes = static_cast<ssize_t>(count * sizeof(uint64_t));
    is_known =
        ::pread(fd, entries.data(), count * sizeof(uint64_t),
                static_cast<off_t>((first_page + page) * sizeof(uint64_t))) ==
        bytes;
    for (size_t i = 0; i < count && is_known; ++i) {
      visit(page + i, (entries[i] & kIsThere) != 0);
    }
  }
  ::close(fd);
  return is_known;
}

// Whether it is right about pages of which we know, which it is not under an
// emulator that has moved them.
bool IsPagemapRight() {
  const PageCache::Block block = {
      ::mmap(nullptr, 3 * PageBytes(), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      3 * PageBytes()};
  if (block.data == MAP_FAILED) return false;
  *(static_cast<volatile char*>(block.data) + PageBytes()) = 1;
  bool is_right = true;
  const bool is_known = VisitPages(block, [&](size_t page, bool is_touched) {
    is_right = is_right && is_touched == (page == 1);
  });
  Unmap(block);
  return is_known && is_right;
}

// Writes zeros where a page was ever touched. False if that cannot be known.
bool ClearTouchedPages(PageCache::Block block) {
  static const bool is_right = IsPagemapRight();
  return is_right && VisitPages(block, [&](size_t page, bool is_touched) {
           if (!is_touched) return;
           std::memset(static_cast<char*>(block.data) + page * PageBytes(), 0,
                       PageBytes());
         });
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
