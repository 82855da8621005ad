// Teams are consecutive ranks, as equal as can be, and can work apart from each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "../../mpi_world.hpp"
#include "core/errors.hpp"
#include "parallel/teams.hpp"

namespace rankine::parallel {
namespace {

TEST(Teams, AreConsecutiveAndNearlyEqualForEveryCount) {
  for (int n_teams = 1; n_teams <= world().size(); ++n_teams) {
    const Teams teams(world(), n_teams);
    EXPECT_EQ(teams.count(), n_teams);
    const int mine = teams.index();
    const std::vector<int> index = world().all_gather(std::span(&mine, 1));
    EXPECT_TRUE(std::ranges::is_sorted(index));
    EXPECT_EQ(index.front(), 0);
    EXPECT_EQ(index.back(), n_teams - 1);
    EXPECT_EQ(teams.team().size(), std::ranges::count(index, mine));
    EXPECT_LE(world().max(teams.team().size()) - world().min(teams.team().size()), 1);
    EXPECT_EQ(world().sum(teams.leads() ? 1 : 0), n_teams);
    const bool first = world().rank() == 0 || index[world().rank() - 1] != mine;
    EXPECT_EQ(teams.leads(), first);
  }
}

TEST(Teams, CommunicateApart) {
  const Teams teams(world(), world().size() > 1 ? 2 : 1);
  const int n_sums = teams.index() + 1;  // A different number of collectives in each team.
  for (int i = 0; i < n_sums; ++i) EXPECT_EQ(teams.team().sum(1), teams.team().size());
}

TEST(Teams, WithoutARankAreRefusedOnAllRanks) {
  for (const int n_teams : {world().size() + 1, 0, -1}) {
    try {
      const Teams teams(world(), n_teams);
      ADD_FAILURE() << n_teams << " teams were not refused";
    } catch (const InputError& error) {
      EXPECT_EQ(error.agreed_by(), world().size());
      EXPECT_THAT(error.what(), testing::HasSubstr("every team needs a rank"));
    }
  }
}

}  // namespace
}  // namespace rankine::parallel
