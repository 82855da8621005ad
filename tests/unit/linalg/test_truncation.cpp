// Which singular values stay, and what the rest weighs.
#include <gtest/gtest.h>

#include <vector>

#include "linalg/svd/truncation.hpp"

namespace rankine::linalg {
namespace {

Cut cut(const std::vector<double>& s, const Truncation& truncation, double unseen = 0) {
  return choose_cut(std::span(s), truncation, unseen);
}

TEST(Truncation, KeepsAllWithoutACriterion) {
  EXPECT_EQ(cut({2, 1, 0}, {}).rank, 3);
  EXPECT_EQ(cut({0, 0}, {}).rank, 2);
  EXPECT_EQ(cut({}, {}).rank, 0);
}

TEST(Truncation, AppliesEveryCriterion) {
  const std::vector<double> s{4, 2, 1};  // weights 16, 4, 1 of 21
  EXPECT_EQ(cut(s, {.max_rank = 2}).rank, 2);
  EXPECT_DOUBLE_EQ(cut(s, {.max_rank = 2}).discarded_weight, 1. / 21);
  EXPECT_EQ(cut(s, {.discarded_weight_max = 0.9 / 21}).rank, 3);
  EXPECT_EQ(cut(s, {.discarded_weight_max = 1.1 / 21}).rank, 2);
  EXPECT_EQ(cut(s, {.relative_threshold = 0.25}).rank, 2);  // at the threshold: dropped
  EXPECT_EQ(cut(s, {.relative_threshold = 0.24}).rank, 3);
  EXPECT_EQ(cut(s, {.max_rank = 0}).rank, 1);  // one always stays
}

TEST(Truncation, CountsWhatWasNeverSeen) {
  const Cut found = cut({2, 1}, {.max_rank = 1}, 5);
  EXPECT_EQ(found.rank, 1);
  EXPECT_DOUBLE_EQ(found.discarded_weight, 0.6);
}

}  // namespace
}  // namespace rankine::linalg
