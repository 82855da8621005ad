#include "compress/decomposition/shifted_target.hpp"

#include <cmath>
#include <utility>

#include "compress/decomposition/spread_moment.hpp"
#include "core/errors.hpp"
#include "linalg/distributed/dist_blas.hpp"
#include "linalg/distributed/dist_factorisations.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::compress {

using linalg::DistMatrix;
using linalg::Op;
using torch::Tensor;

ShiftedTargets::ShiftedTargets(const parallel::Communicator& world, const parallel::Teams& teams,
                               const SecondMoment& inputs, double ridge, std::int64_t block)
    : world_(world), teams_(teams), block_(block) {
  const double mean = inputs.mean_diagonal(world);
  if (!std::isfinite(mean))
    throw known_to_all(world.size(),
                       NumericalError("activations of the compressed model are not finite (it "
                                      "overflows on the calibration text). Keep more, or try "
                                      "model.precision = \"float64\"."));
  if (mean == 0) return;
  const linalg::GridShape shape = linalg::squarest(world.size());
  grid_ = std::make_shared<linalg::ProcessGrid>(world, shape.rows, shape.columns);
  added_ = ridge * mean;
  factor_ = spread(inputs, *grid_, block);
  add_to_diagonal(factor_, added_);
  linalg::cholesky(factor_.view());
}

Tensor ShiftedTargets::own_rows(const weights::Weight& original, const Tensor& target) const {
  const Tensor rows = original.own_rows().detach();
  if (added_ == 0) return rows;
  const std::int64_t m = original.outputs(), n = original.inputs();
  const weights::RowRange own = weights::range_of(original.split(), teams_.team().rank());
  const bool is_first = teams_.index() == 0;  // the others hold the same
  const weights::RowRange held{own.first, is_first ? own.count : 0};
  const Tensor drawn = target + added_ * rows.to(torch::kFloat64);
  DistMatrix<double> b = matrix_on<double>(*grid_, m, n, block_);
  weights::spread_rows(drawn.narrow(0, 0, held.count).contiguous(), held, b);
  linalg::solve_right_upper<double>(std::as_const(factor_).view(), b.view());
  DistMatrix<double> transposed = matrix_on<double>(*grid_, n, m, block_);
  linalg::copy<double>(Op::transpose, std::as_const(b).view(), transposed.view());
  linalg::solve_left_upper<double>(std::as_const(factor_).view(), transposed.view());
  linalg::copy<double>(Op::transpose, std::as_const(transposed).view(), b.view());
  return weights::collect_rows(std::as_const(b).view(), own).to(rows.scalar_type());
}

}  // namespace rankine::compress
