// SPDX-License-Identifier: Apache-2.0
// Which of the operands is read and which is written (cli/file_ops.h).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "cli/file_ops.h"
#include "container/frame_header.h"

namespace llma::cli {
namespace {

bool HasSuffix(std::string_view name) {
  const std::string_view suffix = kSuffix;
  return name.size() > suffix.size() && name.ends_with(suffix) &&
         name[name.size() - suffix.size() - 1] != '/';
}

struct Operand {
  bool exists = false;
  bool is_regular = false;
  bool has_magic = false;  // of regular files; others are not looked into
  dev_t device = 0;
  ino_t inode = 0;
};

bool IsSameFile(const Operand& a, const Operand& b) {
  return a.device == b.device && a.inode == b.inode;
}

Operand LookAt(const std::string& path) {
  Operand operand;
  struct stat info;
  operand.exists = ::stat(path.c_str(), &info) == 0;
  operand.is_regular = operand.exists && S_ISREG(info.st_mode);
  if (!operand.is_regular) return operand;
  operand.device = info.st_dev;
  operand.inode = info.st_ino;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return operand;
  uint8_t start[kFrameMagic.size()];
  const ssize_t got = ::read(fd, start, sizeof(start));
  ::close(fd);
  operand.has_magic =
      got == static_cast<ssize_t>(sizeof(start)) && HasFrameMagic(start);
  return operand;
}

// `llma -d first second`.
Result<FilePair> OrderOperands(const std::string& first,
                               const std::string& second, bool force) {
  const FilePair usual = {first, second};
  const FilePair swapped = {second, first};
  if (first == "-" || second == "-") return usual;
  const Operand a = LookAt(first);
  const Operand b = LookAt(second);
  if (!a.exists) return b.has_magic ? swapped : usual;
  // A second operand that cannot be the input: a device, a pipe, or a file that
  // is not ours (which is overwritten only with `force`, as Output sees to).
  if (!b.has_magic) return usual;
  if (!a.has_magic && a.is_regular && force) return swapped;
  if (IsSameFile(a, b)) return usual;  // Output says so
  return Error{ErrorCode::kUsage,
               first + " and " + second +
                   ": both exist; use -o to say which is the output"};
}

}  // namespace

Result<FilePair> CompressedPair(const std::vector<std::string>& operands,
                                const std::string& output) {
  const std::string in = operands.empty() ? "-" : operands[0];
  if (operands.size() == 2) return FilePair{in, operands[1]};
  if (!output.empty()) return FilePair{in, output};
  if (in == "-") return FilePair{in, "-"};
  if (HasSuffix(in)) {
    return Error{ErrorCode::kUsage,
                 in + ": has the suffix " + kSuffix + " already, skipped"};
  }
  return FilePair{in, in + kSuffix};
}

Result<FilePair> DecompressedPair(const std::vector<std::string>& operands,
                                  const std::string& output, bool force) {
  const std::string in = operands.empty() ? "-" : operands[0];
  if (operands.size() == 2) return OrderOperands(in, operands[1], force);
  if (!output.empty()) return FilePair{in, output};
  if (in == "-") return FilePair{in, "-"};
  if (!HasSuffix(in)) {
    return Error{ErrorCode::kUsage, in + ": unknown suffix, skipped"};
  }
  return FilePair{in,
                  in.substr(0, in.size() - std::string_view(kSuffix).size())};
}

}  // namespace llma::cli
