#include "weights/forms/factor_cost.hpp"

#include <algorithm>
#include <cmath>

namespace rankine::weights {

std::int64_t stored_numbers(FactorGauge gauge, const MatrixShape& shape, std::int64_t rank) {
  if (rank >= shape.full_rank()) return shape.dense_numbers();
  const std::int64_t sides = shape.rows + shape.columns;
  return gauge == FactorGauge::free ? rank * sides : rank * (sides - rank);
}

SoftCost soft_cost(FactorGauge gauge, const MatrixShape& shape, double rank) {
  const auto sides = static_cast<double>(shape.rows + shape.columns);
  const auto dense = static_cast<double>(shape.dense_numbers());
  if (gauge == FactorGauge::pivoted) return {rank * (sides - rank), sides - 2 * rank};
  return rank * sides < dense ? SoftCost{rank * sides, sides} : SoftCost{dense, 0};
}

std::int64_t largest_rank(FactorGauge gauge, const MatrixShape& shape, std::int64_t budget) {
  if (budget >= shape.dense_numbers()) return shape.full_rank();
  std::int64_t low = 0, high = shape.full_rank() - 1;
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    if (stored_numbers(gauge, shape, middle) <= budget)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

}  // namespace rankine::weights
