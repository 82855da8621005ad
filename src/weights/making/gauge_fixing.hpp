// From two thin factors to pivots and coefficients (PivGa, arXiv:2512.03062), by rows or by
// columns.
#pragma once

#include <memory>

#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// Of which side of the matrix the pivots are.
enum class PivotSide {
  rows,     ///< weights/forms/pivoted.hpp
  columns,  ///< weights/forms/column_pivoted.hpp
  better,   ///< the one with the smaller largest coefficient; rows where both are alike
};

struct PivotOptions {
  PivotSide side = PivotSide::better;
  /// Numbers of a factor up to which one rank of the team chooses the pivots: the many short steps
  /// of a pivoted QR are not worth their messages before.
  std::int64_t largest_on_one_rank = std::int64_t{1} << 22;
};

/// How well the gauge is conditioned, on every rank.
struct PivotReport {
  PivotSide side = PivotSide::rows;  ///< the one taken
  double largest_coefficient = 0;    ///< max |C|
  double identity_error = 0;         ///< ||pivoted - L R||_F / ||L R||_F, before rounding to `type`
};

/// Collective over the team. Arguments as make_low_rank; computed in float64. Of factors above
/// `largest_on_one_rank` no rank holds more than its share. A rank of L R below r in float64 lowers
/// the rank stored.
std::unique_ptr<Weight> make_pivoted(const parallel::Communicator& team, const RowSplit& split,
                                     const torch::Tensor& own_left, const torch::Tensor& own_right,
                                     torch::ScalarType type, const PivotOptions& options = {},
                                     PivotReport* report = nullptr);

}  // namespace rankine::weights
