// SPDX-License-Identifier: Apache-2.0
// Memory that comes from the system, page by page.
#ifndef LLMA_PLATFORM_MACHINE_PAGES_H_
#define LLMA_PLATFORM_MACHINE_PAGES_H_

#include <cstddef>

namespace llma {

// Bytes of a page, as the system hands them out.
size_t PageBytes();

// Zeros from a page's start on, which take memory as they are touched; null if
// there is none left. The size is of whole pages.
void* MapPages(size_t size_bytes);
// All of what MapPages() gave.
void UnmapPages(void* data, size_t size_bytes);

// Whether large pages are wanted here. What the system makes of it is not told.
void WantLargePages(void* data, size_t size_bytes);
void WantSmallPages(void* data, size_t size_bytes);

// Writes zeros where a page was ever touched. False, and nothing is certain of
// the content, if the system does not tell which were.
bool ClearTouchedPages(void* data, size_t size_bytes);

}  // namespace llma

#endif  // LLMA_PLATFORM_MACHINE_PAGES_H_
