// SPDX-License-Identifier: Apache-2.0
// What the program says on standard error, and the exit status that follows:
// as in xz, 0 all is well, 1 an error, 2 only a warning.
#ifndef LLMA_CLI_MESSAGES_H_
#define LLMA_CLI_MESSAGES_H_

#include <llma/result.hpp>
#include <string>
#include <string_view>

namespace llma::cli {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitWarning = 2;

// Of two commands that ran one after the other; an error outweighs a warning.
inline int WorseStatus(int a, int b) {
  return a == kExitError || b == kExitError ? kExitError : (a > b ? a : b);
}

// The text with control characters as '?', safe for a terminal.
std::string Printable(std::string_view text);

// "NAME: at byte 81920: checksum mismatch", without what is not known. Without
// a name, "TEXT (at byte 81920)".
std::string FormatError(std::string_view name, const Error& error);

// Whether a line of ProgressMeter stands on the terminal. Messages wipe it; a
// signal that ends the program leaves it, and may ask.
void SetProgressShown(bool is_shown);
bool IsProgressShown();

// Prints "llma: TEXT" lines. Verbosity: 1 is usual, each -q takes one away
// (0: no warnings, -1: no errors), each -v adds one.
class Messages {
 public:
  explicit Messages(int verbosity) : verbosity_(verbosity) {}

  // Each returns the exit status that fits. `next_step`: a line for the user
  // who wants to get on, if not empty. The same error again, of the next of
  // many files, is not shown again: it is about all of them.
  int ShowError(std::string_view text, std::string_view next_step = {}) const;
  int ShowWarning(std::string_view text) const;
  // What is worth knowing, and no fault: the exit status stays as it is.
  void ShowNote(std::string_view text) const;
  // Only with -v.
  void ShowDetail(std::string_view text) const;
  // Only with -v -v.
  void ShowFrame(std::string_view text) const;

  int verbosity() const { return verbosity_; }

 private:
  int verbosity_;
  mutable std::string last_error_;
};

// Prints to standard output; an error if that fails.
int PrintOut(const Messages& messages, std::string_view text);

// "llma: WHAT" or "llma: WHAT: MORE", and kExitError; allocates nothing.
int ShowLastError(const char* what, const char* more = nullptr) noexcept;

}  // namespace llma::cli

#endif  // LLMA_CLI_MESSAGES_H_
