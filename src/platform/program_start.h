// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_PROGRAM_START_H_
#define LLMA_PLATFORM_PROGRAM_START_H_

#include <string>
#include <vector>

namespace llma {

// What main() was given, in UTF-8; on Windows with "/" for "\\", names in place
// of patterns, and the program's name in small letters without ".exe".
std::vector<std::string> CommandLine(int argc, char** argv);

// Another program, found as the shell would find it, takes this one's place;
// or, where the system knows no such thing, runs until it ends, and this is its
// exit status. -1 if it is not there.
int RunInstead(const std::vector<std::string>& command);

}  // namespace llma

#endif  // LLMA_PLATFORM_PROGRAM_START_H_
