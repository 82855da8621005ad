#include "distill/plain_weight.hpp"

#include <algorithm>

#include "weights/forms/low_rank.hpp"
#include "weights/forms/matrix_product.hpp"
#include "weights/making/matrix_product_factorisation.hpp"
#include "weights/making/tensor_svd.hpp"
#include "weights/rows/row_exchange.hpp"

namespace rankine::distill {

using parallel::Communicator;
using torch::Tensor;
using weights::RowRange;
using weights::RowSplit;
using weights::Weight;

namespace {

std::shared_ptr<Weight> plain_factors(const Communicator& team, const Weight& dense,
                                      std::int64_t rank) {
  const Tensor own = dense.own_rows().contiguous();
  const RowRange held = weights::range_of(dense.split(), team.rank());
  const Tensor whole = weights::exchange_rows(team, own, held, {0, dense.outputs()});
  const auto svd = weights::leading_triplets(whole.to(torch::kFloat64), rank);
  const RowSplit split = RowSplit::even(rank, team.size());
  return weights::make_low_rank(
      team, dense.split(), (svd.u * svd.values).narrow(0, held.first, held.count),
      svd.v.narrow(0, split.first(team.rank()), split.count(team.rank())), own.scalar_type());
}

}  // namespace

std::shared_ptr<Weight> plain_weight(const Communicator& team, const Weight& dense,
                                     const Weight& fitted, int sites) {
  const torch::NoGradGuard no_gradients;
  if (fitted.form() != weights::Form::matrix_product)
    return plain_factors(team, dense,
                         std::min({fitted.kept_rank(), dense.outputs(), dense.inputs()}));
  const Tensor own = dense.own_rows();
  return weights::make_matrix_product(team, dense.split(), own,
                                      {.row_legs = weights::balanced_legs(dense.outputs(), sites),
                                       .column_legs = weights::balanced_legs(dense.inputs(), sites),
                                       .bond_dimension = fitted.kept_rank()},
                                      own.scalar_type());
}

}  // namespace rankine::distill
