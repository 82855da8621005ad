// Which rank each matrix of a model gets when all together may hold a given number of numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "weights/forms/factor_cost.hpp"

namespace rankine::compress {

using weights::FactorGauge;
using weights::MatrixShape;

/// What a form of a matrix costs and leaves.
struct CurvePoint {
  std::int64_t numbers;  ///< or bytes, if those of the budget are meant so
  double squared_error;
};

/// A matrix with the singular values, descending, in the norm its error is measured in: rank r
/// leaves the squared error sum_{i >= r} singular_values[i]^2.
struct Candidate {
  std::string name;
  MatrixShape shape;
  std::vector<double> singular_values;  ///< at most shape.full_rank()
  /// Of forms that are not made of singular values and not stored as `FactorGauge` says: the points
  /// of rank 0, 1, ..., each with more numbers than the one before. The last one, the dense matrix
  /// where that is among them, is the most that the matrix can get. Else empty.
  std::vector<CurvePoint> curve = {};
  std::int64_t multiple_of = 1;  ///< every rank but the full one is such

  /// The rank that stands for the dense matrix, or the last point of the curve.
  std::int64_t full_rank() const {
    return curve.empty() ? shape.full_rank() : static_cast<std::int64_t>(curve.size()) - 1;
  }

  /// The smallest rank there is.
  std::int64_t least_rank() const { return floor_rank(multiple_of); }
  /// The largest rank there is up to `rank`; at least the smallest one.
  std::int64_t floor_rank(std::int64_t rank) const;
  /// The next one above `rank`, which is less than the full one.
  std::int64_t rank_above(std::int64_t rank) const {
    return std::min(rank + multiple_of, full_rank());
  }

  /// Squared error of every rank from 0 to the number of singular values, or along the curve.
  std::vector<double> tails() const;
};

/// Numbers that the matrices may hold together: floor(ratio * all their numbers).
std::int64_t budget_of(const std::vector<Candidate>& candidates, double ratio);

/// Throws InputError, naming a matrix, unless the ratio leaves every matrix its least rank.
void require_reachable(const std::vector<Candidate>& candidates, FactorGauge gauge, double ratio);

/// Numbers of one matrix at `rank`.
std::int64_t stored_numbers(const Candidate& candidate, FactorGauge gauge, std::int64_t rank);

std::int64_t stored_numbers(const std::vector<Candidate>& candidates, FactorGauge gauge,
                            const std::vector<std::int64_t>& ranks);

/// Sum of the squared errors.
double total_tail(const std::vector<Candidate>& candidates, const std::vector<std::int64_t>& ranks);

/// The same share for each matrix: the largest rank within ratio times its own numbers, or the
/// least there is.
std::vector<std::int64_t> uniform_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                        double ratio);

/// Ranks that make the sum of the squared errors least, up to part of one edge of a hull.
///
/// The points (numbers, squared error) of each matrix, the dense one (all numbers, 0) among them
/// unless its curve ends before, have a lower convex hull; its edges of all matrices together are
/// taken by falling gain per number while they fit the budget. An edge that does not fit is left
/// out, or taken as far as it fits, whichever is better in the end; what then remains goes to
/// single ranks.
std::vector<std::int64_t> additive_ranks(const std::vector<Candidate>& candidates,
                                         FactorGauge gauge, std::int64_t budget);

/// Raises ranks one by one, the best gain per number first, while they fit the budget.
void fill_budget(const std::vector<Candidate>& candidates, FactorGauge gauge, std::int64_t budget,
                 std::vector<std::int64_t>& ranks);

}  // namespace rankine::compress
