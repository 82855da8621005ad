#include "weights/forms/column_pivoted.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

Tensor integers(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

std::vector<std::int64_t> others_than(const std::vector<std::int64_t>& pivots,
                                      std::int64_t columns) {
  std::vector<std::int64_t> others;
  for (std::int64_t j = 0; j < columns; ++j)
    if (!std::ranges::binary_search(pivots, j)) others.push_back(j);
  return others;
}

}  // namespace

ColumnPivoted::ColumnPivoted(const parallel::Communicator& ranks, RowSplit rows,
                             std::vector<std::int64_t> pivots, Tensor own_columns,
                             Tensor own_coefficients)
    : Weight(ranks, std::move(rows)),
      pivots_(std::move(pivots)),
      middle_split_(RowSplit::even(std::ssize(pivots_), ranks.size())),
      own_pivots_(integers(pivots_).narrow(0, middle_split_.first(ranks.rank()),
                                           middle_split_.count(ranks.rank()))),
      columns_(std::move(own_columns)),
      coefficients_(std::move(own_coefficients)) {
  RANKINE_EXPECTS(columns_.size(0) == own_count() && columns_.size(1) == kept_rank(),
                  "own rows of the pivot columns are given");
  RANKINE_EXPECTS(coefficients_.size(0) == middle_split_.count(ranks.rank()),
                  "own rows of the coefficients are given");
  others_ = integers(others_than(pivots_, inputs()));
  order_ = torch::argsort(torch::cat({integers(pivots_), others_}));
}

Tensor ColumnPivoted::forward(const Tensor& x) const {
  const Tensor own =
      x.index_select(1, own_pivots_) + times_transposed(x.index_select(1, others_), coefficients_);
  const Tensor middle = gather_columns(team(), own, middle_split_, Gradient::shares);
  return times_transposed(middle, columns_);
}

/// Own rows of [I D] P.
Tensor ColumnPivoted::own_right() const {
  const std::int64_t own = coefficients_.size(0);
  const Tensor unit =
      torch::zeros({own, kept_rank()}, coefficients_.options().requires_grad(false));
  unit.narrow(1, middle_split_.first(team().rank()), own).fill_diagonal_(1);
  return torch::cat({unit, coefficients_}, 1).index_select(1, order_);
}

Tensor ColumnPivoted::whole_right_transposed() const {
  return gather_columns(team(), own_right().t(), middle_split_, Gradient::shares);
}

Tensor ColumnPivoted::look_up(const Tensor& ids) const {
  return times_transposed(look_up_rows(columns_, own_first(), ids), whole_right_transposed());
}

Tensor ColumnPivoted::own_rows() const {
  return times_transposed(columns_, whole_right_transposed());
}

std::vector<Parameter> ColumnPivoted::parameters() const {
  return {{"columns", columns_, Placement::rows, own_first(), outputs()},
          {"coefficients", coefficients_, Placement::rows, middle_split_.first(team().rank()),
           kept_rank()}};
}

std::vector<Parameter> ColumnPivoted::indices() const {
  return {{"pivots", integers(pivots_).to(torch::kInt32), Placement::copy, 0, kept_rank()}};
}

FactorRows ColumnPivoted::factors() const { return {columns_, own_right(), middle_split_}; }

std::unique_ptr<Weight> read_column_pivoted(const parallel::Communicator& team,
                                            const DenseSource& source,
                                            const StoredTensors& tensors) {
  const auto columns = tensors.shape("columns"), coefficients = tensors.shape("coefficients");
  tensors.require("columns", columns.size() == 2 && columns[0] == source.split.total(), "its rows");
  tensors.require("coefficients",
                  coefficients == std::vector{columns[1], source.inputs - columns[1]},
                  "their shape");
  auto pivots = read_pivots(tensors, columns[1], source.inputs);
  const RowSplit middle = RowSplit::even(columns[1], team.size());
  return std::make_unique<ColumnPivoted>(team, source.split, std::move(pivots),
                                         tensors.own("columns", source.split),
                                         tensors.own("coefficients", middle));
}

}  // namespace rankine::weights
