// Exit codes and the log as far as they can be seen from inside (the CTest cases parallel_exit_*
// see the aborts from outside).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "../../mpi_world.hpp"
#include "core/log.hpp"
#include "parallel/agreement.hpp"
#include "parallel/run_to_exit_code.hpp"
#include "parallel/session.hpp"

namespace rankine::parallel {
namespace {

TEST(RunToExitCode, IsZeroOrWhatTheWorkReturns) {
  EXPECT_EQ(run_to_exit_code(world(), [] {}), 0);
  EXPECT_EQ(run_to_exit_code(world(), [] { return ExitCode::stopped; }), 75);
  EXPECT_EQ(run_to_exit_code(world(), [] { return 7; }), 7);
}

TEST(RunToExitCode, LogsAnAgreedErrorOnRankZeroOnly) {
  const std::size_t n_lines = log_lines().size();
  testing::internal::CaptureStderr();
  const int code = run_to_exit_code(
      world(), [] { agree_on_failure(world(), [] { throw InputError("The deck is wrong."); }); });
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 2);
  if (world().rank() == 0) {
    EXPECT_THAT(written, testing::EndsWith(" error: The deck is wrong.\n"));
    EXPECT_EQ(log_lines().size(), n_lines + 1);
  } else {
    EXPECT_EQ(written, "");
  }
}

TEST(Session, KnowsItsLibrary) {
  const std::string version = mpi_library_version();
  EXPECT_THAT(version, testing::ContainsRegex("[0-9]"));
  EXPECT_EQ(version.find('\n'), std::string::npos);
  EXPECT_EQ(version.find(','), std::string::npos);
}

}  // namespace
}  // namespace rankine::parallel
