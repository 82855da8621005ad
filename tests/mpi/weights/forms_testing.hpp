// Matrices that all ranks know, and the parts of them that the ranks own.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>

#include "../../mpi_world.hpp"
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

}  // namespace rankine::weights
