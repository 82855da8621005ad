// Integers in few bits, there and back.
#include <gtest/gtest.h>
#include <torch/types.h>

#include "weights/forms/clustered.hpp"
#include "weights/storage/packed_bits.hpp"

namespace rankine::weights {
namespace {

TEST(PackedBits, ComeBack) {
  torch::manual_seed(5);
  for (const int bits : {1, 3, 4, 5, 6, 8, 11, 17})
    for (const std::int64_t columns : {1, 7, 8, 33}) {
      const auto integers = torch::randint(0, std::int64_t{1} << bits, {3, columns}, torch::kInt64);
      const auto packed = pack_bits(integers, bits);
      EXPECT_EQ(packed.size(1), (columns * bits + 7) / 8);
      EXPECT_TRUE(torch::equal(unpack_bits(packed, bits, columns), integers)) << bits;
    }
}

TEST(PackedBits, LowestBitsComeFirst) {
  const auto packed = pack_bits(torch::tensor({{5, 2, 7}}, torch::kInt64), 3);
  // 101 010 111 from the lowest bit on: 5 + (2 << 3) + (7 << 6).
  EXPECT_EQ(packed[0][0].item<int>(), (5 + (2 << 3) + (7 << 6)) & 255);
  EXPECT_EQ(packed[0][1].item<int>(), (5 + (2 << 3) + (7 << 6)) >> 8);
}

TEST(PackedBits, NoBitsAndNoRows) {
  EXPECT_EQ(pack_bits(torch::zeros({2, 9}, torch::kInt64), 0).numel(), 0);
  EXPECT_TRUE(torch::equal(unpack_bits(torch::empty({2, 0}, torch::kUInt8), 0, 9),
                           torch::zeros({2, 9}, torch::kInt64)));
  EXPECT_EQ(pack_bits(torch::empty({0, 9}, torch::kInt64), 4).size(1), 5);
}

TEST(BitsPerCode, AreTheCeilingOfTheLogarithm) {
  for (const auto& [clusters, bits] :
       std::vector<std::pair<std::int64_t, int>>{{1, 0}, {2, 1}, {3, 2}, {16, 4}, {17, 5}, {64, 6}})
    EXPECT_EQ(bits_per_code(clusters), bits) << clusters;
}

}  // namespace
}  // namespace rankine::weights
