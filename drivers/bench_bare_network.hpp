// The layers of a plan as modules of libtorch: what our networks are held against.
#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <vector>

#include "models/image/network_plan.hpp"

namespace rankine::bench {

/// Padding is the same on all sides, pools have no ceil mode, flattening is channels first.
class BareLayers : public torch::nn::Module {
 public:
  explicit BareLayers(const std::vector<models::LayerPlan>& plans);
  torch::Tensor forward(torch::Tensor x) const;

 private:
  void add(const models::LayerPlan& plan);
  template <class Layer>
  void use(Layer module);

  std::vector<std::function<torch::Tensor(const torch::Tensor&)>> steps_;
};

}  // namespace rankine::bench
