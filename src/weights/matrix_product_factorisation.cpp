// From a matrix to the cores of a matrix-product operator: sequential SVDs, then, in the norm of a
// whitening factor, alternating least squares over the cores.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numeric>

#include "core/errors.hpp"
#include "linalg/redistribute.hpp"
#include "linalg/svd.hpp"
#include "weights/core_optimisation.hpp"
#include "weights/gather_rows.hpp"
#include "weights/matrix_product.hpp"

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

/// W with its legs in pairs, (i_1 j_1) slowest: m_1 x n_1 x m_2 x n_2 x ...
Tensor paired_legs(const Tensor& w, const MatrixProductOptions& options) {
  std::vector<std::int64_t> shape = options.row_legs, order;
  const auto sites = static_cast<std::int64_t>(shape.size());
  shape.insert(shape.end(), options.column_legs.begin(), options.column_legs.end());
  for (std::int64_t k = 0; k < sites; ++k) {
    order.push_back(k);
    order.push_back(sites + k);
  }
  return w.view(shape).permute(order).contiguous();
}

/// A ~ left * right with orthonormal columns in `left`, the same on all ranks.
struct Cut {
  Tensor left;
  Tensor right;
  double discarded = 0;  ///< squares
};

/// Column-major memory of rows x columns as a row-major tensor.
Tensor tensor_of(const linalg::Matrix<double>& matrix) {
  return torch::from_blob(const_cast<double*>(matrix.data()), {matrix.columns(), matrix.rows()},
                          torch::kFloat64)
      .t()
      .clone(at::MemoryFormat::Contiguous);
}

Cut cut(const linalg::ProcessGrid& grid, const Tensor& a, std::int64_t bond_dimension) {
  constexpr std::int64_t block = 64;
  linalg::DistMatrix<double> spread(
      grid,
      linalg::Distribution::block_cyclic(a.size(0), a.size(1), block, grid.rows(), grid.columns()));
  const double* values = a.data_ptr<double>();
  const std::int64_t columns = a.size(1);
  spread.fill_from([&](std::int64_t i, std::int64_t j) { return values[i * columns + j]; });
  const auto svd = linalg::svd<double>(std::as_const(spread).view(), {.max_rank = bond_dimension});
  const Tensor s = torch::tensor(svd.singular_values, torch::kFloat64);
  const Tensor u = tensor_of(linalg::all_gather<double>(svd.u.view()));
  // S V^T as U^T A: consistent with U whatever the method's error in V.
  const Tensor right = torch::mm(u.t(), a);
  return {u, right,
          std::max(0.0, a.square().sum().item<double>() - right.square().sum().item<double>())};
}

}  // namespace

std::unique_ptr<Weight> make_matrix_product(const parallel::Communicator& team,
                                            const RowSplit& split, const Tensor& own_rows,
                                            const MatrixProductOptions& options,
                                            torch::ScalarType type, MatrixProductReport* report) {
  check_legs(team, split.total(), own_rows.size(1), options);
  const torch::NoGradGuard no_gradients;
  const Tensor own = own_rows.detach().to(torch::kFloat64);
  const linalg::GridShape shape = linalg::squarest(team.size());
  const linalg::ProcessGrid grid(team, shape.rows, shape.columns);
  MatrixProductReport found;
  std::vector<Tensor> cores;
  Tensor rest = paired_legs(gather_rows(team, own, split), options);
  std::int64_t bond = 1;
  for (std::size_t k = 0; k + 1 < options.row_legs.size(); ++k) {
    const std::int64_t m = options.row_legs[k], n = options.column_legs[k];
    const Cut parts =
        cut(grid, rest.reshape({bond * m * n, -1}).contiguous(), options.bond_dimension);
    const std::int64_t next = parts.left.size(1);
    cores.push_back(parts.left.reshape({bond, m, n, next}));
    found.discarded.push_back(parts.discarded);
    rest = parts.right;
    bond = next;
  }
  cores.push_back(
      rest.reshape({bond, options.row_legs.back(), options.column_legs.back(), 1}).contiguous());
  if (options.whitening)
    found.weighted_errors = optimise_cores(team, split, own, options.whitening->to(torch::kFloat64),
                                           options.sweeps, cores);
  for (Tensor& core : cores) core = core.to(type).clone(at::MemoryFormat::Contiguous);
  if (report) *report = std::move(found);
  return std::make_unique<MatrixProduct>(team, split, std::move(cores));
}

}  // namespace rankine::weights
