// What the low-rank forms of a matrix cost to store.
#pragma once

#include <cstdint>
#include <string_view>

namespace rankine::weights {

/// An outputs x inputs matrix.
struct MatrixShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  std::int64_t full_rank() const { return rows < columns ? rows : columns; }
  std::int64_t dense_numbers() const { return rows * columns; }
};

/// How two factors of rank r are stored: as they are, r (m + n) numbers, or with pivot rows made
/// the identity, r (m + n - r) numbers (arXiv:2512.03062).
enum class FactorGauge { free, pivoted };

/// Numbers of a matrix at `rank`. The full rank stands for the dense matrix.
std::int64_t stored_numbers(FactorGauge gauge, const MatrixShape& shape, std::int64_t rank);

/// The same for a real-valued rank, never above the dense matrix, with its derivative.
struct SoftCost {
  double numbers;
  double slope;
};
SoftCost soft_cost(FactorGauge gauge, const MatrixShape& shape, double rank);

/// The largest rank whose factors hold at most `budget` numbers; 0 if there is none. The full rank
/// if the dense matrix fits.
std::int64_t largest_rank(FactorGauge gauge, const MatrixShape& shape, std::int64_t budget);

}  // namespace rankine::weights
