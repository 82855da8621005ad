// Blocks of 4-bit numbers.
#include <gtest/gtest.h>
#include <torch/types.h>

#include "weights/storage/four_bits.hpp"

namespace rankine::weights {
namespace {

TEST(FourBits, StayWithinHalfAStep) {
  torch::manual_seed(2);
  const auto values = torch::randn({3, 80}, torch::kFloat64);
  const auto back = values_of(four_bit_blocks(values), 80, torch::kFloat64);
  for (std::int64_t row = 0; row < 3; ++row)
    for (std::int64_t first = 0; first < 80; first += four_bit_block) {
      const auto block = values[row].narrow(0, first, std::min<std::int64_t>(32, 80 - first));
      const double range = (block.max() - block.min()).item<double>();
      const double error =
          (back[row].narrow(0, first, block.size(0)) - block).abs().max().item<double>();
      // Half a step, and the rounding of minimum and step to float16.
      EXPECT_LE(error, range / 30 + block.abs().max().item<double>() * 0x1p-10);
      EXPECT_GT(error, 0);
    }
}

TEST(FourBits, HoldValuesOfTheirGridExactly) {
  const auto values = (torch::arange(32, torch::kFloat64).remainder(16) * 0.25 - 1).view({1, 32});
  EXPECT_TRUE(torch::equal(values_of(four_bit_blocks(values), 32, torch::kFloat64), values));
  const auto constant = torch::full({2, 5}, 0.5, torch::kFloat64);
  EXPECT_TRUE(torch::equal(values_of(four_bit_blocks(constant), 5, torch::kFloat64), constant));
}

TEST(FourBits, TakeFiveBitsANumber) {
  const auto blocks = four_bit_blocks(torch::randn({4, 64}));
  EXPECT_EQ(blocks.codes.numel() + 2 * (blocks.minima.numel() + blocks.steps.numel()),
            4 * 64 * 5 / 8);
  EXPECT_EQ(four_bit_blocks(torch::empty({0, 64})).codes.size(0), 0);
}

}  // namespace
}  // namespace rankine::weights
