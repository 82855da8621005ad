// Edit distance and the nearest candidate.
#include <gtest/gtest.h>

#include "deck/suggestion.hpp"

namespace rankine::deck {
namespace {

TEST(Suggestion, EditDistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("steps", "steps"), 0);
  EXPECT_EQ(edit_distance("steps", "step"), 1);
  EXPECT_EQ(edit_distance("steps", "stops"), 1);
  EXPECT_EQ(edit_distance("steps", "setps"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Suggestion, NearestForgivesAThird) {
  const std::vector<std::string> names = {"steps", "theta_h", "theta_j", "every"};
  EXPECT_EQ(nearest("step", names), "steps");
  EXPECT_EQ(nearest("theta_j", names), "theta_j");
  EXPECT_EQ(nearest("theta", names), "theta_h");
  EXPECT_EQ(nearest("stars", names), std::nullopt);
  EXPECT_EQ(nearest("bond_dimension", {"max_bond_dimension"}), "max_bond_dimension");
  EXPECT_EQ(nearest("anything", {}), std::nullopt);
}

}  // namespace
}  // namespace rankine::deck
