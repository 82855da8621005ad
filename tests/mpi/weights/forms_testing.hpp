// Matrices that all ranks know, and the parts of them that the ranks own.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <memory>
#include <string>

#include "../../mpi_world.hpp"
#include "weights/forms/tucker.hpp"
#include "weights/forms/weight.hpp"
#include "weights/rows/gather_rows.hpp"

namespace rankine::weights {

inline torch::Tensor random_matrix(std::int64_t rows, std::int64_t columns, int seed) {
  torch::manual_seed(seed);
  return torch::randn({rows, columns}, torch::kFloat64);
}

inline torch::Tensor own_part(const torch::Tensor& whole, const RowSplit& split) {
  return whole.narrow(0, split.first(world().rank()), split.count(world().rank()));
}

/// W in all rows, on every rank.
inline torch::Tensor whole_of(const Weight& weight) {
  const torch::NoGradGuard no_gradients;
  return gather_rows(world(), weight.own_rows(), weight.split());
}

inline double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).norm().item<double>() / b.norm().item<double>();
}

/// Derivative of the loss when `tensor` moves along `direction`, by differences of fourth order.
template <class Loss>
double difference(const Loss& loss, torch::Tensor tensor, const torch::Tensor& direction) {
  const torch::NoGradGuard no_gradients;
  constexpr double step = 2e-4;
  const torch::Tensor start = tensor.clone();
  const auto loss_at = [&](double steps) {
    tensor.copy_(start + direction * (steps * step));
    return loss().template item<double>();
  };
  const double near = loss_at(1) - loss_at(-1), far = loss_at(2) - loss_at(-2);
  tensor.copy_(start);
  return (8 * near - far) / (12 * step);
}

/// That the gradients of `loss`, which reads x and the weight, are those of finite differences.
template <class Loss>
void expect_gradients_of_differences(const Weight& weight, torch::Tensor x, const Loss& loss) {
  x.requires_grad_(true);
  for (const Parameter& parameter : weight.parameters()) {
    torch::Tensor values = parameter.values;
    values.requires_grad_(true);
  }
  loss().backward();
  torch::manual_seed(8);
  const torch::Tensor along = torch::randn_like(x.detach());
  EXPECT_NEAR((x.grad() * along).sum().item<double>(), difference(loss, x, along), 1e-7);
  for (const Parameter& parameter : weight.parameters()) {
    // Copies move alike on all ranks, and each rank knows all of their gradient.
    const bool is_copy = parameter.placement == Placement::copy;
    torch::manual_seed(is_copy ? 40 : 41 + world().rank());
    const torch::Tensor direction = torch::randn_like(parameter.values.detach());
    double slope = 0;
    if (parameter.values.grad().defined())
      slope = (parameter.values.grad() * direction).sum().item<double>();
    if (!is_copy) slope = world().sum(slope);
    EXPECT_NEAR(slope, difference(loss, parameter.values, direction), 1e-7) << parameter.name;
  }
}

/// Random factors of half ranks for every axis longer than 1, or for the outputs not.
enum class OutputFactor { half, none };
inline TuckerFactors random_factors(const KernelShape& shape, OutputFactor output) {
  const auto rank = [](std::int64_t extent) { return std::max<std::int64_t>(1, extent / 2); };
  const auto factor = [&](std::int64_t extent, int seed) {
    return extent > 1 ? random_matrix(extent, rank(extent), seed) : torch::Tensor();
  };
  const std::int64_t rows = output == OutputFactor::none ? shape.outputs : rank(shape.outputs);
  const std::int64_t columns = rank(shape.inputs) * rank(shape.height) * rank(shape.width);
  TuckerFactors factors{
      .core = random_matrix(rows, columns, 61)
                  .view({rows, rank(shape.inputs), rank(shape.height), rank(shape.width)}),
      .output = {},
      .input = factor(shape.inputs, 62),
      .height = factor(shape.height, 63),
      .width = factor(shape.width, 64)};
  if (output == OutputFactor::half) factors.output = factor(shape.outputs, 65);
  return factors;
}

}  // namespace rankine::weights
