// SPDX-License-Identifier: Apache-2.0
#include "cli/files/file_names.h"

#include <llma/llma.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "cli/byte_text.h"
#include "cli/files/input_file.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/folder_list.h"

namespace llma::cli {
namespace {

// A name that has something before the suffix.
bool HasSuffix(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() && name.ends_with(suffix) &&
         name[name.size() - suffix.size() - 1] != '/';
}

// What a run that was killed left of a compressed file.
bool IsUnfinished(std::string_view name, std::string_view suffix) {
  constexpr std::string_view kPart = ".part", kTemporary = ".tmp.";
  constexpr size_t kNumDigits = 8;
  if (name.ends_with(kPart)) {
    name.remove_suffix(kPart.size());
  } else if (name.size() > kTemporary.size() + kNumDigits &&
             name.substr(name.size() - kTemporary.size() - kNumDigits)
                 .starts_with(kTemporary)) {
    name.remove_suffix(kTemporary.size() + kNumDigits);
  } else {
    return false;
  }
  return HasSuffix(name, suffix);
}

// Names that end with NUL, or at the end of the file.
Result<std::vector<std::string>> ReadNames(const std::string& path) {
  const auto bytes =
      path == "-" ? ReadAll(kStandardInput, ~uint64_t{0}) : ReadFile(path);
  if (!bytes) return bytes.error();
  std::vector<std::string> names;
  std::string_view text = AsText(*bytes);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    if (end > 0) names.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

// Adds the regular files below a folder that the command is about; links are
// not followed. Tells of what it cannot look into, and goes on.
void AddFilesBelow(const std::string& folder, const Options& options,
                   const Messages& messages, std::vector<std::string>& names,
                   int& status) {
  const bool wants_suffix = options.operation != Operation::kCompress;
  const auto entries = ListFolder(folder);
  if (!entries) {
    status = WorseStatus(status, messages.ShowError(entries.error().what));
    return;
  }
  for (const FolderEntry& entry : *entries) {
    const std::string name = PathIn(folder, entry.name);
    if (entry.kind == FileKind::kFolder) {
      AddFilesBelow(name, options, messages, names, status);
    } else if (entry.kind == FileKind::kRegular &&
               HasSuffix(name, options.suffix) == wants_suffix &&
               !IsUnfinished(name, options.suffix)) {
      names.push_back(name);
    }
  }
}

struct Operand {
  std::optional<FileInfo> info;  // if it exists
  bool has_magic = false;        // of regular files; others are not looked into
};

Operand LookAt(const std::string& path) {
  Operand operand;
  operand.info = InfoOf(path);
  if (!operand.info || !operand.info->is_regular()) return operand;
  const Descriptor file = OpenForReading(path);
  if (!file.is_open()) return operand;
  uint8_t start[3];
  const auto got = ReadFileAt(file.get(), 0, start);
  operand.has_magic = got && llma_recognize(start, *got) == LLMA_KIND_FILE;
  return operand;
}

}  // namespace

Status AddNames(Options& options) {
  LLMA_ASSIGN(const auto names, ReadNames(*options.names_file));
  options.operands.insert(options.operands.end(), names.begin(), names.end());
  return OkStatus();
}

std::vector<std::string> ListInputs(const Options& options,
                                    const Messages& messages, int& status) {
  std::vector<std::string> operands = options.operands;
  if (operands.empty() && !options.names_file) operands.push_back("-");
  if (!options.recursive) return operands;
  std::vector<std::string> inputs;
  for (const std::string& operand : operands) {
    const auto info = operand == "-" ? std::nullopt : InfoOf(operand);
    if (operand != "-" && !info) {
      status =
          WorseStatus(status, messages.ShowError(SystemError(operand).what));
      continue;
    }
    if (!info || !info->is_folder()) {
      inputs.push_back(operand);
      continue;
    }
    std::vector<std::string> files;
    AddFilesBelow(operand, options, messages, files, status);
    std::sort(files.begin(), files.end());
    inputs.insert(inputs.end(), files.begin(), files.end());
  }
  return inputs;
}

std::string PathInOutputDir(const std::string& in, const Options& options) {
  if (options.output_dir.empty()) return in;
  std::string name = in.substr(in.rfind('/') + 1);
  for (const std::string& operand : options.operands) {
    const std::string folder = operand.ends_with('/') ? operand : operand + '/';
    if (!options.recursive || !in.starts_with(folder)) continue;
    std::string_view last = folder;
    while (last.ends_with('/')) last.remove_suffix(1);
    last = last.substr(last.rfind('/') + 1);
    name = in.substr(folder.size());
    if (!last.empty() && last != "." && last != "..") {
      name = std::string(last) + "/" + name;
    }
    break;
  }
  const bool has_slash = options.output_dir.ends_with('/');
  return options.output_dir + (has_slash ? "" : "/") + name;
}

Status CheckResultNames(const std::vector<std::string>& inputs,
                        const Options& options) {
  if (options.output_dir.empty()) return OkStatus();
  std::map<std::string, std::string> input_of;
  for (const std::string& in : inputs) {
    if (in == "-") {
      return Error{ErrorCode::kUsage,
                   "standard input has no name for a file in " +
                       options.output_dir + "; -o DIR/NAME gives it one"};
    }
    if (IsDirectory(in)) continue;  // will be skipped, like a wrong name
    const std::string path = PathInOutputDir(in, options);
    const auto out = options.operation == Operation::kCompress
                         ? CompressedName(path, options.suffix)
                         : DecompressedName(path, options.suffix);
    if (!out) continue;
    const auto [known, is_new] = input_of.emplace(*out, in);
    if (!is_new) {
      return Error{ErrorCode::kUsage, known->second + " and " + in +
                                          ": both would become " + *out};
    }
  }
  return OkStatus();
}

Status MakeFoldersOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return MakeFolders(slash == std::string::npos ? "" : path.substr(0, slash));
}

FilePair OrderToCompress(const std::string& first, const std::string& second,
                         const std::string& suffix) {
  return {first, second, HasSuffix(second, suffix)};
}

Result<FilePair> OrderOperands(const std::string& first,
                               const std::string& second) {
  const FilePair usual = {first, second, false};
  const FilePair swapped = {second, first, false};
  if (first == "-" || second == "-") return usual;
  const Operand a = LookAt(first);
  const Operand b = LookAt(second);
  if (!a.info) return b.has_magic ? swapped : usual;
  // A second operand that cannot be the input; Output does not overwrite it.
  if (!b.has_magic) return usual;
  if (IsSameFile(*a.info, *b.info)) return usual;  // Output says so
  return Error{ErrorCode::kUsage,
               first + " and " + second +
                   ": both exist; use -o to say which is the output"};
}

Result<std::string> CompressedName(const std::string& in,
                                   const std::string& suffix) {
  if (!HasSuffix(in, suffix)) return in + suffix;
  return Error{ErrorCode::kUsage, in + ": has the suffix " + suffix +
                                      " already, skipped; -d decompresses it"};
}

Result<std::string> DecompressedName(const std::string& in,
                                     const std::string& suffix) {
  if (HasSuffix(in, suffix)) return in.substr(0, in.size() - suffix.size());
  return Error{ErrorCode::kUsage,
               in + ": unknown suffix, skipped; -o OUT or -c decompresses it"};
}

}  // namespace llma::cli
