// A matrix of which some rows or some columns are left, and the others are zero: hidden units of an
// MLP that have gone, in the matrices that make them and in the one that reads them. A model whose
// matrices lose the same units is a model of smaller sizes.
#pragma once

#include <memory>
#include <vector>

#include "weights/forms/weight.hpp"

namespace rankine::weights {

class NarrowedRows final : public Weight {
 public:
  /// `kept`: the rows of W that are left, ascending, on every rank. `own_values`: those that this
  /// rank owns, x inputs.
  NarrowedRows(const parallel::Communicator& team, RowSplit split, std::vector<std::int64_t> kept,
               torch::Tensor own_values);

  Form form() const override { return Form::narrowed; }
  std::int64_t kept_rank() const override { return kept_split_.total(); }
  std::int64_t inputs() const override { return values_.size(1); }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

 private:
  std::vector<std::int64_t> kept_;
  RowSplit kept_split_;       ///< of the rows that are left
  torch::Tensor own_places_;  ///< of those among this rank's rows
  torch::Tensor values_;
};

class NarrowedColumns final : public Weight {
 public:
  /// `kept`: the columns of W that are left, ascending, of `inputs`, on every rank. `own_values`:
  /// this rank's rows x kept columns.
  NarrowedColumns(const parallel::Communicator& team, RowSplit split,
                  std::vector<std::int64_t> kept, std::int64_t inputs, torch::Tensor own_values);

  Form form() const override { return Form::narrowed; }
  std::int64_t kept_rank() const override { return kept_.size(0); }
  std::int64_t inputs() const override { return inputs_; }
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor own_rows() const override;
  std::vector<Parameter> parameters() const override;
  std::vector<Parameter> indices() const override;

 private:
  torch::Tensor kept_;
  std::int64_t inputs_;
  torch::Tensor values_;
};

/// Both layouts: "kept_rows" or "kept_columns", and "kept", which flags them among all.
std::unique_ptr<Weight> read_narrowed_rows(const parallel::Communicator& team,
                                           const DenseSource& source, const StoredTensors& tensors);
std::unique_ptr<Weight> read_narrowed_columns(const parallel::Communicator& team,
                                              const DenseSource& source,
                                              const StoredTensors& tensors);

}  // namespace rankine::weights
