#include "weights/forms/pivoted.hpp"

#include <algorithm>
#include <functional>

#include "core/contracts.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/exchange.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

RowSplit rest_of(const RowSplit& rows, const RowSplit& pivots) {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < rows.n_ranks(); ++rank)
    counts.push_back(rows.count(rank) - pivots.count(rank));
  return RowSplit::of(counts);
}

/// Local numbers of the rows of `rank` that are pivots, and of those that are not.
struct OwnRows {
  std::vector<std::int64_t> pivots;
  std::vector<std::int64_t> others;

  OwnRows(const RowSplit& rows, int rank, const std::vector<std::int64_t>& all_pivots) {
    const std::int64_t first = rows.first(rank);
    for (std::int64_t i = first; i < first + rows.count(rank); ++i)
      (std::ranges::binary_search(all_pivots, i) ? pivots : others).push_back(i - first);
  }
};

/// Where each own row stands when the pivots come first.
Tensor order_of_rows(const OwnRows& own) {
  std::vector<std::int64_t> places(own.pivots.size() + own.others.size());
  std::int64_t place = 0;
  for (const auto* rows : {&own.pivots, &own.others})
    for (const std::int64_t row : *rows) places[static_cast<std::size_t>(row)] = place++;
  return torch::tensor(places, torch::kInt64);
}

}  // namespace

RowSplit split_of_pivots(const RowSplit& rows, const std::vector<std::int64_t>& pivots) {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < rows.n_ranks(); ++rank)
    counts.push_back(std::ranges::count_if(pivots, [&](std::int64_t pivot) {
      return pivot >= rows.first(rank) && pivot < rows.first(rank) + rows.count(rank);
    }));
  return RowSplit::of(counts);
}

Pivoted::Pivoted(const parallel::Communicator& ranks, RowSplit rows,
                 std::vector<std::int64_t> pivots, Tensor own_basis, Tensor own_coefficients)
    : Weight(ranks, std::move(rows)),
      pivots_(std::move(pivots)),
      basis_split_(split_of_pivots(split(), pivots_)),
      rest_split_(rest_of(split(), basis_split_)),
      order_(order_of_rows(OwnRows(split(), team().rank(), pivots_))),
      basis_(std::move(own_basis)),
      coefficients_(std::move(own_coefficients)) {
  RANKINE_EXPECTS(basis_.size(0) == basis_split_.count(team().rank()), "own pivot rows are given");
  RANKINE_EXPECTS(coefficients_.size(0) == rest_split_.count(team().rank()) &&
                      coefficients_.size(1) == kept_rank(),
                  "coefficients of the other own rows are given");
}

Tensor Pivoted::forward(const Tensor& x) const {
  const Tensor own = times_transposed(x, basis_);
  const Tensor all = gather_columns(team(), own, basis_split_, Gradient::shares);
  return torch::cat({own, times_transposed(all, coefficients_)}, 1).index_select(1, order_);
}

/// [I; C] in the order of the own rows: count x r.
Tensor Pivoted::coefficient_rows() const {
  const std::int64_t own = basis_.size(0);
  const Tensor unit = torch::zeros({own, kept_rank()}, basis_.options().requires_grad(false));
  unit.narrow(1, basis_split_.first(team().rank()), own).fill_diagonal_(1);
  return torch::cat({unit, coefficients_}, 0).index_select(0, order_);
}

Tensor Pivoted::look_up(const Tensor& ids) const {
  const Tensor basis = gather_columns(team(), basis_.t(), basis_split_, Gradient::shares);
  return times_transposed(look_up_rows(coefficient_rows(), own_first(), ids), basis);
}

Tensor Pivoted::own_rows() const {
  const Tensor basis = gather_columns(team(), basis_.t(), basis_split_, Gradient::shares);
  return times_transposed(coefficient_rows(), basis);
}

std::vector<Parameter> Pivoted::parameters() const {
  const int own = team().rank();
  return {{"basis", basis_, Placement::rows, basis_split_.first(own), kept_rank()},
          {"coefficients", coefficients_, Placement::rows, rest_split_.first(own),
           rest_split_.total()}};
}

std::vector<Parameter> Pivoted::indices() const {
  return {{"pivots", torch::tensor(pivots_, torch::kInt64).to(torch::kInt32), Placement::copy, 0,
           kept_rank()}};
}

FactorRows Pivoted::factors() const { return {coefficient_rows(), basis_, basis_split_}; }

std::vector<std::int64_t> read_pivots(const StoredTensors& tensors, std::int64_t kept_rank,
                                      std::int64_t end) {
  tensors.require("pivots", tensors.shape("pivots") == std::vector{kept_rank}, "their number");
  const Tensor values = tensors.integers("pivots", 0, kept_rank);
  const std::int64_t* begin = values.data_ptr<std::int64_t>();
  std::vector<std::int64_t> pivots(begin, begin + kept_rank);
  const bool ascending = std::ranges::adjacent_find(pivots, std::greater_equal<>()) == pivots.end();
  tensors.require("pivots",
                  ascending && (kept_rank == 0 || (pivots.front() >= 0 && pivots.back() < end)),
                  "they do not ascend within the weight");
  return pivots;
}

std::unique_ptr<Weight> read_pivoted(const parallel::Communicator& team, const DenseSource& source,
                                     const StoredTensors& tensors) {
  const auto basis = tensors.shape("basis"), coefficients = tensors.shape("coefficients");
  tensors.require("basis", basis.size() == 2 && basis[1] == source.inputs, "its columns");
  tensors.require("coefficients",
                  coefficients == std::vector{source.split.total() - basis[0], basis[0]},
                  "their shape");
  auto pivots = read_pivots(tensors, basis[0], source.split.total());
  const RowSplit basis_split = split_of_pivots(source.split, pivots);
  std::vector<std::int64_t> others;
  for (int rank = 0; rank < team.size(); ++rank)
    others.push_back(source.split.count(rank) - basis_split.count(rank));
  return std::make_unique<Pivoted>(team, source.split, std::move(pivots),
                                   tensors.own("basis", basis_split),
                                   tensors.own("coefficients", RowSplit::of(others)));
}

}  // namespace rankine::weights
