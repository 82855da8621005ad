// Log lines reach stderr and are remembered; ranks other than 0 say who they are and only warn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/log.hpp"

namespace rankine {
namespace {

using testing::ContainsRegex;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class Log : public testing::Test {
 protected:
  ~Log() override { set_log_rank(0); }
};

TEST_F(Log, WritesToStderrAndRemembers) {
  set_log_rank(0);
  const std::size_t n_before = log_lines().size();
  CaptureStderr();
  log().info("bond dimension {}", 32);
  log().warn("too small");
  log().error("too large");
  const std::string written = GetCapturedStderr();
  const std::vector<std::string> lines = log_lines();
  ASSERT_EQ(lines.size(), n_before + 3);
  const auto* mine = lines.data() + n_before;
  EXPECT_THAT(mine[0], ContainsRegex("^[0-9]{2}:[0-9]{2}:[0-9]{2} bond dimension 32$"));
  EXPECT_THAT(mine[1], ContainsRegex("^[0-9:]+ warning: too small$"));
  EXPECT_THAT(mine[2], ContainsRegex("^[0-9:]+ error: too large$"));
  EXPECT_EQ(written, mine[0] + "\n" + mine[1] + "\n" + mine[2] + "\n");
}

TEST_F(Log, OfOtherRanksIsShortAndNamesTheRank) {
  set_log_rank(3);
  const std::size_t n_before = log_lines().size();
  CaptureStderr();
  log().info("nobody wants to read this four times");
  log().warn("idle");
  EXPECT_THAT(GetCapturedStderr(), ContainsRegex("^[0-9:]+ rank 3: warning: idle\n$"));
  EXPECT_EQ(log_lines().size(), n_before + 1);
}

TEST_F(Log, TakesBracesAndPercentSignsInArgumentsAsTheyAre) {
  CaptureStderr();
  log().info("{}", "{} 100 % %v");
  EXPECT_THAT(GetCapturedStderr(), testing::HasSubstr("{} 100 % %v"));
}

TEST_F(Log, ShowsControlCharactersInsteadOfObeyingThem) {
  CaptureStderr();
  log().error("unknown gate \"{}\".\n\tcaf\xc3\xa9", "\x1b[2J\r\x7f");
  EXPECT_THAT(GetCapturedStderr(),
              testing::EndsWith("unknown gate \"\\x1b[2J\\x0d\\x7f\".\n\tcaf\xc3\xa9\n"));
}

}  // namespace
}  // namespace rankine
