// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/process.h"

#include "platform/machine/windows/system.h"
// After windows.h.
#include <ntsecapi.h>

#include <chrono>

namespace llma {

int64_t ProcessId() { return ::GetCurrentProcessId(); }

// There is no fork().
void CallAroundForks(void (*)(), void (*)()) {}

std::string Environment(const char* name) {
  const std::wstring wide_name = ToWide(name);
  std::wstring value(64, L'\0');
  for (;;) {
    const DWORD size = ::GetEnvironmentVariableW(
        wide_name.c_str(), value.data(), static_cast<DWORD>(value.size()));
    if (size == 0) return {};
    const bool fits = size < value.size();
    value.resize(size);
    if (fits) return FromWide(value);
  }
}

// Both that of the system and that of the C library, which std::getenv reads.
void SetEnvironment(const char* name, const std::string& value) {
  const std::wstring wide_name = ToWide(name), wide_value = ToWide(value);
  ::SetEnvironmentVariableW(wide_name.c_str(), wide_value.c_str());
  ::_wputenv_s(wide_name.c_str(), wide_value.c_str());
}

uint64_t RandomNumber() {
  uint64_t number = 0;
  if (!::RtlGenRandom(&number, sizeof(number))) {
    static uint64_t count = 0;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    number = static_cast<uint64_t>(now.count()) ^
             (static_cast<uint64_t>(::GetCurrentProcessId()) << 40) ^
             (++count << 20);
  }
  return number;
}

}  // namespace llma
