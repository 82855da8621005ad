#include "bench_bare_network.hpp"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pooling.h>

#include "core/errors.hpp"

namespace rankine::bench {

using models::LayerKind;
using models::LayerPlan;
using torch::Tensor;

namespace {

torch::nn::Conv2d convolution(const LayerPlan& plan) {
  const auto& window = plan.geometry;
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(plan.inputs.channels, plan.outputs.channels, window.kernel)
          .stride(window.stride)
          .padding(torch::ExpandingArray<2>(window.padding))
          .bias(plan.has_bias));
}

/// Of option A.
Tensor subsampled(const LayerPlan& plan, const Tensor& x) {
  const std::int64_t more = plan.outputs.channels - plan.inputs.channels;
  return at::constant_pad_nd(x.slice(2, 0, x.size(2), plan.geometry.stride[0])
                                 .slice(3, 0, x.size(3), plan.geometry.stride[1]),
                             {0, 0, 0, 0, more / 2, more - more / 2});
}

}  // namespace

BareLayers::BareLayers(const std::vector<LayerPlan>& plans) {
  for (const LayerPlan& plan : plans) add(plan);
}

Tensor BareLayers::forward(Tensor x) const {
  for (const auto& step : steps_) x = step(x);
  return x;
}

template <class Layer>
void BareLayers::use(Layer module) {
  register_module(std::to_string(steps_.size()), module);
  steps_.emplace_back([module](const Tensor& x) mutable { return module->forward(x); });
}

void BareLayers::add(const LayerPlan& plan) {
  switch (plan.kind) {
    case LayerKind::convolution:
      return use(convolution(plan));
    case LayerKind::linear:
      return use(torch::nn::Linear(plan.inputs.channels, plan.outputs.channels));
    case LayerKind::batch_norm:
      return use(torch::nn::BatchNorm2d(plan.outputs.channels));
    case LayerKind::max_pool:
      return use(torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(plan.geometry.kernel)
                                          .stride(plan.geometry.stride)
                                          .padding(plan.geometry.padding)));
    case LayerKind::relu:
      return void(steps_.emplace_back([](const Tensor& x) { return x.relu(); }));
    case LayerKind::global_pool:
      return void(steps_.emplace_back([](const Tensor& x) { return x.mean({2, 3}); }));
    case LayerKind::subsample:
      return void(steps_.emplace_back([plan](const Tensor& x) { return subsampled(plan, x); }));
    case LayerKind::residual: {
      const auto body = register_module(std::to_string(steps_.size()) + "a",
                                        std::make_shared<BareLayers>(plan.body));
      const auto shortcut = register_module(std::to_string(steps_.size()) + "b",
                                            std::make_shared<BareLayers>(plan.shortcut));
      return void(steps_.emplace_back(
          [=](const Tensor& x) { return body->forward(x) + shortcut->forward(x); }));
    }
    default:
      throw InputError("the bare network has no layer of type " +
                       std::string(models::name(plan.kind)) + ". Choose another network.");
  }
}

}  // namespace rankine::bench
