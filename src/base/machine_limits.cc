// SPDX-License-Identifier: Apache-2.0
#include "base/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace llma {
namespace {

// Files of /proc and of control groups; a missing one is empty.
std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool Contains(const std::vector<std::string>& parts, std::string_view part) {
  return std::ranges::find(parts, part) != parts.end();
}

// A number at the start of the text: not "max", not negative.
std::optional<uint64_t> ParseCount(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

template <class Value>
void Lower(std::optional<Value>& limit, std::optional<Value> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

// mountinfo writes blanks and the like as \040.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](size_t k) {
      return k < text.size() && text[k] >= '0' && text[k] <= '7';
    };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) &&
        is_octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 +
                                 (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// A hierarchy of control groups, and where this process is in it.
struct Hierarchy {
  bool is_v2;
  bool has_processors, has_memory;
  std::string mount_point;
  std::string group;  // below the mount point, "" or "/a/b"
};

// Where a group is below a mount that shows the groups from `mount_root` on.
// Of a group that the mount does not show, as in some containers, it shows the
// container's.
std::string GroupBelow(std::string_view group, std::string_view mount_root) {
  if (mount_root == "/") mount_root = "";
  if (group.starts_with(mount_root)) {
    const std::string_view rest = group.substr(mount_root.size());
    const bool is_below = rest.empty() || rest.front() == '/';
    if (is_below && rest != "/" && rest.find("/..") == std::string_view::npos) {
      return std::string(rest);
    }
  }
  return {};
}

std::vector<Hierarchy> FindHierarchies(const std::string& root) {
  struct Membership {
    std::vector<std::string> controllers;  // one empty text: version 2
    std::string group;
  };
  std::vector<Membership> memberships;
  for (const auto& line : Split(ReadText(root + "/proc/self/cgroup"), '\n')) {
    // "4:cpu,cpuacct:/a/b", "0::/a/b"; the group may hold colons.
    const size_t first = line.find(':');
    if (first == std::string::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    memberships.push_back(
        {Split(line.substr(first + 1, second - first - 1), ','),
         line.substr(second + 1)});
  }
  std::vector<Hierarchy> found;
  for (const auto& line :
       Split(ReadText(root + "/proc/self/mountinfo"), '\n')) {
    // ID PARENT DEVICE ROOT MOUNT_POINT OPTIONS [FIELD...] - TYPE SOURCE
    // SUPER_OPTIONS
    const std::vector<std::string> fields = Split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (!is_v2 && dash[1] != "cgroup") continue;
    const std::vector<std::string> controllers = Split(dash[3], ',');
    for (const Membership& membership : memberships) {
      const bool is_of_v2 = membership.controllers[0].empty();
      const auto has = [&](std::string_view controller) {
        return is_v2 || (Contains(controllers, controller) &&
                         Contains(membership.controllers, controller));
      };
      if (is_of_v2 != is_v2 || (!has("cpu") && !has("memory"))) continue;
      found.push_back({is_v2, has("cpu"), has("memory"),
                       root + Unescape(fields[4]),
                       GroupBelow(membership.group, Unescape(fields[3]))});
    }
  }
  return found;
}

// What one group allows, for itself alone.
CgroupLimits LimitsOfGroup(const Hierarchy& hierarchy,
                           const std::string& folder) {
  const auto count = [&](const char* name) {
    return ParseCount(ReadText(folder + "/" + name));
  };
  CgroupLimits limits;
  std::optional<uint64_t> quota, period;  // microseconds
  if (hierarchy.is_v2) {
    const auto fields = Split(ReadText(folder + "/cpu.max"), ' ');
    quota = ParseCount(fields[0]);
    if (fields.size() > 1) period = ParseCount(fields[1]);
    // Beyond the lower one the group is slowed down until it is of no use.
    limits.memory_bytes = count("memory.max");
    Lower(limits.memory_bytes, count("memory.high"));
  } else {
    if (hierarchy.has_processors) {
      quota = count("cpu.cfs_quota_us");
      period = count("cpu.cfs_period_us");
    }
    if (hierarchy.has_memory) {
      limits.memory_bytes = count("memory.limit_in_bytes");
    }
  }
  if (quota && period && *period > 0) {
    limits.processors =
        static_cast<double>(*quota) / static_cast<double>(*period);
  }
  return limits;
}

// The processors that control groups give time for. Files are read once a
// second at most: pools are made often.
double CgroupProcessors() {
  using Clock = std::chrono::steady_clock;
  static std::atomic<int64_t> read_at{0};  // 0: never
  static std::atomic<double> known{0};
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          Clock::now().time_since_epoch())
                          .count() +
                      1;
  if (read_at.load(std::memory_order_acquire) != now) {
    known.store(ReadCgroupLimits().processors.value_or(1e9));
    read_at.store(now, std::memory_order_release);
  }
  return known.load();
}

}  // namespace

CgroupLimits ReadCgroupLimits(const std::string& root) {
  CgroupLimits limits;
  for (const Hierarchy& hierarchy : FindHierarchies(root)) {
    for (std::string group = hierarchy.group;;) {
      const CgroupLimits of_group =
          LimitsOfGroup(hierarchy, hierarchy.mount_point + group);
      Lower(limits.processors, of_group.processors);
      Lower(limits.memory_bytes, of_group.memory_bytes);
      const size_t slash = group.rfind('/');
      if (slash == std::string::npos) break;
      group.erase(slash);
    }
  }
  return limits;
}

int NumProcessors() {
  const int affine = NumAffineProcessors();
  const double given = CgroupProcessors();
  return given >= affine ? affine : std::max(1, static_cast<int>(given));
}

uint64_t UsableMemoryBytes() {
  uint64_t usable = kMaxObjectBytes;
  for (const auto& limit :
       {PhysicalMemoryBytes(), ReadCgroupLimits().memory_bytes,
        LeftOfMemoryLimits()}) {
    usable = std::min(usable, limit.value_or(usable));
  }
  return usable;
}

}  // namespace llma
