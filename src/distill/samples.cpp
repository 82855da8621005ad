#include "distill/samples.hpp"

#include <vector>

namespace rankine::distill {

using torch::Tensor;

Tensor Samples::as_counted(const Tensor& features, const Tensor& of_teacher) const {
  if (sharing == Sharing::dealt) return features;
  constexpr double smallest = 1e-12;
  return features * of_teacher.square().mean(-1, /*keepdim=*/true).add(smallest).rsqrt();
}

Tensor pass(std::span<const models::Stage> stages, Sharing sharing, const Tensor& x) {
  const auto through = [&](Tensor y) {
    for (const models::Stage& stage : stages) y = stage.forward(y);
    return y;
  };
  if (sharing == Sharing::dealt) return through(x);
  std::vector<Tensor> all;
  for (const Tensor& sample : x.unbind(0)) all.push_back(through(sample));
  return torch::stack(all);
}

}  // namespace rankine::distill
