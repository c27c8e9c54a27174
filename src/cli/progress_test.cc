// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <gtest/gtest.h>

#include "cli/messages.h"

namespace llma::cli {
namespace {

TEST(Progress, FormatsBytes) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999.4), "999 B");
  EXPECT_EQ(FormatBytes(999.6), "1.00 KB");
  EXPECT_EQ(FormatBytes(2410), "2.41 KB");
  EXPECT_EQ(FormatBytes(32927), "32.9 KB");
  EXPECT_EQ(FormatBytes(999499), "999 KB");
  EXPECT_EQ(FormatBytes(999500), "1.00 MB");
  EXPECT_EQ(FormatBytes(5.5e15), "5500 TB");
}

TEST(Progress, FormatsDurations) {
  EXPECT_EQ(FormatDuration(0), "0:00");
  EXPECT_EQ(FormatDuration(7.4), "0:07");
  EXPECT_EQ(FormatDuration(754), "12:34");
  EXPECT_EQ(FormatDuration(3723), "1:02:03");
  EXPECT_EQ(FormatDuration(1e300), "?");
  EXPECT_EQ(FormatDuration(0.0 / 0.0), "?");
}

TEST(Progress, FormatsTheLine) {
  const llma_progress half = {0, 50000, 100000, 5000};
  EXPECT_EQ(FormatProgress("notes.txt", half, 0, 25, 80),
            "notes.txt: [#######--------]  50.0 %, 0.800 bits per byte, "
            "2.00 KB/s, 0:25 left");
  EXPECT_EQ(FormatProgress("notes.txt", half, 0, 25, 66),
            "notes.txt:  50.0 %, 0.800 bits per byte, 2.00 KB/s, 0:25 left");
  EXPECT_EQ(FormatProgress("notes.txt", {0, 0, 100, 0}, 0, 1, 30),
            "notes.txt: [--------]   0.0 %");
  EXPECT_EQ(FormatProgress("x", {0, 2000, 0, 250}, 0, 2, 80),
            "x: 2.00 KB, 1.000 bits per byte, 1.00 KB/s, 0:02");
}

TEST(Progress, NeverExceedsTheTerminal) {
  const std::string name(300, 'n');
  for (size_t columns = 0; columns < 100; ++columns) {
    const auto line = FormatProgress(name, {0, 1, 3, 1}, 0, 1, columns);
    EXPECT_LE(line.size(), columns == 0 ? 0 : columns - 1);
  }
  EXPECT_EQ(FormatProgress("a\nb\033[2J", {0, 0, 1, 0}, 0, 0, 20),
            "a?b?[2J:   0.0 %");
}

TEST(Progress, SpeedIsOfWhatThisRunDid) {
  EXPECT_EQ(FormatProgress("x", {0, 3000, 4000, 0}, 2000, 1, 60),
            "x: [##################------]  75.0 %, 1.00 KB/s, 0:01 left");
  EXPECT_EQ(FormatProgress("x", {0, 2000, 0, 0}, 2000, 1, 60), "x: 2.00 KB");
}

TEST(Progress, ForecastsLongWork) {
  EXPECT_EQ(FormatForecast("big", {0, 600, 52400000, 9}, 0, 5),
            "big: takes about 5 days: 52.4 MB at 120 B/s");
  EXPECT_EQ(FormatForecast("big", {0, 60000, 52400000, 9}, 0, 5),
            "big: takes about 1 h 13 min: 52.4 MB at 12.0 KB/s");
  EXPECT_EQ(FormatForecast("big", {0, 52060000, 52400000, 9}, 52000000, 5), "");
  EXPECT_EQ(FormatForecast("big", {0, 60000, 1000000, 9}, 0, 5), "");
  EXPECT_EQ(FormatForecast("big", {0, 0, 1000000, 0}, 0, 5), "");
  EXPECT_EQ(FormatForecast("pipe", {0, 60000, 0, 9}, 0, 5), "");
  EXPECT_EQ(FormatRoughly(200), "3 min");
  EXPECT_EQ(FormatRoughly(7200), "2 h 0 min");
}

TEST(Progress, FormatsTheSummary) {
  EXPECT_EQ(FormatSummary("dce.txt", 294328, 32927, true, 12.3),
            "dce.txt: 294328 -> 32927 bytes, 0.895 bits per byte, 12.3 s, "
            "23.9 KB/s");
  EXPECT_EQ(FormatSummary("x.llma", 0, 12, false, 0),
            "x.llma: 12 -> 0 bytes, 0.0 s");
}

TEST(Messages, FormatsErrors) {
  const Error error{ErrorCode::kChecksum, "checksum mismatch", 81920};
  EXPECT_EQ(FormatError("notes.llma", error),
            "notes.llma: at byte 81920: checksum mismatch");
  EXPECT_EQ(FormatError("", {ErrorCode::kIo, "no"}), "no");
  EXPECT_EQ(FormatError("", {ErrorCode::kIo, "no", 5}), "no (at byte 5)");
  EXPECT_EQ(FormatError("a", {ErrorCode::kIo, "cannot open a: gone"}),
            "cannot open a: gone");
  EXPECT_EQ(FormatError("a", {ErrorCode::kCorrupt, "a: odd", 7}),
            "a: at byte 7: odd");
  EXPECT_EQ(FormatError("a", {ErrorCode::kCorrupt, "is a mess"}),
            "a: is a mess");
  EXPECT_EQ(FormatError("a/", {ErrorCode::kIo, "cannot open a/b: gone"}),
            "cannot open a/b: gone");
}

TEST(Messages, AnErrorOutweighsAWarning) {
  EXPECT_EQ(WorseStatus(kExitSuccess, kExitWarning), kExitWarning);
  EXPECT_EQ(WorseStatus(kExitWarning, kExitError), kExitError);
  EXPECT_EQ(WorseStatus(kExitError, kExitWarning), kExitError);
  EXPECT_EQ(WorseStatus(kExitSuccess, kExitSuccess), kExitSuccess);
}

}  // namespace
}  // namespace llma::cli
