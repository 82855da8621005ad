// The best shared values of rows whose codes are given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weights/making/column_sweep.hpp"

namespace rankine::weights {

/// Least squares for the changes d of the values of one codebook: a d = b, with a = sum over its
/// rows of c P^T H P and b = -sum c P^T H e, P the 0/1 matrix of codes.
struct ValueSystem {
  explicit ValueSystem(std::int64_t clusters)
      : a(static_cast<std::size_t>(clusters * clusters), 0.0),
        b(static_cast<std::size_t>(clusters), 0.0) {}

  void add(const ValueSystem& other);
  /// Adds row `r` of a tile, whose weighted errors are H e, times `weight`.
  void add_row(const RowTile& tile, std::int64_t r, const std::vector<float>& weighted_errors,
               std::span<const float> moment, double weight);
  /// The changes for `right` in place of b, with a ridge of 1e-7 of the mean diagonal.
  std::vector<double> solve(std::vector<double> right) const;
  /// Solves, adds the changes to `values` and returns by
  /// how much the error falls; if it does not, values stay.
  double improve(std::span<double> values) const;

  std::vector<double> a, b;
};

}  // namespace rankine::weights
