#include "compress/decomposition/spread_decomposition.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "compress/decomposition/decomposition_plan.hpp"
#include "compress/decomposition/spread_moment.hpp"
#include "core/errors.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "linalg/svd/svd.hpp"
#include "weights/making/ridge.hpp"

namespace rankine::compress {

using linalg::DistMatrix;
using linalg::Op;
using linalg::ProcessGrid;
using parallel::Teams;
using torch::Tensor;

namespace {

using GridPointer = std::shared_ptr<const ProcessGrid>;

/// Bases spread over a grid.
template <class T>
class SpreadBases final : public Bases {
 public:
  SpreadBases(GridPointer grid, DistMatrix<T> left, DistMatrix<T> right)
      : grid_(std::move(grid)), left_(std::move(left)), right_(std::move(right)) {}

  Tensor left_rows(weights::RowRange wanted, std::int64_t kept_rank) const override {
    return weights::collect_rows(left_.view().leading_columns(kept_rank), wanted);
  }
  Tensor right_rows(weights::RowRange wanted) const override {
    return weights::collect_rows(right_.view(), wanted);
  }

 private:
  GridPointer grid_;
  DistMatrix<T> left_;   ///< m x k
  DistMatrix<T> right_;  ///< k x n
};

template <class T>
DistMatrix<T> converted(const DistMatrix<double>& matrix) {
  DistMatrix<T> result(matrix.grid(), matrix.distribution());
  std::ranges::transform(matrix.local().span(), result.local().span().begin(),
                         [](double value) { return static_cast<T>(value); });
  return result;
}

/// The norm of the inputs: a factor of their moment, its diagonal, or nothing.
struct InputFactor {
  std::optional<DistMatrix<double>> full = std::nullopt;  ///< L, n x n
  std::vector<double> diagonal = {};                      ///< of diag(G)^{1/2}
  bool is_zero = false;                                   ///< no inputs: every error is zero
};

std::vector<double> roots(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values) result.push_back(std::sqrt(std::max(value, 0.0)));
  return result;
}

InputFactor input_factor(const GroupTask& task, const ProcessGrid& grid, std::int64_t block) {
  if (!task.inputs) return {};
  const double mean = task.inputs->mean_diagonal(grid.ranks());
  if (mean == 0) return {.is_zero = true};
  InputFactor factor;
  const double ridge =
      weights::ridge_above_rounding(task.input_ridge, task.inputs->size(), task.type) * mean;
  if (task.weighting == InputWeighting::diagonal) {
    const Tensor raised = task.inputs->diagonal(grid.ranks()) + ridge;
    factor.diagonal =
        roots({raised.data_ptr<double>(), raised.data_ptr<double>() + raised.numel()});
    return factor;
  }
  DistMatrix<double> moment = spread(*task.inputs, grid, block);
  add_to_diagonal(moment, ridge);
  linalg::require_finite(std::as_const(moment).view(), "a second moment of inputs");
  linalg::Eigen<double> eigen = linalg::hermitian_eigen(std::move(moment));
  linalg::scale_columns(eigen.vectors.view(), roots(eigen.values));
  factor.full.emplace(std::move(eigen.vectors));
  return factor;
}

/// The upper Cholesky factor of a moment with `raised` on its diagonal.
DistMatrix<double> upper_factor(const SecondMoment& outputs, double raised, const ProcessGrid& grid,
                                std::int64_t block) {
  DistMatrix<double> moment = spread(outputs, grid, block);
  add_to_diagonal(moment, raised);
  linalg::cholesky(moment.view());
  moment.view().for_each_local([](std::int64_t i, std::int64_t j, double& value) {
    if (i > j) value = 0;
  });
  return moment;
}

/// R^T, upper triangular, of a moment whose mean diagonal is not zero, with its ridge: tenfold, and
/// again, while rounding leaves no positive matrix, as weights::add_ridge does.
DistMatrix<double> output_factor(const SecondMoment& outputs, double ridge, double mean,
                                 const ProcessGrid& grid, std::int64_t block) {
  for (; ridge < 1; ridge *= 10) try {
      return upper_factor(outputs, ridge * mean, grid, block);
    } catch (const NumericalError&) {  // of all ranks
    }
  return upper_factor(outputs, ridge * mean, grid, block);
}

DistMatrix<double> product(Op op, const DistMatrix<double>& a, const DistMatrix<double>& b) {
  const std::int64_t rows = op == Op::none ? a.rows() : a.columns();
  DistMatrix<double> c(b.grid(), b.distribution().reshaped(rows, b.columns()));
  linalg::gemm<double>(op, Op::none, 1.0, a.view(), b.view(), 0.0, c.view());
  return c;
}

/// R^T W.
DistMatrix<double> scaled_matrix(const WeightTask& task, const Teams& teams, torch::ScalarType type,
                                 const ProcessGrid& grid, std::int64_t block,
                                 const std::optional<DistMatrix<double>>& outputs) {
  DistMatrix<double> w =
      matrix_on<double>(grid, task.weight.outputs(), task.weight.inputs(), block);
  weights::spread_rows(contributed_rows(task.weight, teams, type),
                       contributed_range(task.weight, teams), w);
  return outputs ? product(Op::none, *outputs, w) : std::move(w);
}

/// R^T W L.
DistMatrix<double> weighted(const DistMatrix<double>& scaled, const InputFactor& inputs) {
  if (inputs.full) return product(Op::none, scaled, *inputs.full);
  DistMatrix<double> target = converted<double>(scaled);
  if (!inputs.diagonal.empty()) linalg::scale_columns(target.view(), inputs.diagonal);
  return target;
}

template <class T>
void decompose_weight(const GridPointer& grid, const Teams& teams, const GroupTask& group,
                      const WeightTask& task, const InputFactor& inputs, std::int64_t block) {
  std::optional<DistMatrix<double>> outputs;
  const double mean = task.outputs ? task.outputs->mean_diagonal(grid->ranks()) : 1;
  if (task.outputs && mean != 0) {
    const double ridge =
        weights::ridge_above_rounding(group.ridge, task.outputs->size(), group.type);
    outputs.emplace(output_factor(*task.outputs, ridge, mean, *grid, block));
  }
  const DistMatrix<double> scaled = scaled_matrix(task, teams, group.type, *grid, block, outputs);
  DistMatrix<double> u;
  {
    const DistMatrix<double> target = weighted(scaled, inputs);
    // `gram` never brings the matrix to one rank, as `automatic` may.
    auto svd = linalg::svd<double>(target.view(), {}, {.method = linalg::SvdMethod::gram});
    task.result.singular_values = std::move(svd.singular_values);
    if (inputs.is_zero || mean == 0) std::ranges::fill(task.result.singular_values, 0.0);
    u = std::move(svd.u);
  }
  DistMatrix<T> right = converted<T>(product(Op::transpose, u, scaled));
  if (outputs) linalg::solve_left_upper<double>(std::as_const(*outputs).view(), u.view());
  task.result.bases = std::make_shared<SpreadBases<T>>(grid, converted<T>(u), std::move(right));
}

std::int64_t smallest_side(const GroupTask& task) {
  std::int64_t smallest = task.weights.front().weight.inputs();
  for (const WeightTask& weight : task.weights)
    smallest = std::min(smallest, weight.weight.outputs());
  return smallest;
}

}  // namespace

void decompose_spread(GridPointer grid, const Teams& teams, const GroupTask& task) {
  const std::int64_t block = block_of(smallest_side(task), grid->ranks().size());
  const InputFactor inputs = input_factor(task, *grid, block);
  for (const WeightTask& weight : task.weights) {
    if (task.type == torch::kFloat64)
      decompose_weight<double>(grid, teams, task, weight, inputs, block);
    else
      decompose_weight<float>(grid, teams, task, weight, inputs, block);
  }
}

}  // namespace rankine::compress
