// SPDX-License-Identifier: Apache-2.0
#include "cli/files/source_remover.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <set>

namespace llma::cli {
namespace {

constexpr size_t kMaxWaiting = 64;
constexpr auto kMaxDelay = std::chrono::seconds(1);
// An input of so many bytes takes about as long at most.
constexpr uint64_t kSmallBytes = 4096;
// Each pair has two files and two folders open.
constexpr uint64_t kDescriptorsEach = 4;
constexpr uint64_t kOtherDescriptors = 32;

size_t MaxWaiting() {
  const uint64_t limit = MaxDescriptors();
  const uint64_t left = limit - std::min(limit, kOtherDescriptors);
  return static_cast<size_t>(
      std::clamp<uint64_t>(left / kDescriptorsEach, 1, kMaxWaiting));
}

}  // namespace

SourceRemover::SourceRemover(bool syncs, const Messages& messages)
    : syncs_(syncs),
      messages_(messages),
      max_waiting_(syncs ? MaxWaiting() : 1) {}

SourceRemover::~SourceRemover() {
  try {
    RemoveAll();
  } catch (const std::bad_alloc&) {
    // Sources that wait are kept.
  }
}

int SourceRemover::Add(std::unique_ptr<InputFile> input,
                       std::unique_ptr<Output> output) {
  if (waiting_.empty()) first_ = Clock::now();
  waiting_.push_back({std::move(input), std::move(output)});
  const bool is_due =
      waiting_.size() >= max_waiting_ || Clock::now() - first_ >= kMaxDelay;
  return is_due ? RemoveAll() : kExitSuccess;
}

int SourceRemover::RemoveBefore(const std::string& path) {
  if (waiting_.empty()) return kExitSuccess;
  const auto info = path == "-" ? std::nullopt : InfoOf(path);
  const bool is_small =
      info && info->is_regular() && info->size_bytes <= kSmallBytes;
  return is_small ? kExitSuccess : RemoveAll();
}

int SourceRemover::SyncAll() {
  int status = kExitSuccess;
  const auto fail = [&](Pair& pair) {
    pair.is_safe = false;
    status = messages_.ShowError(
        pair.output->name() +
            ": cannot be written to the device: " + std::strerror(errno),
        pair.input->name() + " is kept");
  };
  for (const Pair& pair : waiting_) pair.output->StartSync();
  for (Pair& pair : waiting_) {
    if (!pair.output->Sync()) fail(pair);
  }
  std::set<std::pair<uint64_t, uint64_t>> done;
  for (Pair& pair : waiting_) {
    const FilePlace& place = pair.output->place();
    const auto folder = place.FolderInfo();
    if (folder && done.contains({folder->device, folder->number})) continue;
    if (!place.SyncFolder()) {
      fail(pair);
    } else if (folder) {
      done.insert({folder->device, folder->number});
    }
  }
  return status;
}

int SourceRemover::RemoveAll() {
  int status = syncs_ ? SyncAll() : kExitSuccess;
  for (const Pair& pair : waiting_) {
    if (!pair.is_safe) continue;
    if (!pair.output->IsInPlace()) {
      status = WorseStatus(
          status, messages_.ShowWarning(pair.input->name() +
                                        ": its result was moved or replaced, "
                                        "so it is kept"));
    } else if (const Status removed = pair.input->Remove(); !removed) {
      status = WorseStatus(status, messages_.ShowWarning(removed.error().what));
    }
  }
  waiting_.clear();
  return status;
}

}  // namespace llma::cli
