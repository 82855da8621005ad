// Where weights are decomposed: by memory, and by the number of groups and ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/decomposition/decomposition_plan.hpp"

namespace rankine::compress {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

GroupShape square_group(std::int64_t n) {
  return {.columns = n, .rows = {n}, .input_numbers = n * n, .is_two_sided = true};
}

TEST(DecompositionPlan, KeepsMatricesWholeWhileTheyFit) {
  const std::vector<GroupShape> groups(10, square_group(500));
  const double one = whole_group_bytes(groups[0]);
  EXPECT_GT(one, 8.0 * 500 * 500 * 3) << "at least a matrix and two moments";
  const auto plan = plan_decomposition(groups, {.ranks = 2, .threads = 4, .bytes = 10 * one});
  EXPECT_THAT(plan.placements, Each(Placement::one_rank));
  EXPECT_EQ(plan.at_once, 4);
  EXPECT_DOUBLE_EQ(plan.working_bytes, 4 * one);
  EXPECT_THAT(plan.reason, HasSubstr("10 groups of weights decomposed whole on single ranks"));
  // Memory for two of them only.
  const auto tight = plan_decomposition(groups, {.ranks = 2, .threads = 4, .bytes = 2.5 * one});
  EXPECT_EQ(tight.at_once, 2);
  EXPECT_LE(tight.working_bytes, 2.5 * one);
}

TEST(DecompositionPlan, SpreadsWhatDoesNotFit) {
  std::vector<GroupShape> groups(10, square_group(500));
  groups[3] = square_group(1500);
  const double bytes = 1.1 * whole_group_bytes(groups[0]);
  const auto plan = plan_decomposition(groups, {.ranks = 4, .threads = 1, .bytes = bytes});
  using enum Placement;
  EXPECT_THAT(plan.placements, ElementsAre(one_rank, one_rank, one_rank, all_ranks, one_rank,
                                           one_rank, one_rank, one_rank, one_rank, one_rank));
  EXPECT_DOUBLE_EQ(plan.working_bytes, spread_group_bytes(groups[3], 4));
  EXPECT_THAT(plan.reason, HasSubstr("1 group of weights decomposed over all 4 ranks, 9 whole"));
  // One rank has nothing to spread over.
  EXPECT_THAT(plan_decomposition(groups, {.ranks = 1, .threads = 1, .bytes = bytes}).placements,
              Each(one_rank));
}

TEST(DecompositionPlan, SpreadsFewLargeGroupsOverManyRanks) {
  const std::vector<GroupShape> large(2, square_group(4096)), small(2, square_group(64)),
      many(20, square_group(4096));
  const DecompositionMachine machine{.ranks = 16, .threads = 1, .bytes = 0};
  EXPECT_THAT(plan_decomposition(large, machine).placements, Each(Placement::all_ranks));
  EXPECT_THAT(plan_decomposition(small, machine).placements, Each(Placement::one_rank));
  EXPECT_THAT(plan_decomposition(many, machine).placements, Each(Placement::one_rank));
}

TEST(DecompositionPlan, SpreadMemoryFallsWithTheRanks) {
  const GroupShape group{
      .columns = 1536, .rows = {576, 576}, .input_numbers = 1536 * 1536, .is_two_sided = true};
  double before = spread_group_bytes(group, 1);
  for (const int ranks : {2, 3, 4, 8, 16, 64}) {
    const double now = spread_group_bytes(group, ranks);
    EXPECT_LT(now, before) << ranks << " ranks";
    before = now;
  }
  EXPECT_LT(spread_group_bytes(group, 16), spread_group_bytes(group, 1) / 10);
}

}  // namespace
}  // namespace rankine::compress
