// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "cli/byte_text.h"
#include "platform/descriptors.h"

namespace llma::cli {
namespace {

std::atomic<bool> is_progress_shown = false;
static_assert(std::atomic<bool>::is_always_lock_free, "for signal handlers");

// One write() a line, so that lines of several processes do not mix. Nobody
// can be told if it fails.
void ShowLine(std::string_view text) {
  const std::string line = (is_progress_shown ? "\r\033[K" : "") +
                           ("llma: " + Printable(text)) + "\n";
  (void)WriteAll(kStandardError, AsBytes(line)).has_value();
}

// Whether `what` speaks of a file of this name, not just of its letters.
bool MentionsFile(std::string_view what, std::string_view name) {
  for (size_t at = what.find(name); at != std::string_view::npos;
       at = what.find(name, at + 1)) {
    const std::string_view rest = what.substr(at + name.size());
    const bool begins = at == 0 || what[at - 1] == ' ' || what[at - 1] == '\'';
    const bool ends =
        rest.empty() || name.ends_with('/') ||
        std::string_view(":'/").find(rest[0]) != std::string_view::npos;
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

void SetProgressShown(bool is_shown) { is_progress_shown = is_shown; }
bool IsProgressShown() { return is_progress_shown; }

std::string Printable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return printable;
}

std::string FormatError(std::string_view name, const Error& error) {
  const bool has_offset =
      error.offset != Error::kNoOffset && error.code != ErrorCode::kInternal;
  const std::string place =
      has_offset ? "at byte " + std::to_string(error.offset) : "";
  if (name.empty()) return error.what + (has_offset ? " (" + place + ")" : "");
  // Errors of the file system carry the name already, mostly in front.
  const std::string prefix = std::string(name) + ": ";
  std::string_view what = error.what;
  std::string text;
  if (what.starts_with(prefix)) {
    what.remove_prefix(prefix.size());
    text = prefix;
  } else if (!MentionsFile(what, name)) {
    text = prefix;
  }
  if (has_offset) text += place + ": ";
  return text.append(what);
}

int Messages::ShowError(std::string_view text,
                        std::string_view next_step) const {
  if (text == last_error_) return kExitError;
  last_error_ = text;
  if (verbosity_ >= 0) ShowLine(text);
  if (verbosity_ >= 1 && !next_step.empty()) ShowLine(next_step);
  return kExitError;
}

int Messages::ShowWarning(std::string_view text) const {
  if (verbosity_ >= 1) ShowLine(text);
  return kExitWarning;
}

void Messages::ShowNote(std::string_view text) const {
  if (verbosity_ >= 1) ShowLine(text);
}

void Messages::ShowDetail(std::string_view text) const {
  if (verbosity_ >= 2) ShowLine(text);
}

void Messages::ShowFrame(std::string_view text) const {
  if (verbosity_ >= 3) ShowLine(text);
}

int ShowLastError(const char* what, const char* more) noexcept {
  char line[256];
  const int size =
      std::snprintf(line, sizeof(line), "llma: %s%s%s\n", what,
                    more == nullptr ? "" : ": ", more == nullptr ? "" : more);
  const auto shown = std::min(static_cast<size_t>(size), sizeof(line) - 1);
  WriteOnce(kStandardError, line, shown);
  return kExitError;
}

int PrintOut(const Messages& messages, std::string_view text) {
  const Status status = WriteAll(kStandardOutput, AsBytes(text));
  if (status) return kExitSuccess;
  return messages.ShowError(FormatError("(stdout)", status.error()));
}

}  // namespace llma::cli
