#include "weights/forms/form.hpp"

#include <algorithm>
#include <span>

#include "core/contracts.hpp"
#include "weights/rows/element_type.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Indices are stored as the integers they are.
files::DataType stored_type(const Parameter& parameter, files::DataType of_numbers) {
  switch (parameter.values.scalar_type()) {
    case torch::kUInt8:
      return files::DataType::uint8;
    case torch::kInt32:
      return files::DataType::int32;
    default:
      return of_numbers;
  }
}

std::int64_t bytes_of(const Parameter& parameter) {
  return whole_numel(parameter) * static_cast<std::int64_t>(parameter.values.element_size());
}

}  // namespace

std::vector<std::int64_t> whole_shape(const Parameter& parameter) {
  std::vector<std::int64_t> shape = parameter.values.sizes().vec();
  shape[0] = parameter.total_rows;
  return shape;
}

std::int64_t whole_numel(const Parameter& parameter) {
  std::int64_t numel = 1;
  for (const std::int64_t extent : whole_shape(parameter)) numel *= extent;
  return numel;
}

void write_parameter(files::SafetensorsWriter& writer, const std::string& name,
                     const Parameter& parameter, int rank) {
  if (parameter.placement == Placement::copy && rank != 0) return;
  const bool is_double = parameter.values.scalar_type() == torch::kFloat64;
  const Tensor values =
      parameter.values.detach().to(is_double ? torch::kFloat64 : torch::kFloat32).contiguous();
  with_element_type(values, [&]<class T>(T) {
    writer.write_rows(
        name, parameter.first_row,
        std::span<const T>(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
  });
}

std::int64_t Form::stored_numbers() const {
  std::int64_t numbers = 0;
  for (const Parameter& parameter : parameters()) numbers += whole_numel(parameter);
  return numbers;
}

std::int64_t Form::stored_bytes() const {
  std::int64_t bytes = 0;
  for (const Parameter& parameter : parameters()) bytes += bytes_of(parameter);
  for (const Parameter& index : indices()) bytes += bytes_of(index);
  return bytes;
}

std::vector<files::TensorPlan> Form::plan(const std::string& name, files::DataType type) const {
  std::vector<files::TensorPlan> tensors;
  for (const auto& list : {parameters(), indices()})
    for (const Parameter& parameter : list)
      tensors.push_back(
          {name + "." + parameter.name, stored_type(parameter, type), whole_shape(parameter)});
  return tensors;
}

void Form::write(files::SafetensorsWriter& writer, const std::string& name) const {
  for (const auto& list : {parameters(), indices()})
    for (const Parameter& parameter : list)
      write_parameter(writer, name + "." + parameter.name, parameter, team_->rank());
}

Tensor MaterialisedForm::forward(const Tensor& x) const { return times_transposed(x, own_rows()); }

Tensor MaterialisedForm::look_up(const Tensor& ids) const {
  return look_up_rows(own_rows(), own_first(), ids);
}

Tensor MaterialisedForm::own_rows() const {
  const std::vector<Parameter> all = parameters();
  const bool trains = std::ranges::any_of(
      all, [](const Parameter& parameter) { return parameter.values.requires_grad(); });
  if (trains && torch::GradMode::is_enabled()) return compute_rows();
  std::vector<std::int64_t> versions;
  for (const Parameter& parameter : all) versions.push_back(parameter.values._version());
  if (!kept_rows_.defined() || versions != kept_versions_) {
    const torch::NoGradGuard no_gradients;
    kept_rows_ = compute_rows();
    kept_versions_ = std::move(versions);
  }
  return kept_rows_;
}

}  // namespace rankine::weights
