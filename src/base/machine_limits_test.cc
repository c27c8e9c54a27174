// SPDX-License-Identifier: Apache-2.0
#include "base/machine_limits.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace llma {
namespace {

namespace fs = std::filesystem;

// A folder that stands for the root of a file system.
class FakeRoot {
 public:
  FakeRoot() {
    char name[] = "/tmp/llma_machine_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~FakeRoot() { fs::remove_all(path_); }
  FakeRoot& Write(const std::string& name, const std::string& text) {
    const fs::path path = path_ + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return *this;
  }
  CgroupLimits Limits() const { return ReadCgroupLimits(path_); }

 private:
  std::string path_;
};

constexpr const char* kV2Mount =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

TEST(MachineLimits, Version2) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/a.slice/b.scope\n")
      .Write("/proc/self/mountinfo", kV2Mount)
      .Write("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "150000 100000\n")
      .Write("/sys/fs/cgroup/a.slice/b.scope/memory.max", "314572800\n");
  EXPECT_EQ(root.Limits().processors, 1.5);
  EXPECT_EQ(root.Limits().memory_bytes, 314572800u);
}

TEST(MachineLimits, Version2WithoutLimits) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/a\n")
      .Write("/proc/self/mountinfo", kV2Mount)
      .Write("/sys/fs/cgroup/a/cpu.max", "max 100000\n")
      .Write("/sys/fs/cgroup/a/memory.max", "max\n")
      .Write("/sys/fs/cgroup/a/memory.high", "max\n");
  EXPECT_FALSE(root.Limits().processors);
  EXPECT_FALSE(root.Limits().memory_bytes);
}

TEST(MachineLimits, GroupsAboveHoldToo) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/a/b/c\n")
      .Write("/proc/self/mountinfo", kV2Mount)
      .Write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n")
      .Write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
      .Write("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n")
      .Write("/sys/fs/cgroup/a/b/memory.high", "100000\n")
      .Write("/sys/fs/cgroup/a/b/c/memory.max", "200000\n");
  EXPECT_EQ(root.Limits().processors, 2.0);
  EXPECT_EQ(root.Limits().memory_bytes, 100000u);
}

// In a container with a namespace of its own, its group looks like the root,
// and the limits are in the mount's top folder.
TEST(MachineLimits, NamespacedRoot) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/\n")
      .Write("/proc/self/mountinfo", kV2Mount)
      .Write("/sys/fs/cgroup/cpu.max", "50000 100000\n")
      .Write("/sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(root.Limits().processors, 0.5);
  EXPECT_EQ(root.Limits().memory_bytes, 1000u);
}

// Without one, the group is the host's name and the mount shows a part.
TEST(MachineLimits, MountOfAPart) {
  for (const char* group : {"0::/docker/abc\n", "0::/docker/abc/in\n",
                            "0::/elsewhere\n", "0::/../../up\n"}) {
    FakeRoot root;
    root.Write("/proc/self/cgroup", group)
        .Write("/proc/self/mountinfo",
               "29 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n")
        .Write("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    EXPECT_EQ(root.Limits().processors, 3.0) << group;
  }
}

TEST(MachineLimits, Version1) {
  FakeRoot root;
  root.Write("/proc/self/cgroup",
             "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n"
             "1:name=systemd:/docker/x\n0::/system.slice\n")
      .Write("/proc/self/mountinfo",
             "30 22 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
             "31 22 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 master:2 - "
             "cgroup cgroup rw,cpu,cpuacct\n"
             "32 22 0:29 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup "
             "rw,memory\n")
      .Write("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n")
      .Write("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us",
             "100000\n")
      .Write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "250000\n")
      .Write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n")
      .Write("/sys/fs/cgroup/my memory/docker/x/memory.limit_in_bytes",
             "9223372036854771712\n")
      .Write("/sys/fs/cgroup/my memory/docker/memory.limit_in_bytes",
             "5000000\n");
  EXPECT_EQ(root.Limits().processors, 2.5);
  EXPECT_EQ(root.Limits().memory_bytes, 5000000u);
}

TEST(MachineLimits, NonsenseIsNoLimit) {
  const FakeRoot empty;
  EXPECT_FALSE(empty.Limits().processors);
  EXPECT_FALSE(empty.Limits().memory_bytes);
  std::string mounts = "- - -\n1 2 3\n\n1 2 3 4 5 6 - cgroup2\n";
  mounts += kV2Mount;
  FakeRoot root;
  root.Write("/proc/self/cgroup", "\n::\n0:\nx\n0::/a\n0::\n")
      .Write("/proc/self/mountinfo", mounts)
      .Write("/sys/fs/cgroup/a/cpu.max", "100000 0\n")
      .Write("/sys/fs/cgroup/cpu.max", "\n")
      .Write("/sys/fs/cgroup/a/memory.max", "99999999999999999999999\n")
      .Write("/sys/fs/cgroup/memory.max", "-5\n");
  EXPECT_FALSE(root.Limits().processors);
  EXPECT_FALSE(root.Limits().memory_bytes);
}

TEST(MachineLimits, ProcessorsFollowTheAffinity) {
  cpu_set_t all, one;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_EQ(NumAffineProcessors(), CPU_COUNT(&all));
  EXPECT_LE(NumProcessors(), NumAffineProcessors());
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &all)) continue;
    CPU_SET(i, &one);
    break;
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(NumAffineProcessors(), 1);
  EXPECT_EQ(NumProcessors(), 1);
  ::sched_setaffinity(0, sizeof(all), &all);
}

#if !LLMA_IS_SLOW
// Sanitizers map more than any limit, and emulators know no limits.
TEST(MachineLimits, MemoryFollowsResourceLimits) {
  const uint64_t before = UsableMemoryBytes();
  EXPECT_GT(before, 0u);
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    struct rlimit saved;
    ASSERT_EQ(::getrlimit(resource, &saved), 0);
    struct rlimit lower = saved;
    lower.rlim_cur = 512 << 20;
    ASSERT_EQ(::setrlimit(resource, &lower), 0);
    EXPECT_LE(UsableMemoryBytes(), 512u << 20);
    EXPECT_GT(UsableMemoryBytes(), 1u << 20);
    ASSERT_EQ(::setrlimit(resource, &saved), 0);
  }
  EXPECT_GE(UsableMemoryBytes(), before / 2);
}
#endif

}  // namespace
}  // namespace llma
