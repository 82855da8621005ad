#include "weights/rotations/cayley.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/linalg.h>

#include <algorithm>
#include <vector>

#include "core/contracts.hpp"

namespace rankine::weights {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

/// Places above the diagonal, row by row.
Tensor places_above_diagonal(std::int64_t size) { return torch::triu_indices(size, size, 1); }

}  // namespace

Tensor skew_matrices(const Tensor& generators, std::int64_t size) {
  const Tensor places = places_above_diagonal(size);
  Tensor a = torch::zeros({generators.size(0), size, size}, generators.options());
  a.index_put_({torch::indexing::Slice(), places[0], places[1]}, generators);
  return a - a.transpose(1, 2);
}

namespace {

struct Cayley : Function<Cayley> {
  static Tensor forward(AutogradContext* context, const Tensor& generators, std::int64_t size) {
    const Tensor identity = torch::eye(size, torch::kFloat64);
    const Tensor a = skew_matrices(generators.to(torch::kFloat64), size);
    // (I - A)(I + A)^(-1) = 2 (I + A)^(-1) - I.
    const Tensor inverse = torch::linalg_inv(identity + a);
    context->save_for_backward({inverse});
    return (2 * inverse - identity).to(generators.scalar_type());
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor inverse = context->get_saved_variables()[0];
    const Tensor g = gradients[0].to(torch::kFloat64);
    const Tensor m =
        -2 * torch::bmm(inverse.transpose(1, 2), torch::bmm(g, inverse.transpose(1, 2)));
    const Tensor places = places_above_diagonal(inverse.size(1));
    const Tensor skew = m - m.transpose(1, 2);
    return {
        skew.index({torch::indexing::Slice(), places[0], places[1]}).to(gradients[0].scalar_type()),
        Tensor()};
  }
};

/// Signs of the rows of `rotation` (row-major, overwritten) that keep the pivots of I + diag(signs)
/// rotation at 1 or above: in the elimination the pivot of a row is 1 plus or minus a number.
std::vector<double> choose_signs(double* rotation, std::int64_t size) {
  std::vector<double> signs;
  for (std::int64_t k = 0; k < size; ++k) {
    double* row = rotation + k * size;
    const double sign = row[k] < 0 ? -1 : 1;
    signs.push_back(sign);
    const double pivot = 1 + sign * row[k];
    for (std::int64_t below = k + 1; below < size; ++below) {
      double* other = rotation + below * size;
      const double factor = other[k] / pivot;
      for (std::int64_t j = k + 1; j < size; ++j) other[j] -= factor * sign * row[j];
    }
  }
  return signs;
}

}  // namespace

Tensor cayley(const Tensor& generators, std::int64_t size) {
  RANKINE_EXPECTS(generators.dim() == 2 && generators.size(1) == generator_numbers(size),
                  "generators hold the numbers above the diagonal");
  return Cayley::apply(generators, size);
}

SignedGenerators generators_of(const Tensor& rotations) {
  RANKINE_EXPECTS(rotations.scalar_type() == torch::kFloat64, "rotations are float64");
  const std::int64_t count = rotations.size(0), size = rotations.size(1);
  const Tensor eliminated = rotations.clone(at::MemoryFormat::Contiguous);
  Tensor signs = torch::empty({count, size}, torch::kFloat64);
  for (std::int64_t n = 0; n < count; ++n) {
    const auto chosen = choose_signs(eliminated.data_ptr<double>() + n * size * size, size);
    std::copy(chosen.begin(), chosen.end(), signs.data_ptr<double>() + n * size);
  }
  const Tensor proper = rotations * signs.unsqueeze(2);
  const Tensor identity = torch::eye(size, torch::kFloat64);
  // A = (I + R)^(-1) (I - R), which commute.
  const Tensor a = torch::linalg_solve(identity + proper, identity - proper);
  const Tensor places = places_above_diagonal(size);
  return {(0.5 * (a - a.transpose(1, 2))).index({torch::indexing::Slice(), places[0], places[1]}),
          signs};
}

}  // namespace rankine::weights
