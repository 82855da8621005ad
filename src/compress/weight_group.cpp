#include "compress/weight_group.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/errors.hpp"

namespace rankine::compress {

weights::RowRange rows_brought(const weights::Weight& weight, const parallel::Teams& teams) {
  if (teams.index() > 0) return {};
  return weights::range_of(weight.split(), teams.team().rank());
}

torch::Tensor own_rows_brought(const weights::Weight& weight, const parallel::Teams& teams,
                               torch::ScalarType type) {
  if (teams.index() > 0) return torch::empty({0, weight.inputs()}, type);
  return weight.own_rows().detach().to(type);
}

void require_usable_trace(double trace, const std::string& weight) {
  if (std::isfinite(trace) && trace > 0) return;
  throw NumericalError(fmt::format(
      "the output gradients of {} are zero or not finite (the model overflows on the calibration "
      "text). Try model.precision = \"float64\", or method.weighting = \"full\".",
      weight));
}

}  // namespace rankine::compress
