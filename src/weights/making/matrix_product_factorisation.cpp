#include "weights/making/matrix_product_factorisation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "core/errors.hpp"
#include "parallel/agreement.hpp"
#include "weights/making/core_optimisation.hpp"
#include "weights/making/tensor_svd.hpp"
#include "weights/rows/broadcast_tensor.hpp"
#include "weights/rows/gather_rows.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

std::int64_t product_of(const std::vector<std::int64_t>& legs) {
  return std::accumulate(legs.begin(), legs.end(), std::int64_t{1}, std::multiplies<>());
}

void check_legs(const parallel::Communicator& team, std::int64_t rows, std::int64_t columns,
                const MatrixProductOptions& options) {
  const auto &row_legs = options.row_legs, &column_legs = options.column_legs;
  if (!row_legs.empty() && row_legs.size() == column_legs.size() && product_of(row_legs) == rows &&
      product_of(column_legs) == columns && options.bond_dimension >= 1)
    return;
  throw known_to_all(
      team.size(),
      InputError(fmt::format(
          "Cannot make a matrix-product operator of a {} x {} weight with row legs [{}], column "
          "legs [{}] and bond dimension {} (there must be as many row legs as column legs, they "
          "must multiply to rows and columns, and the bond dimension is at least 1). Choose other "
          "legs.",
          rows, columns, fmt::join(row_legs, ", "), fmt::join(column_legs, ", "),
          options.bond_dimension)));
}

void require_finite(const Tensor& values, const char* what) {
  if (!values.defined() || values.sum().isfinite().item<bool>()) return;
  throw NumericalError(fmt::format(
      "A matrix-product operator cannot be made: {} not finite. Check the model and its "
      "calibration text.",
      what));
}

/// W in float64 and the norm's product over sites.
struct Problem {
  Tensor w;
  SiteNorm sites;

  Problem(const Tensor& matrix, const MatrixProductOptions& options)
      : w(matrix.detach().to(torch::kFloat64).contiguous()),
        sites(checked(options.norm, w), options.row_legs, options.column_legs) {}

 private:
  static const MomentNorm& checked(const MomentNorm& norm, const Tensor& w) {
    require_finite(w, "the weight is");
    require_finite(norm.inputs, "the moments of its inputs are");
    require_finite(norm.outputs, "the moments of its output gradients are");
    return norm;
  }
};

/// A ~ left * right with orthonormal columns in `left`.
struct Cut {
  Tensor left;
  Tensor right;
  double discarded = 0;  ///< squares
};

Cut cut(const Tensor& a, std::int64_t bond_dimension) {
  const Tensor u = leading_triplets(a, bond_dimension).u;
  // S V^T as U^T A: consistent with U whatever the method's error in V.
  const Tensor right = transposed_times(u, a);
  return {u, right,
          std::max(0.0, a.square().sum().item<double>() - right.square().sum().item<double>())};
}

/// The cores of a matrix from the left to the right, each but the last with orthonormal columns.
std::vector<Tensor> sequential_cores(const Tensor& w, const MatrixProductOptions& options,
                                     std::vector<double>& discarded) {
  std::vector<Tensor> cores;
  Tensor rest = paired_legs(w, options.row_legs, options.column_legs);
  std::int64_t bond = 1;
  for (std::size_t k = 0; k + 1 < options.row_legs.size(); ++k) {
    const std::int64_t m = options.row_legs[k], n = options.column_legs[k];
    const Cut parts = cut(rest.reshape({bond * m * n, -1}), options.bond_dimension);
    const std::int64_t next = parts.left.size(1);
    cores.push_back(parts.left.reshape({bond, m, n, next}));
    discarded.push_back(parts.discarded);
    rest = parts.right;
    bond = next;
  }
  cores.push_back(
      rest.reshape({bond, options.row_legs.back(), options.column_legs.back(), 1}).contiguous());
  return cores;
}

void broadcast_numbers(const parallel::Communicator& ranks, std::vector<double>& values) {
  std::int64_t size = std::ssize(values);
  ranks.broadcast(std::span(&size, 1), 0);
  values.resize(static_cast<std::size_t>(size));
  ranks.broadcast(std::span(values), 0);
}

/// Squared singular values of the whitened matrix at a cut, descending.
std::vector<double> cut_spectrum(const Tensor& a) {
  const bool is_wide = a.size(0) <= a.size(1);
  const Tensor side = is_wide ? a : a.t();
  const Tensor values = at::linalg_eigvalsh(times_transposed(side, side)).flip(0).clamp_min(0);
  const Tensor kept = values.contiguous();
  return {kept.data_ptr<double>(), kept.data_ptr<double>() + kept.numel()};
}

}  // namespace

Tensor paired_legs(const Tensor& w, const std::vector<std::int64_t>& row_legs,
                   const std::vector<std::int64_t>& column_legs) {
  std::vector<std::int64_t> shape = row_legs, order;
  const std::int64_t sites = std::ssize(shape);
  shape.insert(shape.end(), column_legs.begin(), column_legs.end());
  for (std::int64_t k = 0; k < sites; ++k) order.insert(order.end(), {k, sites + k});
  return w.reshape(shape).permute(order).contiguous();
}

std::vector<Tensor> make_cores(const Tensor& matrix, const MatrixProductOptions& options,
                               MatrixProductReport* report) {
  const torch::NoGradGuard no_gradients;
  const Problem problem(matrix, options);
  const Tensor& w = problem.w;
  const SiteNorm& sites = problem.sites;
  MatrixProductReport found;
  std::vector<Tensor> cores = sequential_cores(sites.whiten(w), options, found.discarded);
  if (!options.norm.is_plain()) {
    for (std::size_t k = 0; k < cores.size(); ++k) cores[k] = sites.unwhiten_core(cores[k], k);
    found.weighted_errors = optimise_cores(w, options.norm, sites, options.sweeps, cores);
  }
  if (report) *report = std::move(found);
  return cores;
}

std::vector<Tensor> broadcast_cores(const parallel::Communicator& ranks, std::vector<Tensor> cores,
                                    std::size_t sites, int root) {
  cores.resize(sites);
  for (Tensor& core : cores) core = broadcast_tensor(ranks, core, torch::kFloat64, root);
  return cores;
}

std::vector<double> bond_errors(const Tensor& matrix, const MatrixProductOptions& options) {
  const torch::NoGradGuard no_gradients;
  const Problem problem(matrix, options);
  const Tensor& w = problem.w;
  const SiteNorm& sites = problem.sites;
  Tensor pairs = paired_legs(sites.whiten(w), options.row_legs, options.column_legs);
  std::vector<double> errors;
  std::int64_t first = 1;
  for (std::size_t k = 0; k + 1 < options.row_legs.size(); ++k) {
    first *= options.row_legs[k] * options.column_legs[k];
    const std::vector<double> squares = cut_spectrum(pairs.reshape({first, -1}));
    errors.resize(std::max(errors.size(), squares.size() + 1), 0);
    double tail = 0;
    for (std::size_t r = squares.size(); r-- > 0;) errors[r] += tail += squares[r];
  }
  // At 0 every cut counts the whole matrix.
  const double whole = pairs.square().sum().item<double>();
  errors[0] = whole;
  const double scale = whole > 0 ? options.norm.squared(w) / whole : 0;
  for (double& error : errors) error = std::min(error, whole) * scale;
  return errors;
}

std::unique_ptr<Weight> make_matrix_product(const parallel::Communicator& team,
                                            const RowSplit& split, const Tensor& own_rows,
                                            const MatrixProductOptions& options,
                                            torch::ScalarType type, MatrixProductReport* report) {
  check_legs(team, split.total(), own_rows.size(1), options);
  const Tensor w = gather_rows(team, own_rows.detach(), split);
  MatrixProductReport found;
  std::vector<Tensor> cores;
  parallel::agree_on_failure(team, [&] {
    if (team.rank() == 0) cores = make_cores(w, options, &found);
  });
  cores = broadcast_cores(team, std::move(cores), options.row_legs.size(), 0);
  broadcast_numbers(team, found.discarded);
  broadcast_numbers(team, found.weighted_errors);
  for (Tensor& core : cores) core = core.to(type).clone(at::MemoryFormat::Contiguous);
  if (report) *report = std::move(found);
  return std::make_unique<MatrixProduct>(team, split, std::move(cores));
}

}  // namespace rankine::weights
