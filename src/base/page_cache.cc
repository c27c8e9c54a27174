// SPDX-License-Identifier: Apache-2.0
#include "base/page_cache.h"

#include <new>

#include "platform/machine/pages.h"

namespace llma {
namespace {

void Unmap(PageCache::Block block) { UnmapPages(block.data, block.size_bytes); }

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
  if (ClearTouchedPages(block.data, block.size_bytes)) return block;
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
