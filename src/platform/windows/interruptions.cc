// SPDX-License-Identifier: Apache-2.0
#include "platform/interruptions.h"

#include "platform/windows/file_handle.h"
#include "platform/windows/held_folder.h"

namespace llma {
namespace {

InterruptionHandlers the_handlers;

// Entered by who blocks interruptions and, for good, by what ends the program.
// It may be entered anew by who is in it.
class Section {
 public:
  Section() { ::InitializeCriticalSection(&section_); }
  void Enter() { ::EnterCriticalSection(&section_); }
  void Leave() { ::LeaveCriticalSection(&section_); }

 private:
  CRITICAL_SECTION section_;
};

Section& TheSection() {
  static auto* const section = new Section;
  return *section;
}

struct FileToRemove {
  std::wstring path;
  FileInfo file;

  void Set(const FilePlace* place) {
    path.clear();
    const auto info = place == nullptr ? std::nullopt : place->Info();
    if (!info) return;
    path = place->folder().PathOf(place->name());
    file = *info;
  }
  void Remove() const {
    if (path.empty()) return;
    const Handle handle = OpenHandle(path, DELETE | FILE_READ_ATTRIBUTES,
                                     OPEN_EXISTING, kLinkItself);
    const auto now = InfoOfHandle(handle.get());
    if (now && IsSameFile(*now, file)) (void)RemoveByHandle(handle.get());
  }
};
FileToRemove& ToRemove() {
  static auto* const file = new FileToRemove;
  return *file;
}
FileToRemove& OfLibrary() {
  static auto* const file = new FileToRemove;
  return *file;
}

// Runs in a thread of its own. The next handler in line ends the program.
BOOL WINAPI EndProgram(DWORD) {
  TheSection().Enter();
  OfLibrary().Remove();
  the_handlers.end(Ending::kAsked);
  return FALSE;
}

}  // namespace

void HandleInterruptions(const InterruptionHandlers& handlers) {
  the_handlers = handlers;
  (void)TheSection();
  (void)ToRemove();
  (void)OfLibrary();
  (void)::SetConsoleCtrlHandler(EndProgram, TRUE);
}

InterruptionBlock::InterruptionBlock() { TheSection().Enter(); }

InterruptionBlock::~InterruptionBlock() { TheSection().Leave(); }

void SetFileToRemoveAtEnd(const FilePlace* place) { ToRemove().Set(place); }

void RemoveFileAtEnd() { ToRemove().Remove(); }

RemovalAtEnd::RemovalAtEnd(const FilePlace* place) {
  if (the_handlers.end == nullptr) return;
  const InterruptionBlock block;
  if (!OfLibrary().path.empty()) return;
  OfLibrary().Set(place);
  is_set_ = true;
}

RemovalAtEnd::~RemovalAtEnd() {
  if (!is_set_) return;
  const InterruptionBlock block;
  OfLibrary().Set(nullptr);
}

}  // namespace llma
