// From the soft ranks of FermiGrad to whole ones within the budget.
#pragma once

#include <vector>

#include "compress/allocation/allocation.hpp"

namespace rankine::compress {

/// One value for each singular component of each matrix.
using Components = std::vector<std::vector<double>>;

/// What the loss would rise by without a component, learnt from the derivatives by its mask f: of a
/// loss that is quadratic in what is missing, s (1 - f)^2, the derivative is -2 s (1 - f). Least
/// squares over the steps, the last ones counting most, and over components side by side.
struct Importance {
  Components products = {};  ///< sums of -(1 - f) times the derivative
  Components squares = {};   ///< sums of 2 (1 - f)^2

  void observe(const Components& masks, const Components& gradient);
  /// Not negative.
  Components estimate() const;
};

/// Ranks that hold at most `budget` numbers: the soft ones rounded down and the largest fractions
/// raised again while they fit, then the best choice of whole ranks within a few of those, by the
/// importance of the components between.
std::vector<std::int64_t> whole_ranks(const std::vector<Candidate>& candidates, FactorGauge gauge,
                                      std::int64_t budget, const std::vector<double>& soft_ranks,
                                      const Components& importance);

}  // namespace rankine::compress
