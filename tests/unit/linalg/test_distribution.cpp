// Index arithmetic against a table that deals the blocks out one by one.
#include <gtest/gtest.h>

#include <vector>

#include "linalg/distributed/distribution.hpp"

namespace rankine::linalg {
namespace {

struct Place {
  int owner;
  std::int64_t local;
};

/// Who owns each index and where, by dealing like cards.
std::vector<Place> dealt(std::int64_t size, std::int64_t block, int parts) {
  std::vector<std::int64_t> held(static_cast<std::size_t>(parts), 0);
  std::vector<Place> table;
  int turn = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    table.push_back({turn, held[static_cast<std::size_t>(turn)]++});
    if ((i + 1) % block == 0) turn = (turn + 1) % parts;
  }
  return table;
}

TEST(Axis, AgreesWithDealingForAllSmallCases) {
  for (std::int64_t size = 0; size <= 30; ++size)
    for (std::int64_t block = 1; block <= 9; ++block)
      for (int parts = 1; parts <= 7; ++parts) {
        const Axis axis(size, block, parts);
        const auto table = dealt(size, block, parts);
        std::vector<std::int64_t> counts(static_cast<std::size_t>(parts), 0);
        for (std::int64_t i = 0; i < size; ++i) {
          const Place& place = table[static_cast<std::size_t>(i)];
          for (int part = 0; part < parts; ++part)
            ASSERT_EQ(axis.local_count(part, i), counts[static_cast<std::size_t>(part)]);
          ASSERT_EQ(axis.owner(i), place.owner);
          ASSERT_EQ(axis.local(i), place.local);
          ASSERT_EQ(axis.global(place.owner, place.local), i);
          ++counts[static_cast<std::size_t>(place.owner)];
        }
        for (int part = 0; part < parts; ++part)
          ASSERT_EQ(axis.local_size(part), counts[static_cast<std::size_t>(part)]);
      }
}

TEST(Axis, ContiguousGivesEachPartOneBlock) {
  for (std::int64_t size = 0; size <= 40; ++size)
    for (int parts = 1; parts <= 9; ++parts) {
      const Axis axis = Axis::contiguous(size, parts);
      EXPECT_TRUE(axis.is_contiguous());
      std::int64_t total = 0;
      for (int part = 0; part < parts; ++part) {
        for (std::int64_t l = 0; l < axis.local_size(part); ++l)
          EXPECT_EQ(axis.global(part, l), total + l);
        total += axis.local_size(part);
      }
      EXPECT_EQ(total, size);
    }
}

TEST(Axis, CountsBeyond32Bits) {
  const std::int64_t size = (std::int64_t{1} << 40) + 12345;
  const Axis axis(size, 64, 3);
  std::int64_t total = 0;
  for (int part = 0; part < 3; ++part) total += axis.local_size(part);
  EXPECT_EQ(total, size);
  EXPECT_EQ(axis.global(axis.owner(size - 1), axis.local(size - 1)), size - 1);
}

TEST(Distribution, ReshapedKeepsItsKind) {
  const auto rows = Distribution::row_blocks(10, 4, 3);
  EXPECT_TRUE(rows.is_row_blocks());
  EXPECT_TRUE(rows.reshaped(100, 7) == Distribution::row_blocks(100, 7, 3));
  const auto cyclic = Distribution::block_cyclic(10, 4, 2, 2, 3);
  EXPECT_FALSE(cyclic.is_row_blocks());
  EXPECT_TRUE(cyclic.reshaped(5, 5) == Distribution::block_cyclic(5, 5, 2, 2, 3));
}

}  // namespace
}  // namespace rankine::linalg
