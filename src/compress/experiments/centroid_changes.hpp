// What experiments do to the shared values of a matrix while its assignments stay: the order of
// the values is destroyed or kept, and so are their mean and spread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/random_stream.hpp"

namespace rankine::compress {

struct SharedValues {
  std::vector<double> values;         ///< ascending
  std::vector<std::int64_t> members;  ///< entries of the matrix that have each value
};

/// Over the entries of a matrix.
struct Spread {
  double mean = 0;
  double deviation = 0;
};

enum class CentroidChange {
  scrambled,          ///< a random permutation of the values
  scrambled_matched,  ///< the same, then brought to the mean and deviation of the matrix
  redrawn,  ///< drawn from the normal distribution of the matrix's mean and deviation, and sorted
  redrawn_rescaled,  ///< the same, then brought to the mean and deviation of the matrix
  /// The least value drawn from the lower end of a heavy-tailed distribution (HeavyTail) fitted to
  /// the matrix, where it has the probability that entries have to be of this value; the next one
  /// from the part above; and so on. Then brought to mean and deviation.
  redrawn_by_share,
};

/// "scrambled", "scrambled-matched", ... in the order of CentroidChange.
const std::vector<std::string>& centroid_change_names();
/// Of one of these names.
CentroidChange centroid_change_of(const std::string& name);

/// Mean and deviation of the entries, `values[k]` counting members[k] times; 0 without members.
Spread spread_of(const std::vector<double>& values, const std::vector<std::int64_t>& members);

/// Tukey's h distribution: z exp(h z^2 / 2) of a standard normal z, heavy-tailed for h > 0.
struct HeavyTail {
  double h = 0;

  /// With the ratio of mean absolute to standard deviation that the entries have,
  /// sqrt(2 / pi) (1 - 2 h)^(3/4) / (1 - h); h = 0 where their tails are light.
  static HeavyTail fit(const SharedValues& shared);
  double quantile(double probability) const;
};

/// a values + b, a > 0, with the mean and deviation of `wanted`: the affine correction. Values all
/// alike have no deviation to change and are shifted.
std::vector<double> rescaled(std::vector<double> values, const std::vector<std::int64_t>& members,
                             const Spread& wanted);

/// The new value of each cluster.
std::vector<double> changed(CentroidChange change, const SharedValues& shared,
                            RandomStream& random);

}  // namespace rankine::compress
