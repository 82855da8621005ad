// AdamW (Loshchilov and Hutter, arXiv:1711.05101) on row blocks, whose moments are arrays with
// names, as the parameters are.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "weights/storage/parameter.hpp"

namespace rankine::train {

using weights::Parameter;

struct AdamWOptions {
  double beta_mean = 0.9;
  double beta_square = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0;                     ///< of a step, in units of the learning rate
  bool (*decays)(const Parameter&) = nullptr;  ///< which parameters do; all if there is none
};

/// Numbers z that a parameter T(z) is moved in, T linear. Both may be collective over the ranks
/// that hold it.
struct Coordinates {
  /// T^T, what a gradient is in z; nothing where z is the parameter itself.
  std::function<torch::Tensor(const torch::Tensor& gradient)> gradient = {};
  std::function<torch::Tensor(const torch::Tensor& move)> move = {};  ///< T
};

class AdamW {
 public:
  /// Every rank moves what it holds of each parameter, in its coordinates where there are any.
  AdamW(std::vector<Parameter> parameters, AdamWOptions options,
        std::vector<Coordinates> coordinates = {});

  /// Moves the parameters along their gradients.
  void step(double learning_rate);

  /// Parameters and moments: all that a restart needs beside the number of steps.
  std::vector<Parameter> arrays() const;
  /// The arrays are those after so many steps.
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  struct Trained {
    Parameter parameter;
    Coordinates coordinates;
    Parameter mean;    ///< of the gradients, in them
    Parameter square;  ///< mean of their squares
    double decay = 0;  ///< of a step, in units of the learning rate
  };

  std::vector<Trained> trained_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace rankine::train
