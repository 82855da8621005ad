#include "train/adamw.hpp"

#include <algorithm>
#include <cmath>

#include "core/contracts.hpp"

namespace rankine::train {

using torch::Tensor;

namespace {

/// Steps beyond the largest float, which libtorch refuses, diverge as those of this rate do.
constexpr double largest_rate = 1e30;

Parameter zeros_like(const Parameter& parameter, const char* ending) {
  Parameter zeros = parameter;
  zeros.name += ending;
  zeros.values = torch::zeros_like(parameter.values, at::MemoryFormat::Preserve);
  return zeros;
}

}  // namespace

AdamW::AdamW(std::vector<Parameter> parameters, AdamWOptions options,
             std::vector<Coordinates> coordinates)
    : options_(std::move(options)) {
  RANKINE_EXPECTS(coordinates.empty() || coordinates.size() == parameters.size(),
                  "every parameter has its coordinates");
  const torch::NoGradGuard no_gradients;
  coordinates.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Parameter& parameter = parameters[i];
    Parameter mean = zeros_like(parameter, ".mean"), square = zeros_like(parameter, ".square");
    const bool has_decay = !options_.decays || options_.decays(parameter);
    const double decay = has_decay ? options_.weight_decay : 0;
    trained_.push_back({std::move(parameter), std::move(coordinates[i]), std::move(mean),
                        std::move(square), decay});
  }
}

void AdamW::step(double learning_rate) {
  const torch::NoGradGuard no_gradients;
  const double rate = std::min(learning_rate, largest_rate);
  const auto count = static_cast<double>(++steps_);
  const double left_of_mean = 1 - std::pow(options_.beta_mean, count);
  const double left_of_square = 1 - std::pow(options_.beta_square, count);
  for (const Trained& one : trained_) {
    Tensor values = one.parameter.values, mean = one.mean.values, square = one.square.values;
    const auto& [into, out_of] = one.coordinates;
    const Tensor gradient = into ? into(values.grad()) : values.grad();
    if (one.decay != 0) values.mul_(1 - rate * one.decay);
    mean.mul_(options_.beta_mean).add_(gradient, 1 - options_.beta_mean);
    square.mul_(options_.beta_square).addcmul_(gradient, gradient, 1 - options_.beta_square);
    const Tensor size = (square.sqrt() / std::sqrt(left_of_square)).add_(options_.epsilon);
    if (out_of)
      values.add_(out_of(mean / size), -rate / left_of_mean);
    else
      values.addcdiv_(mean, size, -rate / left_of_mean);
  }
}

std::vector<Parameter> AdamW::arrays() const {
  std::vector<Parameter> all;
  for (const Trained& one : trained_) all.push_back(one.parameter);
  for (const Trained& one : trained_) all.insert(all.end(), {one.mean, one.square});
  return all;
}

}  // namespace rankine::train
