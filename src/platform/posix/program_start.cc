// SPDX-License-Identifier: Apache-2.0
#include "platform/program_start.h"

#include <unistd.h>

namespace llma {

std::vector<std::string> CommandLine(int argc, char** argv) {
  return {argv, argv + argc};
}

int RunInstead(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  return -1;
}

}  // namespace llma
