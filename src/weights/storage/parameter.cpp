#include "weights/storage/parameter.hpp"

#include <span>

#include "weights/rows/element_type.hpp"

namespace rankine::weights {

using torch::Tensor;

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

std::int64_t whole_bytes(const Parameter& parameter) {
  return whole_numel(parameter) * static_cast<std::int64_t>(parameter.values.element_size());
}

void write_parameter(files::SafetensorsWriter& writer, const std::string& name,
                     const Parameter& parameter, int rank) {
  if (parameter.placement == Placement::copy && rank != 0) return;
  // Integers of 32 bits are numbers of float64 all of them.
  const bool is_double = parameter.values.scalar_type() == torch::kFloat64 ||
                         parameter.values.scalar_type() == torch::kInt32;
  const Tensor values =
      parameter.values.detach().to(is_double ? torch::kFloat64 : torch::kFloat32).contiguous();
  with_element_type(values, [&]<class T>(T) {
    writer.write_rows(
        name, parameter.first_row,
        std::span<const T>(values.data_ptr<T>(), static_cast<std::size_t>(values.numel())));
  });
}

}  // namespace rankine::weights
