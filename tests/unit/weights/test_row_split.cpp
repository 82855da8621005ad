#include <gtest/gtest.h>

#include "weights/rows/row_split.hpp"

namespace rankine::weights {
namespace {

TEST(RowSplit, CoversAllRowsInOrderAndEvenly) {
  for (const std::int64_t rows : {0, 1, 7, 12})
    for (int ranks = 1; ranks < 6; ++ranks) {
      const RowSplit split = RowSplit::even(rows, ranks);
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(split.first(rank), next);
        EXPECT_GE(split.count(rank), rows / ranks);
        EXPECT_LE(split.count(rank), rows / ranks + 1);
        next += split.count(rank);
      }
      EXPECT_EQ(next, rows);
      EXPECT_EQ(split.total(), rows);
    }
}

TEST(RowSplit, KeepsUnitsWhole) {
  const RowSplit split = RowSplit::even(9 * 64, 2, 64);
  EXPECT_EQ(split.counts(), (std::vector<std::int64_t>{5 * 64, 4 * 64}));
  EXPECT_EQ(RowSplit::even(2 * 64, 4, 64).counts(), (std::vector<std::int64_t>{64, 64, 0, 0}));
}

}  // namespace
}  // namespace rankine::weights
