// Bytes and durations as people read them, at the edges between units.
#include <gtest/gtest.h>

#include <limits>

#include "core/text_format.hpp"

namespace rankine {
namespace {

TEST(FormatBytes, PicksTheUnit) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes((1U << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(23 * 0x1p30), "23.0 GiB");
  EXPECT_EQ(format_bytes(0x1p64), "16.0 EiB");
  EXPECT_EQ(format_bytes(0x1p76), "6.6e+04 EiB");
}

TEST(Counted, KnowsTheSingular) {
  EXPECT_EQ(counted(0, "rank"), "0 ranks");
  EXPECT_EQ(counted(1, "rank"), "1 rank");
  EXPECT_EQ(counted(2, "rank"), "2 ranks");
  EXPECT_EQ(counted(1, "axis", "axes"), "1 axis");
  EXPECT_EQ(counted(3, "axis", "axes"), "3 axes");
}

TEST(FormatDuration, PicksTheUnits) {
  EXPECT_EQ(format_duration(0), "0.00 s");
  EXPECT_EQ(format_duration(0.254), "0.25 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(185), "3 min 05 s");
  EXPECT_EQ(format_duration(2 * 3600 + 7 * 60), "2 h 07 min");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600), "3 d 04 h");
}

TEST(FormatDuration, NeverRoundsUpToAFullNextUnit) {
  EXPECT_EQ(format_duration(9.999), "10.0 s");
  EXPECT_EQ(format_duration(59.99), "1 min 00 s");
  EXPECT_EQ(format_duration(119.7), "2 min 00 s");
  EXPECT_EQ(format_duration(3599.7), "1 h 00 min");
  EXPECT_EQ(format_duration(86399), "1 d 00 h");
}

TEST(FormatDuration, OfNothingKnownIsAQuestionMark) {
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(format_duration(-1), "?");
}

}  // namespace
}  // namespace rankine
