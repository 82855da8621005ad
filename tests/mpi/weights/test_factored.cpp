// Two thin factors, as they are and with their gauge fixed.
#include <gtest/gtest.h>

#include "forms_testing.hpp"
#include "weights/forms/low_rank.hpp"
#include "weights/making/gauge_fixing.hpp"

namespace rankine::weights {
namespace {

using torch::Tensor;

struct Factors {
  Tensor left;
  Tensor right;
};

Factors random_factors(std::int64_t rows, std::int64_t rank, std::int64_t columns) {
  return {random_matrix(rows, rank, 1), random_matrix(rank, columns, 2)};
}

/// The share of this rank when the rows are cut evenly.
Tensor own_rows_of(const Tensor& right) {
  return own_part(right, RowSplit::even(right.size(0), world().size()));
}

TEST(LowRank, IsTheProductOfItsFactors) {
  for (const std::int64_t rank : {1, 3, 7}) {
    const Factors f = random_factors(10, rank, 7);
    const RowSplit split = RowSplit::even(10, world().size());
    const auto weight = make_low_rank(world(), split, own_part(f.left, split), own_rows_of(f.right),
                                      torch::kFloat64);
    EXPECT_LT(distance(whole_of(*weight), f.left.mm(f.right)), 1e-14);
    EXPECT_EQ(weight->stored_numbers(), rank * 17);
    EXPECT_EQ(weight->stored_bytes(), rank * 17 * 8);
  }
}

/// The side, and the largest factor whose pivots one rank chooses.
class PivotedBySide : public testing::TestWithParam<std::tuple<PivotSide, std::int64_t>> {
 protected:
  static PivotSide side() { return std::get<0>(GetParam()); }
  static std::unique_ptr<Weight> make(const Tensor& left, const Tensor& right,
                                      PivotReport* report = nullptr) {
    const RowSplit split = RowSplit::even(left.size(0), world().size());
    return make_pivoted(world(), split, own_part(left, split), own_rows_of(right), torch::kFloat64,
                        {side(), std::get<1>(GetParam())}, report);
  }
};
INSTANTIATE_TEST_SUITE_P(Sides, PivotedBySide,
                         testing::Combine(testing::Values(PivotSide::rows, PivotSide::columns,
                                                          PivotSide::better),
                                          testing::Values(0, 1 << 20)));

TEST_P(PivotedBySide, IsTheSameMatrixInFewerNumbers) {
  struct Shape {
    std::int64_t rows, rank, columns;
  };
  for (const auto& [rows, rank, columns] : std::vector<Shape>{
           {40, 12, 30}, {5, 5, 9}, {9, 5, 5}, {7, 1, 3}, {3, 2, 2}, {160, 80, 100}}) {
    const Factors f = random_factors(rows, rank, columns);
    PivotReport report;
    const auto weight = make(f.left, f.right, &report);
    const double error = distance(whole_of(*weight), f.left.mm(f.right));
    EXPECT_LT(error, 1e-12);
    EXPECT_NEAR(report.identity_error, error, 1e-14);
    EXPECT_EQ(weight->stored_numbers(), rank * (rows + columns) - rank * rank);
    EXPECT_EQ(weight->stored_bytes(), weight->stored_numbers() * 8 + rank * 4);
    if (side() != PivotSide::better) EXPECT_EQ(report.side, side());
  }
}

TEST_P(PivotedBySide, LowersARankThatIsNotThere) {
  const Factors f = random_factors(12, 3, 9);
  // Factors of five columns that span three directions.
  const Tensor mix = random_matrix(3, 5, 7);
  const bool by_rows = side() != PivotSide::columns;
  const Tensor left = by_rows ? f.left.mm(mix) : random_matrix(12, 5, 8);
  const Tensor right = by_rows ? random_matrix(5, 9, 8) : mix.t().mm(f.right);
  const auto weight = make(left, right);
  EXPECT_EQ(weight->stored_numbers(), 3 * 21 - 9);
  EXPECT_LT(distance(whole_of(*weight), left.mm(right)), 1e-12);
}

TEST(Pivoted, TakesTheSideWithTheSmallerCoefficients) {
  // Rows 3 and 1 span the others with at most 1/2: row 0 = -row 3 / 2, row 2 = row 1 / 4. Columns 0
  // and 2 span column 1 with 3/4.
  const Tensor left =
      torch::tensor({{-0.5, 0.0}, {0.0, 1.0}, {0.0, 0.25}, {1.0, 0.0}}, torch::kFloat64);
  const Tensor right = torch::tensor({{1.0, 0.75, 0.0}, {0.0, -0.25, 1.0}}, torch::kFloat64);
  const auto expect = [](const Tensor& l, const Tensor& r, PivotSide side,
                         const std::vector<std::int64_t>& pivots) {
    const RowSplit split = RowSplit::even(l.size(0), world().size());
    PivotReport report;
    const auto weight = make_pivoted(world(), split, own_part(l, split), own_rows_of(r),
                                     torch::kFloat64, {}, &report);
    EXPECT_EQ(report.side, side);
    EXPECT_NEAR(report.largest_coefficient, 0.5, 1e-14);
    EXPECT_TRUE(torch::equal(weight->indices().at(0).values,
                             torch::tensor(pivots, torch::kInt64).to(torch::kInt32)));
    EXPECT_LT(distance(whole_of(*weight), l.mm(r)), 1e-14);
  };
  expect(left, right, PivotSide::rows, {1, 3});
  expect(right.t().contiguous(), left.t().contiguous(), PivotSide::columns, {1, 3});
}

TEST(Rounded, CountsWhatItStores) {
  const Factors f = random_factors(64, 32, 96);
  const RowSplit split = RowSplit::even(64, world().size());
  const auto make = [&](Storage storage) {
    auto weight = make_low_rank(world(), split, own_part(f.left, split), own_rows_of(f.right),
                                torch::kFloat64);
    weight->round_to(storage);
    return weight;
  };
  const std::int64_t numbers = 32 * 160;
  EXPECT_EQ(make(Storage::bfloat16)->stored_bytes(), 2 * numbers);
  EXPECT_EQ(make(Storage::float16)->stored_bytes(), 2 * numbers);
  // Five bits a number, and the two shapes.
  EXPECT_EQ(make(Storage::four_bits)->stored_bytes(), numbers * 5 / 8 + 2 * 2 * 4);
  const Tensor exact = f.left.mm(f.right);
  EXPECT_LT(distance(whole_of(*make(Storage::float16)), exact), 0x1p-10);
  EXPECT_LT(distance(whole_of(*make(Storage::bfloat16)), exact), 0x1p-7);
  EXPECT_GT(distance(whole_of(*make(Storage::bfloat16)), exact), 0x1p-10);
  EXPECT_LT(distance(whole_of(*make(Storage::four_bits)), exact), 0.15);
}

TEST(Rounded, HoldsValuesThatCanBeStored) {
  const Factors f = random_factors(9, 4, 40);
  const RowSplit split = RowSplit::even(9, world().size());
  const auto weight =
      make_low_rank(world(), split, own_part(f.left, split), own_rows_of(f.right), torch::kFloat64);
  weight->round_to(Storage::bfloat16);
  for (const Parameter& parameter : weight->parameters())
    EXPECT_TRUE(
        torch::equal(parameter.values, parameter.values.to(torch::kBFloat16).to(torch::kFloat64)));
}

}  // namespace
}  // namespace rankine::weights
