// SPDX-License-Identifier: Apache-2.0
#include "cli/work_report.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace llma::cli {
namespace {

std::string Progress() {
  SafeLine line;
  return DescribeProgress(line) ? std::string(line.text()) : "";
}

std::string Interruption(bool is_kept) {
  SafeLine line;
  return DescribeInterruption(line, is_kept) ? std::string(line.text()) : "";
}

TEST(SafeLine, FormatsNumbersBytesAndTimes) {
  const auto bytes = [](uint64_t count) {
    SafeLine line;
    return std::string(line.AddBytes(count).text());
  };
  EXPECT_EQ(bytes(0), "0 B");
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(1000), "1.0 KB");
  EXPECT_EQ(bytes(999999), "999.9 KB");
  EXPECT_EQ(bytes(32900000), "32.9 MB");
  EXPECT_EQ(bytes(5000000000000), "5.0 TB");
  EXPECT_EQ(bytes(~uint64_t{0}), "18446744.0 TB");
  const auto duration = [](uint64_t seconds) {
    SafeLine line;
    return std::string(line.AddDuration(seconds).text());
  };
  EXPECT_EQ(duration(7), "0:07");
  EXPECT_EQ(duration(754), "12:34");
  EXPECT_EQ(duration(3723), "1:02:03");
}

TEST(SafeLine, LeavesOutWhatDoesNotFit) {
  SafeLine line;
  for (int i = 0; i < 300; ++i) line.Add("12345");
  EXPECT_EQ(line.text().size(), 1024u);
}

TEST(WorkReport, SaysHowFarTheWorkIs) {
  EXPECT_EQ(Progress(), "");
  {
    WorkReport report("big\n.txt");
    EXPECT_EQ(Progress(), "llma: big?.txt: 0 B after 0:00");
    report.SetProgress(0, 625, 1000);
    EXPECT_EQ(Progress(), "llma: big?.txt: 62.5 % of 1.0 KB after 0:00");
    {
      WorkReport verifying("big.llma");
      EXPECT_EQ(Progress(), "llma: big.llma: 0 B after 0:00");
    }
    EXPECT_EQ(Progress(), "llma: big?.txt: 62.5 % of 1.0 KB after 0:00");
  }
  EXPECT_EQ(Progress(), "");
  const WorkReport report(std::string(5000, 'a'));
  EXPECT_EQ(Progress(), "llma: " + std::string(319, 'a') + ": 0 B after 0:00");
}

// A reference is read before, and the speed is that of what follows.
TEST(WorkReport, TheSpeedIsThatOfCoding) {
  WorkReport report("new");
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  report.SetProgress(0, 0, 1000);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  report.SetProgress(0, 500, 1000);
  // After one or two seconds, as they are counted.
  const std::string text = Progress();
  EXPECT_TRUE(text.ends_with(", 500 B/s, 0:01 left") ||
              text.ends_with(", 250 B/s, 0:02 left"))
      << text;
}

TEST(WorkReport, SaysWhatIsLeft) {
  WorkReport report("big");
  report.SetProgress(0, 1, 4);
  EXPECT_EQ(Interruption(false), "");  // after less than a second
  SetRemains(Remains::kPartOfLongWork, "big.llma.part");
  CountFrameInPart();
  EXPECT_FALSE(KeepsPart());
  SetRemains(Remains::kPart, "big.llma.part");
  EXPECT_TRUE(KeepsPart());
  EXPECT_EQ(Interruption(true),
            "llma: big: interrupted at 25.0 % of 4 B after 0:00; big.llma.part "
            "is kept, and the same command goes on with it");
  SetRemains(Remains::kUnsaid);
  EXPECT_FALSE(KeepsPart());
}

}  // namespace
}  // namespace llma::cli
