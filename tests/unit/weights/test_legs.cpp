// Legs, bonds and the contraction of a matrix-product operator.
#include <gtest/gtest.h>
#include <torch/types.h>

#include "weights/forms/matrix_product.hpp"

namespace rankine::weights {
namespace {

using Legs = std::vector<std::int64_t>;

TEST(Legs, AreBalanced) {
  EXPECT_EQ(balanced_legs(576, 1), (Legs{576}));
  EXPECT_EQ(balanced_legs(576, 2), (Legs{24, 24}));
  EXPECT_EQ(balanced_legs(576, 3), (Legs{8, 8, 9}));
  EXPECT_EQ(balanced_legs(1536, 2), (Legs{32, 48}));
  EXPECT_EQ(balanced_legs(1536, 3), (Legs{8, 12, 16}));
  EXPECT_EQ(balanced_legs(4096, 3), (Legs{16, 16, 16}));
  EXPECT_EQ(balanced_legs(13, 2), (Legs{1, 13}));
}

TEST(Legs, GiveTheNumbersInTheCores) {
  // Three sites of 4096 x 4096: 512 chi + 256 chi^2.
  for (const std::int64_t bond : {1, 20, 100})
    EXPECT_EQ(stored_numbers_for({16, 16, 16}, {16, 16, 16}, bond), 512 * bond + 256 * bond * bond);
  EXPECT_EQ(stored_numbers_for({24, 24}, {24, 24}, 100), 100 * 1152);
  // No bond is larger than the pairs of legs on its smaller side.
  EXPECT_EQ(stored_numbers_for({2, 8}, {2, 8}, 100), 4 * (4 + 64));
}

TEST(Legs, TakeTheLargestBondOfABudget) {
  const Legs rows{8, 8, 9}, columns{8, 12, 16};
  for (const std::int64_t budget : {200, 5'000, 100'000}) {
    const std::int64_t bond = bond_dimension_for(rows, columns, budget);
    EXPECT_LE(stored_numbers_for(rows, columns, bond), budget);
    EXPECT_GT(stored_numbers_for(rows, columns, bond + 1), budget);
  }
  EXPECT_EQ(bond_dimension_for(rows, columns, 10), 0);
}

TEST(Contraction, SumsOverTheBonds) {
  torch::manual_seed(1);
  const std::vector<torch::Tensor> cores{torch::randn({1, 2, 3, 4}, torch::kFloat64),
                                         torch::randn({4, 3, 1, 2}, torch::kFloat64),
                                         torch::randn({2, 2, 2, 1}, torch::kFloat64)};
  const auto whole =
      torch::einsum("aijb,bklc,cmnd->ikmjln", {cores[0], cores[1], cores[2]}).reshape({12, 6});
  for (std::int64_t first = 0; first <= 12; ++first)
    for (std::int64_t count = 0; first + count <= 12; ++count)
      EXPECT_TRUE(torch::allclose(contract_rows(cores, first, count), whole.narrow(0, first, count),
                                  1e-13, 1e-13));
}

}  // namespace
}  // namespace rankine::weights
