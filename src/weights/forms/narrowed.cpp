#include "weights/forms/narrowed.hpp"

#include "core/contracts.hpp"
#include "weights/forms/pivoted.hpp"
#include "weights/forms/stored_tensors.hpp"
#include "weights/rows/product.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

Tensor integers(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

/// 1 for each of `all` rows or columns that is left, else 0.
Parameter kept_flags(const Tensor& kept, std::int64_t all) {
  return {"kept", torch::zeros({all}, torch::kUInt8).index_fill(0, kept, 1), Placement::copy, 0,
          all};
}

/// What kept_flags stored of `all` rows or columns, `count` of which are left.
std::vector<std::int64_t> read_kept(const StoredTensors& tensors, std::int64_t count,
                                    std::int64_t all) {
  tensors.require("kept", tensors.shape("kept") == std::vector{all}, "its length");
  const Tensor flags = tensors.integers("kept", 0, all);
  const std::int64_t* flag = flags.data_ptr<std::int64_t>();
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < all; ++i) {
    tensors.require("kept", flag[i] == 0 || flag[i] == 1, "a number in it is neither 0 nor 1");
    if (flag[i] == 1) kept.push_back(i);
  }
  tensors.require("kept", std::ssize(kept) == count, "the number of ones in it");
  return kept;
}

}  // namespace

NarrowedRows::NarrowedRows(const parallel::Communicator& ranks, RowSplit rows,
                           std::vector<std::int64_t> kept, Tensor own_values)
    : Weight(ranks, std::move(rows)),
      kept_(std::move(kept)),
      kept_split_(split_of_pivots(split(), kept_)),
      own_places_(integers(kept_).narrow(0, kept_split_.first(ranks.rank()),
                                         kept_split_.count(ranks.rank())) -
                  own_first()),
      values_(std::move(own_values)) {
  RANKINE_EXPECTS(values_.size(0) == own_places_.size(0), "the own rows that are left are given");
}

Tensor NarrowedRows::forward(const Tensor& x) const {
  const Tensor nothing = torch::zeros({x.size(0), own_count()}, x.options().requires_grad(false));
  return nothing.index_copy(1, own_places_, times_transposed(x, values_));
}

Tensor NarrowedRows::own_rows() const {
  return torch::zeros({own_count(), inputs()}, values_.options().requires_grad(false))
      .index_copy(0, own_places_, values_);
}

std::vector<Parameter> NarrowedRows::parameters() const {
  return {{"kept_rows", values_, Placement::rows, kept_split_.first(team().rank()), kept_rank()}};
}

std::vector<Parameter> NarrowedRows::indices() const {
  return {kept_flags(integers(kept_), outputs())};
}

NarrowedColumns::NarrowedColumns(const parallel::Communicator& ranks, RowSplit rows,
                                 std::vector<std::int64_t> kept, std::int64_t inputs,
                                 Tensor own_values)
    : Weight(ranks, std::move(rows)),
      kept_(integers(kept)),
      inputs_(inputs),
      values_(std::move(own_values)) {
  RANKINE_EXPECTS(values_.size(0) == own_count() && values_.size(1) == kept_.size(0),
                  "own rows of the columns that are left are given");
}

Tensor NarrowedColumns::forward(const Tensor& x) const {
  return times_transposed(x.index_select(1, kept_), values_);
}

Tensor NarrowedColumns::own_rows() const {
  return torch::zeros({own_count(), inputs_}, values_.options().requires_grad(false))
      .index_copy(1, kept_, values_);
}

std::vector<Parameter> NarrowedColumns::parameters() const {
  return {{"kept_columns", values_, Placement::rows, own_first(), outputs()}};
}

std::vector<Parameter> NarrowedColumns::indices() const { return {kept_flags(kept_, inputs_)}; }

std::unique_ptr<Weight> read_narrowed_rows(const parallel::Communicator& team,
                                           const DenseSource& source,
                                           const StoredTensors& tensors) {
  const auto shape = tensors.shape("kept_rows");
  tensors.require("kept_rows", shape.size() == 2 && shape[1] == source.inputs, "its columns");
  auto kept = read_kept(tensors, shape[0], source.split.total());
  const RowSplit split = split_of_pivots(source.split, kept);
  return std::make_unique<NarrowedRows>(team, source.split, std::move(kept),
                                        tensors.own("kept_rows", split));
}

std::unique_ptr<Weight> read_narrowed_columns(const parallel::Communicator& team,
                                              const DenseSource& source,
                                              const StoredTensors& tensors) {
  const auto shape = tensors.shape("kept_columns");
  tensors.require("kept_columns", shape.size() == 2 && shape[0] == source.split.total(),
                  "its rows");
  auto kept = read_kept(tensors, shape[1], source.inputs);
  return std::make_unique<NarrowedColumns>(team, source.split, std::move(kept), source.inputs,
                                           tensors.own("kept_columns", source.split));
}

}  // namespace rankine::weights
