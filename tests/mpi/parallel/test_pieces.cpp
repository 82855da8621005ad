// Long messages are cut without gap or overlap.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "parallel/pieces.hpp"

namespace rankine::parallel {
namespace {

using Pieces = std::vector<std::pair<std::size_t, int>>;

Pieces pieces_of(std::size_t total, std::size_t longest) {
  Pieces pieces;
  for_each_piece(total, longest,
                 [&](std::size_t first, int count) { pieces.emplace_back(first, count); });
  return pieces;
}

TEST(Pieces, CoverEverythingOnce) {
  EXPECT_EQ(pieces_of(7, 3), (Pieces{{0, 3}, {3, 3}, {6, 1}}));
  EXPECT_EQ(pieces_of(6, 3), (Pieces{{0, 3}, {3, 3}}));
  EXPECT_EQ(pieces_of(2, 3), (Pieces{{0, 2}}));
}

TEST(Pieces, OfNothingIsOneEmptyMessage) { EXPECT_EQ(pieces_of(0, 3), (Pieces{{0, 0}})); }

TEST(Pieces, OfFiveGibibytesFitThirtyTwoBits) {
  const std::size_t total = std::size_t{5} << 30;
  const Pieces pieces = pieces_of(total, longest_piece);
  EXPECT_EQ(pieces.size(), 5U);
  EXPECT_EQ(pieces.back().first + static_cast<std::size_t>(pieces.back().second), total);
}

}  // namespace
}  // namespace rankine::parallel
