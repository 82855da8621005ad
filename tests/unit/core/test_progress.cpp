// The progress line: its text, its rhythm in files and on a terminal, and its peace with the log.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/log.hpp"
#include "core/progress.hpp"

namespace rankine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(ProgressText, TellsPartElapsedLeftAndMemory) {
  EXPECT_EQ(progress_text(0.25, "step 5/20, bond 64", 30, 3 << 20),
            " 25.0 % | 1 min 30 s left | step 5/20, bond 64 | 30.0 s elapsed, 3.0 MiB");
}

TEST(ProgressText, DoesNotGuessTheTimeLeftAtTheStart) {
  EXPECT_THAT(progress_text(0, "start", 10, 0), HasSubstr(" | ? left | start | 10.0 s elapsed"));
}

TEST(ProgressText, NeverPromisesNegativeTime) {
  EXPECT_THAT(progress_text(1.0000001, "end", 10, 0), HasSubstr(" | 0.00 s left | "));
}

TEST(ProgressLine, InAFileWritesPlainLinesRarelyAndTheLastOne) {
  CaptureStderr();
  {
    ProgressLine line(Output::shown, 1h);
    for (int step = 1; step <= 1000; ++step) line.update(step / 1000.0, "counting");
  }
  const std::string written = GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(written, '\n'), 1);
  EXPECT_THAT(written, testing::StartsWith("100.0 % | 0.00 s left | counting | "));
  EXPECT_EQ(written.find('\r'), std::string::npos);
}

TEST(ProgressLine, InAFileWritesEveryUpdateThatIsDue) {
  CaptureStderr();
  ProgressLine line(Output::shown, 0s);
  line.update(0.5, "first");
  line.update(1, "second");
  line.finish();
  const std::string written = GetCapturedStderr();
  EXPECT_THAT(written, testing::ContainsRegex(
                           "^ 50.0 % .* left [|] first .*\n100.0 % .* left [|] second .*\n$"));
}

TEST(ProgressLine, IsSilentOnOtherRanksAndWithoutUpdates) {
  CaptureStderr();
  ProgressLine silent(Output::silent, 0s);
  silent.update(0.5, "unheard");
  silent.finish();
  ProgressLine unused(Output::shown, 0s);
  unused.finish();
  EXPECT_EQ(GetCapturedStderr(), "");
}

/// Makes stderr a terminal for the time of a test.
class TerminalStderr {
 public:
  TerminalStderr() : saved_stderr_(dup(STDERR_FILENO)) {
    int inside = -1;
    winsize size{.ws_row = 25, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
    if (openpty(&outside_, &inside, nullptr, nullptr, &size) != 0) {
      throw std::runtime_error("no pseudo terminal");
    }
    dup2(inside, STDERR_FILENO);
    close(inside);
    fcntl(outside_, F_SETFL, O_NONBLOCK);
  }
  ~TerminalStderr() {
    dup2(saved_stderr_, STDERR_FILENO);
    close(saved_stderr_);
    close(outside_);
  }

  std::string written() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = read(outside_, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int saved_stderr_;
  int outside_ = -1;
};

TEST(ProgressLine, OnATerminalIsCutToItsWidthAndRewrittenInPlace) {
  const TerminalStderr terminal;
  ProgressLine line(Output::shown);
  for (int step = 0; step < 1000; ++step) line.update(0.1, "much too long for forty columns");
  line.finish();
  const std::string written = terminal.written();
  EXPECT_EQ(written, "\r\033[K 10.0 % | 0.00 s left | much too long f\r\n");
}

TEST(ProgressLine, OnATerminalMovesBelowLogLines) {
  const TerminalStderr terminal;
  ProgressLine line(Output::shown);
  line.update(0.1, "first");
  usleep(250000);  // longer than the interval at which the line is rewritten
  line.update(0.2, "second");
  log().info("between");
  line.finish();
  EXPECT_THAT(terminal.written(),
              testing::MatchesRegex(
                  "\r\033.K 20.0 % [|] [^|]* left [|] second [^\r]*\r\033.K[0-9:]+ between\r\n"
                  " 20.0 % [|] [^|]* left [|] second [^\r\n]*\r\n"));
}

}  // namespace
}  // namespace rankine
