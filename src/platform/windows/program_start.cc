// SPDX-License-Identifier: Apache-2.0
#include "platform/program_start.h"

#include <algorithm>
#include <cerrno>

#include "platform/machine/windows/system.h"

// As the start of wmain() calls it: it takes the line apart and puts names in
// place of patterns, which the shells of Windows leave to programs.
extern "C" int __wgetmainargs(int* argc, wchar_t*** argv, wchar_t*** env,
                              int expands_patterns, int* start_info);

namespace llma {
namespace {

// One word, quoted as programs take their line apart.
std::wstring Quoted(const std::wstring& word) {
  std::wstring quoted = L"\"";
  size_t num_backslashes = 0;
  for (const wchar_t c : word) {
    if (c == L'"') quoted.append(num_backslashes + 1, L'\\');
    num_backslashes = c == L'\\' ? num_backslashes + 1 : 0;
    quoted += c;
  }
  quoted.append(num_backslashes, L'\\');
  return quoted + L"\"";
}

}  // namespace

std::vector<std::string> CommandLine(int, char**) {
  int argc = 0, start_info = 0;
  wchar_t **argv = nullptr, **env = nullptr;
  (void)::__wgetmainargs(&argc, &argv, &env, 1, &start_info);
  std::vector<std::string> line;
  for (int i = 0; i < argc; ++i) {
    std::string word = FromWide(argv[i]);
    std::replace(word.begin(), word.end(), '\\', '/');
    line.push_back(std::move(word));
  }
  if (!line.empty()) {
    for (char& c : line[0]) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (line[0].ends_with(".exe")) line[0].resize(line[0].size() - 4);
  }
  return line;
}

int RunInstead(const std::vector<std::string>& command) {
  std::wstring line;
  for (const std::string& word : command) {
    line += (line.empty() ? L"" : L" ") + Quoted(ToWide(word));
  }
  STARTUPINFOW start = {};
  start.cb = sizeof(start);
  PROCESS_INFORMATION process = {};
  if (!::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, 0,
                        nullptr, nullptr, &start, &process)) {
    return -1;
  }
  ::CloseHandle(process.hThread);
  const Handle running(process.hProcess);
  DWORD status = 1;
  (void)::WaitForSingleObject(running.get(), INFINITE);
  (void)::GetExitCodeProcess(running.get(), &status);
  return static_cast<int>(status & 0x7fffffff);
}

}  // namespace llma
