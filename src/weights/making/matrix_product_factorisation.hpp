// From a matrix to the cores of a matrix-product operator: sequential SVDs, then, in the norm of
// second moments, alternating least squares over the cores.
#pragma once

#include <memory>

#include "weights/forms/matrix_product.hpp"
#include "weights/making/moment_norm.hpp"

namespace rankine::weights {

struct MatrixProductOptions {
  std::vector<std::int64_t> row_legs;     ///< their product is outputs
  std::vector<std::int64_t> column_legs;  ///< as many; their product is inputs
  std::int64_t bond_dimension = 1;        ///< largest, of every bond
  MomentNorm norm = {};                   ///< of the error that is made small
  int sweeps = 2;                         ///< over all cores, where the norm is not plain
};

struct MatrixProductReport {
  /// Sum of squares that the cut of each bond discarded, in the norm of the sites (SiteNorm). In
  /// the plain norm their sum is the squared error.
  std::vector<double> discarded;
  /// ||W - W'|| in the norm before and after each sweep; empty in the plain norm.
  std::vector<double> weighted_errors;
};

/// The cores of W (whole, on one rank), in float64: sequential SVDs in the product over sites next
/// to the norm, then alternating least squares in the norm itself. The legs multiply to the shape
/// of W. Throws NumericalError: W or a moment is not finite.
std::vector<torch::Tensor> make_cores(const torch::Tensor& w, const MatrixProductOptions& options,
                                      MatrixProductReport* report = nullptr);

/// The cores that rank `root` has, on every rank; elsewhere `cores` is empty. Collective.
std::vector<torch::Tensor> broadcast_cores(const parallel::Communicator& ranks,
                                           std::vector<torch::Tensor> cores, std::size_t sites,
                                           int root);

/// Collective over the team; computed in float64 by its first rank, stored as `type`. Throws
/// InputError on all ranks when the legs do not multiply to the shape of W, and errors of
/// make_cores.
std::unique_ptr<Weight> make_matrix_product(const parallel::Communicator& team,
                                            const RowSplit& split, const torch::Tensor& own_rows,
                                            const MatrixProductOptions& options,
                                            torch::ScalarType type,
                                            MatrixProductReport* report = nullptr);

/// Upper bounds of the squared error for every bond dimension from 0 to the largest one: the sum
/// of what the cuts discard in the norm of the sites, scaled so that at 0 it is ||W||^2 in `norm`.
/// On one rank.
std::vector<double> bond_errors(const torch::Tensor& w, const MatrixProductOptions& options);

}  // namespace rankine::weights
