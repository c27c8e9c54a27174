// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <unistd.h>

#include "base/file_io.h"

namespace llma::cli {
namespace {

// One write() a line, so that lines of several processes do not mix. Nobody
// can be told if it fails.
void ShowLine(std::string_view text) {
  const std::string line = "llma: " + Printable(text) + "\n";
  (void)WriteAll(STDERR_FILENO, AsBytes(line)).has_value();
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return printable;
}

std::string FormatError(std::string_view name, const Error& error) {
  std::string text;
  // Errors of the file system may carry the name already.
  if (!name.empty() && error.what.find(name) == std::string::npos) {
    text.append(name).append(": ");
  }
  if (error.offset != Error::kNoOffset && error.code != ErrorCode::kInternal) {
    text += "at byte " + std::to_string(error.offset) + ": ";
  }
  return text + error.what;
}

int Messages::ShowError(std::string_view text,
                        std::string_view next_step) const {
  if (verbosity_ >= 0) ShowLine(text);
  if (verbosity_ >= 1 && !next_step.empty()) ShowLine(next_step);
  return kExitError;
}

int Messages::ShowWarning(std::string_view text) const {
  if (verbosity_ >= 1) ShowLine(text);
  return kExitWarning;
}

void Messages::ShowDetail(std::string_view text) const {
  if (verbosity_ >= 2) ShowLine(text);
}

int PrintOut(const Messages& messages, std::string_view text) {
  const Status status = WriteAll(STDOUT_FILENO, AsBytes(text));
  if (status) return kExitSuccess;
  return messages.ShowError(FormatError("(stdout)", status.error()));
}

}  // namespace llma::cli
