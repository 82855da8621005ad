// What the compressed forms of a weight have in common: they are told by their tensors.
#pragma once

#include "parallel/communicator.hpp"
#include "weights/forms/weight.hpp"

namespace rankine::weights {

/// Counts, plans and writes what `parameters` and `indices` list.
class Form : public Weight {
 public:
  const RowSplit& split() const override { return split_; }
  std::int64_t stored_numbers() const override;
  std::int64_t stored_bytes() const override;
  std::vector<files::TensorPlan> plan(const std::string& name, files::DataType type) const override;
  void write(files::SafetensorsWriter& writer, const std::string& name) const override;

 protected:
  /// `team` outlives the weight.
  Form(const parallel::Communicator& team, RowSplit split)
      : team_(&team), split_(std::move(split)) {}
  const parallel::Communicator& team() const { return *team_; }
  std::int64_t own_first() const { return split_.first(team_->rank()); }
  std::int64_t own_count() const { return split_.count(team_->rank()); }

 private:
  const parallel::Communicator* team_;
  RowSplit split_;
};

/// A form that is storage: its rows are computed from its parameters, and the products are those of
/// a dense weight. While gradients are wanted the rows are computed anew in every pass; without,
/// they are kept until a parameter changes.
class MaterialisedForm : public Form {
 public:
  torch::Tensor forward(const torch::Tensor& x) const override;
  torch::Tensor look_up(const torch::Tensor& ids) const override;
  torch::Tensor own_rows() const override;

 protected:
  using Form::Form;
  /// This rank's rows, differentiable in the parameters.
  virtual torch::Tensor compute_rows() const = 0;

 private:
  mutable torch::Tensor kept_rows_;
  mutable std::vector<std::int64_t> kept_versions_;
};

/// Elements of the whole tensor of which a rank holds `parameter`.
std::int64_t whole_numel(const Parameter& parameter);
std::vector<std::int64_t> whole_shape(const Parameter& parameter);

/// Writes this rank's part of a tensor (integers and floating-point numbers alike).
void write_parameter(files::SafetensorsWriter& writer, const std::string& name,
                     const Parameter& parameter, int rank);

}  // namespace rankine::weights
