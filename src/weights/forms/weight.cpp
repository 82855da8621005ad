#include "weights/forms/weight.hpp"

#include <algorithm>

#include "core/contracts.hpp"
#include "weights/rows/product.hpp"
#include "weights/rows/row_lookup.hpp"

namespace rankine::weights {

using torch::Tensor;

Tensor Weight::forward(const Tensor& x) const { return times_transposed(x, own_rows()); }

Tensor Weight::look_up(const Tensor& ids) const {
  return look_up_rows(own_rows(), own_first(), ids);
}

Tensor Weight::convolve(const Tensor& images, const ConvolutionGeometry& geometry,
                        const Tensor& own_bias) const {
  RANKINE_EXPECTS(geometry.groups == 1 || own_count() == outputs(), "one rank owns all groups");
  return convolve_rows(images, own_rows(), geometry, own_bias);
}

Tensor MaterialisedWeight::own_rows() const {
  const std::vector<Parameter> all = parameters();
  const bool trains = std::ranges::any_of(
      all, [](const Parameter& parameter) { return parameter.values.requires_grad(); });
  if (trains && torch::GradMode::is_enabled()) return compute_rows();
  std::vector<std::int64_t> versions;
  for (const Parameter& parameter : all) versions.push_back(parameter.values._version());
  if (!kept_rows_.defined() || versions != kept_versions_) {
    const torch::InferenceMode recorded(false);  // a later graph may hold what is kept
    const torch::NoGradGuard no_gradients;
    kept_rows_ = Tensor();  // there is not always room for two
    kept_rows_ = compute_rows();
    kept_versions_ = std::move(versions);
  }
  return kept_rows_;
}

}  // namespace rankine::weights
