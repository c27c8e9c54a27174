// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace llma {
#if defined(__EMSCRIPTEN__)

// mmap() writes zeros everywhere there. New memory is zero already, and the
// browser's only address space as long as it is only read.

size_t PageBytes() { return 4096; }

void* MapPages(size_t size_bytes) {
  void* const data = std::aligned_alloc(PageBytes(), size_bytes);
  if (data != nullptr) ClearTouchedPages(data, size_bytes);
  return data;
}

void UnmapPages(void* data, size_t /*size_bytes*/) { std::free(data); }
void WantLargePages(void* /*data*/, size_t /*size_bytes*/) {}
void WantSmallPages(void* /*data*/, size_t /*size_bytes*/) {}

bool ClearTouchedPages(void* data, size_t size_bytes) {
  auto* const words = static_cast<uint64_t*>(data);
  const size_t page_words = PageBytes() / sizeof(uint64_t);
  for (size_t page = 0; page < size_bytes / sizeof(uint64_t);
       page += page_words) {
    uint64_t all = 0;
    for (size_t i = 0; i < page_words; ++i) all |= words[page + i];
    if (all != 0) std::memset(words + page, 0, PageBytes());
  }
  return true;
}

#else
namespace {

// Calls visit(page, is_touched) for each page of a block, by what Linux tells:
// an entry of 64 bits for each page, whose upper two say whether it is in
// memory or swapped out. False if that cannot be known, as on other systems.
template <class Visitor>
bool VisitPages(void* data, size_t size_bytes, const Visitor& visit) {
  constexpr uint64_t kIsThere = uint64_t{3} << 62;
  // Opened each time: after a fork it would tell of the parent.
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const size_t num_pages = size_bytes / PageBytes();
  const auto first_page = reinterpret_cast<uintptr_t>(data) / PageBytes();
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
  // An emulator of a big-endian processor may give the entries of a
  // little-endian host, which this would not notice.
  if (std::endian::native == std::endian::big) return false;
  const size_t size_bytes = 3 * PageBytes();
  void* const data = MapPages(size_bytes);
  if (data == nullptr) return false;
  *(static_cast<volatile char*>(data) + PageBytes()) = 1;
  bool is_right = true;
  const bool is_known =
      VisitPages(data, size_bytes, [&](size_t page, bool is_touched) {
        is_right = is_right && is_touched == (page == 1);
      });
  UnmapPages(data, size_bytes);
  return is_known && is_right;
}

}  // namespace

size_t PageBytes() {
  static const auto bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

void* MapPages(size_t size_bytes) {
  void* const data = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void UnmapPages(void* data, size_t size_bytes) {
  (void)::munmap(data, size_bytes);
}

void WantLargePages([[maybe_unused]] void* data,
                    [[maybe_unused]] size_t size_bytes) {
#if defined(MADV_HUGEPAGE)
  (void)::madvise(data, size_bytes, MADV_HUGEPAGE);
#endif
}

void WantSmallPages([[maybe_unused]] void* data,
                    [[maybe_unused]] size_t size_bytes) {
#if defined(MADV_NOHUGEPAGE)
  (void)::madvise(data, size_bytes, MADV_NOHUGEPAGE);
#endif
}

bool ClearTouchedPages(void* data, size_t size_bytes) {
  static const bool is_right = IsPagemapRight();
  return is_right &&
         VisitPages(data, size_bytes, [&](size_t page, bool is_touched) {
           if (!is_touched) return;
           std::memset(static_cast<char*>(data) + page * PageBytes(), 0,
                       PageBytes());
         });
}

#endif
}  // namespace llma
