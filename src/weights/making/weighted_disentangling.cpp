#include "weights/making/weighted_disentangling.hpp"

#include <cmath>
#include <utility>

#include "weights/forms/matrix_product.hpp"
#include "weights/making/core_optimisation.hpp"
#include "weights/making/matrix_product_factorisation.hpp"

namespace rankine::weights {

using torch::Tensor;

namespace {

/// Of Adam.
constexpr double learning_rate = 3e-3, first_decay = 0.9, second_decay = 0.99, least = 1e-12;

/// The numbers of a weight in float64, until they are written back.
struct Numbers {
  std::vector<Tensor> cores;
  GateCircuit outputs, inputs;

  Tensor matrix() const {
    const Tensor of_core = contract_rows(cores, 0, cores[0].size(1) * cores[1].size(1));
    return apply_transposed_circuit(inputs.circuit(),
                                    apply_circuit_to_rows(outputs.circuit(), of_core));
  }
};

double error_of(const Numbers& numbers, const Tensor& w, const MomentNorm& norm) {
  return std::sqrt(norm.squared(w - numbers.matrix()));
}

/// With the gates of U_L and U_R taken from both sides: U_L^T W U_R^T, and the moments as it sees
/// them.
Tensor rotated(const Numbers& numbers, const Tensor& w) {
  return apply_circuit(numbers.inputs.circuit(),
                       apply_transposed_circuit_to_rows(numbers.outputs.circuit(), w))
      .contiguous();
}
MomentNorm rotated(const Numbers& numbers, const MomentNorm& norm) {
  MomentNorm result;
  const BlockCircuit left = numbers.outputs.circuit(), right = numbers.inputs.circuit();
  if (norm.inputs.defined())
    result.inputs = apply_circuit(right, apply_circuit_to_rows(right, norm.inputs)).contiguous();
  if (norm.outputs.defined())  // U_L^T A U_L
    result.outputs =
        apply_transposed_circuit(left, apply_transposed_circuit_to_rows(left, norm.outputs))
            .contiguous();
  return result;
}

/// Takes the better of cores that are made anew and of the present ones made better.
void improve_cores(Numbers& numbers, const Tensor& w, const MomentNorm& norm, int sweeps) {
  const torch::NoGradGuard no_gradients;
  const Tensor aim = rotated(numbers, w);
  MatrixProductOptions how;
  how.bond_dimension = numbers.cores[0].size(3);
  how.norm = rotated(numbers, norm);
  how.sweeps = sweeps;
  for (const Tensor& core : numbers.cores) {
    how.row_legs.push_back(core.size(1));
    how.column_legs.push_back(core.size(2));
  }
  const SiteNorm sites(how.norm, how.row_legs, how.column_legs);
  const std::vector<double> errors = optimise_cores(aim, how.norm, sites, sweeps, numbers.cores);
  MatrixProductReport report;
  std::vector<Tensor> anew = make_cores(aim, how, &report);
  const bool fits = anew[0].sizes() == numbers.cores[0].sizes();
  if (fits && report.weighted_errors.back() < errors.back()) numbers.cores = std::move(anew);
}

/// A step of Adam on one tensor.
class Adam {
 public:
  explicit Adam(Tensor values)
      : values_(std::move(values)),
        mean_(torch::zeros_like(values_)),
        square_(torch::zeros_like(values_)) {}

  void step(const Tensor& gradient, int count) {
    mean_.mul_(first_decay).add_(gradient, 1 - first_decay);
    square_.mul_(second_decay).addcmul_(gradient, gradient, 1 - second_decay);
    const Tensor size = (square_ / (1 - std::pow(second_decay, count))).sqrt_().add_(least);
    values_.addcdiv_(mean_, size, -learning_rate / (1 - std::pow(first_decay, count)));
  }

 private:
  Tensor values_, mean_, square_;
};

/// The generators of the least error on the way.
void improve_gates(Numbers& numbers, const Tensor& w, const MomentNorm& norm, int steps) {
  std::vector<Tensor> generators{numbers.outputs.generators, numbers.inputs.generators}, best;
  std::vector<Adam> optimisers;
  for (Tensor& values : generators) {
    best.push_back(values.clone());
    optimisers.emplace_back(values);
    values.requires_grad_(true);
  }
  double least_error = -1;
  for (int step = 0; step <= steps; ++step) {
    const Tensor matrix = numbers.matrix();
    const torch::NoGradGuard no_gradients;
    const Tensor error = w - matrix.detach(), weighed = norm.weigh(error);
    const double squared = (error * weighed).sum().item<double>();
    if (least_error < 0 || squared < least_error) {
      least_error = squared;
      for (std::size_t g = 0; g < best.size(); ++g) best[g].copy_(generators[g]);
    }
    if (step == steps || !matrix.requires_grad()) break;
    matrix.backward(weighed * (-2 / std::max(squared, 1e-300)));
    for (std::size_t g = 0; g < generators.size(); ++g) {
      if (!generators[g].grad().defined()) continue;
      optimisers[g].step(generators[g].grad(), step + 1);
      generators[g].mutable_grad() = Tensor();
    }
  }
  numbers.outputs.generators = best[0];
  numbers.inputs.generators = best[1];
}

}  // namespace

std::vector<double> improve_in_norm(const Tensor& w, const MomentNorm& norm,
                                    const WeightedDisentanglingOptions& options,
                                    const Disentangled& weight) {
  const auto in_double = [](GateCircuit circuit) {
    circuit.generators = circuit.generators.to(torch::kFloat64).clone();
    return circuit;
  };
  Numbers numbers{{}, in_double(weight.output_gates()), in_double(weight.input_gates())};
  for (const Tensor& core : weight.cores())
    numbers.cores.push_back(core.to(torch::kFloat64).clone());
  std::vector<double> errors{error_of(numbers, w, norm)};
  for (int round = 0; round < options.rounds; ++round) {
    improve_cores(numbers, w, norm, options.sweeps);
    if (options.gradient_steps > 0) improve_gates(numbers, w, norm, options.gradient_steps);
    errors.push_back(error_of(numbers, w, norm));
  }
  const torch::NoGradGuard no_gradients;
  for (std::size_t k = 0; k < numbers.cores.size(); ++k)
    Tensor(weight.cores()[k]).copy_(numbers.cores[k]);
  Tensor(weight.output_gates().generators).copy_(numbers.outputs.generators);
  Tensor(weight.input_gates().generators).copy_(numbers.inputs.generators);
  return errors;
}

}  // namespace rankine::weights
