// The program knows its release and the commit it was built from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/version.hpp"

namespace rankine {
namespace {

TEST(Version, IsThreeNumbers) {
  EXPECT_THAT(program_version(), testing::MatchesRegex("[0-9]+[.][0-9]+[.][0-9]+"));
}

TEST(Version, NamesACommitOrAdmitsThatItIsUnknown) {
  EXPECT_THAT(git_commit(), testing::MatchesRegex("[0-9a-f]{40,64}(-dirty)?|unknown"));
}

}  // namespace
}  // namespace rankine
