// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_MACHINE_PROCESS_H_
#define LLMA_PLATFORM_MACHINE_PROCESS_H_

#include <cstdint>
#include <string>

namespace llma {

// Of this process; a child of fork() has another one.
int64_t ProcessId();

// `before` runs in front of each fork(), `after` behind it in parent and child.
void CallAroundForks(void (*before)(), void (*after)());

// A variable of the environment, in UTF-8; empty if it is not set.
std::string Environment(const char* name);

// Sets one, for this process and those that it starts. Not thread-safe.
void SetEnvironment(const char* name, const std::string& value);

// A number that nobody else is likely to have.
uint64_t RandomNumber();

}  // namespace llma

#endif  // LLMA_PLATFORM_MACHINE_PROCESS_H_
